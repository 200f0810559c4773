import type { Totals } from "../api/figures.ts"
import { count } from "../format/count.ts"

/** A figure of the summary in full, for whoever points at it. */
export const exactOf = (label: string, totals: Totals | undefined): string =>
  (totals && EXACT.get(label)?.(totals)) ?? ""

const EXACT: ReadonlyMap<string, (totals: Totals) => string> = new Map([
  ["Requests", (now) => `${count(now.requests)} requests and ${count(now.side_calls)} calls made for them`],
  [
    "Errors",
    (now) => `${count(now.errors)} of ${count(now.requests)} failed, ${count(now.cancelled)} were cancelled`
  ],
  [
    "Cost",
    (now) =>
      `$${now.cost_usd}, of which $${now.cost_estimated_usd} estimated${now.cost_unknown > 0 ? `; ${count(now.cost_unknown)} of unknown cost` : ""}`
  ],
  ["Tokens", (now) => `${count(now.prompt_tokens)} in, ${count(now.completion_tokens)} out`],
  [
    "Media hits",
    (now) => `${count(now.media_hits)} media were remembered, in ${count(now.media_requests)} requests`
  ]
])
