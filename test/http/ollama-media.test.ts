import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Ollama } from "ollama"
import type { ChatResponse, GenerateResponse } from "ollama"
import { arrayField, stringField } from "../../src/domain/Json.ts"
import { all, raised } from "../support/Clients.ts"
import { noise } from "../support/Images.ts"
import { status } from "../support/MediaHost.ts"
import { startOllama } from "../support/OllamaUpstream.ts"
import { eventually } from "../support/Router.ts"
import type { Router } from "../support/Router.ts"
import {
  asked,
  calls,
  gate,
  makeClips,
  partsOf,
  picturesOf,
  rowsOf,
  sketch,
  startSenses,
  talkie,
  wordsOf
} from "../support/Senses.ts"
import { finalRow, send } from "../support/Upstream.ts"
import { weightsFile } from "../support/Weights.ts"
import { fixture } from "../support/Words.ts"

const clientOf = ({ router }: { readonly router: Router }, headers: Record<string, string> = {}) =>
  new Ollama({ host: router.url, headers })

const user = (content: string, images?: Array<Uint8Array>) => [
  { role: "user", content, ...(images === undefined ? {} : { images }) }
]

describe("a link to a film, pasted in Ollama's dialect", () => {
  it.scopedLive("reaches the model that sees as pictures and as words, in a chat and in a prompt", () =>
    Effect.gen(function* () {
      const clips = yield* makeClips({ "talkie.mp4": talkie })
      const ollama = yield* startOllama
      const senses = yield* startSenses({ ...ollama.env, WHISPER_MODEL_NAME: weightsFile })
      const { host, upstream } = senses
      const client = clientOf(senses)
      const url = host.serve("/talkie.mp4", clips["talkie.mp4"]).href
      const question = `What is said in ${url} ?`
      const chat = yield* all(client.chat({ model: "test/blind", messages: user(question), stream: true }))
      assert.strictEqual(chat.map(({ message }) => message.content).join(""), "A striped test card.")
      const whole = yield* Effect.promise(() => client.generate({ model: "test/blind", prompt: question }))
      assert.strictEqual(whole.response, "A striped test card.")
      const streamed = yield* all(client.generate({ model: "test/blind", prompt: question, stream: true }))
      assert.strictEqual(streamed.map(({ response }) => response ?? "").join(""), "A striped test card.")

      assert.strictEqual(upstream.received.length, 3)
      for (const request of asked(senses)) {
        assert.strictEqual(stringField(request, "model"), "test/vision")
        const [first, block = ""] = partsOf(request).map(sketch)
        assert.strictEqual(first, question)
        assert.match(block, /^\[00:0\d-00:0\d\] .*Good morning, everyone/im)
        assert.isAtLeast(picturesOf(request).length, 1)
        assert.deepStrictEqual(partsOf(request), partsOf(asked(senses)[0]))
      }
      // An Ollama server's model that sees gets the same in its own form.
      yield* Effect.promise(() => client.chat({ model: "llava:7b", messages: user(question) }))
      yield* Effect.promise(() => client.generate({ model: "llava:7b", prompt: question }))
      const [seen, generated] = asked({ upstream: ollama })
      for (const [said, key] of [
        [arrayField(seen, "messages")[0], "content"],
        [generated, "prompt"]
      ] as const) {
        const words = stringField(said, key) ?? ""
        assert.include(words, question)
        assert.match(words, /^\[00:0\d-00:0\d\] .*Good morning, everyone/im)
        const images = arrayField(said, "images")
        assert.isAtLeast(images.length, 1)
        for (const image of images) assert.match(String(image), /^\/9j\//)
      }

      assert.strictEqual(calls(senses, "/talkie.mp4"), 1)
      const rows = yield* rowsOf(senses, 5)
      assert.deepStrictEqual(
        rows.map((row) => [row.endpoint_called, row.media_type_processed, row.is_multimodal, row.state]),
        ["/api/chat", "/api/generate", "/api/generate", "/api/chat", "/api/generate"].map((path) => [
          path,
          "video",
          1,
          "done"
        ])
      )
    })
  )
})

describe("pictures given in Ollama's way", () => {
  it.scopedLive("reach a model that sees, and are described to one that does not where that is wanted", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses()
      const client = clientOf(senses)
      const picture = yield* Effect.promise(() => noise(24, 24).png().toBuffer())
      const data = picture.toString("base64")
      yield* Effect.promise(() =>
        client.chat({ model: "test/eyes", messages: user("What is it?", [new Uint8Array(picture)]) })
      )
      yield* Effect.promise(() =>
        client.generate({ model: "test/eyes", prompt: "What is it?", images: [data] })
      )
      for (const request of asked(senses)) {
        assert.deepStrictEqual(picturesOf(request), [`data:image/png;base64,${data}`])
        assert.include(wordsOf(request), "What is it?")
      }
      const describing = clientOf(senses, { "x-percept-policy": "describe" })
      yield* Effect.promise(() =>
        describing.generate({ model: "test/blind", prompt: "What is it?", images: [data] })
      )
      const blind = asked(senses).at(-1)
      assert.strictEqual(stringField(blind, "model"), "test/blind")
      assert.deepStrictEqual(picturesOf(blind), [])
      assert.include(wordsOf(blind), "A striped test card.")
    })
  )

  it.scopedLive("that are no pictures are named to the model", () =>
    Effect.gen(function* () {
      const senses = yield* startSenses()
      const images = [Buffer.from("this is no picture").toString("base64")]
      const got = yield* send(senses.router, {
        path: "/api/chat",
        body: JSON.stringify({
          model: "test/eyes",
          stream: false,
          messages: [{ role: "user", content: "What is it?", images }]
        })
      })
      assert.strictEqual(got.status, 200, got.text)
      assert.match(String(got.headers["x-percept-media"]), /image 1/)
      assert.deepStrictEqual(picturesOf(asked(senses)[0]), [])
      assert.strictEqual((yield* finalRow(senses.router, got)).state, "done")
    })
  )
})

describe("where nobody has the vision model", () => {
  it.scopedLive("the asked model stays, with what was heard and a note on what cannot be shown", () =>
    Effect.gen(function* () {
      const ollama = yield* startOllama
      const alone = { ...ollama.env, OPENROUTER_API_KEY: "", VISION_MODEL: "" }
      const { ask, host, router } = yield* startSenses(alone)
      const film = host.serve("/film.mp4", fixture("no-sound.mp4")).href
      const picture = yield* Effect.promise(() => noise(24, 24).png().toBuffer())
      const image = { url: `data:image/png;base64,${picture.toString("base64")}` }
      for (const policy of ["auto", "describe"]) {
        const content = [
          { type: "text", text: film },
          { type: "image_url", image_url: image }
        ]
        const reply = yield* ask("mistral:7b", content, { headers: { "x-percept-policy": policy } })
        assert.strictEqual(reply.status, 200, reply.text)
        const told = asked({ upstream: ollama }).at(-1)
        assert.strictEqual(stringField(told, "model"), "mistral:7b")
        assert.deepStrictEqual(picturesOf(told), [])
        assert.match(wordsOf(told), /^Seen: nothing; \d+ pictures? taken, and none could be shown here\.$/m)
        assert.include(wordsOf(told), "Here an image from an attached file should follow, but no model here")
      }
      assert.strictEqual(ollama.received.length, 2)
      assert.strictEqual((yield* router.rows).length, 2)
    })
  )
})

/** A router whose medium does not come before it is let go. */
const startHeld = (env: Record<string, string> = {}, options: { readonly lanes?: boolean } = {}) =>
  Effect.gen(function* () {
    const senses = yield* startSenses(env, options)
    const held = gate(yield* Effect.promise(() => noise(60, 60).png().toBuffer()))
    const url = senses.host.behave("/a.png", held.behaviour).href
    return { ...senses, held, question: `What is ${url} ?` }
  })

const ASKS = { "x-percept-progress": "reasoning" }

type Read = (client: Ollama, question: string, pieces: Array<Piece>) => Promise<void>

const chat: Read = async (client, question, pieces) => {
  const stream = await client.chat({ model: "test/eyes", messages: user(question), stream: true })
  for await (const piece of stream)
    pieces.push({ thought: piece.message.thinking ?? "", said: piece.message.content, piece })
}

const generate: Read = async (client, question, pieces) => {
  const stream = await client.generate({ model: "test/eyes", prompt: question, stream: true })
  for await (const piece of stream)
    pieces.push({ thought: piece.thinking ?? "", said: piece.response ?? "", piece })
}

const STREAMS: ReadonlyArray<readonly [path: string, read: Read]> = [
  ["/api/chat", chat],
  ["/api/generate", generate]
]

interface Piece {
  readonly thought: string
  readonly said: string
  readonly piece: ChatResponse | GenerateResponse
}

describe("the official client, while media are worked on", () => {
  for (const lanes of [true, false])
    for (const [path, read] of lanes ? STREAMS : STREAMS.slice(0, 1))
      it.scopedLive(
        `hears at ${path} what is done as thoughts, if it asks${lanes ? "" : ", without lanes"}`,
        () =>
          Effect.gen(function* () {
            const senses = yield* startHeld({}, { lanes })
            const { held, question, upstream } = senses
            const pieces: Array<Piece> = []
            const reading = Effect.promise(() => read(clientOf(senses, ASKS), question, pieces))
            const letGo = held.reached.pipe(
              Effect.zipRight(
                eventually(
                  Effect.sync(() => pieces.length),
                  (count) => count > 0
                )
              ),
              Effect.tap(() => assert.deepStrictEqual(upstream.received, [])),
              Effect.zipRight(Effect.sync(held.open))
            )
            yield* Effect.all([reading, letGo], { concurrency: 2 })
            assert.match(pieces[0]?.thought ?? "", /^(?:media|image 1\/1 fetching)\n$/)
            assert.strictEqual(pieces.map(({ said }) => said).join(""), "Hello from upstream.")
            for (const { piece } of pieces) {
              assert.strictEqual(piece.model, "test/eyes")
              assert.isString(piece.created_at)
            }
            assert.deepStrictEqual(
              pieces.map(({ piece }) => piece.done),
              pieces.map((_, index) => index === pieces.length - 1)
            )
            assert.strictEqual(pieces.at(-1)?.piece.done_reason, "stop")
            // What the router says itself is no part of the answer.
            const [row] = yield* rowsOf(senses, 1)
            assert.strictEqual(row?.output_char_length, "Hello from upstream.".length)
            assert.strictEqual(row?.endpoint_called, path)
            assert.strictEqual(row?.state, "done")
          })
      )

  it.scopedLive("hears nothing if it does not ask, and the answer as ever", () =>
    Effect.gen(function* () {
      for (const [, read] of STREAMS) {
        const senses = yield* startHeld()
        const { held, question } = senses
        const pieces: Array<Piece> = []
        const reading = yield* Effect.fork(Effect.promise(() => read(clientOf(senses), question, pieces)))
        yield* held.reached
        // Another one has heard by now that the same is being worked on.
        const heard: Array<Piece> = []
        const other = yield* Effect.fork(Effect.promise(() => chat(clientOf(senses, ASKS), question, heard)))
        yield* eventually(
          Effect.sync(() => heard.length),
          (count) => count > 0
        )
        assert.deepStrictEqual(pieces, [])
        held.open()
        yield* reading.await
        yield* other.await
        assert.deepStrictEqual(
          pieces.map(({ thought }) => thought).filter((thought) => thought !== ""),
          []
        )
        assert.strictEqual(pieces.map(({ said }) => said).join(""), "Hello from upstream.")
      }
    })
  )

  it.scopedLive("raises what goes wrong after it has heard of it", () =>
    Effect.gen(function* () {
      const senses = yield* startHeld({ MEDIA_STRICT: "true" })
      const { held, host, question } = senses
      const bad = host.behave("/bad.png", status(404)).href
      const pieces: Array<Piece> = []
      const failing = raised(Error, () => chat(clientOf(senses, ASKS), `${question} ${bad}`, pieces))
      const letGo = eventually(
        Effect.sync(() => pieces.length),
        (count) => count > 0
      ).pipe(Effect.zipRight(Effect.sync(held.open)))
      const [error] = yield* Effect.all([failing, letGo], { concurrency: 2 })
      assert.match(error.message, /cannot be used/)
      const [row] = yield* rowsOf(senses, 1)
      assert.strictEqual(row?.state, "failed")
      assert.strictEqual(row?.error_source, "client")
    })
  )
})
