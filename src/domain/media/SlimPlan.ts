import type { Candidate } from "./PictureLookUp.ts"
import type { SlimPicture, VideoIndex } from "./VideoIndex.ts"

/** What a slim file has to hold so that certain pictures can be decoded, and which of its ticks are those. */
export interface SlimPlan {
  readonly pictures: ReadonlyArray<SlimPicture>
  /** Odd ticks all of them; pictures that are only decoded on the way have even ones. */
  readonly wanted: ReadonlyMap<number, Candidate>
}

/** Everything from each key picture to the last that is wanted of those that build on it. */
export const planSlim = (
  { times }: Pick<VideoIndex, "times">,
  candidates: ReadonlyArray<Candidate>
): SlimPlan => {
  const byKey = new Map<number, Map<number, Candidate>>()
  for (const candidate of candidates) {
    const targets = byKey.get(candidate.key) ?? new Map<number, Candidate>()
    byKey.set(candidate.key, targets.set(candidate.picture, candidate))
  }
  const pictures: Array<SlimPicture> = []
  const wanted = new Map<number, Candidate>()
  for (const [key, targets] of [...byKey].toSorted(([one], [other]) => one - other)) {
    const run = Array.from({ length: Math.max(...targets.keys()) - key + 1 }, (_, at) => key + at)
    const shownAt = new Map(
      run
        .toSorted((one, other) => (times[one] ?? 0) - (times[other] ?? 0))
        .map((picture, place) => [picture, place])
    )
    const first = pictures.length
    for (const picture of run) {
      const candidate = targets.get(picture)
      const tick = (first + (shownAt.get(picture) ?? 0)) * 2 + (candidate === undefined ? 0 : 1)
      if (candidate !== undefined) wanted.set(tick, candidate)
      pictures.push({ picture, key: picture === key, tick })
    }
  }
  return { pictures, wanted }
}
