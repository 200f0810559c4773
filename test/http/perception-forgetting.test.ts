import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { serving, status } from "../support/MediaHost.ts"
import type { Behaviour } from "../support/MediaHost.ts"
import { temporaryFolder } from "../support/Router.ts"
import {
  asked,
  calls,
  film,
  lastAsked,
  makeClips,
  partsOf,
  picturesOf,
  sensesAt,
  startSenses,
  startStage,
  talkie,
  wordsOf
} from "../support/Senses.ts"

class Clips extends Context.Tag("test/Clips")<Clips, Readonly<Record<"one.mp4" | "talkie.mp4", Buffer>>>() {}

const Made = Layer.scoped(Clips, makeClips({ "one.mp4": film(1), "talkie.mp4": talkie }))

const QUESTION = "What happens in"

layer(Made, { excludeTestServices: true, timeout: "30 seconds" })("a video that was seen once", (it) => {
  it.scoped("is as it was when its server is gone, or shows it no more", () =>
    Effect.gen(function* () {
      const clips = yield* Clips
      const senses = yield* startSenses({ MEDIA_RECHECK: "1 milli", MEDIA_STRICT: "true" })
      const { ask, host } = senses
      const served = host.serve("/film.mp4", clips["one.mp4"]).href
      yield* ask("test/eyes", `${QUESTION} ${served}`)
      const first = lastAsked(senses)
      const ends: ReadonlyArray<Behaviour> = [
        (_, response) => void response.socket?.resetAndDestroy(),
        status(403),
        status(404),
        status(200, { "content-type": "text/html" }, "<!doctype html><p>Please log in".padEnd(500))
      ]
      for (const end of ends) {
        host.behave("/film.mp4", end)
        const reply = yield* ask("test/eyes", `${QUESTION} ${served}`)
        assert.strictEqual(reply.status, 200, reply.text)
        assert.match(reply.headers.get("x-percept-media") ?? "", /1 remembered/)
        assert.strictEqual(lastAsked(senses), first)
      }
    })
  )

  it.scoped("too large to be handed on whole is remembered in pictures", () =>
    Effect.gen(function* () {
      const clips = yield* Clips
      const senses = yield* startSenses({ VIDEO_NATIVE_MB: "0" })
      const { ask, host } = senses
      const url = host.serve("/film.mp4", clips["one.mp4"]).href
      yield* ask("test/film", `${QUESTION} ${url}`)
      const second = yield* ask("test/film", `${QUESTION} ${url}`)
      assert.isAtLeast(picturesOf(asked(senses)[0]).length, 1)
      assert.deepStrictEqual(partsOf(asked(senses)[1]), partsOf(asked(senses)[0]))
      assert.match(second.headers.get("x-percept-media") ?? "", /1 remembered/)
      assert.strictEqual(calls(senses, "/film.mp4"), 1)
    })
  )

  it.scoped("is one film for a model that takes it whole and another for one that takes pictures", () =>
    Effect.gen(function* () {
      const clips = yield* Clips
      const senses = yield* startSenses()
      const { ask, host } = senses
      const url = host.serve("/film.mp4", clips["one.mp4"]).href
      const models = ["test/eyes", "test/film", "test/eyes", "test/film"]
      for (const model of models) yield* ask(model, `${QUESTION} ${url}`)
      const [pictures, whole, ...again] = asked(senses).map((request) => partsOf(request))
      assert.notDeepEqual(pictures, whole)
      assert.deepStrictEqual(again, [pictures, whole])
      // Once for each form, for ever.
      assert.strictEqual(calls(senses, "/film.mp4"), 2)
    })
  )
})

layer(Made, { excludeTestServices: true, timeout: "30 seconds" })("what could not be had", (it) => {
  it.scoped("is no memory: it is tried again", () =>
    Effect.gen(function* () {
      const clips = yield* Clips
      const { host, upstream } = yield* startStage
      const env = { DATA_DIR: yield* temporaryFolder }
      const url = host.behave("/film.mp4", status(404), serving(clips["one.mp4"])).href
      const replies: Array<string> = []
      // A router forgets failures when it ends.
      for (let start = 0; start < 2; start++)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { ask } = yield* sensesAt(host, upstream, env)
            const reply = yield* ask("test/eyes", `${QUESTION} ${url}`)
            replies.push(reply.headers.get("x-percept-media") ?? "")
          })
        )
      assert.match(replies[0] ?? "", /^video 1; 1 failed; /)
      assert.match(replies[1] ?? "", /^video 1; \d+ ms$/)
      assert.include(wordsOf(asked({ upstream })[0]), "should follow, but")
      assert.include(wordsOf(asked({ upstream })[1]), "Title: Film 1")
    })
  )

  it.scoped("is not asked for again at once, nor by the same chat a moment later", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses()
      const { ask, host } = senses
      const url = host.behave("/film.mp4", status(404)).href
      for (let turn = 0; turn < 5; turn++) yield* ask("test/eyes", `${QUESTION} ${url}`)
      assert.strictEqual(calls(senses, "/film.mp4"), 1)
      assert.strictEqual(new Set(senses.upstream.received.map(({ body }) => body.toString())).size, 1)
    })
  )

  it.scoped("of a film for want of a tool is tried again, and what could be had is shown meanwhile", () =>
    Effect.gen(function* () {
      const clips = yield* Clips
      const senses = yield* startSenses({ WHISPER_CLI_PATH: "/nowhere/whisper-cli" })
      const { ask, host } = senses
      const url = host.serve("/film.mp4", clips["talkie.mp4"]).href
      for (let turn = 0; turn < 2; turn++) {
        const reply = yield* ask("test/eyes", `${QUESTION} ${url}`)
        assert.notInclude(reply.headers.get("x-percept-media") ?? "", "remembered")
        const words = wordsOf(asked(senses)[turn])
        assert.match(
          words,
          /Heard: nothing, because the router cannot work on this here: it has no whisper-cli\./
        )
        assert.isAtLeast(picturesOf(asked(senses)[turn]).length, 1)
      }
      assert.strictEqual(calls(senses, "/film.mp4"), 2)
    })
  )
})
