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
  /** On hover. */
  readonly exact?: string | undefined
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
  const errors = shareOf(now?.errors, now?.requests)
  const hits = hitsOf(now)
  const tokens = now?.total_tokens
  const fast = (label: string, name: "p50" | "p95" | "p99"): Figure => ({
    label,
    value: duration(now?.duration_ms[name]),
    change: changeOf(now?.duration_ms[name], then?.duration_ms[name]),
    isGoodUp: false
  })
  return [
    {
      label: "Requests",
      value: compact(now?.requests),
      exact: now && `${count(now.requests)} requests and ${count(now.side_calls)} calls made for them`,
      change: changeOf(now?.requests, then?.requests)
    },
    {
      label: "Errors",
      value: errors === undefined ? "" : percent(errors),
      exact:
        now &&
        `${count(now.errors)} of ${count(now.requests)} failed, ${count(now.cancelled)} were cancelled`,
      change: pointsBetween(errors, shareOf(then?.errors, then?.requests)),
      isGoodUp: false
    },
    cost(now, then),
    {
      label: "Tokens",
      value: compact(tokens),
      exact: now && `${count(now.prompt_tokens)} in, ${count(now.completion_tokens)} out`,
      change: changeOf(tokens, then?.total_tokens)
    },
    fast("p50", "p50"),
    fast("p95", "p95"),
    fast("p99", "p99"),
    {
      label: "Media hits",
      value: hits === undefined ? "" : percent(hits),
      exact:
        now && `${count(now.media_hits)} media were remembered, in ${count(now.media_requests)} requests`,
      change: pointsBetween(hits, hitsOf(then)),
      isGoodUp: true
    },
    { label: "In flight", value: count(inFlight ?? now?.in_flight), note: "now" }
  ]
}

/** What nobody knows is not nothing. */
const cost = (now: Totals | undefined, then: Totals | null | undefined): Figure => {
  const unknown = now?.cost_unknown ?? 0
  const isUnknown = unknown > 0 && Number(now?.cost_usd) === 0
  const missing = `${count(unknown)} of unknown cost`
  return {
    label: "Cost",
    value: isUnknown ? "unknown" : money(now?.cost_usd),
    exact:
      now &&
      `$${now.cost_usd}, of which $${now.cost_estimated_usd} estimated${unknown > 0 ? `; ${missing}` : ""}`,
    change: changeOf(now && Number(now.cost_usd), then && Number(then.cost_usd)),
    note: unknown > 0 ? `+ ${compact(unknown)} unknown` : undefined
  }
}

/** A request may have several media, of which each counts when it is remembered. */
const hitsOf = (totals: Totals | null | undefined): number | undefined => {
  const share = shareOf(totals?.media_hits, totals?.media_requests)
  return share === undefined ? undefined : Math.min(1, share)
}

const shareOf = (part: number | undefined, whole: number | undefined): number | undefined =>
  part === undefined || !whole ? undefined : part / whole
