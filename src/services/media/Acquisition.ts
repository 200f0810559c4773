import { Effect, Either } from "effect"
import { createHash } from "node:crypto"
import { MediaFailure } from "../../domain/Errors.ts"
import type { Heard } from "../../domain/media/Evidence.ts"
import type { MediaFile, Validators } from "../../domain/media/Media.ts"
import type { MediaLink } from "../../domain/media/MediaLink.ts"
import type { MediaRef } from "../../domain/media/MediaRef.ts"
import { AppConfig } from "../AppConfig.ts"
import { noteStep } from "../tracking/noteStep.ts"
import { MediaFetcher } from "./MediaFetcher.ts"
import type { SiteWords } from "./VideoPipeline.ts"
import { YtDlp } from "./YtDlp.ts"
import type { SiteInfo } from "./YtDlp.ts"

/** A medium in hand, or what a site says about one that could not be had. */
export type Acquired = {
  /** Hash of the content, or the site's own number for it. */
  readonly content: string
  readonly validators: Validators
  readonly site: SiteWords | undefined
} & (
  | { readonly file: MediaFile; readonly why?: undefined }
  | { readonly file: undefined; readonly why: MediaFailure }
)

/** Gets a medium into a private folder, from wherever it is. */
export class Acquisition extends Effect.Service<Acquisition>()("percept/Acquisition", {
  effect: Effect.gen(function* () {
    const { videoCaptions } = yield* AppConfig
    const fetcher = yield* MediaFetcher
    const ytDlp = yield* YtDlp

    const acquire = Effect.fn("Acquisition.acquire")(function* (
      ref: MediaRef,
      folder: string,
      progress: (share: number) => void
    ) {
      const got = yield* from(ref, folder, progress)
      if (got.file !== undefined) yield* noteStep(`${inWords(got.file.bytes)} of ${got.file.type.mime}`)
      return got
    })

    const from = Effect.fnUntraced(function* (
      { kind, source }: MediaRef,
      folder: string,
      progress: (share: number) => void
    ) {
      // Images have a lane of their own, which nothing longer may take.
      const kinds = kind === "image" ? IMAGE : ALL
      if (!("link" in source)) return fromFile(yield* fetcher.unpack(source.data, folder, kinds))
      if (kind === "site") return yield* fromSite(source.link, folder, progress)
      const file = yield* fetcher.fetch(source.link.url, folder, {
        kinds,
        progress: (bytes, total) => progress(total === undefined ? 0 : bytes / total)
      })
      return { ...fromFile(file), validators: file.validators }
    })

    /** Words and pictures come at the same time; where only the words can be had, they are better than nothing. */
    const fromSite = Effect.fnUntraced(function* (
      link: MediaLink,
      folder: string,
      progress: (share: number) => void
    ) {
      const url = addressOf(link)
      const info = yield* ytDlp.about(url, folder)
      // What is remembered under a number is for everybody who names it, so nothing else may be put there.
      if (link.key.startsWith("youtube:") && info.key !== link.key) return yield* anotherVideo(info.key)
      const [captions, file] = yield* Effect.all(
        [
          videoCaptions === "off" ? Effect.succeed(undefined) : captionsOf(url, folder, info),
          Effect.either(ytDlp.download(url, folder, progress))
        ],
        { concurrency: 2 }
      )
      const site: SiteWords = {
        title: info.title,
        name: info.site,
        duration: info.duration,
        chapters: info.chapters,
        captions
      }
      // An address may hold secrets, and what contents are called is written down.
      const place = createHash("sha256").update(link.key).digest("hex")
      const got = { content: isNumbered(info.key) ? info.key : place, validators: NONE, site }
      if (Either.isRight(file)) {
        // The words belong to the page, so the same bytes from elsewhere are another medium.
        const content = isNumbered(info.key) ? info.key : `${file.right.sha256} ${place}`
        return { ...got, content, file: file.right } satisfies Acquired
      }
      if (captions === undefined) return yield* file.left
      return { ...got, file: undefined, why: file.left } satisfies Acquired
    })

    const captionsOf = (url: URL, folder: string, info: SiteInfo) =>
      ytDlp.captions(url, folder, undefined, info).pipe(
        Effect.map((captions) => {
          if (captions === undefined || captions.segments.length === 0) return undefined
          const last = captions.segments.at(-1)?.to ?? 0
          const duration = info.duration ?? last
          const heard: Heard = {
            source: captions.automatic ? "automatic captions" : "human captions",
            language: captions.language,
            segments: captions.segments,
            sounds: [],
            duration,
            heard: duration,
            active: captions.segments.reduce((sum, { from, to }) => sum + (to - from), 0),
            missed: []
          }
          return heard
        }),
        Effect.catchTag("MediaFailure", () => Effect.succeed(undefined))
      )

    return { acquire }
  })
}) {}

const inWords = (bytes: number): string =>
  bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`

/** Sites number what they have, once and for all; of other pages there is the address alone. */
const isNumbered = (key: string): boolean => !key.includes("://")

/** The address that means exactly what the link is remembered as, however it was written. */
const addressOf = ({ key, url }: MediaLink): URL => {
  if (key.startsWith("youtube:")) {
    const watch = new URL("https://www.youtube.com/watch")
    watch.searchParams.set("v", key.slice("youtube:".length))
    return watch
  }
  const plain = new URL(url)
  plain.hash = ""
  return plain
}

const anotherVideo = (key: string) =>
  new MediaFailure({
    code: "unsupported",
    message: "The site shows another video at this address.",
    detail: `it is ${key}`,
    transient: true
  })

const fromFile = (file: MediaFile): Acquired => ({
  content: file.sha256,
  validators: NONE,
  site: undefined,
  file
})

const ALL = ["image", "video", "audio"] as const
const IMAGE = ["image"] as const

const NONE: Validators = { etag: undefined, lastModified: undefined, length: undefined }
