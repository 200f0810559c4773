import { assert, describe, it, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import sharp from "sharp"
import { stringField } from "../../src/domain/Json.ts"
import { noise, quarters } from "../support/Images.ts"
import { temporaryFolder } from "../support/Router.ts"
import {
  asked,
  calls,
  film,
  lastAsked,
  makeClips,
  partsOf,
  picturesOf,
  rowsOf,
  sensesAt,
  startSenses,
  startStage,
  wordsOf
} from "../support/Senses.ts"
import { errorAnswer, json, sendChat, succeeded } from "../support/Upstream.ts"

class Clips extends Context.Tag("test/Clips")<Clips, Readonly<Record<"film.mp4", Buffer>>>() {}

const Made = Layer.scoped(Clips, makeClips({ "film.mp4": film(1) }))

const dataUrl = (mime: string, bytes: Uint8Array) =>
  `data:${mime};base64,${Buffer.from(bytes).toString("base64")}`

const image = (url: string) => ({ type: "image_url", image_url: { url } })

const small = Effect.promise(() => quarters(40, 30).png().toBuffer())

const modelOf = (request: unknown) => stringField(request, "model")

layer(Made, { excludeTestServices: true, timeout: "30 seconds" })("described, a medium", (it) => {
  it.scoped("is words by the vision model, once per picture for ever, and the asked model answers", () =>
    Effect.gen(function* () {
      const { host, upstream } = yield* startStage
      const env = { MEDIA_POLICY: "describe", DATA_DIR: yield* temporaryFolder }
      const picture = yield* small
      const attached = image(dataUrl("image/png", picture))
      const contents = [
        [attached, { type: "text", text: "What is this?" }],
        [{ type: "text", text: "And again:" }, attached, attached],
        host.serve("/a.png", picture).href
      ]
      for (let start = 0; start < 2; start++)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const senses = yield* sensesAt(host, upstream, env)
            for (const content of contents) {
              const reply = yield* senses.ask("test/blind", content)
              assert.strictEqual(stringField(reply.body, "model"), "test/blind")
              assert.strictEqual(modelOf(asked(senses).at(-1)), "test/blind")
              assert.strictEqual(picturesOf(asked(senses).at(-1)).length, 0)
              assert.include(wordsOf(asked(senses).at(-1)), "A striped test card.")
            }
            if (start > 0) return
            const rows = yield* rowsOf(senses, 4)
            const [main, ...others] = rows.filter(({ kind }) => kind === "main")
            const [describe, ...more] = rows.filter(({ kind }) => kind === "describe")
            assert.deepStrictEqual(more, [])
            assert.strictEqual(others.length, 2)
            assert.strictEqual(main?.route_rule, "listed")
            assert.strictEqual(describe?.parent_request_id, main?.internal_request_id)
            assert.strictEqual(describe?.model_routed_to_openrouter, "test/vision")
            for (const row of rows) {
              assert.strictEqual(row.state, "done")
              assert.strictEqual(row.cost_nano_usd, 140_000)
              assert.strictEqual(row.cost_source, "provider")
              assert.strictEqual(row.total_tokens, 15)
            }
            for (const row of [main, ...others]) assert.isNull(row?.parent_request_id)
          })
        )
      const shown = asked({ upstream }).filter((request) => modelOf(request) === "test/vision")
      assert.strictEqual(shown.length, 1)
      assert.deepStrictEqual(picturesOf(shown[0]), [dataUrl("image/png", picture)])
      // The words stand where the picture stood.
      const [, main] = asked({ upstream })
      assert.match(
        wordsOf(main),
        /^<media-evidence [^]*Described by test\/vision, because you cannot be shown pictures[^]*<\/media-evidence \w+>\nWhat is this\?$/
      )
    })
  )

  it.scoped("of many pictures has each in words at its time", () =>
    Effect.gen(function* () {
      const clips = yield* Clips
      const senses = yield* startSenses({ MEDIA_POLICY: "describe" })
      const { ask, host } = senses
      const url = host.serve("/film.mp4", clips["film.mp4"]).href
      // A model that sees, or takes films whole, is no exception.
      for (const model of ["test/blind", "test/eyes", "test/film"]) yield* ask(model, url)
      const shown = asked(senses).filter((request) => modelOf(request) === "test/vision")
      const answered = asked(senses).filter((request) => modelOf(request) !== "test/vision")
      assert.deepStrictEqual(answered.map(modelOf), ["test/blind", "test/eyes", "test/film"])
      for (const request of answered) {
        const words = wordsOf(request)
        assert.strictEqual(partsOf(request).length, 2)
        assert.strictEqual(
          words.match(/^\[00:0\d\] \(picture \d+, described\) A striped test card\.$/gm)?.length,
          shown.length
        )
        assert.include(words, `Seen: ${shown.length} pictures at the times given, described by test/vision`)
      }
      assert.isAtLeast(shown.length, 2)
      for (const request of shown) {
        assert.strictEqual(picturesOf(request).length, 1)
        assert.match(picturesOf(request)[0] ?? "", /^data:image\/jpeg;base64,/)
      }
    })
  )

  it.scoped("that the vision model has no words for is said to be without, and is asked about again", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses({ MEDIA_POLICY: "describe" })
      const { ask, host, upstream } = senses
      upstream.once(json(500, { error: { message: "overloaded", code: 500 } }))
      const attached = image(dataUrl("image/png", yield* small))
      const reply = yield* ask("test/blind", [attached])
      assert.strictEqual(reply.status, 200)
      assert.include(wordsOf(asked(senses)[1]), "(it could not be described)")
      const rows = yield* rowsOf(senses, 2)
      assert.deepStrictEqual(rows.map(({ kind, state }) => [kind, state]).toSorted(), [
        ["describe", "failed"],
        ["main", "done"]
      ])
      const { ask: askAnother } = yield* sensesAt(host, upstream, {
        MEDIA_POLICY: "describe",
        DATA_DIR: senses.router.dataDir
      })
      yield* askAnother("test/blind", [attached])
      assert.include(wordsOf(asked(senses).at(-1)), "A striped test card.")
    })
  )
})

describe("rerouted, a medium", () => {
  it.scopedLive("is always answered for by the vision model", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses({ MEDIA_POLICY: "reroute" })
      const { ask } = senses
      const reply = yield* ask("test/eyes", [image(dataUrl("image/png", yield* small))])
      assert.strictEqual(modelOf(asked(senses)[0]), "test/vision")
      assert.strictEqual(stringField(reply.body, "model"), "test/vision")
      const [row] = yield* rowsOf(senses, 1)
      assert.strictEqual(row?.route_rule, "vision")
    })
  )
})

describe("a request", () => {
  it.scopedLive("with pictures that fit passes byte for byte", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses()
      const { router } = senses
      const jpeg = yield* Effect.promise(() => noise(60, 40).jpeg().toBuffer())
      const urls = [dataUrl("image/png", yield* small), dataUrl("image/jpeg", jpeg)]
      const parts = urls.map((url) => `{"image_url" :{"detail":"low", "url":"${url}"},"type":"image_url" }`)
      const body = `{ "messages" : [ {"content":[${parts.join(" , ")}, {"type":"text","text":"l\\u006fok"}],"role":"user"} ],"model":"test/eyes", "temperature":1.0}`
      const got = yield* sendChat(router, body)
      yield* succeeded(router, got)
      assert.strictEqual(senses.upstream.received[0]?.body.toString(), body)
      assert.match(String(got.headers["x-percept-media"]), /^image 2; /)
    })
  )

  it.scopedLive("with a picture that does not fit gets one that does", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses({ IMAGE_MAX_PX: "64" })
      const { ask } = senses
      const large = yield* Effect.promise(() => noise(200, 100).png().toBuffer())
      yield* ask("test/eyes", [image(dataUrl("image/png", large))])
      const [shown = ""] = picturesOf(asked(senses)[0])
      const found = yield* Effect.promise(() =>
        sharp(Buffer.from(shown.replace(/.*,/, ""), "base64")).metadata()
      )
      assert.deepStrictEqual([found.width, found.height], [64, 32])
      yield* ask("test/eyes", [image(dataUrl("image/png", large))])
      assert.deepStrictEqual(picturesOf(asked(senses)[1]), [shown])
    })
  )

  it.scopedLive("passes byte for byte where media are left alone", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses({ MEDIA_POLICY: "off" })
      const { host, router } = senses
      host.serve("/a.png", yield* small)
      const text = `![](${host.at("/a.png")}) data:image/png;base64,${"A".repeat(80)}`
      const part = `{"type":"image_url","image_url":{"url":"${host.at("/a.png")}"}}`
      const body = `{"model" : "test/blind","messages":[{"role":"user","content":[{"type":"text","text":"${text}"},${part}], "images":["AAAA"]}]}`
      const got = yield* sendChat(router, body)
      assert.strictEqual(got.status, 200)
      assert.strictEqual(lastAsked(senses), body)
      assert.isUndefined(got.headers["x-percept-media"])
      assert.deepStrictEqual(host.asked, [])
      const [row] = yield* rowsOf(senses, 1)
      assert.strictEqual(row?.is_multimodal, 0)
    })
  )

  it.scopedLive(
    "says for itself what is to become of its media, its body before its header before the router",
    () =>
      Effect.gen(function* () {
        const senses = yield* startSenses({ MEDIA_POLICY: "reroute" })
        const { host, router } = senses
        const url = host.serve("/a.png", yield* small).href
        const bodyWith = (percept: string) =>
          `{"model":"test/blind",${percept}"messages":[{"role":"user","content":"${url}"}]}`
        const bare = bodyWith("")
        const rows: ReadonlyArray<
          readonly [percept: string, header: string | undefined, model: string, untouched: boolean]
        > = [
          ["", undefined, "test/vision", false],
          ["", "off", "test/blind", true],
          ["", "describe", "test/blind", false],
          ['"percept": {"policy":"off"},', undefined, "test/blind", true],
          ['"percept":{"policy":"off"},', "describe", "test/blind", true],
          ['"percept":{"policy":"describe"},', "off", "test/blind", false],
          ['"percept":{},', "off", "test/blind", true],
          ['"percept":null,', "off", "test/blind", true]
        ]
        for (const [percept, header, model, untouched] of rows) {
          const got = yield* sendChat(
            router,
            bodyWith(percept),
            header === undefined ? {} : { "x-percept-policy": header }
          )
          assert.strictEqual(got.status, 200, got.text)
          const row = `${percept} ${header}`
          assert.strictEqual(modelOf(asked(senses).at(-1)), model, row)
          assert.notInclude(lastAsked(senses), '"percept"', row)
          if (untouched) assert.strictEqual(lastAsked(senses), bare, row)
          else assert.notStrictEqual(lastAsked(senses), bare, row)
        }
      })
  )

  it.scopedLive("without media loses what it says of them, and nothing else", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses()
      const { router } = senses
      yield* sendChat(
        router,
        '{"model":"test/eyes","percept":{"frames":4},"messages":[ {"role":"user","content":"Hi"}]}'
      )
      assert.strictEqual(
        lastAsked(senses),
        '{"model":"test/eyes","messages":[ {"role":"user","content":"Hi"}]}'
      )
    })
  )

  it.scopedLive("that says something else is told what is wrong with it", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses()
      const { host, router, upstream } = senses
      const url = host.serve("/a.png", yield* small).href
      const rows: ReadonlyArray<readonly [percept: unknown, header: string | undefined, param: string]> = [
        ["off", undefined, "percept"],
        [["off"], undefined, "percept"],
        [{ policy: "never" }, undefined, "percept.policy"],
        [undefined, "never", "percept.policy"],
        [{ frames: 0 }, undefined, "percept.frames"],
        [{ frames: "many" }, undefined, "percept.frames"],
        [{ frames: 65 }, undefined, "percept.frames"],
        [{ from: -1 }, undefined, "percept.from"],
        [{ from: "soon" }, undefined, "percept.from"],
        [{ from: 10, to: "0:05" }, undefined, "percept.to"]
      ]
      for (const [percept, header, param] of rows) {
        const body = { model: "test/eyes", percept, messages: [{ role: "user", content: url }] }
        const got = yield* sendChat(router, body, header === undefined ? {} : { "x-percept-policy": header })
        errorAnswer(got, {
          status: 400,
          param,
          type: "invalid_request_error",
          says: new RegExp(`^'${param}' must be`)
        })
      }
      assert.deepStrictEqual(upstream.received, [])
      assert.strictEqual(calls(senses, "/a.png"), 0)
      const [row] = yield* rowsOf(senses, rows.length)
      assert.strictEqual(row?.error_source, "client")
    })
  )
})
