import { worded } from "./count.ts"

/** A size: `840 B`, `12 kB`, `3.4 MB`. */
export const bytes = worded((size) => {
  let value = size
  let unit = 0
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`
})

const UNITS = ["B", "kB", "MB", "GB", "TB"]
