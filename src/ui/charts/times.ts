import type { Series } from "../api/figures.ts"
import { DAY } from "./scale.ts"

/** How far the clocks of the place are ahead of UTC at a moment, in milliseconds. */
export const offsetOf = (utc: boolean) => (moment: number) =>
  utc ? 0 : -new Date(moment).getTimezoneOffset() * 60_000

/** A moment on an axis that is divided by `step`. */
export const timeLabel = (moment: number, step: number, utc: boolean): string => {
  const isMidnight = (moment + offsetOf(utc)(moment)) % DAY === 0
  return formats(utc)[step >= DAY || isMidnight ? "day" : "time"].format(moment)
}

/** Days are counted in UTC, whatever the clocks of the place say. */
export const isInUtc = ({ bucket_ms }: Series, utc: boolean): boolean => utc || bucket_ms >= DAY

/** When a bucket ends. */
export const endOf = ({ bucket_ms, buckets }: Series, bucket: number): number | undefined => {
  const start = buckets[bucket]?.start
  return start === undefined ? undefined : Date.parse(start) + bucket_ms
}

/** From when to when some buckets go; empty where there are none. */
export const spanOf = (series: Series, first: number, last: number, utc: boolean): string => {
  const [start, to] = [series.buckets[first]?.start, endOf(series, last)]
  if (start === undefined || to === undefined) return ""
  const { day, time } = formats(isInUtc(series, utc))
  const from = Date.parse(start)
  const isByDay = series.bucket_ms >= DAY
  const [begins, ends] = [day.format(from), day.format(isByDay ? to - 1 : to)]
  if (isByDay) return begins === ends ? begins : `${begins} – ${ends}`
  return `${begins}, ${time.format(from)} – ${begins === ends ? "" : `${ends}, `}${time.format(to)}`
}

const formats = (utc: boolean) => (known[Number(utc)] ??= make(utc ? { timeZone: "UTC" } : {}))

const make = (zone: Intl.DateTimeFormatOptions) => ({
  day: new Intl.DateTimeFormat("en", { month: "short", day: "numeric", ...zone }),
  time: new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...zone })
})

const known: Array<ReturnType<typeof make>> = []
