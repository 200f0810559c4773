/** Milliseconds as people say them: `840 ms`, `4.2 s`, `3 m 07 s`, `2 h 05 m`. */
export const duration = (millis: number | string | null | undefined): string => {
  if (millis === null || millis === undefined || millis === "") return ""
  const ms = Math.round(Number(millis))
  if (!Number.isFinite(ms)) return ""
  if (ms < 1000) return `${ms} ms`
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`
  const minutes = Math.round(seconds / 60)
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`
}

const two = (value: number): string => String(value).padStart(2, "0")
