import { Effect } from "effect"
import { createHash } from "node:crypto"
import { MediaFailure } from "../../domain/Errors.ts"
import type { Blob, Frame, Seen } from "../../domain/media/Evidence.ts"
import { chooseFrames, longestGap } from "../../domain/media/FrameChoice.ts"
import { frameCount } from "../../domain/media/FramePlan.ts"
import { readImageHeader } from "../../domain/media/ImageHeader.ts"
import { doubtful, study } from "../../domain/media/LookStudy.ts"
import type { MediaFile, Span } from "../../domain/media/Media.ts"
import { shownWindow } from "../../domain/media/PictureLookUp.ts"
import { sightOf } from "../../domain/media/Sight.ts"
import type { Sight } from "../../domain/media/Sight.ts"
import { noteStep } from "../tracking/noteStep.ts"
import { Ffmpeg } from "./Ffmpeg.ts"
import type { Probe } from "./Ffmpeg.ts"
import { indexedLooks } from "./look/indexedLooks.ts"
import type { LookRequest, LookSource, Moment } from "./look/LookSource.ts"
import { readIndex } from "./look/readIndex.ts"
import { soughtLooks } from "./look/soughtLooks.ts"

export interface LookOptions {
  readonly folder: string
  /** Pictures wanted; undefined lets the length decide. */
  readonly frames: number | undefined
  /** Longest side of a picture. */
  readonly px: number
  /** Only this part of the video. */
  readonly window?: Span
  readonly progress?: (share: number) => void
}

/** Looks at many moments of a video in small, and shows those that together tell most of it. */
export class Looking extends Effect.Service<Looking>()("percept/Looking", {
  effect: Effect.gen(function* () {
    const ffmpeg = yield* Ffmpeg

    const look = Effect.fn("Looking.look")(function* (file: MediaFile, probe: Probe, options: LookOptions) {
      const { progress = () => {} } = options
      if (probe.video === undefined) return yield* NO_PICTURE
      const asked = windowOf(probe, options.window)
      if (asked.to < asked.from) return yield* NOTHING_THERE
      const index = yield* readIndex(file)
      const window = index === undefined ? asked : shownWindow(index, probe.startTime, asked)
      const request = requestOf(probe.video, window, options)
      progress(0.1)
      const sought = soughtLooks(ffmpeg, file, probe, request)
      const source = index === undefined ? sought : indexedLooks(ffmpeg, file, index, probe, request)
      const found = yield* lookAround(source, request, progress)
      // What its tables tell of a file need not be true.
      const isEnough = found.pictures.size > 0 || source === sought
      const looked = isEnough ? found : yield* lookAround(sought, request, progress)
      yield* noteStep(`${looked.pictures.size} pictures of ${looked.moments.length} moments`)
      return yield* shown(looked, asked, window)
    })

    return { look }
  })
}) {}

/** What was looked at, and the pictures of it that are worth showing. */
interface Found {
  readonly source: LookSource
  readonly moments: ReadonlyArray<Moment>
  readonly summary: Pick<Seen, "shots" | "shotsShown" | "duplicates">
  readonly pictures: ReadonlyMap<Moment, Uint8Array>
}

const lookAround = Effect.fnUntraced(function* (
  source: LookSource,
  { wanted, window }: LookRequest,
  progress: (share: number) => void
) {
  const see = looker()
  const first = yield* source.first
  progress(0.5)
  const spots = doubtful(study(yield* see(first), window), wanted)
  const more = spots.length === 0 ? [] : yield* source.closer(spots)
  const moments = [
    ...first,
    ...more.filter(({ time }) => first.every((other) => other.time !== time))
  ].toSorted((one, other) => one.time - other.time)
  progress(0.7)
  const { chosen, ...summary } = chooseFrames(study(yield* see(moments), window), wanted)
  const pictures = yield* source.pictures(chosen.flatMap((place) => moments[place] ?? []))
  progress(1)
  const found: Found = { source, moments, summary, pictures }
  return found
})

/** What is worked out of a moment is worked out once, with pauses in which others have their turn. */
const looker = () => {
  const sights = new Map<Moment, Sight>()
  return (moments: ReadonlyArray<Moment>) =>
    Effect.forEach(moments, (moment) =>
      Effect.map(Effect.yieldNow(), () => {
        const sight = sights.get(moment) ?? sightOf(moment.cells)
        sights.set(moment, sight)
        return { time: moment.time, sight }
      })
    )
}

const shown = ({ moments, pictures, source, summary }: Found, asked: Span, window: Span) => {
  if (pictures.size === 0) return Effect.fail(undecodable(source))
  const taken = [...pictures].flatMap(([{ time }, bytes]) => {
    const sha256 = createHash("sha256").update(bytes).digest("hex")
    const { height = 0, width = 0 } = readImageHeader(bytes) ?? {}
    const frame: Frame = { time, mime: JPEG, width, height, bytes: bytes.length, sha256 }
    return [{ frame, blob: { sha256, mime: JPEG, bytes } }]
  })
  const frames = taken.map(({ frame }) => frame)
  const seen: Seen = {
    frames,
    ...summary,
    longestGap: longestGap(
      frames.map(({ time }) => time),
      window
    ),
    instants: moments.length,
    unseen: unseen(moments, source, window, asked)
  }
  const blobs: ReadonlyArray<Blob> = taken.map(({ blob }) => blob)
  return Effect.succeed({ seen, blobs })
}

/** Large stretches in which nobody looked although there was something to see, or in which there is nothing. */
const unseen = (
  moments: ReadonlyArray<Moment>,
  source: LookSource,
  window: Span,
  asked: Span
): Seen["unseen"] => {
  const marks = [window.from, ...moments.map(({ time }) => time), window.to]
  const length = window.to - window.from
  const missed = marks.flatMap((to, place) => {
    const from = marks[place - 1] ?? to
    const why = to - from > length / 8 ? source.unseen({ from, to }) : undefined
    return why === undefined ? [] : [{ from, to, why }]
  })
  return Number.isFinite(asked.to) && asked.to - window.to > Math.max(1, length / 20)
    ? [...missed, { from: window.to, to: asked.to, why: "the file holds no pictures of it" }]
    : missed
}

const windowOf = ({ duration = 0 }: Probe, { from = 0, to = Infinity }: Partial<Span> = {}): Span => ({
  from: Math.max(0, from),
  to: Math.min(to, duration)
})

const requestOf = (video: NonNullable<Probe["video"]>, window: Span, options: LookOptions): LookRequest => {
  const { height, width } = video
  const scale = Math.min(1, options.px / Math.max(width, height))
  const even = (side: number) => Math.max(2, Math.round((side * scale) / 2) * 2)
  const wanted = Math.max(1, options.frames ?? frameCount(window.to - window.from))
  return {
    ...{ folder: options.folder, window, wanted, pixels: Math.max(1, width * height) },
    pool: Math.max(POOL, Math.ceil(wanted * 1.5)),
    size: { width: even(width), height: even(height) }
  }
}

const JPEG = "image/jpeg"

/** Moments looked at to choose from, however long the video is. */
const POOL = 48

const NO_PICTURE = new MediaFailure({ code: "unsupported", message: "There is no moving picture in it." })
const NOTHING_THERE = new MediaFailure({
  code: "unsupported",
  message: "It ends before the part that was asked for."
})
const undecodable = (source: LookSource) =>
  new MediaFailure({
    code: "broken",
    message: "The picture could not be decoded.",
    detail: source.trouble() ?? "No moment could be looked at."
  })
