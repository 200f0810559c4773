import { two } from "./duration.ts"

/** Seconds from the beginning of a medium: `1:05`, `1:02:07`. */
export const timecode = (seconds: number): string => {
  const whole = Math.floor(seconds + 0.0005)
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor(whole / 60) % 60
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}`
}

export const stretch = ({ from, to }: { readonly from: number; readonly to: number }): string =>
  `${timecode(from)}–${timecode(to)}`
