import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  asked,
  calls,
  countedFfmpeg,
  makeClips,
  partsOf,
  picturesOf,
  sketch,
  startSenses,
  talkie
} from "../support/Senses.ts"
import { weightsFile } from "../support/Weights.ts"

it.scopedLive(
  "a film in which somebody talks is pictures and words, each at its time, and is listened to once",
  () =>
    Effect.gen(function* () {
      const clips = yield* makeClips({ "talkie.mp4": talkie })
      const ffmpeg = yield* countedFfmpeg
      const senses = yield* startSenses({ WHISPER_MODEL_NAME: weightsFile, FFMPEG_PATH: ffmpeg.path })
      const { ask, host, upstream } = senses
      const url = host.serve("/talkie.mp4", clips["talkie.mp4"]).href
      yield* ask("test/eyes", `What is said in ${url} ?`)
      const runs = ffmpeg.runs()
      const reply = yield* ask("test/eyes", `What is said in ${url} ?`)

      const [question, block = "", ...pictures] = partsOf(asked(senses)[0]).map(sketch)
      assert.strictEqual(question, `What is said in ${url} ?`)
      assert.include(block, "Words by: local speech recognition (base.en), may mishear names and numbers")
      assert.match(block, /^\[00:0\d-00:0\d\] .*Good morning, everyone/im)
      assert.match(block, /^\[00:00\] \(picture 1\)$/m)
      assert.match(block, /^Heard: 00:03 of 00:03 of sound; not heard: nothing\.$/m)
      assert.strictEqual(pictures.length, 2 * picturesOf(asked(senses)[0]).length)

      assert.strictEqual(upstream.received[1]?.body.toString(), upstream.received[0]?.body.toString())
      assert.match(reply.headers.get("x-percept-media") ?? "", /^video 1; 1 remembered; /)
      assert.strictEqual(ffmpeg.runs(), runs)
      assert.strictEqual(calls(senses, "/talkie.mp4"), 1)
    })
)
