import { full } from "./time.ts"

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
