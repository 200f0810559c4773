import { Clock, Duration, Effect } from "effect"
import { createHash } from "node:crypto"
import type { Blob, Evidence, Picture } from "../../domain/media/Evidence.ts"
import type { MediaKind, MediaType, Span } from "../../domain/media/Media.ts"
import type { MediaRef } from "../../domain/media/MediaRef.ts"
import { AppConfig } from "../AppConfig.ts"
import { Acquisition } from "./Acquisition.ts"
import { ImagePipeline } from "./ImagePipeline.ts"
import { MediaFetcher } from "./MediaFetcher.ts"
import { MediaMemory } from "./MediaMemory.ts"
import type { LinkState } from "./MediaMemory.ts"
import { MediaQueue } from "./MediaQueue.ts"
import { makeRecollection } from "./recollection.ts"
import { SingleFlight } from "./SingleFlight.ts"
import { tookTooLong, VideoPipeline } from "./VideoPipeline.ts"
import { Workspace } from "./Workspace.ts"

/** What a medium turned out to be, in the form it was asked for. */
export type Observed =
  | { readonly form: "pictures"; readonly pictures: ReadonlyArray<Picture> }
  | { readonly form: "evidence"; readonly evidence: Evidence; readonly blobs: ReadonlyMap<string, Blob> }
  /** The file itself, for a model that takes it whole. */
  | { readonly form: "whole"; readonly type: MediaType; readonly bytes: Uint8Array }

type Report = (line: string, share: number) => void

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
  /** What it is called in the memory; undefined where it is not worth remembering. */
  readonly medium: string | undefined
}

/** Looks at one medium: from memory if it was seen before, else once for all who ask at the same time. */
export class Observer extends Effect.Service<Observer>()("percept/Observer", {
  effect: Effect.gen(function* () {
    const { mediaRecheck, mediaTimeout } = yield* AppConfig
    const acquisition = yield* Acquisition
    const fetcher = yield* MediaFetcher
    const flights = yield* SingleFlight
    const images = yield* ImagePipeline
    const memory = yield* MediaMemory
    const pipeline = yield* VideoPipeline
    const queue = yield* MediaQueue
    const recollection = yield* makeRecollection
    const workspace = yield* Workspace

    const observe = Effect.fn("Observer.observe")(function* (
      ref: MediaRef,
      want: Want,
      listen: (line: string, share: number) => void
    ) {
      const key = keyOf(ref)
      const known = yield* memory.link(key)
      const target = known !== undefined && (yield* isFresh(ref, key, known)) ? known : undefined
      const remembered = target?.type && (yield* recollection.recall(target.target, target.type, want))
      if (remembered)
        return { observed: remembered, remembered: true, medium: target.target } satisfies Sighting
      const whole = (["video", "audio"] as const).filter((kind) => want.whole(SAMPLES[kind]))
      const flight = [key, want.frames, want.window?.from, want.window?.to, ...whole].join(" ")
      const inTurn = ref.kind === "image" ? queue.inShortTurn : queue.inTurn
      return yield* flights
        .share(flight, (report) => inTurn(inTime(Effect.scoped(look(ref, key, want, report)))), listen)
        .pipe(
          Effect.map((found): Sighting => ({ ...found, remembered: false })),
          Effect.catchAll((failure) => Effect.orElseFail(lastSeen(key, known, want), () => failure))
        )
    })

    const inTime = Effect.timeoutFail({ duration: mediaTimeout, onTimeout: tookTooLong })

    /** A medium that cannot be had any more is as it was; links that are signed for an hour outlive it in chats. */
    const lastSeen = Effect.fnUntraced(function* (key: string, known: LinkState | undefined, want: Want) {
      const isSame = known !== undefined && (yield* memory.link(key))?.target === known.target
      const observed = isSame && known.type && (yield* recollection.recall(known.target, known.type, want))
      if (!isSame || !observed) return yield* Effect.fail("never seen")
      yield* memory.keepLink(key, { ...known, checkedAt: yield* Clock.currentTimeMillis })
      return { observed, remembered: true, medium: known.target } satisfies Sighting
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

    const look = Effect.fnUntraced(function* (ref: MediaRef, key: string, want: Want, report: Report) {
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
      const lasting = { medium: memory.isOn ? content : undefined }
      if (got.file?.type.kind === "image") {
        const pictures = yield* images.normalise(got.file)
        return { observed: yield* recollection.keepPictures(content, pictures), ...lasting }
      }
      if (got.file !== undefined && want.whole(got.file.type) && got.file.bytes <= recollection.mostWhole)
        return { observed: yield* recollection.keepWhole(content, got.file), ...lasting }
      const known = yield* recollection.recallEvidence(content, want)
      if (known !== undefined) return { observed: known, ...lasting }
      const { frames, window } = want
      const task = { folder, frames, window, site: got.site, report: later(report) }
      const analysis =
        got.file === undefined
          ? pipeline.wordsAlone(content, task, got.why)
          : yield* pipeline.analyse(got.file, content, task)
      const observed = yield* recollection.keepEvidence(analysis)
      return { observed, medium: analysis.lasting ? lasting.medium : undefined }
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

const SAMPLES: { readonly [Kind in MediaKind]: MediaType } = {
  image: { kind: "image", mime: "image/png", container: "png" },
  video: { kind: "video", mime: "video/mp4", container: "mp4" },
  audio: { kind: "audio", mime: "audio/wav", container: "wav" }
}

/** The first fifth of the work is to get hold of it. */
const later = (report: Report) => (line: string, share: number) => report(line, 0.2 + share * 0.8)

const percent = (share: number) => `${Math.floor(share * 100)}%`

/** Milliseconds. What a page of a site shows seldom changes, and to ask means to fetch it all. */
const PAGE_RECHECK = 24 * 60 * 60 * 1000
