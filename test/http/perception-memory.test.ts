import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { eventually, temporaryFolder } from "../support/Router.ts"
import {
  asked,
  calls,
  countedFfmpeg,
  film,
  gate,
  lastAsked,
  makeClips,
  picturesOf,
  rowsOf,
  sensesAt,
  startSenses,
  startStage,
  wordsOf
} from "../support/Senses.ts"

class Clips extends Context.Tag("test/Clips")<Clips, Readonly<Record<"one.mp4" | "two.mp4", Buffer>>>() {}

const Made = Layer.scoped(Clips, makeClips({ "one.mp4": film(1), "two.mp4": film(2) }))

const QUESTION = "What happens in"

layer(Made, { excludeTestServices: true, timeout: "30 seconds" })("a video that was seen before", (it) => {
  it.scoped("is neither fetched nor taken apart again, and looks the same to the byte", () =>
    Effect.gen(function* () {
      const clips = yield* Clips
      const ffmpeg = yield* countedFfmpeg
      const senses = yield* startSenses({ FFMPEG_PATH: ffmpeg.path })
      const { ask, host, upstream } = senses
      const url = host.serve("/film.mp4", clips["one.mp4"]).href
      yield* ask("test/eyes", `${QUESTION} ${url}`)
      const runs = ffmpeg.runs()
      assert.isAbove(runs, 1)
      const second = yield* ask("test/eyes", `${QUESTION} ${url}`, {
        headers: { "user-agent": "another client", "x-forwarded-for": "10.1.2.3" }
      })
      const [one, two] = upstream.received.map(({ body }) => body.toString())
      assert.strictEqual(two, one)
      assert.include(one ?? "", "Title: Film 1")

      // In another form, for another model that sees: the same evidence.
      yield* ask("test/vision", [
        { type: "video_url", video_url: { url: `${url}#part` } },
        { type: "text", text: QUESTION }
      ])
      assert.deepStrictEqual(picturesOf(asked(senses)[2]), picturesOf(asked(senses)[0]))
      assert.strictEqual(calls(senses, "/film.mp4"), 1)
      assert.strictEqual(ffmpeg.runs(), runs)

      assert.match(second.headers.get("x-percept-media") ?? "", /^video 1; 1 remembered; \d+ ms$/)
      const rows = yield* rowsOf(senses, 3)
      assert.deepStrictEqual(
        rows.map(({ cache_hits, is_multimodal, media_type_processed }) => [
          is_multimodal,
          media_type_processed,
          cache_hits
        ]),
        [
          [1, "video", 0],
          [1, "video", 1],
          [1, "video", 1]
        ]
      )
      for (const row of rows) assert.isAtLeast(row.media_ms ?? -1, 0)
    })
  )

  it.scoped("was seen by the router before its restart", () =>
    Effect.gen(function* () {
      const clips = yield* Clips
      const ffmpeg = yield* countedFfmpeg
      const env = { FFMPEG_PATH: ffmpeg.path, DATA_DIR: yield* temporaryFolder }
      const { host, upstream } = yield* startStage
      const url = host.serve("/film.mp4", clips["one.mp4"]).href
      const runs: Array<number> = []
      for (let start = 0; start < 2; start++)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { ask } = yield* sensesAt(host, upstream, env)
            yield* ask("test/eyes", `${QUESTION} ${url}`)
            runs.push(ffmpeg.runs())
          })
        )
      const [one, two] = upstream.received.map(({ body }) => body.toString())
      assert.include(one ?? "", "Title: Film 1")
      assert.strictEqual(two, one)
      assert.strictEqual(host.asked.length, 1)
      assert.strictEqual(runs[1], runs[0])
    })
  )

  it.scoped("is taken apart once for all who ask at the same time", () =>
    Effect.gen(function* () {
      const clips = yield* Clips
      const ffmpeg = yield* countedFfmpeg
      const senses = yield* startSenses({ FFMPEG_PATH: ffmpeg.path })
      const { ask, host, router, upstream } = senses
      const alone = host.serve("/alone.mp4", clips["two.mp4"]).href
      yield* ask("test/eyes", alone)
      const runs = ffmpeg.runs()
      yield* ask("test/eyes", "Hello")
      const held = gate(clips["one.mp4"])
      const url = host.behave("/film.mp4", held.behaviour).href

      const ten = yield* Effect.fork(
        Effect.all(
          Array.from({ length: 10 }, () => ask("test/eyes", `${QUESTION} ${url}`)),
          { concurrency: 10 }
        )
      )
      // All ten are under way before the first of them gets anything.
      yield* eventually(
        router.rowsNow,
        (rows) => rows.filter(({ state }) => state === "running").length === 10
      )
      yield* held.reached
      held.open()
      const replies = yield* ten

      for (const { status } of replies) assert.strictEqual(status, 200)
      assert.strictEqual(calls(senses, "/film.mp4"), 1)
      const bodies = upstream.received.slice(-10).map(({ body }) => body.toString())
      assert.strictEqual(new Set(bodies).size, 1)
      assert.include(bodies[0] ?? "", "Title: Film 1")
      // As many programs as one alone takes, but for those that were looked for before the first.
      assert.isAtMost(ffmpeg.runs() - runs, runs)
    })
  )

  it.scoped("is asked after, and looked at anew when it has changed", () =>
    Effect.gen(function* () {
      const clips = yield* Clips
      const ffmpeg = yield* countedFfmpeg
      const senses = yield* startSenses({ FFMPEG_PATH: ffmpeg.path, MEDIA_RECHECK: "1 milli" })
      const { ask, host } = senses
      const url = host.serve("/film.mp4", clips["one.mp4"]).href
      yield* ask("test/eyes", `${QUESTION} ${url}`)
      const runs = ffmpeg.runs()
      const first = lastAsked(senses)

      yield* ask("test/eyes", `${QUESTION} ${url}`)
      assert.strictEqual(calls(senses, "/film.mp4"), 2)
      assert.match(host.asked[1]?.headers["if-none-match"] ?? "", /^"[0-9a-f]{40}"$/)
      assert.strictEqual(ffmpeg.runs(), runs)
      assert.strictEqual(lastAsked(senses), first)

      host.serve("/film.mp4", clips["two.mp4"])
      const third = yield* ask("test/eyes", `${QUESTION} ${url}`)
      assert.notInclude(third.headers.get("x-percept-media") ?? "", "remembered")
      assert.include(wordsOf(asked(senses)[2]), "Title: Film 2")
      assert.isAbove(ffmpeg.runs(), runs)

      // And back again: what was found out about those bytes is still known.
      const before = ffmpeg.runs()
      host.serve("/film.mp4", clips["one.mp4"])
      yield* ask("test/eyes", `${QUESTION} ${url}`)
      assert.strictEqual(lastAsked(senses), first)
      assert.strictEqual(ffmpeg.runs(), before)
    })
  )
})
