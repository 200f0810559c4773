import { Clock, Duration, Effect, Schema } from "effect"
import { createHash } from "node:crypto"
import { readFile } from "node:fs/promises"
import { MediaFailure } from "../../domain/Errors.ts"
import { Evidence } from "../../domain/media/Evidence.ts"
import type { Blob, Picture } from "../../domain/media/Evidence.ts"
import type { MediaFile, MediaKind, MediaType, Span } from "../../domain/media/Media.ts"
import type { MediaRef } from "../../domain/media/MediaRef.ts"
import { AppConfig } from "../AppConfig.ts"
import { Acquisition } from "./Acquisition.ts"
import type { Acquired } from "./Acquisition.ts"
import { ImagePipeline } from "./ImagePipeline.ts"
import { MediaFetcher } from "./MediaFetcher.ts"
import { MediaMemory } from "./MediaMemory.ts"
import type { LinkState } from "./MediaMemory.ts"
import { MediaQueue } from "./MediaQueue.ts"
import { SingleFlight } from "./SingleFlight.ts"
import { tookTooLong, VideoPipeline } from "./VideoPipeline.ts"
import { Workspace } from "./Workspace.ts"

/** What a medium turned out to be, in the form it was asked for. */
export type Observed =
  | { readonly form: "pictures"; readonly pictures: ReadonlyArray<Picture> }
  | { readonly form: "evidence"; readonly evidence: Evidence; readonly blobs: ReadonlyMap<string, Blob> }
  /** The file itself, for a model that takes it whole. */
  | { readonly form: "whole"; readonly type: MediaType; readonly bytes: Uint8Array }

/** How a request wants its media. */
export interface Want {
  readonly frames: number | undefined
  readonly window: Span | undefined
  /** Whether the model takes this kind of file whole. */
  readonly whole: (type: MediaType) => boolean
}

export interface Sighting {
  readonly observed: Observed
  readonly remembered: boolean
}

/** Looks at one medium: from memory if it was seen before, else once for all who ask at the same time. */
export class Observer extends Effect.Service<Observer>()("percept/Observer", {
  effect: Effect.gen(function* () {
    const { imageMaxPx, mediaRecheck, mediaTimeout, videoNativeMb } = yield* AppConfig
    const mostWhole = videoNativeMb * 1024 * 1024
    const acquisition = yield* Acquisition
    const fetcher = yield* MediaFetcher
    const flights = yield* SingleFlight
    const images = yield* ImagePipeline
    const memory = yield* MediaMemory
    const pipeline = yield* VideoPipeline
    const queue = yield* MediaQueue
    const workspace = yield* Workspace

    const observe = Effect.fn("Observer.observe")(function* (
      ref: MediaRef,
      want: Want,
      listen: (line: string, share: number) => void
    ) {
      const key = keyOf(ref)
      const known = yield* memory.link(key)
      const target = known !== undefined && (yield* isFresh(ref, key, known)) ? known : undefined
      const remembered = target?.type && (yield* recall(target.target, target.type, want))
      if (remembered) return { observed: remembered, remembered: true } satisfies Sighting
      const whole = (["video", "audio"] as const).filter((kind) => want.whole(SAMPLES[kind]))
      const flight = [key, want.frames, want.window?.from, want.window?.to, ...whole].join(" ")
      const inTurn = ref.kind === "image" ? queue.inShortTurn : queue.inTurn
      return yield* flights
        .share(flight, (report) => inTurn(inTime(Effect.scoped(look(ref, key, want, report)))), listen)
        .pipe(
          Effect.map((observed): Sighting => ({ observed, remembered: false })),
          Effect.catchAll((failure) => Effect.orElseFail(lastSeen(key, known, want), () => failure))
        )
    })

    const inTime = Effect.timeoutFail({ duration: mediaTimeout, onTimeout: tookTooLong })

    /** A medium that cannot be had any more is as it was; links that are signed for an hour outlive it in chats. */
    const lastSeen = Effect.fnUntraced(function* (key: string, known: LinkState | undefined, want: Want) {
      const isSame = known !== undefined && (yield* memory.link(key))?.target === known.target
      const observed = isSame && known.type && (yield* recall(known.target, known.type, want))
      if (!isSame || !observed) return yield* Effect.fail("never seen")
      yield* memory.keepLink(key, { ...known, checkedAt: yield* Clock.currentTimeMillis })
      return { observed, remembered: true } satisfies Sighting
    })

    /** A link that was looked at a while ago is asked whether it has changed; one that is gone has not. */
    const isFresh = Effect.fnUntraced(function* (ref: MediaRef, key: string, known: LinkState) {
      if (!("link" in ref.source) || known.target === key) return true
      const age = (yield* Clock.currentTimeMillis) - known.checkedAt
      if (age < Duration.toMillis(mediaRecheck)) return true
      if (ref.kind === "site") return age < PAGE_RECHECK
      const unchanged = yield* Effect.orElseSucceed(
        fetcher.fresh(ref.source.link.url, known.validators),
        () => true
      )
      if (unchanged) yield* memory.keepLink(key, { ...known, checkedAt: yield* Clock.currentTimeMillis })
      return unchanged
    })

    const recall = Effect.fnUntraced(function* (content: string, type: MediaType, want: Want) {
      if (type.kind === "image") return yield* recallPictures(content)
      const wholly = want.whole(type) ? yield* recallWhole(content) : undefined
      if (wholly !== undefined) return wholly
      const found = yield* recallEvidence(pipeline.idOf(content, want))
      // What was shown in pictures to another model may still be had whole.
      const mayBeWhole = want.whole(type) && (found?.evidence.bytes ?? Infinity) <= mostWhole
      return mayBeWhole ? undefined : found
    })

    const look = Effect.fnUntraced(function* (
      ref: MediaRef,
      key: string,
      want: Want,
      report: (line: string, share: number) => void
    ) {
      const folder = yield* workspace.folder
      report("fetching", 0)
      const got = yield* acquisition.acquire(ref, folder, (share) =>
        report(`fetching ${percent(share)}`, share * 0.2)
      )
      const { content } = got
      const checkedAt = yield* Clock.currentTimeMillis
      const type = got.file?.type
      yield* memory.keepLink(key, {
        target: content,
        validators: got.validators,
        type: type ?? SAMPLES.video,
        checkedAt
      })
      if (got.file?.type.kind === "image") return yield* pictures(got.file, content)
      if (got.file !== undefined && want.whole(got.file.type) && got.file.bytes <= mostWhole)
        return yield* whole(got.file, content)
      return (
        (yield* recallEvidence(pipeline.idOf(content, want))) ??
        (yield* evidence(got, folder, want, (line, share) => report(line, 0.2 + share * 0.8)))
      )
    })

    const pictures = Effect.fnUntraced(function* (file: MediaFile, content: string) {
      const found = yield* images.normalise(file)
      const listed = found.map(({ height, mime, sha256, width }) => ({ height, mime, sha256, width }))
      yield* memory.keep(picturesId(content), Pictures, listed, found)
      return { form: "pictures", pictures: found } satisfies Observed
    })

    const recallPictures = Effect.fnUntraced(function* (content: string) {
      const listed = yield* memory.recall(picturesId(content), Pictures)
      if (listed === undefined) return undefined
      const blobs = yield* memory.blobs(listed.map(({ sha256 }) => sha256))
      const pictures = listed.flatMap((picture): ReadonlyArray<Picture> => {
        const blob = blobs.get(picture.sha256)
        return blob === undefined ? [] : [{ ...picture, bytes: blob.bytes }]
      })
      return pictures.length === listed.length
        ? ({ form: "pictures", pictures } satisfies Observed)
        : undefined
    })

    const picturesId = (content: string) => `pictures ${content} p${imageMaxPx}`

    const whole = Effect.fnUntraced(function* (file: MediaFile, content: string) {
      const bytes = yield* Effect.tryPromise({
        try: () => readFile(file.path),
        catch: (error) =>
          new MediaFailure({ code: "broken", message: "It could not be read.", detail: String(error) })
      })
      const { sha256, type } = file
      yield* memory.keep(`whole ${content}`, Whole, { ...type, sha256 }, [{ sha256, mime: type.mime, bytes }])
      return { form: "whole", type, bytes } satisfies Observed
    })

    const recallWhole = Effect.fnUntraced(function* (content: string) {
      const kept = yield* memory.recall(`whole ${content}`, Whole)
      const blob = kept && (yield* memory.blobs([kept.sha256])).get(kept.sha256)
      if (kept === undefined || blob === undefined) return undefined
      const { sha256: _, ...type } = kept
      return { form: "whole", type, bytes: blob.bytes } satisfies Observed
    })

    const evidence = Effect.fnUntraced(function* (
      got: Acquired,
      folder: string,
      want: Want,
      report: (line: string, share: number) => void
    ) {
      const { content, file, site } = got
      const task = { folder, frames: want.frames, window: want.window, site, report }
      const analysis =
        file === undefined
          ? pipeline.wordsAlone(content, task, got.why)
          : yield* pipeline.analyse(file, content, task)
      if (analysis.lasting)
        yield* memory.keep(analysis.evidence.id, Evidence, analysis.evidence, analysis.blobs)
      const blobs = new Map(analysis.blobs.map((blob) => [blob.sha256, blob]))
      return { form: "evidence", evidence: analysis.evidence, blobs } satisfies Observed
    })

    const recallEvidence = Effect.fnUntraced(function* (id: string) {
      const evidence = yield* memory.recall(id, Evidence)
      if (evidence === undefined) return undefined
      const frames = "frames" in evidence.seen ? evidence.seen.frames : []
      const blobs = yield* memory.blobs(frames.map(({ sha256 }) => sha256))
      return frames.every(({ sha256 }) => blobs.has(sha256))
        ? ({ form: "evidence", evidence, blobs } satisfies Observed)
        : undefined
    })

    return { observe }
  })
}) {}

/** The same for the same link in whatever form, and for the same bytes. */
export const keyOf = ({ source }: MediaRef): string => {
  if (!("link" in source)) return `data:${digest(source.data)}`
  // Signed links are secrets for as long as they hold, and no place for them is the database.
  return source.link.key.startsWith("youtube:") ? source.link.key : `link:${digest(source.link.key)}`
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex")

const Pictures = Schema.Array(
  Schema.Struct({
    height: Schema.Number,
    mime: Schema.String,
    sha256: Schema.String,
    width: Schema.Number
  })
)

const Whole = Schema.Struct({
  kind: Schema.Literal("image", "video", "audio"),
  mime: Schema.String,
  container: Schema.String,
  sha256: Schema.String
})

const SAMPLES: { readonly [Kind in MediaKind]: MediaType } = {
  image: { kind: "image", mime: "image/png", container: "png" },
  video: { kind: "video", mime: "video/mp4", container: "mp4" },
  audio: { kind: "audio", mime: "audio/wav", container: "wav" }
}

const percent = (share: number) => `${Math.floor(share * 100)}%`

/** Milliseconds. What a page of a site shows seldom changes, and to ask means to fetch it all. */
const PAGE_RECHECK = 24 * 60 * 60 * 1000
