import type { Totals } from "../api/figures.ts"
import { compact, count, percent } from "../format/count.ts"
import { duration } from "../format/duration.ts"
import { money } from "../format/money.ts"
import { changeOf, pointsBetween } from "./change.ts"
import type { Change } from "./change.ts"

/** A figure of the summary. */
export interface Figure {
  readonly label: string
  readonly value: string
  readonly change?: Change | undefined
  readonly isGoodUp?: boolean
  readonly note?: string | undefined
}

/** What a range comes to, beside the one before it; what nobody measured is empty. */
export const figuresOf = (
  now: Totals | undefined,
  then: Totals | null | undefined,
  inFlight: number | undefined
): ReadonlyArray<Figure> => {
  const plain = (label: string, name: "requests" | "total_tokens"): Figure => ({
    label,
    value: compact(now?.[name]),
    change: changeOf(now?.[name], then?.[name])
  })
  const share = (label: string, shareOf: typeof errorsOf, isGoodUp: boolean): Figure => {
    const [is, was] = [shareOf(now), shareOf(then)]
    return { label, isGoodUp, value: percent(is), change: pointsBetween(is, was) }
  }
  const time = (label: "p50" | "p95" | "p99"): Figure => {
    const is = now?.duration_ms[label]
    return { label, value: duration(is), change: changeOf(is, then?.duration_ms[label]), isGoodUp: false }
  }
  const unknown = now?.cost_unknown
  return [
    plain("Requests", "requests"),
    share("Errors", errorsOf, false),
    {
      label: "Cost",
      // What nobody knows is not nothing.
      value: unknown && !Number(now.cost_usd) ? "unknown" : money(now?.cost_usd),
      change: changeOf(now && Number(now.cost_usd), then && Number(then.cost_usd)),
      note: unknown ? `+ ${compact(unknown)} unknown` : undefined
    },
    plain("Tokens", "total_tokens"),
    time("p50"),
    time("p95"),
    time("p99"),
    share("Media hits", hitsOf, true),
    { label: "In flight", value: count(inFlight ?? now?.in_flight), note: "now" }
  ]
}

const errorsOf = (totals: Totals | null | undefined): number | undefined =>
  totals?.requests ? totals.errors / totals.requests : undefined

/** A request may have several media, of which each counts when it is remembered. */
const hitsOf = (totals: Totals | null | undefined): number | undefined =>
  totals?.media_requests ? Math.min(1, totals.media_hits / totals.media_requests) : undefined
