import type { Span } from "./Media.ts"

/** How the times of one recording are written: all with hours, or all without. */
export interface Clock {
  /** Rounded down: a picture is announced with the second it lies in. */
  readonly at: (seconds: number) => string
  /** Rounded to the nearest: for lengths. */
  readonly length: (seconds: number) => string
  readonly span: (span: Span) => string
}

/** `mm:ss`, or `h:mm:ss` where anything in the recording lies an hour or more from its beginning. */
export const clockFor = (longest: number): Clock => {
  const withHours = milliseconds(longest) >= 3_600_000
  const at = (seconds: number) => written(Math.floor(milliseconds(seconds) / 1000), withHours)
  return {
    at,
    length: (seconds) => written(Math.round(milliseconds(seconds) / 1000), withHours),
    span: ({ from, to }) => `${at(from)}-${at(Math.max(from, to))}`
  }
}

const written = (seconds: number, withHours: boolean): string => {
  const minutes = Math.floor(seconds / 60)
  const rest = `${two(withHours ? minutes % 60 : minutes)}:${two(seconds % 60)}`
  return withHours ? `${Math.floor(minutes / 60)}:${rest}` : rest
}

const two = (number: number): string => String(number).padStart(2, "0")

const milliseconds = (seconds: number): number =>
  Number.isFinite(seconds) ? Math.max(0, Math.round(seconds * 1000)) : 0
