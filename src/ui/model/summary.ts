import type { Totals } from "../api/figures.ts"
import { compact, count, percent } from "../format/count.ts"
import type { Numeric } from "../format/count.ts"
import { duration } from "../format/duration.ts"
import { money } from "../format/money.ts"
import { changeOf, pointsBetween } from "./change.ts"
import type { Change } from "./change.ts"

/** A figure of the summary. */
export interface Figure {
  readonly label: string
  readonly value: string
  readonly change?: Change | undefined
  readonly isGoodUp?: boolean | undefined
  readonly note?: string
  /** It in full, for whoever points at it. */
  readonly exact?: string | undefined
}

/** What a range comes to, beside the one before it; what nobody measured is empty. */
export const figuresOf = (
  now: Totals | undefined,
  then: Totals | null | undefined,
  inFlight: number | undefined
): ReadonlyArray<Figure> => {
  const figure = (
    label: string,
    read: (totals: Totals) => number | null | undefined,
    words: (value: Numeric) => string,
    exact?: (now: Totals) => string,
    isGoodUp?: boolean,
    compare = changeOf
  ): Figure => {
    const [is, was] = [now && read(now), then && read(then)]
    return { label, value: words(is), change: compare(is, was), isGoodUp, exact: now && exact?.(now) }
  }
  const cost = figure(
    "Cost",
    (totals) => Number(totals.cost_usd),
    money,
    (now) =>
      `$${now.cost_usd}, of which $${now.cost_estimated_usd} estimated${now.cost_unknown > 0 ? `; ${count(now.cost_unknown)} of unknown cost` : ""}`
  )
  return [
    figure(
      "Requests",
      (totals) => totals.requests,
      compact,
      (now) => `${count(now.requests)} requests, ${count(now.side_calls)} side calls`
    ),
    figure(
      "Errors",
      ({ errors, requests }) => (requests ? errors / requests : undefined),
      percent,
      (now) => `${count(now.errors)} of ${count(now.requests)} failed, ${count(now.cancelled)} cancelled`,
      false,
      pointsBetween
    ),
    // What nobody knows is not nothing.
    now?.cost_unknown
      ? {
          ...cost,
          note: `+ ${compact(now.cost_unknown)} unknown`,
          value: Number(now.cost_usd) ? cost.value : "unknown"
        }
      : cost,
    figure(
      "Tokens",
      (totals) => totals.total_tokens,
      compact,
      (now) => `${count(now.prompt_tokens)} in, ${count(now.completion_tokens)} out`
    ),
    ...(["p50", "p95", "p99"] as const).map((name) =>
      figure(name, ({ duration_ms }) => duration_ms[name], duration, undefined, false)
    ),
    figure(
      "Media hits",
      // A request may have several media, of which each counts when it is remembered.
      (totals) =>
        totals.media_requests ? Math.min(1, totals.media_hits / totals.media_requests) : undefined,
      percent,
      (now) => `${count(now.media_hits)} media remembered in ${count(now.media_requests)} requests`,
      true,
      pointsBetween
    ),
    { label: "In flight", value: count(inFlight ?? now?.in_flight), note: "now" }
  ]
}
