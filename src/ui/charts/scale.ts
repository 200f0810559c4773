/** Steps of an axis from nothing up to `max` or just above it: 1, 2, 2.5 or 5 times a power of ten. */
export const ticks = (max: number, wanted = 4, whole = false): ReadonlyArray<number> => {
  if (!(max > 0) || !Number.isFinite(max)) return [0, 1]
  const rough = max / wanted
  const power = 10 ** Math.floor(Math.log10(rough))
  const factor = [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10
  return upTo(max, whole ? Math.ceil(factor * power) : factor * power)
}

/** The same for milliseconds, whose larger units do not come in tens. */
export const durationTicks = (max: number, wanted = 4): ReadonlyArray<number> => {
  if (!(max > 0) || !Number.isFinite(max)) return [0, 1000]
  if (max < 40_000) return ticks(max, wanted)
  return upTo(
    max,
    STEPS.find((step) => step >= (max / wanted) * 0.999) ?? Math.ceil(max / wanted / DAY) * DAY
  )
}

/** Moments of an axis of time, at most `most`, at full minutes, hours or days of a place `offset` milliseconds ahead of UTC. */
export const timeTicks = (
  from: number,
  to: number,
  most: number,
  offset: (moment: number) => number
): { readonly step: number; readonly moments: ReadonlyArray<number> } => {
  const length = to - from
  const step =
    STEPS.find((step) => step >= MINUTE && length / step <= most) ??
    Math.ceil(length / Math.max(1, most) / DAY) * DAY
  const moments: Array<number> = []
  const first = Math.ceil((from + offset(from)) / step) * step
  for (let local = first; moments.length <= most; local += step) {
    // The clocks may have been changed on the way.
    const moment = local - offset(local - offset(from))
    if (moment >= to) break
    if (moment >= from) moments.push(moment)
  }
  return { step, moments }
}

/** Which of `count` equal parts of a width a place is in. */
export const partAt = (place: number, width: number, count: number): number =>
  Math.min(count - 1, Math.max(0, Math.floor((place / Math.max(1, width)) * count)))

/** Numbers for the path of a picture. */
export const short = (value: number): string => String(Math.round(value * 10) / 10)

const upTo = (max: number, step: number): ReadonlyArray<number> => {
  const count = Math.max(1, Math.ceil(max / step - 1e-9))
  // A step such as 0.1 is not exact, and a label shows that.
  return Array.from({ length: count + 1 }, (_, at) => Number((at * step).toPrecision(12)))
}

const MINUTE = 60_000
export const DAY = 1440 * MINUTE

/** Steps of time that people count in, in milliseconds. */
const STEPS = [10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200]
  .concat([1, 2, 5, 7, 14, 28].map((days) => days * 86400))
  .map((seconds) => seconds * 1000)
