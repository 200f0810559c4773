import { Effect } from "effect"
import { join } from "node:path"
import type { MediaFailure } from "../../../domain/Errors.ts"
import { planCloserLooks, planLooks } from "../../../domain/media/FramePlan.ts"
import type { MediaFile } from "../../../domain/media/Media.ts"
import { shownWindow, toldTime } from "../../../domain/media/PictureLookUp.ts"
import type { Candidate } from "../../../domain/media/PictureLookUp.ts"
import { planSlim } from "../../../domain/media/SlimPlan.ts"
import type { SlimPlan } from "../../../domain/media/SlimPlan.ts"
import { TICKS_PER_SECOND } from "../../../domain/media/VideoIndex.ts"
import type { VideoIndex } from "../../../domain/media/VideoIndex.ts"
import type { Ffmpeg, Probe } from "../Ffmpeg.ts"
import { COVERAGE, DETAIL, costOf, filesPerRun, inGroups, isBroken } from "./cost.ts"
import type { LookRequest, LookSource, Moment } from "./LookSource.ts"
import { ownFolder } from "./ownFolder.ts"
import type { Source, Taken } from "./takePictures.ts"
import { writeSlim } from "./writeSlim.ts"

/**
 * Looks into a video through its own tables: the pictures that are wanted are copied into a slim file, which is
 * decoded without seeking, so that it costs the same however long the video is.
 */
export const indexedLooks = (
  ffmpeg: Ffmpeg,
  file: MediaFile,
  index: VideoIndex,
  { startTime }: Probe,
  request: LookRequest
): LookSource => {
  const { folder, pixels, pool, size } = request
  const window = shownWindow(index, startTime, request.window)
  const budget = {
    coverage: Math.round(COVERAGE / costOf(pixels)),
    detail: Math.round(DETAIL / costOf(pixels)),
    bytes: MOST_BYTES
  }
  const plan = { budget, pool, start: startTime, window }
  /** Pictures that were made on the way, since decoding to them again would cost more. */
  const kept = new Map<Candidate, Uint8Array>()
  const known = new Map<Moment, Candidate>()
  let isApart = false
  let trouble: string | undefined

  const take = (plans: ReadonlyArray<SlimPlan>, what: { readonly small: boolean; readonly whole: boolean }) =>
    Effect.gen(function* () {
      const own = yield* ownFolder(folder, "slim")
      const delays = yield* Effect.forEach(plans, ({ pictures }, number) =>
        writeSlim(index, pictures, file.path, join(own, String(number)))
      )
      const sources = delays.map((delay, number): Source => {
        const slim = { path: join(own, String(number)), type: file.type }
        return { file: slim, select: `mod(pts-${delay},2)` }
      })
      const taking = {
        ticksPerSecond: TICKS_PER_SECOND,
        small: what.small,
        whole: what.whole ? size : undefined
      }
      const taken = yield* ffmpeg.take(sources, taking, own)
      const found = new Map<Candidate, Taken>()
      plans.forEach(({ wanted }, number) => {
        for (const picture of taken[number] ?? []) {
          const candidate = wanted.get(picture.ticks - (delays[number] ?? 0))
          if (candidate !== undefined) found.set(candidate, picture)
        }
      })
      return found
    }).pipe(Effect.scoped)

  /**
   * All from one file where that works. Pictures that lean on others which are not in it (open groups) would come
   * out wrong or not at all, so then each run is a file by itself.
   */
  const takeAll = Effect.fnUntraced(function* (
    candidates: ReadonlyArray<Candidate>,
    what: { readonly small: boolean; readonly whole: boolean }
  ) {
    if (!isApart) {
      const together = planSlim(index, candidates)
      const found = yield* Effect.catchIf(take([together], what), isBroken, () =>
        Effect.succeed(new Map<Candidate, Taken>())
      )
      if (found.size === together.wanted.size) return found
      isApart = true
    }
    const keys = [...new Set(candidates.map(({ key }) => key))]
    const alone = keys.map((key) =>
      planSlim(
        index,
        candidates.filter((candidate) => candidate.key === key)
      )
    )
    const groups = inGroups(alone, filesPerRun(pixels))
    const each = yield* Effect.forEach(groups, (group) => takeOrNone(group, what), { concurrency: 2 })
    return joined(each)
  })

  /** One file that cannot be read at all takes its neighbours in the run along, so they are tried without it. */
  const takeOrNone = (
    group: ReadonlyArray<SlimPlan>,
    what: { readonly small: boolean; readonly whole: boolean }
  ): Effect.Effect<ReadonlyMap<Candidate, Taken>, MediaFailure> =>
    Effect.catchIf(Effect.tapError(take(group, what), noteTrouble), isBroken, () =>
      group.length === 1
        ? Effect.succeed(new Map<Candidate, Taken>())
        : Effect.map(
            Effect.forEach(group, (one) => takeOrNone([one], what)),
            joined
          )
    )

  const noteTrouble = ({ detail }: MediaFailure) => Effect.sync(() => (trouble = detail))

  const look = Effect.fnUntraced(function* (candidates: ReadonlyArray<Candidate>) {
    if (candidates.length === 0) return []
    const { pictures } = planSlim(index, candidates)
    const whole = pictures.length > candidates.length * WORTH_KEEPING
    const found = yield* takeAll(candidates, { small: true, whole })
    const moments: Array<Moment> = []
    for (const candidate of candidates) {
      const { cells, jpeg } = found.get(candidate) ?? {}
      if (cells === undefined) continue
      const moment = { time: toldTime(candidate.time), cells }
      known.set(moment, candidate)
      if (jpeg !== undefined) kept.set(candidate, jpeg)
      moments.push(moment)
    }
    return moments
  })

  const pictures = Effect.fnUntraced(function* (moments: ReadonlyArray<Moment>) {
    const candidates = moments.flatMap((moment) => known.get(moment) ?? [])
    const missing = candidates.filter((candidate) => !kept.has(candidate))
    const found =
      missing.length === 0
        ? new Map<Candidate, Taken>()
        : yield* takeAll(missing, { small: false, whole: true })
    const jpegs = new Map<Moment, Uint8Array>()
    for (const moment of moments) {
      const candidate = known.get(moment)
      const jpeg = candidate && (kept.get(candidate) ?? found.get(candidate)?.jpeg)
      if (jpeg !== undefined) jpegs.set(moment, jpeg)
    }
    return jpegs
  })

  return {
    window,
    first: look(planLooks(index, plan)),
    closer: (doubtful) => look(planCloserLooks(index, plan, doubtful)),
    pictures,
    trouble: () => trouble,
    unseen: ({ from, to }) =>
      index.times.some((time) => time - startTime > from + 0.001 && time - startTime < to - 0.001)
        ? "it could only be reached by decoding very much"
        : undefined
  }
}

const MOST_BYTES = 128 * 1024 * 1024

/** Pictures decoded for one that is wanted, from which on that one is made whole at once. */
const WORTH_KEEPING = 10

const joined = <K, V>(maps: ReadonlyArray<ReadonlyMap<K, V>>): ReadonlyMap<K, V> =>
  new Map(maps.flatMap((map) => Array.from(map)))
