import { findCuts } from "./CutHints.ts"
import type { Cut } from "./CutHints.ts"
import { instantsIn } from "./LookStudy.ts"
import type { Span } from "./Media.ts"
import { lookUp } from "./PictureLookUp.ts"
import type { Candidate } from "./PictureLookUp.ts"
import type { VideoIndex } from "./VideoIndex.ts"

/** What looking may cost: pictures decoded, and bytes read for that. */
export interface Budget {
  /** To have seen every part at all, and to have seen details between key pictures. */
  readonly coverage: number
  readonly detail: number
  readonly bytes: number
}

/** How many pictures tell of a video: 3 of the shortest, 16 from twenty minutes on. */
export const frameCount = (duration: number): number =>
  Math.min(16, Math.max(3, Math.round(3 + 2.2 * Math.log2(1 + Math.max(0, duration) / 20))))

/**
 * One instant of each part of the time, the coarse ones first: wherever one stops, no large part is left out. They
 * are not quite even, since a video that repeats itself would show the same to an even comb again and again.
 */
export const evenInstants = ({ from, to }: Span, count: number): ReadonlyArray<number> =>
  scattered(count).map((at) => {
    const aside = ((at + 1) * GOLDEN) % 1
    return from + ((at + 0.5 + (aside - 0.5) * UNEVEN) / count) * (to - from)
  })

/**
 * What is looked at first: of every part of the time the key picture nearest its middle, of every shot the index
 * gives away one picture, and what else there is of key pictures. Key pictures are nearly free; others cost all
 * pictures since the key before them, and more of them nothing where that is decoded anyway.
 */
export const planLooks = (
  index: VideoIndex,
  { budget, pool, start, window }: Plan
): ReadonlyArray<Candidate> => {
  const pictures = lookUp(index, start, window)
  const chosen = collect(index, FREE * pool, budget.bytes)
  const length = window.to - window.from
  const near = length / (6 * pool)
  for (const instant of evenInstants(window, COARSE))
    chosen.add(
      pictures.keyNear(instant, ...around(instant, window, COARSE)) ?? pictures.at(instant),
      budget.coverage
    )
  // What follows the last key picture for long is decoded to its end, for what lies on the way.
  if (pictures.keyNear(window.to, window.to - length / COARSE, window.to) === undefined)
    chosen.add(pictures.at(window.to - length / COARSE / 4), budget.coverage)
  for (const { from, to } of shotsOf(findCuts(index), start, window).slice(0, pool)) {
    const middle = (from + to) / 2
    const key = pictures.keyNear(middle, from, to)
    chosen.add(key ?? pictures.at(Math.min(from + SETTLED, middle)), budget.detail / 4, near)
  }
  for (const instant of evenInstants(window, pool / 2))
    chosen.add(pictures.keyNear(instant, ...around(instant, window, pool / 2)), 0)
  for (const key of pictures.surprising) if (chosen.all().length < pool) chosen.add(key, 0, near)
  for (const instant of evenInstants(window, FREE * pool)) chosen.add(pictures.at(instant), 0, near)
  if (chosen.all().length === 0) chosen.add(pictures.first ?? pictures.at(window.from), Infinity)
  return chosen.all()
}

/** What is looked at next: the stretches that may hide something. */
export const planCloserLooks = (
  index: VideoIndex,
  { budget, pool, start, window }: Plan,
  doubtful: ReadonlyArray<Span>
): ReadonlyArray<Candidate> => {
  const pictures = lookUp(index, start, window)
  const chosen = collect(index, pool, budget.bytes)
  for (const stretch of doubtful) {
    const instants = instantsIn(stretch)
    const part = (stretch.to - stretch.from) / (instants.length + 1) / 2
    // The last comes first: the others lie on the way to it.
    for (const instant of instants.toReversed())
      chosen.add(
        pictures.keyNear(instant, instant - part, instant + part) ?? pictures.at(instant),
        budget.detail
      )
  }
  return chosen.all()
}

interface Plan {
  /** When the recording starts, by the file's own clock. */
  readonly start: number
  readonly window: Span
  /** Most pictures to look at. */
  readonly pool: number
  readonly budget: Budget
}

/** The part of the window that an instant stands for, when it is in so many parts. */
const around = (instant: number, { from, to }: Span, parts: number): [number, number] => {
  const width = (to - from) / parts
  const start = from + Math.floor((instant - from) / width) * width
  return [start, start + width]
}

const collect = (index: VideoIndex, pool: number, mostBytes: number) => {
  const spending = spend(index)
  const chosen = new Map<number, Candidate>()
  return {
    /** Unless it costs too much, is no news, or is too near to another. */
    add: (candidate: Candidate | undefined, mostPictures: number, apart = 0): void => {
      if (candidate === undefined || chosen.size >= pool || chosen.has(candidate.picture)) return
      for (const { time } of apart > 0 ? chosen.values() : [])
        if (Math.abs(time - candidate.time) < apart) return
      if (spending.take(candidate, mostPictures, mostBytes)) chosen.set(candidate.picture, candidate)
    },
    all: () => [...chosen.values()].toSorted((one, other) => one.time - other.time)
  }
}

interface Shot extends Span {
  readonly strength: number
}

/** What lies between cuts, the surest first. */
const shotsOf = (cuts: ReadonlyArray<Cut>, start: number, window: Span): ReadonlyArray<Shot> => {
  const inside = cuts
    .map(({ strength, time }) => ({ strength, from: time - start }))
    .filter(({ from }) => from > window.from && from < window.to)
  return [{ from: window.from, strength: FIRST }, ...inside]
    .map(({ from, strength }, at) => ({ from, strength, to: inside[at]?.from ?? window.to }))
    .filter(({ from, to }) => to - from >= SHORTEST)
    .toSorted((one, other) => other.strength - one.strength)
}

/** Counts what has been decided to be decoded: pictures that share a key share the way to it. */
const spend = ({ sizes }: VideoIndex) => {
  const reached = new Map<number, number>()
  let pictures = 0
  let bytes = 0
  return {
    take: ({ key, picture }: Candidate, most: number, mostBytes: number): boolean => {
      const from = (reached.get(key) ?? key - 1) + 1
      const more = Math.max(0, picture + 1 - from)
      if (picture !== key && more > 0 && pictures + more > most) return false
      let size = 0
      for (let at = from; at <= picture; at++) size += sizes[at] ?? 0
      if (bytes + size > mostBytes) return false
      pictures += more
      bytes += size
      reached.set(key, Math.max(picture, from - 1))
      return true
    }
  }
}

/** Places 0 to count - 1 so that any first few of them are spread over the whole. */
const scattered = (count: number): ReadonlyArray<number> => {
  const places: Array<number> = []
  const taken = new Set<number>()
  for (let parts = 1; places.length < count; parts *= 2)
    for (let part = 0; part < parts; part++) {
      const place = Math.floor(((part + 0.5) / parts) * count)
      if (!taken.has(place)) {
        taken.add(place)
        places.push(place)
      }
    }
  return places
}

const GOLDEN = (Math.sqrt(5) - 1) / 2
const UNEVEN = 0.5
/** Times as many may be looked at where that costs nothing, because they are decoded on the way. */
const FREE = 1.5
/** Parts of the time that must be seen, whatever the keys are like. */
const COARSE = 8
/** A shot shorter than this is a flash. */
const SHORTEST = 0.15
/** Seconds after a cut, for a picture that shows what came. */
const SETTLED = 0.4
const FIRST = 0.5
