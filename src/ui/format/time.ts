/** The time of day, and the day before it where that is not today. */
export const clock = (iso: string, utc: boolean, now = Date.now()): string => {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return iso
  const { day, time } = formatters(utc)
  return day.format(date) === day.format(now) ? time.format(date) : `${day.format(date)} ${time.format(date)}`
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

/** A moment as a field for dates takes it. */
export const fieldTime = (iso: string | undefined, utc: boolean): string =>
  iso === undefined || Number.isNaN(Date.parse(iso))
    ? ""
    : full(new Date(iso).toISOString(), utc).slice(0, 16)

/** What such a field says, as ISO 8601 in UTC. */
export const fromField = (text: string, utc: boolean): string | undefined => {
  const millis = text === "" ? Number.NaN : Date.parse(utc ? `${text}Z` : text)
  return Number.isNaN(millis) ? undefined : new Date(millis).toISOString()
}

const two = (value: number): string => String(Math.floor(value)).padStart(2, "0")

/** Making one costs more than a thousand uses. */
const formatters = (utc: boolean) => (utc ? (inUtc ??= make("UTC")) : (inLocal ??= make(undefined)))

const make = (timeZone: string | undefined) => {
  const zone = timeZone === undefined ? {} : { timeZone }
  return {
    day: new Intl.DateTimeFormat("en", { month: "short", day: "numeric", ...zone }),
    time: new Intl.DateTimeFormat("en", { timeStyle: "medium", hourCycle: "h23", ...zone })
  }
}
type Formatters = ReturnType<typeof make>
let inUtc: Formatters | undefined
let inLocal: Formatters | undefined
