import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Stream, TestClock } from "effect"
import { execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { MediaFailure } from "../../../src/domain/Errors.ts"
import type { Segment } from "../../../src/domain/media/Evidence.ts"
import { AudioPipeline } from "../../../src/services/media/AudioPipeline.ts"
import { Ffmpeg } from "../../../src/services/media/Ffmpeg.ts"
import { wav } from "../../../src/services/media/whisper/Wav.ts"
import { Workspace } from "../../../src/services/media/Workspace.ts"
import { ears, engineThat, failing, mediaFile, noEngine, saying } from "../../support/Ears.ts"
import { temporaryFolder } from "../../support/Router.ts"
import { babble, silence, sound } from "../../support/Sound.ts"
import { fixture } from "../../support/Words.ts"

const textOf = (segments: ReadonlyArray<Segment>) => segments.map(({ text }) => text).join(" ")

/** Words at intervals, so that each becomes a piece of its own. */
const recording = (pieces: number) =>
  Effect.map(temporaryFolder, (folder) => {
    const path = join(folder, "pieces.wav")
    const parts = Array.from({ length: pieces }, () => [silence(3), babble(2, -20)]).flat()
    writeFileSync(path, wav(sound(...parts, silence(3))))
    return path
  })

describe("what needs no speech engine", () => {
  it.scopedLive("is a video without sound, which says so", () =>
    Effect.gen(function* () {
      const { listen } = yield* ears(noEngine)
      const failure = yield* Effect.flip(listen(fixture("no-sound.mp4")))
      assert.strictEqual(failure.code, "unsupported")
      assert.strictEqual(failure.message, "There is no sound in it.")
    })
  )

  it.scopedLive("is silence: heard from beginning to end, and nothing in it", () =>
    Effect.gen(function* () {
      const { listen } = yield* ears(noEngine)
      const shares: Array<number> = []
      const heard = yield* listen(fixture("silence.flac"), { progress: (share) => shares.push(share) })
      assert.deepStrictEqual(heard, {
        source: "speech recognition",
        segments: [],
        sounds: [],
        duration: 12,
        heard: 12,
        active: 0,
        missed: []
      })
      assert.deepStrictEqual(shares, [1])
    })
  )

  it.scopedLive("is a hum, which is named", () =>
    Effect.gen(function* () {
      const { listen } = yield* ears(noEngine)
      const { active, segments, sounds } = yield* listen(fixture("hum.opus"))
      assert.deepStrictEqual(segments, [])
      assert.deepStrictEqual(sounds, [{ from: 0, to: 10, text: "(no speech: noise)" }])
      assert.strictEqual(active, 10)
    })
  )
})

describe("what is heard", () => {
  it.scopedLive("comes in order, as soon as all before it is there", () =>
    Effect.gen(function* () {
      const second = yield* Deferred.make<void>()
      const engine = engineThat((piece) =>
        piece === 0
          ? Effect.zipRight(Deferred.await(second), saying("first"))
          : Effect.zipRight(Deferred.succeed(second, undefined), saying("second"))
      )
      const { listen } = yield* ears(engine)
      const words: Array<string> = []
      const shares: Array<number> = []
      const heard = yield* listen(fixture("two-voices.opus"), {
        onSegment: ({ text }) => words.push(text),
        progress: (share) => shares.push(share)
      })
      assert.deepStrictEqual(words, ["first", "second"])
      assert.deepStrictEqual(
        heard.segments.map(({ text }) => text),
        words
      )
      assert.strictEqual(shares.length, 3)
      assert.approximately(shares[0] ?? 0, 9.9 / 17, 0.02)
      assert.strictEqual(shares[2], 1)
      assert.include(heard, { engine: "a test", model: "none", language: "en" })
    })
  )

  it.scopedLive("counts from the beginning of the recording when only a part of it is asked for", () =>
    Effect.gen(function* () {
      const { listen } = yield* ears(engineThat(() => saying("here", 0.3, 2)))
      const { duration, heard, segments } = yield* listen(fixture("late-speech.opus"), {
        window: { from: 20, to: 28 }
      })
      assert.strictEqual(duration, 8)
      assert.strictEqual(heard, 8)
      assert.strictEqual(segments.length, 1)
      assert.approximately(segments[0]?.from ?? 0, 25, 0.5)
    })
  )

  it.scopedLive("is the track that is meant to be heard, at the time at which it begins", () =>
    Effect.gen(function* () {
      const film = join(yield* temporaryFolder, "film.mkv")
      const quiet = ["-v", "error", "-y"]
      const inputs = ["-i", fixture("hum.opus"), "-itsoffset", "4", "-i", fixture("low-rate.flac")]
      const picked = [
        "-map",
        "0:a",
        "-map",
        "1:a",
        "-c:a",
        "flac",
        "-disposition:a:0",
        "0",
        "-disposition:a:1",
        "default"
      ]
      execFileSync("ffmpeg", [...quiet, ...inputs, ...picked, film])
      const { listen } = yield* ears(engineThat(() => saying("words")))
      const { segments } = yield* listen(film)
      assert.strictEqual(textOf(segments), "words")
      assert.approximately(segments[0]?.from ?? 0, 4, 0.4)
    })
  )
})

describe("what cannot be heard", () => {
  it.scopedLive("is a gap with its reason, and the rest is there", () =>
    Effect.gen(function* () {
      const engine = engineThat((piece) => (piece === 0 ? failing("it broke") : saying("the rest")))
      const { listen } = yield* ears(engine)
      const { duration, heard, missed, segments } = yield* listen(fixture("two-voices.opus"))
      assert.strictEqual(textOf(segments), "the rest")
      assert.strictEqual(missed.length, 1)
      const [{ from, to, why } = { from: 0, to: 0, why: "" }] = missed
      assert.strictEqual(why, "it broke")
      assert.approximately(from, 0, 0.1)
      assert.approximately(to, 9.8, 0.3)
      assert.approximately(heard, duration - (to - from), 0.002)
    })
  )

  it.scoped("is what takes longer than 20 seconds and three times its length", () =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      let ended = 0
      const engine = engineThat((piece) =>
        piece === 0
          ? Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never).pipe(
              Effect.onInterrupt(() => Effect.sync(() => ended++))
            )
          : saying("the rest")
      )
      const { listen } = yield* ears(engine)
      const listening = yield* Effect.fork(listen(fixture("two-voices.opus")))
      yield* Deferred.await(begun)
      yield* TestClock.adjust("48 seconds")
      assert.strictEqual(ended, 0)
      yield* TestClock.adjust("4 seconds")
      const { missed, segments } = yield* Fiber.join(listening)
      assert.strictEqual(ended, 1)
      assert.strictEqual(textOf(segments), "the rest")
      assert.deepStrictEqual(
        missed.map(({ why }) => why),
        ["the speech engine took too long"]
      )
    })
  )

  it.scopedLive("is not asked for for ever: an engine that always fails is a failure", () =>
    Effect.gen(function* () {
      let asked = 0
      const engine = engineThat(
        () =>
          Effect.suspend(() => {
            asked++
            return failing("it broke")
          }),
        { seats: 1 }
      )
      const { listen } = yield* ears(engine)
      const failure = yield* Effect.flip(listen(yield* recording(9)))
      assert.strictEqual(failure.message, "The sound could not be listened to, because it broke.")
      assert.strictEqual(failure.code, "tool_missing")
      assert.isAtLeast(asked, 3)
      assert.isAtMost(asked, 5)
    })
  )

  it.scopedLive("is one gap from where an engine broke down", () =>
    Effect.gen(function* () {
      const engine = engineThat((piece) => (piece === 0 ? saying("at first") : failing("it broke")), {
        seats: 1
      })
      const { listen } = yield* ears(engine)
      const { missed, segments } = yield* listen(yield* recording(9))
      assert.strictEqual(textOf(segments), "at first")
      assert.deepStrictEqual(
        missed.map(({ why }) => why),
        ["it broke", "the speech engine had failed several times"]
      )
      assert.approximately(missed.at(-1)?.to ?? 0, 45, 1)
    })
  )

  it.scopedLive(
    "is what cannot be decoded: the rest of a damaged file, and all of it where there is none",
    () =>
      Effect.gen(function* () {
        const broken = new MediaFailure({ code: "broken", message: "The sound could not be decoded." })
        const { context } = yield* ears(engineThat(() => saying("a beginning")))
        const file = mediaFile(fixture("two-voices.opus"))
        const listenTo = (bytes: ReadonlyArray<Uint8Array>) =>
          Effect.gen(function* () {
            const [ffmpeg, workspace] = [yield* Ffmpeg, yield* Workspace]
            const folder = yield* workspace.folder
            const pcm = () => Stream.concat(Stream.fromIterable(bytes), Stream.fail(broken))
            const failing = AudioPipeline.Default.pipe(
              Layer.provide(Layer.succeed(Ffmpeg, Ffmpeg.make({ ...ffmpeg, pcm })))
            )
            const probe = yield* ffmpeg.probe(file, folder)
            return yield* Effect.flatMap(AudioPipeline, (audio) =>
              audio.listen(file, probe, { folder })
            ).pipe(Effect.provide(failing))
          }).pipe(Effect.scoped, Effect.provide(context))
        const { duration, heard, missed, segments } = yield* listenTo([sound(babble(4, -20))])
        assert.strictEqual(textOf(segments), "a beginning")
        assert.approximately(duration, 17, 0.1)
        assert.strictEqual(heard, 4)
        assert.deepStrictEqual(missed, [{ from: 4, to: duration, why: "it could not be decoded" }])
        assert.strictEqual((yield* Effect.flip(listenTo([]))).message, broken.message)
      })
  )
})

describe("several recordings at once", () => {
  it.scopedLive("share the seats, and keep nothing for later while others wait", () =>
    Effect.gen(function* () {
      let working = 0
      let most = 0
      let rests = 0
      const busy = Effect.acquireUseRelease(
        Effect.sync(() => (most = Math.max(most, ++working))),
        () => Effect.delay(saying("words"), "100 millis"),
        () => Effect.sync(() => working--)
      )
      const engine = engineThat(() => busy, { seats: 1, rest: Effect.sync(() => void rests++) })
      const { listen } = yield* ears(engine)
      const path = yield* recording(4)
      const one = yield* listen(path)
      assert.strictEqual(one.missed.length, 0)
      assert.strictEqual(rests, 0)
      yield* Effect.all([listen(path), listen(path), listen(path)], { concurrency: 3 })
      assert.strictEqual(most, 1)
      assert.isAbove(rests, 0)
    })
  )
})
