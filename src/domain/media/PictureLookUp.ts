import type { Span } from "./Media.ts"
import type { VideoIndex } from "./VideoIndex.ts"

/** A picture worth looking at. */
export interface Candidate {
  readonly picture: number
  /** Where decoding has to begin for it. */
  readonly key: number
  /** Seconds since the beginning. */
  readonly time: number
}

/** Finds pictures of an index by their times within a window, counted from the start of the recording. */
export const lookUp = ({ keys, shown, sizes, times }: VideoIndex, start: number, window: Span) => {
  const timeOf = (picture: number): number => (times[picture] ?? 0) - start
  const isShown = (picture: number): boolean => {
    const time = times[picture] ?? 0
    return time >= shown.from - CLOSE && time < shown.to
  }
  const isInside = (picture: number): boolean =>
    isShown(picture) && timeOf(picture) >= window.from - CLOSE && timeOf(picture) <= window.to
  const candidate = (picture: number, key: number): Candidate => ({ picture, key, time: timeOf(picture) })

  const inside = Array.from(keys)
    .filter(isInside)
    .map((key) => candidate(key, key))

  /** The key picture nearest a time, if there is one in a part of the window. */
  const keyNear = (time: number, from: number, to: number): Candidate | undefined => {
    let best: Candidate | undefined
    for (const key of inside)
      if (key.time >= from && key.time < to)
        if (best === undefined || Math.abs(key.time - time) < Math.abs(best.time - time)) best = key
    return best
  }

  /** The picture on the screen at a time. */
  const at = (time: number): Candidate | undefined => {
    const place = keys.findLastIndex((key) => timeOf(key) <= time)
    const key = keys[place]
    if (key === undefined) return undefined
    let best: number | undefined
    for (let picture = key; picture < (keys[place + 1] ?? sizes.length); picture++)
      if (timeOf(picture) <= time && isInside(picture) && timeOf(picture) >= timeOf(best ?? key))
        best = picture
    return best === undefined ? undefined : candidate(best, key)
  }

  /** Key pictures, those first that differ most in size from the one before. */
  const surprising = inside
    .map((key, place) => ({
      key,
      change: Math.abs(Math.log(sizeOf(sizes, key) / sizeOf(sizes, inside[place - 1])))
    }))
    .toSorted((one, other) => other.change - one.change)
    .map(({ key }) => key)

  return { keyNear, at, surprising, first: inside[0] }
}

const sizeOf = (sizes: Uint32Array, candidate: Candidate | undefined): number =>
  Math.max(1, sizes[candidate?.picture ?? 0] ?? 1)

/** Times that differ by less are the same: containers round them. */
const CLOSE = 0.0005

/** The part of a window in which a video has pictures: many claim to be longer than they are. */
export const shownWindow = ({ shown, times }: VideoIndex, start: number, window: Span): Span => {
  let [first, last, count] = [Infinity, Number.NEGATIVE_INFINITY, 0]
  for (const time of times)
    if (time >= shown.from - CLOSE && time < shown.to) {
      first = Math.min(first, time)
      last = Math.max(last, time)
      count++
    }
  // Nothing says how long the last picture stays, so it gets as long as the others have on average; if it is the
  // only one, it stays.
  const usual = count > 1 ? (last - first) / (count - 1) : count === 1 ? Infinity : 0
  return { from: window.from, to: Math.max(window.from, Math.min(window.to, last + usual - start)) }
}

/** A time as it is told: down to the millisecond before it, so that no picture is dated after it was shown. */
export const toldTime = (seconds: number): number => Math.floor(seconds * 1000 + 0.0001) / 1000
