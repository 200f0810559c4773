import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { MediaFailure } from "../../../src/domain/Errors.ts"
import type { MediaFile } from "../../../src/domain/media/Media.ts"
import type { MediaRef } from "../../../src/domain/media/MediaRef.ts"
import { readSiteInfo } from "../../../src/domain/media/SiteInfo.ts"
import { AppConfig } from "../../../src/services/AppConfig.ts"
import { Acquisition } from "../../../src/services/media/Acquisition.ts"
import { MediaFetcher } from "../../../src/services/media/MediaFetcher.ts"
import { YtDlp } from "../../../src/services/media/YtDlp.ts"

const NO_FILE = new MediaFailure({ code: "unsupported", message: "There is none." })

const FILE: MediaFile = {
  path: "/nowhere/film",
  bytes: 1000,
  sha256: "0123",
  type: { kind: "video", mime: "video/mp4", container: "mp4" }
}

const nobody = () => Effect.die("nobody is asked for that")

/** What a page at this address is remembered as, where a site says this of it. */
const contentOf = (address: string, told: object, file: Effect.Effect<MediaFile, MediaFailure>) =>
  Effect.gen(function* () {
    const url = new URL(address)
    const info = readSiteInfo(told, url, ["youtube.com"]) ?? (yield* Effect.die("no page"))
    const { acquire } = yield* Acquisition.pipe(
      Effect.provide(Acquisition.Default),
      Effect.provide([
        AppConfig.layer({}),
        Layer.succeed(
          MediaFetcher,
          new MediaFetcher({ fetch: nobody, fresh: nobody, peek: nobody, unpack: nobody })
        ),
        Layer.succeed(
          YtDlp,
          new YtDlp({
            knows: () => true,
            about: () => Effect.succeed(info),
            captions: () =>
              Effect.succeed({
                segments: [{ from: 0, to: 1, text: "a word" }],
                language: "en",
                automatic: false
              }),
            download: () => file
          })
        )
      ])
    )
    const ref: MediaRef = {
      ...{ message: 0, part: undefined, param: "", inText: true, kind: "site" },
      source: { link: { kind: "site", key: address, url } }
    }
    return (yield* acquire(ref, "/nowhere", () => {})).content
  })

describe("a page of a site", () => {
  const address = "https://talks.example/one?signature=s3cret"
  const page = { id: "clip-1", extractor_key: "Generic", webpage_url: address }

  it.effect("whose address is all that names it is remembered without that address", () =>
    Effect.gen(function* () {
      for (const file of [Effect.succeed(FILE), Effect.fail(NO_FILE)]) {
        const content = yield* contentOf(address, page, file)
        assert.notMatch(content, /talks|s3cret|clip/)
        assert.notStrictEqual(content, yield* contentOf(`${address}2`, page, file))
      }
    })
  )

  it.effect("that is numbered is remembered by its number, with a recording or without", () =>
    Effect.gen(function* () {
      const video = { id: "abcdefghijk", extractor_key: "Youtube", webpage_url: "https://www.youtube.com/x" }
      for (const file of [Effect.succeed(FILE), Effect.fail(NO_FILE)])
        assert.strictEqual(yield* contentOf(address, video, file), "youtube:abcdefghijk")
    })
  )
})
