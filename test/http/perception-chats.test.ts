import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { quarters } from "../support/Images.ts"
import {
  asked,
  calls,
  countedFfmpeg,
  film,
  lastAsked,
  makeClips,
  messagesOf,
  partsOf,
  picturesOf,
  sketch,
  startSenses,
  wordsOf
} from "../support/Senses.ts"

class Clips extends Context.Tag("test/Clips")<
  Clips,
  Readonly<Record<"one.mp4" | "two.mp4" | "three.mp4", Buffer>>
>() {}

const Made = Layer.scoped(Clips, makeClips({ "one.mp4": film(1), "two.mp4": film(2), "three.mp4": film(3) }))

const assistant = { role: "assistant", content: "A test card." }

/** A chat so far, as clients send it anew with every turn. */
const said = (content: unknown) => [{ role: "user", content }, assistant]

layer(Made, { excludeTestServices: true, timeout: "30 seconds" })("a chat about videos", (it) => {
  const start = Effect.gen(function* () {
    const clips = yield* Clips
    const ffmpeg = yield* countedFfmpeg
    const senses = yield* startSenses({ FFMPEG_PATH: ffmpeg.path })
    const serve = (name: keyof typeof clips) => senses.host.serve(`/${name}`, clips[name]).href
    return { ...senses, ffmpeg, serve }
  })

  it.scoped("shows two of one message, each under its number, in the order they were named", () =>
    Effect.gen(function* () {
      const senses = yield* start
      const [one, two] = [senses.serve("one.mp4"), senses.serve("two.mp4")]
      yield* senses.ask("test/eyes", `Compare ${two} with ${one}.`)
      const words = partsOf(asked(senses)[0]).map(sketch)
      assert.strictEqual(words[0], `Compare ${two} with ${one}.`)
      assert.match(
        words[1] ?? "",
        /^<media-evidence tag="\w+" item="1 of 2">[^]*Title: Film 2[^]*<\/media-evidence \w+>$/
      )
      const second = words.findIndex((text) => text.includes('item="2 of 2"'))
      assert.include(words[second], "Title: Film 1")
      // Each picture is announced, and stands with its own film.
      assert.match(words[2] ?? "", /^Picture 1 of \d+, at 00:\d\d of item 1:$/)
      assert.strictEqual(words[3], "<image_url>")
      assert.match(words[second + 1] ?? "", /^Picture 1 of \d+, at 00:\d\d of item 2:$/)
      assert.strictEqual(
        words.filter((text) => text === "<image_url>").length,
        picturesOf(asked(senses)[0]).length
      )
      assert.include(senses.upstream.received[0]?.body.toString() ?? "", "image/jpeg")
    })
  )

  it.scoped("leaves what it showed before to the byte when another comes", () =>
    Effect.gen(function* () {
      const senses = yield* start
      const { ask, upstream } = senses
      const first = `What is ${senses.serve("one.mp4")} ?`
      const second = [
        { type: "text", text: "And this?" },
        { type: "video_url", video_url: { url: senses.serve("two.mp4") } }
      ]
      const third = `And ${senses.serve("three.mp4")} ? Is it like ${senses.host.at("/one.mp4")} ?`
      yield* ask("test/eyes", first)
      yield* ask("test/eyes", second, { before: said(first) })
      yield* ask("test/eyes", third, { before: [...said(first), ...said(second)] })

      const bodies = upstream.received.map(({ body }) => body.toString())
      // A provider's prompt cache is kept by what a request begins with.
      for (const [turn, body] of bodies.slice(1).entries())
        assert.strictEqual(
          body.slice(0, -2).startsWith(bodies[turn]?.slice(0, -2) ?? "-"),
          true,
          `turn ${turn}`
        )
      const [turn1, turn2, turn3] = asked(senses)
      assert.deepStrictEqual(messagesOf(turn2)[0], messagesOf(turn1)[0])
      assert.deepStrictEqual(messagesOf(turn3).slice(0, 3), messagesOf(turn2))
      assert.include(wordsOf(turn3, 0), "Title: Film 1")
      assert.include(wordsOf(turn3, 2), "Title: Film 2")
      assert.include(wordsOf(turn3, 4), "Title: Film 3")
      // What was shown before is not shown once more.
      assert.notInclude(wordsOf(turn3, 4), "Title: Film 1")
      assert.deepStrictEqual(messagesOf(turn3)[1], assistant)
    })
  )

  it.scoped("costs nothing to be sent again and again", () =>
    Effect.gen(function* () {
      const senses = yield* start
      const { ask, host } = senses
      const image = yield* Effect.promise(() => quarters(40, 30).png().toBuffer())
      const before = [
        ...said(`What is ${senses.serve("one.mp4")} ?`),
        ...said([{ type: "image_url", image_url: { url: host.serve("/image", image).href } }]),
        ...said(`![](${host.at("/image")}) and ${senses.serve("two.mp4")}`)
      ]
      yield* ask("test/eyes", "So?", { before })
      const first = lastAsked(senses)
      const [fetched, runs] = [host.asked.length, senses.ffmpeg.runs()]
      for (let turn = 0; turn < 10; turn++) {
        const reply = yield* ask("test/eyes", "So?", { before })
        assert.strictEqual(lastAsked(senses), first)
        assert.match(reply.headers.get("x-percept-media") ?? "", /^image 1, video 2; 3 remembered; /)
      }
      assert.strictEqual(host.asked.length, fetched)
      assert.strictEqual(senses.ffmpeg.runs(), runs)
    })
  )

  it.scoped("points to the first of two that are the same", () =>
    Effect.gen(function* () {
      const senses = yield* start
      const part = { type: "video_url", video_url: { url: senses.serve("one.mp4") } }
      yield* senses.ask("test/eyes", [part], {
        before: said([part, { type: "text", text: "What is this?" }])
      })
      assert.include(wordsOf(asked(senses)[0], 0), "Title: Film 1")
      assert.deepStrictEqual(partsOf(asked(senses)[0], 2), [{ type: "text", text: "(see above)" }])
      assert.strictEqual(calls(senses, "/one.mp4"), 1)
    })
  )

  it.scoped("takes the newest where there are too many, and names the rest", () =>
    Effect.gen(function* () {
      const clips = yield* Clips
      const senses = yield* startSenses({ MEDIA_MAX_ITEMS: "2" })
      const { ask, host } = senses
      const image = yield* Effect.promise(() => quarters(40, 30).png().toBuffer())
      const attached = {
        type: "image_url",
        image_url: { url: `data:image/png;base64,${image.toString("base64")}` }
      }
      const old = host.serve("/old.mp4", clips["one.mp4"]).href
      const before = [...said(`What is ${old} ?`), ...said([attached]), ...said([attached])]
      host.serve("/a.png", image)
      const reply = yield* ask(
        "test/eyes",
        `${host.serve("/two.mp4", clips["two.mp4"])} or ${host.at("/a.png")}?`,
        { before }
      )
      assert.match(reply.headers.get("x-percept-media") ?? "", /^image 2, video 1; 1 skipped; /)
      assert.strictEqual(calls(senses, "/old.mp4"), 0)
      const request = asked(senses)[0]
      const [question, note, ...more] = partsOf(request, 0).map(sketch)
      assert.strictEqual(question, `What is ${old} ?`)
      assert.match(note ?? "", /No more than 2 media are looked at in one request, newest first/)
      assert.include(note ?? "", `- ${old}\n`)
      assert.deepStrictEqual(more, [])
      // What came along is no effort, and never too much.
      assert.strictEqual(picturesOf(request, 2).length, 1)
      assert.include(wordsOf(request, 6), "Title: Film 2")
      assert.include(wordsOf(request, 6), `The picture from ${host.at("/a.png")}:`)
    })
  )
})
