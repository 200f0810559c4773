import { DAY, HOUR } from "./Rollup.ts"

/** A stretch of time, and what is read for it: sums by day or hour, or rows. Milliseconds; the end is not in it. */
export interface Span {
  readonly of: "days" | "hours" | "rows"
  readonly from: number
  readonly to: number
}

/** Since when there are rows, and sums by hour; Infinity where there are none. */
export interface Kept {
  readonly rows: number
  readonly hours: number
}

/** What is asked of the time; without an end it is open. */
export interface Range {
  readonly from: number | undefined
  readonly to: number | undefined
}

/**
 * Whole days, whole hours beside them, and rows for what is left, without a gap and nothing twice. Where retention has
 * taken what an edge would need, the edge moves down to the hour or day: ranges that meet still meet.
 */
export const spansOf = (range: Range, kept: Kept, coarsest: Span["of"] = "days"): ReadonlyArray<Span> => {
  if (coarsest === "rows") return [{ of: "rows", from: range.from ?? -Infinity, to: range.to ?? Infinity }]
  const { from, to } = settled(range, kept)
  const hours = [up(from, HOUR_MILLIS), down(to, HOUR_MILLIS)] as const
  const days = [up(from, DAY_MILLIS), down(to, DAY_MILLIS)] as const
  const whole: ReadonlyArray<Span> =
    coarsest === "hours" || days[0] >= days[1]
      ? [{ of: "hours", from: hours[0], to: hours[1] }]
      : [
          { of: "hours", from: hours[0], to: days[0] },
          { of: "days", from: days[0], to: days[1] },
          { of: "hours", from: days[1], to: hours[1] }
        ]
  const spans: ReadonlyArray<Span> =
    hours[0] > hours[1]
      ? [{ of: "rows", from, to }]
      : [{ of: "rows", from, to: hours[0] }, ...whole, { of: "rows", from: hours[1], to }]
  return spans.filter(({ from, to }) => from < to)
}

/** The range that is counted in fact. */
const settled = ({ from = -Infinity, to = Infinity }: Range, kept: Kept) => ({
  from: settle(from, kept),
  to: settle(to, kept)
})

/** The same length before it; undefined where that has no beginning. */
export const before = ({ from, to }: Range, now: number): Range | undefined =>
  from === undefined || (to ?? now) <= from ? undefined : { from: from - ((to ?? now) - from), to: from }

const settle = (moment: number, kept: Kept): number => {
  if (!Number.isFinite(moment) || moment >= kept.rows) return moment
  const hour = down(moment, HOUR_MILLIS)
  return hour >= kept.hours ? hour : down(moment, DAY_MILLIS)
}

const down = (moment: number, step: number): number => Math.floor(moment / step) * step

const up = (moment: number, step: number): number => Math.ceil(moment / step) * step

export const HOUR_MILLIS = HOUR * 1000
export const DAY_MILLIS = DAY * 1000
