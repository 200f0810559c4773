import { DAY_MILLIS, HOUR_MILLIS } from "./Spans.ts"
import type { Range } from "./Spans.ts"

/** A division of time for a chart. Milliseconds. */
export interface Buckets {
  readonly unit: "minute" | "hour" | "day"
  /** Some units, where a range is long. */
  readonly width: number
  readonly first: number
  readonly count: number
}

/**
 * As fine as a chart can show. `earliest` is when the record begins; minutes are known by rows alone, so a range must
 * be short and its rows be few, and hours are forgotten in time.
 */
export const bucketsOf = (
  range: Range,
  now: number,
  known: { readonly earliest: number; readonly hours: number; readonly minutes: boolean }
): Buckets => {
  const end = range.to ?? now + 1
  const from = range.from ?? Math.min(known.earliest, end - 1)
  const to = Math.max(end, from + 1)
  if (known.minutes && to - from <= LONGEST.minute) return divided("minute", MINUTE_MILLIS, from, to)
  if (to - from <= LONGEST.hour && (range.from === undefined || from >= known.hours - HOUR_MILLIS))
    return divided("hour", HOUR_MILLIS, from, to)
  const days = Math.ceil((to - from) / DAY_MILLIS + 1)
  return divided("day", Math.ceil(days / (MOST - 1)) * DAY_MILLIS, from, to)
}

/** Where a moment belongs; clocks differ, and what is ahead of ours belongs to the last. */
export const bucketAt = ({ count, first, width }: Buckets, moment: number): number =>
  Math.min(count - 1, Math.max(0, Math.floor((moment - first) / width)))

export const startOf = ({ first, width }: Buckets, bucket: number): number => first + bucket * width

const divided = (unit: Buckets["unit"], width: number, from: number, to: number): Buckets => {
  const first = Math.floor(from / width) * width
  return { unit, width, first, count: Math.min(MOST, Math.max(1, Math.ceil((to - first) / width))) }
}

const MINUTE_MILLIS = 60_000

/** Ranges that are still shown by the minute and by the hour. */
export const LONGEST = { minute: 6 * HOUR_MILLIS, hour: 8 * DAY_MILLIS }

const MOST = 400
