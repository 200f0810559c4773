import { assert, describe, it, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { field, isObject, parseJson, stringField } from "../../src/domain/Json.ts"
import { png, quarters } from "../support/Images.ts"
import {
  asked,
  countedFfmpeg,
  film,
  lastAsked,
  makeClips,
  messagesOf,
  obliging,
  partsOf,
  picturesOf,
  sketch,
  startSenses,
  wordsOf
} from "../support/Senses.ts"
import type { Answer } from "../support/Upstream.ts"

class Clips extends Context.Tag("test/Clips")<Clips, Readonly<Record<"film.mp4", Buffer>>>() {}

const Made = Layer.scoped(Clips, makeClips({ "film.mp4": film(1) }))

const dataUrl = (mime: string, bytes: Uint8Array) =>
  `data:${mime};base64,${Buffer.from(bytes).toString("base64")}`

const image = (url: string) => ({ type: "image_url", image_url: { url } })

const small = Effect.promise(() => quarters(40, 30).png().toBuffer())

/** A picture of two by two pixels; another number is another picture. */
const speck = (number: number): Buffer => {
  const row = Buffer.from([0, ...[number, 100, 200], ...[200, number, 100]])
  return png(2, 2, Buffer.concat([row, row]))
}

/** Looking through all of them for each one would be sixty-four times the work for eight times as many. */
const [FEW, MANY] = [12_500, 100_000]
const MOST_GROWTH = 10

/** How much more work many are than few, in processor time: that is the same however much else the machine has to do. */
const growth = <E, R>(ask: (count: number) => Effect.Effect<unknown, E, R>) =>
  Effect.gen(function* () {
    const work = (count: number) =>
      Effect.suspend(() => {
        const before = process.cpuUsage()
        return Effect.map(ask(count), () => process.cpuUsage(before).user)
      })
    // What is done for the first time takes longer.
    yield* work(FEW)
    const few = yield* work(FEW)
    return (yield* work(MANY)) / few
  })

const upTo = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, at) => at)

const count = (text: string, sign: string): number => text.split(sign).length - 1

describe("far too many media", () => {
  it.scopedLive("are named together, once in each message", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses({ MEDIA_MAX_ITEMS: "1" })
      const { ask, host } = senses
      const first = host.serve("/0.png", yield* small).href
      const others = upTo(30).map((number) => host.at(`/${number + 1}.png`).href)
      const reply = yield* ask("test/eyes", [first, ...others].join(" "))
      assert.strictEqual(reply.status, 200)
      const notes = partsOf(asked(senses)[0]).map(sketch)
      const isNote = (part: string) => part.includes("These were not seen or heard:")
      assert.strictEqual(notes.filter(isNote).length, 1)
      assert.strictEqual(picturesOf(asked(senses)[0]).length, 1)
      const note = notes.find(isNote) ?? ""
      const named = others.filter((url) => note.includes(`- ${url}`))
      const [, more = "0"] = /^- and (\d+) more$/m.exec(note) ?? []
      assert.isAtLeast(named.length, 5)
      assert.strictEqual(named.length + Number(more), 30)
      assert.match(reply.headers.get("x-percept-media") ?? "", /; 30 skipped; /)
      assert.deepStrictEqual(
        host.asked.filter(({ path }) => path !== "/0.png"),
        []
      )

      // Parts of their own are each answered for, and still named but once.
      yield* ask("test/eyes", [image(first), ...others.map(image)])
      const said = partsOf(asked(senses)[1]).map(sketch)
      assert.strictEqual(said.filter(isNote).length, 1)
      assert.notInclude(lastAsked(senses), `"image_url":{"url":"http`)
    })
  )

  it.scopedLive.each(["in a text", "beside it"])("keep nobody waiting %s", (where) =>
    Effect.gen(function* () {
      const senses = yield* startSenses({ MEDIA_MAX_ITEMS: "1" })
      const { ask, host } = senses
      const asking = (count: number) =>
        Effect.gen(function* () {
          const images = upTo(count).map((number) => host.at(`/${number}.png`).href)
          const messages = [{ role: "user", content: "What is this?", images }]
          const reply =
            where === "in a text"
              ? yield* ask("test/eyes", images.join(" "))
              : yield* ask("test/eyes", "", { body: { messages } })
          assert.strictEqual(reply.status, 200, reply.text.slice(0, 300))
          assert.match(reply.headers.get("x-percept-media") ?? "", new RegExp(`; ${count - 1} skipped; `))
          assert.isAtMost(partsOf(asked(senses).at(-1)).length, 3)
        })
      assert.isAtMost(yield* growth(asking), MOST_GROWTH)
    })
  )

  it.scopedLive.each(["in a text", "beside it"])(
    "keep nobody waiting where they are one and the same %s",
    (where) =>
      Effect.gen(function* () {
        const senses = yield* startSenses()
        const data = `data:image/png;base64,${"A".repeat(32)}`
        const asking = (count: number) =>
          Effect.gen(function* () {
            const images = upTo(count).map(() => "AAAA")
            const messages = [{ role: "user", content: "What is this?", images }]
            const words = upTo(count).map(() => data)
            const reply =
              where === "in a text"
                ? yield* senses.ask("test/eyes", words.join(" `so` `or` `so` "))
                : yield* senses.ask("test/eyes", "", { body: { messages } })
            assert.strictEqual(reply.status, 200, reply.text.slice(0, 300))
            assert.match(reply.headers.get("x-percept-media") ?? "", /^image 1; 1 failed; /)
            assert.isFalse(lastAsked(senses).includes("AAAA"))
          })
        assert.isAtMost(yield* growth(asking), MOST_GROWTH)
      })
  )
})

describe("pictures to be described", () => {
  it.scopedLive("are no more than 64 in a request, and no more than 4 at a time", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses({ MEDIA_POLICY: "describe" })
      const { ask, upstream } = senses
      const vision = { calls: 0, now: 0, most: 0 }
      const counted: Answer = (request, response) => {
        if (stringField(parseJson(request.body.toString("utf8")), "model") !== "test/vision")
          return obliging(request, response)
        vision.calls += 1
        vision.now += 1
        vision.most = Math.max(vision.most, vision.now)
        // Long enough for others to come along, if any may.
        setTimeout(() => {
          vision.now -= 1
          obliging(request, response)
        }, 30)
      }
      upstream.answers(counted)
      const reply = yield* ask(
        "test/blind",
        upTo(70).map((number) => image(dataUrl("image/png", speck(number))))
      )
      assert.strictEqual(reply.status, 200, reply.text.slice(0, 300))
      assert.strictEqual(vision.calls, 64)
      assert.strictEqual(vision.most, 4)
      const words = wordsOf(asked(senses).at(-1))
      assert.strictEqual(count(words, "A striped test card."), 64)
      assert.strictEqual(count(words, "it could not be described"), 6)
    })
  )
})

layer(Made, { excludeTestServices: true, timeout: "30 seconds" })(
  "a film under the name of a picture",
  (it) => {
    it.scoped("is a note, and nobody takes it apart", () =>
      Effect.gen(function* () {
        const clips = yield* Clips
        const ffmpeg = yield* countedFfmpeg
        const senses = yield* startSenses({ FFMPEG_PATH: ffmpeg.path })
        const { ask, host } = senses
        const disguised = host.serve("/x.png", clips["film.mp4"]).href
        const attached = dataUrl("image/png", clips["film.mp4"])
        for (const content of [disguised, [image(disguised)], [image(attached)]]) {
          const before = ffmpeg.runs()
          const reply = yield* ask("test/eyes", content)
          assert.strictEqual(reply.status, 200)
          assert.match(reply.headers.get("x-percept-media") ?? "", /^image 1; 1 failed; /)
          assert.match(wordsOf(asked(senses).at(-1)), /Here an image from .* should follow, but /)
          assert.strictEqual(picturesOf(asked(senses).at(-1)).length, 0)
          assert.strictEqual(ffmpeg.runs(), before)
        }
        // The same film under its own name is looked at.
        const before = ffmpeg.runs()
        yield* ask("test/eyes", host.serve("/x.mp4", clips["film.mp4"]).href)
        assert.isAtLeast(picturesOf(asked(senses).at(-1)).length, 1)
        assert.isAbove(ffmpeg.runs(), before)
      })
    )
  }
)

describe("pictures beside the words", () => {
  it.scopedLive("stay there where one of them is none that is known", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses()
      const picture = (yield* small).toString("base64")
      const asking = (images: ReadonlyArray<unknown>) =>
        senses.ask("test/eyes", "", {
          body: { messages: [{ role: "user", content: "What is this?", images }] }
        })
      for (const strange of ["what <is> this?", 7, { file: "a.png" }]) {
        const reply = yield* asking([picture, strange])
        assert.strictEqual(reply.status, 200)
        const [message] = messagesOf(asked(senses).at(-1))
        assert.deepStrictEqual(field(message, "images"), [picture, strange])
      }
      yield* asking([picture, speck(1).toString("base64")])
      const [message] = messagesOf(asked(senses).at(-1))
      assert.isFalse(isObject(message) && "images" in message)
      assert.strictEqual(picturesOf(asked(senses).at(-1)).length, 2)
    })
  )
})
