import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { MediaFailure } from "../../../src/domain/Errors.ts"
import type { Heard, Seen } from "../../../src/domain/media/Evidence.ts"
import type { MediaFile } from "../../../src/domain/media/Media.ts"
import { AppConfig } from "../../../src/services/AppConfig.ts"
import { AudioPipeline } from "../../../src/services/media/AudioPipeline.ts"
import { Ffmpeg } from "../../../src/services/media/Ffmpeg.ts"
import type { Probe } from "../../../src/services/media/Ffmpeg.ts"
import { Looking } from "../../../src/services/media/Looking.ts"
import { VideoPipeline } from "../../../src/services/media/VideoPipeline.ts"
import type { SiteWords, Task } from "../../../src/services/media/VideoPipeline.ts"

const file: MediaFile = {
  path: "/nowhere/film",
  bytes: 1000,
  sha256: "00",
  type: { kind: "video", mime: "video/mp4", container: "mp4" }
}

const probe: Probe = {
  startTime: 0,
  duration: 40,
  video: { width: 160, height: 90, rotation: 0, codec: "h264" },
  audio: [{ index: 0, codec: "aac", language: undefined, isDefault: true }],
  chapters: [],
  title: undefined
}

const seen: Seen = {
  ...{ frames: [], shots: 1, shotsShown: 1, longestGap: { from: 0, to: 40 }, instants: 1 },
  ...{ duplicates: 0, unseen: [] }
}

const heard: Heard = {
  source: "speech recognition",
  ...{ segments: [], sounds: [], duration: 40, heard: 40, active: 0, missed: [] }
}

const segment = (from: number, to: number) => ({ from, to, text: `said at ${from}` })

const captions: Heard = {
  source: "human captions",
  language: "en",
  segments: [
    segment(0, 5),
    segment(8, 12),
    segment(14, 18),
    segment(20, 22),
    segment(30, 34),
    segment(35, 38)
  ],
  ...{ sounds: [], duration: 40, heard: 40, active: 26, missed: [] }
}

const siteWith = (captions: Heard | undefined): SiteWords => ({
  ...{ title: "A talk", name: "Site", duration: 40, chapters: [], captions }
})

const task = (more: Partial<Task> = {}): Task => ({
  ...{ folder: "/nowhere", frames: undefined, window: undefined, report: () => {} },
  ...more
})

interface Halves {
  readonly look?: MediaFailure
  readonly listen?: MediaFailure
  readonly heard?: Heard
}

/** The pipeline with halves that go as told. */
const pipelineWith = (halves: Halves = {}, env: { readonly [name: string]: string } = {}) =>
  VideoPipeline.pipe(
    Effect.provide(
      VideoPipeline.Default.pipe(
        Layer.provide([
          Layer.mock(Ffmpeg, {
            _tag: "percept/Ffmpeg",

            probe: () => Effect.succeed(probe)
          }),
          Layer.mock(Looking, {
            _tag: "percept/Looking",
            look: () =>
              halves.look === undefined ? Effect.succeed({ seen, blobs: [] }) : Effect.fail(halves.look)
          }),
          Layer.mock(AudioPipeline, {
            _tag: "percept/AudioPipeline",
            listen: () =>
              halves.listen === undefined ? Effect.succeed(halves.heard ?? heard) : Effect.fail(halves.listen)
          }),
          AppConfig.layer(env)
        ])
      )
    )
  )

const failed = (code: MediaFailure["code"], transient?: boolean) =>
  new MediaFailure({ code, message: "It did not go.", ...(transient === undefined ? {} : { transient }) })

/** What was found, and whether it lasts. */
const failures = [
  { failure: failed("unsupported"), lasts: true },
  { failure: failed("broken", false), lasts: true },
  { failure: failed("unsupported", true), lasts: false },
  { failure: failed("broken", true), lasts: false },
  { failure: failed("unreachable"), lasts: false }
]

const nameOf = ({ code, transient }: MediaFailure) => `${code} ${transient ?? ""}`

describe("an analysis", () => {
  it.effect("lasts as long as what kept a half of it away", () =>
    Effect.gen(function* () {
      for (const { failure, lasts } of failures) {
        const blind = yield* pipelineWith({ look: failure })
        const unseen = yield* blind.analyse(file, "content", task())
        assert.deepStrictEqual(unseen.evidence.seen, { nothing: "It did not go." })
        assert.strictEqual(unseen.lasting, lasts, `look ${nameOf(failure)}`)

        const deaf = yield* pipelineWith({ listen: failure })
        const unheard = yield* deaf.analyse(file, "content", task())
        assert.deepStrictEqual(unheard.evidence.heard, { nothing: "It did not go." })
        assert.strictEqual(unheard.lasting, lasts, `listen ${nameOf(failure)}`)
      }
      const whole = yield* pipelineWith()
      assert.isTrue((yield* whole.analyse(file, "content", task())).lasting)
    })
  )

  it.effect("of words alone lasts as long as what kept the recording away", () =>
    Effect.gen(function* () {
      const { wordsAlone } = yield* pipelineWith()
      for (const { failure, lasts } of failures) {
        const { evidence, lasting } = wordsAlone("content", task({ site: siteWith(captions) }), failure)
        assert.deepStrictEqual(evidence.seen, { nothing: "It did not go." })
        assert.strictEqual(lasting, lasts, nameOf(failure))
      }
    })
  )

  it.effect("of a stretch has the site's words of that stretch", () =>
    Effect.gen(function* () {
      const { analyse, wordsAlone } = yield* pipelineWith()
      const stretch = (from: number, to: number) => task({ site: siteWith(captions), window: { from, to } })
      const why = failed("unsupported")
      const both = (task: Task) =>
        Effect.map(analyse(file, "content", task), ({ evidence }) => [
          evidence.heard,
          wordsAlone("content", task, why).evidence.heard
        ])
      const at = (...starts: ReadonlyArray<number>) =>
        captions.segments.filter(({ from }) => starts.includes(from))

      for (const heard of yield* both(stretch(13, 25)))
        assert.deepStrictEqual(heard, {
          ...captions,
          ...{ segments: at(14, 20), duration: 12, heard: 12, active: 6 }
        })
      // An end beyond the end is the end.
      for (const heard of yield* both(stretch(25, 1000)))
        assert.deepStrictEqual(heard, {
          ...captions,
          ...{ segments: at(30, 35), duration: 15, heard: 15, active: 7 }
        })
      // What is being said when it begins or ends belongs to it; what ends or begins just there does not.
      for (const heard of yield* both(stretch(9, 16))) {
        assert.deepInclude(heard, { segments: at(8, 14), duration: 7, heard: 7 })
        assert.isAtMost("active" in heard ? heard.active : Infinity, 7)
      }
      for (const heard of yield* both(stretch(5, 8)))
        assert.deepInclude(heard, { segments: [], duration: 3, heard: 3, active: 0 })
      for (const heard of yield* both(stretch(50, 60)))
        assert.deepInclude(heard, { segments: [], duration: 0, heard: 0, active: 0 })
      // Without a stretch they are all there.
      for (const heard of yield* both(task({ site: siteWith(captions) })))
        assert.deepStrictEqual(heard, captions)
    })
  )

  it.effect("is another one wherever something else would be found", () =>
    Effect.gen(function* () {
      const settings: ReadonlyArray<{ readonly [name: string]: string }> = [
        {},
        { VIDEO_CAPTIONS: "off" },
        { WHISPER_URL: "http://127.0.0.1:8080/v1/audio/transcriptions" },
        { WHISPER_URL: "http://127.0.0.1:8081/v1/audio/transcriptions" },
        { WHISPER_MODEL_NAME: "small" },
        { VIDEO_FRAME_PX: "512" }
      ]
      const plain = { frames: undefined, window: undefined }
      const ids = yield* Effect.forEach(settings, (env) =>
        Effect.map(pipelineWith({}, env), ({ idOf }) => idOf("content", plain))
      )
      const { analyse, idOf } = yield* pipelineWith()
      const others = [
        idOf("other", plain),
        idOf("content", { ...plain, frames: 4 }),
        idOf("content", { ...plain, frames: 5 }),
        idOf("content", { ...plain, window: { from: 0, to: 5 } }),
        idOf("content", { ...plain, window: { from: 0, to: 6 } }),
        idOf("content", { ...plain, window: { from: 1, to: 5 } })
      ]
      const all = [...ids, ...others]
      assert.strictEqual(new Set(all).size, all.length, all.join("\n"))
      // The same once more is the same, and it is what the evidence is remembered by.
      assert.strictEqual(idOf("content", plain), ids[0])
      assert.strictEqual((yield* analyse(file, "content", task())).evidence.id, ids[0])
    })
  )
})
