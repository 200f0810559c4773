import type { Series } from "../api/figures.ts"
import { count, percent, plural } from "../format/count.ts"
import { duration } from "../format/duration.ts"
import { money } from "../format/money.ts"
import { said } from "../format/time.ts"
import type { Plot } from "./cursor.ts"
import { DAY } from "./scale.ts"
import { isInUtc } from "./times.ts"

/** A bucket of a chart in words, without its time. */
export const describe = (chart: string, { buckets, models }: Series, at: number): string => {
  const bucket = buckets[at]
  if (!bucket) return ""
  const { cancelled, cost_by_model_usd, cost_usd, errors, p50_ms, p95_ms, requests } = bucket
  if (chart === "Requests")
    return [
      plural(requests, "request"),
      errors > 0 && `${count(errors)} failed (${percent(errors / requests)})`,
      cancelled > 0 && `${count(cancelled)} cancelled`
    ]
      .filter(Boolean)
      .join(", ")
  if (chart === "Cost") {
    const costs = cost_by_model_usd.map(Number)
    const most = models[costs.indexOf(Math.max(...costs))] ?? "other models"
    return money(cost_usd) + (Number(cost_usd) > 0 ? `, most for ${most}` : "")
  }
  return p50_ms == null ? "nothing measured" : `p50 ${duration(p50_ms)}, p95 ${duration(p95_ms)}`
}

/** The same with its time. */
export const wordsAt = ({ chart, series, utc }: Plot, at: number): string =>
  `${spanOf(series, at, at, utc)}: ${describe(chart.name, series, at)}`

/** When a bucket ends. */
export const endOf = ({ bucket_ms, buckets }: Series, bucket: number): number | undefined => {
  const start = buckets[bucket]?.start
  return start === undefined ? undefined : Date.parse(start) + bucket_ms
}

/** From when to when some buckets go; empty where there are none. */
export const spanOf = (series: Series, first: number, last: number, utc: boolean): string => {
  const [start, to] = [series.buckets[first]?.start, endOf(series, last)]
  if (start === undefined || to === undefined) return ""
  const inUtc = isInUtc(series, utc)
  const from = Date.parse(start)
  const isByDay = series.bucket_ms >= DAY
  const [begins, ends] = [said("day", inUtc, from), said("day", inUtc, isByDay ? to - 1 : to)]
  if (isByDay) return begins === ends ? begins : `${begins} – ${ends}`
  const [since, until] = [said("minute", inUtc, from), said("minute", inUtc, to)]
  return `${begins}, ${since} – ${begins === ends ? "" : `${ends}, `}${until}`
}
