import { worded } from "./count.ts"

/** Milliseconds as people say them: `840 ms`, `4.2 s`, `3 m 07 s`, `2 h 05 m`. */
export const duration = worded((millis) => {
  const ms = Math.round(millis)
  const seconds = Math.round(ms / 1000)
  const minutes = Math.round(seconds / 60)
  if (ms < 1000) return `${ms} ms`
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`
  if (seconds < 60) return `${seconds} s`
  return seconds < 3600
    ? `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`
})

export const two = (value: number): string => String(Math.floor(value)).padStart(2, "0")
