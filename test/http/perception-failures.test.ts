import { assert, describe, it, layer } from "@effect/vitest"
import { Context, Effect, Fiber, Layer } from "effect"
import { UnprocessableEntityError } from "openai"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { openAi, raised } from "../support/Clients.ts"
import { quarters } from "../support/Images.ts"
import { lying, page, redirect, reset, stall, status } from "../support/MediaHost.ts"
import type { Behaviour } from "../support/MediaHost.ts"
import { eventually, temporaryFolder } from "../support/Router.ts"
import {
  asked,
  calls,
  film,
  gate,
  makeClips,
  partsOf,
  picturesOf,
  rowsOf,
  sensesAt,
  sketch,
  startSenses,
  startStage,
  wordsOf
} from "../support/Senses.ts"
import { client, closedPort, errorAnswer, finalRow, refusedWith, sendChat } from "../support/Upstream.ts"

class Clips extends Context.Tag("test/Clips")<Clips, Readonly<Record<"film.mp4", Buffer>>>() {}

const Made = Layer.scoped(Clips, makeClips({ "film.mp4": film(1) }))

const dataUrl = (bytes: Uint8Array) => `data:image/png;base64,${Buffer.from(bytes).toString("base64")}`

const image = (url: string) => ({ type: "image_url", image_url: { url } })

const small = (width = 40) => Effect.promise(() => quarters(width, 30).png().toBuffer())

const chat = (content: unknown, more: object = {}) => ({
  model: "test/eyes",
  messages: [{ role: "user", content }],
  ...more
})

layer(Made, { excludeTestServices: true, timeout: "30 seconds" })("a medium that cannot be had", (it) => {
  it.scoped("is said to be missing, and why, in words that tell nothing of the router", () =>
    Effect.gen(function* () {
      const { "film.mp4": whole } = yield* Clips
      const senses = yield* startSenses({ VIDEO_MAX_MB: "1", FETCH_IDLE_TIMEOUT: "1" })
      const { ask, host } = senses
      const port = yield* closedPort
      const rows: ReadonlyArray<readonly [Behaviour | string, string]> = [
        [status(404), "the server at the address answered with status 404"],
        [status(403), "the server at the address answered with status 403"],
        [reset, "the address could not be reached"],
        [`http://127.0.0.1:${port}/film.mp4`, "the address could not be reached"],
        ["http://169.254.169.254/film.mp4", "the address could not be reached"],
        [redirect("http://169.254.169.254/film.mp4"), "the address could not be reached"],
        [page(), "what is there is not a picture, video or sound that can be taken"],
        [stall(whole.subarray(0, 5000)), "the server at the address fell silent"],
        [
          lying(whole.subarray(0, 5000), whole.length),
          "the connection broke off before the whole file had come"
        ],
        [
          status(200, {}, whole.subarray(0, 5000)),
          "the file could not be read; it may be damaged or cut off"
        ],
        [
          status(200, {}, Buffer.concat([whole, Buffer.alloc(1_100_000)])),
          "the file is larger than the limit of 1 MB"
        ]
      ]
      for (const [number, [cause, why]] of rows.entries()) {
        const url = typeof cause === "string" ? cause : host.behave(`/${number}/film.mp4`, cause).href
        const reply = yield* ask("test/eyes", `What is ${url} ?`)
        assert.strictEqual(reply.status, 200, reply.text)
        assert.match(reply.headers.get("x-percept-media") ?? "", /^video 1; 1 failed; \d+ ms$/)
        const [question, note = "", ...more] = partsOf(asked(senses).at(-1)).map(sketch)
        assert.strictEqual(question, `What is ${url} ?`)
        assert.deepStrictEqual(more, [])
        const [, said = ""] = /Here a video from \S+ should follow, but (.*)\.\n/.exec(note) ?? []
        assert.strictEqual(said, why, `${number}: ${note}`)
        assert.include(note, "Nothing of it has been seen or heard. Say so when the answer would need it")
      }
    })
  )

  it.scoped("does not keep the others from being shown", () =>
    Effect.gen(function* () {
      const { "film.mp4": whole } = yield* Clips
      const senses = yield* startSenses()
      const { ask, host } = senses
      const [good, bad] = [host.serve("/good.mp4", whole).href, host.behave("/bad.mp4", status(404)).href]
      const broken = image("data:image/png;base64,iVBORw0KGgo=")
      const reply = yield* ask("test/eyes", [
        broken,
        { type: "text", text: `${bad} ${good}` },
        image(dataUrl(yield* small()))
      ])
      assert.match(reply.headers.get("x-percept-media") ?? "", /^image 2, video 2; 2 failed; /)
      const words = partsOf(asked(senses)[0]).map(sketch)
      // The note stands where the picture stood.
      assert.match(words[0] ?? "", /Here an image from an attached file should follow, but .*\n.*seen\./)
      assert.strictEqual(words[1], `${bad} ${good}`)
      assert.strictEqual(words[2], "<image_url>")
      assert.match(words[3] ?? "", /item="2 of 4"[^]*Here a video from \S+\/bad\.mp4 should follow/)
      assert.match(words[4] ?? "", /item="3 of 4"[^]*Title: Film 1/)
      const [row] = yield* rowsOf(senses, 1)
      assert.strictEqual(row?.state, "done")
      assert.strictEqual(row?.is_multimodal, 1)
      assert.strictEqual(row?.media_type_processed, "image,video")
    })
  )

  it.scoped("leaves nothing on disk", () =>
    Effect.gen(function* () {
      const { "film.mp4": whole } = yield* Clips
      const { host, upstream } = yield* startStage
      const dataDir = yield* temporaryFolder
      const tmp = join(dataDir, "tmp")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { ask } = yield* sensesAt(host, upstream, { DATA_DIR: dataDir })
          const bad = host.behave("/bad.mp4", lying(whole.subarray(0, 5000), whole.length)).href
          yield* ask("test/eyes", `${bad} ${host.serve("/good.mp4", whole).href}`)
          assert.deepStrictEqual(readdirSync(tmp), [])
          yield* ask("test/eyes", [image(dataUrl(yield* small()))])
        })
      )
      assert.isTrue(existsSync(tmp))
      assert.deepStrictEqual(readdirSync(tmp), [])
    })
  )
})

describe("a medium that must be had", () => {
  it.scopedLive("and cannot, is named to the client, and no model is asked", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses({ MEDIA_STRICT: "true" })
      const { host, router, upstream } = senses
      const bad = host.behave("/bad.png", status(404)).href
      const fine = image(dataUrl(yield* small()))
      const rows: ReadonlyArray<readonly [messages: ReadonlyArray<object>, param: string]> = [
        [[{ role: "user", content: bad }], "messages[0].content"],
        [[{ role: "user", content: [fine, image(bad)] }], "messages[0].content[1]"],
        [
          [
            { role: "user", content: "Hi" },
            { role: "user", content: "Hi", images: ["iVBORw0KGgo="] }
          ],
          "messages[1].images[0]"
        ],
        [
          [
            { role: "user", content: [fine] },
            { role: "tool", tool_call_id: "1", content: [image("data:image/png;base64,AAAA")] }
          ],
          "messages[1].content[0]"
        ]
      ]
      for (const [messages, param] of rows) {
        const got = yield* sendChat(router, { model: "test/eyes", messages })
        const says = new RegExp(
          `^The medium at '${param.replace(/[[\].]/g, "\\$&")}' cannot be used\\. [A-Z].*\\.$`
        )
        yield* refusedWith(router, got, {
          status: 422,
          source: "client",
          param,
          says,
          type: "invalid_request_error"
        })
      }
      // What was sent afterwards, to see that the router goes on.
      assert.strictEqual(upstream.received.length, rows.length)
      const call = () =>
        openAi(router).chat.completions.create({
          model: "test/eyes",
          messages: [{ role: "user", content: bad }]
        })
      const error = yield* raised(UnprocessableEntityError, call)
      assert.strictEqual(error.param, "messages[0].content")
    })
  )

  it.scopedLive("and is there, is shown", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses({ MEDIA_STRICT: "true" })
      const reply = yield* senses.ask("test/eyes", [image(dataUrl(yield* small()))])
      assert.strictEqual(reply.status, 200)
      assert.strictEqual(picturesOf(asked(senses)[0]).length, 1)
    })
  )
})

layer(Made, { excludeTestServices: true, timeout: "30 seconds" })(
  "when the router has its hands full",
  (it) => {
    it.scoped("more media are refused for a while, and taken again after it", () =>
      Effect.gen(function* () {
        const { "film.mp4": whole } = yield* Clips
        const senses = yield* startSenses({ MEDIA_JOBS: "1", MEDIA_QUEUE: "0" })
        const { ask, host, router } = senses
        const held = gate(whole)
        const slow = host.behave("/slow.mp4", held.behaviour).href
        const other = host.serve("/other.mp4", whole).href
        const first = yield* Effect.fork(ask("test/eyes", slow))
        yield* held.reached

        const got = yield* sendChat(router, chat(other))
        errorAnswer(got, {
          status: 503,
          code: "busy",
          param: "messages[0].content",
          says: /please try again in a moment/
        })
        assert.match(got.headers["retry-after"] ?? "", /^[1-9]\d*$/)
        const row = yield* finalRow(router, got)
        assert.strictEqual(row.state, "failed")
        assert.strictEqual(calls(senses, "/other.mp4"), 0)
        // Who asks for what is being worked on waits with the others; pictures and text go on.
        const joined = yield* Effect.fork(ask("test/eyes", slow))
        assert.strictEqual((yield* ask("test/eyes", "Hello")).status, 200)
        assert.strictEqual((yield* ask("test/eyes", [image(dataUrl(yield* small()))])).status, 200)

        held.open()
        assert.strictEqual((yield* Fiber.join(first)).status, 200)
        assert.strictEqual((yield* Fiber.join(joined)).status, 200)
        assert.strictEqual(calls(senses, "/slow.mp4"), 1)
        assert.strictEqual((yield* ask("test/eyes", other)).status, 200)
        assert.include(wordsOf(asked(senses).at(-1)), "Title: Film 1")
      })
    )

    it.scoped("a place comes up in time, or the wait is over", () =>
      Effect.gen(function* () {
        const { "film.mp4": whole } = yield* Clips
        const senses = yield* startSenses({ MEDIA_JOBS: "1", MEDIA_QUEUE: "5", MEDIA_QUEUE_TIMEOUT: "1" })
        const { ask, host, router } = senses
        const held = gate(whole)
        const first = yield* Effect.fork(ask("test/eyes", host.behave("/slow.mp4", held.behaviour).href))
        yield* held.reached
        const got = yield* sendChat(router, chat(host.serve("/other.mp4", whole).href))
        errorAnswer(got, { status: 503, code: "busy" })
        held.open()
        assert.strictEqual((yield* Fiber.join(first)).status, 200)
      })
    )

    it.scoped("one request with many pictures is not too much", () =>
      Effect.gen(function* () {
        const senses = yield* startSenses({ MEDIA_JOBS: "1", MEDIA_QUEUE: "0" })
        const pictures = yield* Effect.forEach(
          Array.from({ length: 12 }, (_, at) => 20 + at),
          small
        )
        const reply = yield* senses.ask(
          "test/eyes",
          pictures.map((picture) => image(dataUrl(picture)))
        )
        assert.strictEqual(reply.status, 200, reply.text)
        assert.deepStrictEqual(picturesOf(asked(senses)[0]), pictures.map(dataUrl))
      })
    )

    it.scoped("and its disk too, media are refused and text goes on", () =>
      Effect.gen(function* () {
        const senses = yield* startSenses({ MEDIA_MIN_FREE_MB: "1048576" })
        const { ask, router } = senses
        const got = yield* sendChat(router, chat([image(dataUrl(yield* small()))]))
        errorAnswer(got, { status: 503, code: "no_space", param: "messages[0].content[0]" })
        assert.match(got.headers["retry-after"] ?? "", /^[1-9]\d*$/)
        assert.strictEqual((yield* ask("test/eyes", "Hello")).status, 200)
      })
    )

    it.scoped("a client that leaves takes its work along", () =>
      Effect.gen(function* () {
        const { "film.mp4": whole } = yield* Clips
        const senses = yield* startSenses()
        const { host, router, upstream } = senses
        const held = gate(whole)
        const url = host.behave("/slow.mp4", held.behaviour).href
        const { leave } = yield* client(router, { body: JSON.stringify(chat(url)) })
        yield* held.reached
        assert.strictEqual(host.open(), 1)
        leave()
        yield* eventually(Effect.sync(host.open), (open) => open === 0)
        const [row] = yield* rowsOf(senses, 1)
        assert.strictEqual(row?.state, "cancelled")
        assert.deepStrictEqual(upstream.received, [])
        yield* eventually(
          Effect.sync(() => readdirSync(join(router.dataDir, "tmp"))),
          (left) => left.length === 0
        )
      })
    )

    it.scoped("a client that leaves leaves the work to those who stay", () =>
      Effect.gen(function* () {
        const { "film.mp4": whole } = yield* Clips
        const senses = yield* startSenses()
        const { ask, host, router } = senses
        const held = gate(whole)
        const url = host.behave("/slow.mp4", held.behaviour).href
        const { leave } = yield* client(router, { body: JSON.stringify(chat(url)) })
        yield* held.reached
        const other = yield* Effect.fork(ask("test/eyes", url))
        yield* eventually(
          router.rowsNow,
          (rows) => rows.filter(({ state }) => state === "running").length === 2
        )
        leave()
        yield* eventually(router.rowsNow, (rows) => rows.some(({ state }) => state === "cancelled"))
        held.open()
        assert.strictEqual((yield* Fiber.join(other)).status, 200)
        assert.include(wordsOf(asked(senses)[0]), "Title: Film 1")
        assert.strictEqual(calls(senses, "/slow.mp4"), 1)
      })
    )
  }
)

describe("a model that does not exist", () => {
  it.scopedLive("is no reason to look at anything", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses()
      const { host, router } = senses
      const url = host.serve("/a.png", yield* small()).href
      const got = yield* sendChat(router, { ...chat(url), model: "openai:nothing" })
      errorAnswer(got, { status: 404, code: "model_not_found", param: "model" })
      assert.deepStrictEqual(host.asked, [])
    })
  )
})
