import type { NanoDollars } from "../Money.ts"
import type { RequestRecord } from "../RequestRecord.ts"

/** What a request came to with everything that was asked for its sake. */
export interface Total {
  readonly cost: NanoDollars | null
  /** Requests among them whose cost nobody knows: the sum is at least what is told. */
  readonly unknown: number
  /** Some of it is an estimate. */
  readonly isEstimated: boolean
  readonly promptTokens: number | null
  readonly completionTokens: number | null
  readonly calls: number
}

/** Adds up a request and its side calls; what is unknown of all of them stays unknown. */
export const totalOf = (family: ReadonlyArray<Figures>): Total => ({
  cost: sum(family.map((row) => row.cost_nano_usd)),
  unknown: family.filter((row) => row.cost_nano_usd === null).length,
  isEstimated: family.some((row) => row.cost_source === "estimated"),
  promptTokens: sum(family.map((row) => row.prompt_tokens)),
  completionTokens: sum(family.map((row) => row.completion_tokens)),
  calls: family.length
})

type Figures = Pick<RequestRecord, "cost_nano_usd" | "cost_source" | "prompt_tokens" | "completion_tokens">

/** Postgres gives large integers as text. */
const sum = (amounts: ReadonlyArray<number | null>): number | null => {
  const known = amounts.filter((amount) => amount !== null)
  return known.length === 0 ? null : known.reduce((all, amount) => all + Number(amount), 0)
}
