import type { Series } from "../api/figures.ts"
import { said } from "../format/time.ts"
import { DAY } from "./scale.ts"

/** How far the clocks of the place are ahead of UTC at a moment, in milliseconds. */
export const offsetOf = (utc: boolean) => (moment: number) =>
  utc ? 0 : -new Date(moment).getTimezoneOffset() * 60_000

/** A moment on an axis that is divided by `step`. */
export const timeLabel = (moment: number, step: number, utc: boolean): string => {
  const isMidnight = (moment + offsetOf(utc)(moment)) % DAY === 0
  return said(step >= DAY || isMidnight ? "day" : "minute", utc, moment)
}

/** Days are counted in UTC, whatever the clocks of the place say. */
export const isInUtc = ({ bucket_ms }: Series, utc: boolean): boolean => utc || bucket_ms >= DAY
