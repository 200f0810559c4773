import type { VideoIndex } from "./VideoIndex.ts"

/** A place where the picture probably changes as a whole. */
export interface Cut {
  readonly picture: number
  readonly time: number
  /** From 0 to 2; only good for comparing. */
  readonly strength: number
  readonly isKey: boolean
}

/**
 * Where encoders gave themselves away, in order of time: they begin anew early, or need many bytes at once,
 * when nothing of what was shown before can be used. No picture is decoded for that.
 */
export const findCuts = (index: VideoIndex): ReadonlyArray<Cut> =>
  [...keyCuts(index), ...innerCuts(index)].toSorted((one, other) => one.time - other.time)

/** Key pictures that come before they are due, or differ much in size from the one before. */
const keyCuts = ({ keys, sizes, times }: VideoIndex): ReadonlyArray<Cut> => {
  const distances = Array.from(keys.subarray(1), (key, at) => timeOf(times, key) - timeOf(times, keys[at]))
  const regular = percentile(distances, 0.9)
  return distances.map((distance, at) => {
    const picture = keys[at + 1] ?? 0
    const change = Math.abs(Math.log(sizeOf(sizes, picture) / sizeOf(sizes, keys[at])))
    return {
      picture,
      time: timeOf(times, picture),
      strength: (distance < 0.9 * regular ? 1 : 0) + Math.min(1, change),
      isKey: true
    }
  })
}

/** Pictures between two keys that are far larger than those before them. */
const innerCuts = ({ keys, sizes, times }: VideoIndex): ReadonlyArray<Cut> => {
  const found: Array<Cut> = []
  let [next, key, mean, counted] = [0, 0, 0, 0]
  for (let picture = 0; picture < sizes.length; picture++) {
    const size = sizes[picture] ?? 0
    const growth = size / Math.max(1, mean)
    if (picture === keys[next]) {
      key = size
      next++
      counted = 0
    } else if (counted >= FEWEST && growth > TIMES && (size > KEY_SHARE * key || mean < STILL_SHARE * key)) {
      found.push({ picture, time: timeOf(times, picture), strength: Math.log2(growth / TIMES), isKey: false })
      counted = 0
    } else {
      counted = Math.min(BEFORE, counted + 1)
      mean += (size - mean) / counted
    }
  }
  return found
}

export const percentile = (values: ReadonlyArray<number>, share: number): number =>
  [...values].toSorted((one, other) => one - other)[Math.floor(values.length * share)] ?? 0

const timeOf = (times: Float64Array, picture = 0): number => times[picture] ?? 0
const sizeOf = (sizes: Uint32Array, picture = 0): number => Math.max(1, sizes[picture] ?? 1)

/** A cut needs this many times the bytes of the pictures before it, and this share of a key picture's. */
const TIMES = 4
const KEY_SHARE = 0.1
/** Where pictures take less than this share of a key picture's bytes nothing moves, and little says much. */
const STILL_SHARE = 0.01
const BEFORE = 24
const FEWEST = 4
