import { two } from "./duration.ts"

/** The time of day, and the day before it where that is not today. */
export const clock = (iso: string, utc: boolean, now = Date.now()): string => {
  const moment = Date.parse(iso)
  if (Number.isNaN(moment)) return iso
  const day = said("day", utc, moment)
  const time = said("second", utc, moment)
  return day === said("day", utc, now) ? time : `${day} ${time}`
}

/** The whole moment, to the millisecond: in UTC, or with the offset of this place. */
export const full = (iso: string, utc: boolean): string => {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return iso
  if (utc) return date.toISOString()
  const offset = -date.getTimezoneOffset()
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, -1)
  return `${local}${offset < 0 ? "-" : "+"}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`
}

/** A part of a moment, as people say it. Making a format costs more than a thousand uses. */
export const said = (part: keyof typeof PARTS, utc: boolean, moment: number): string =>
  (known[part + utc] ??= new Intl.DateTimeFormat("en", {
    ...PARTS[part],
    ...(utc && { timeZone: "UTC" })
  })).format(moment)

const PARTS = {
  day: { month: "short", day: "numeric" },
  minute: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  second: { timeStyle: "medium", hourCycle: "h23" }
} as const

const known: { [part: string]: Intl.DateTimeFormat } = {}
