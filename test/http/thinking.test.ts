import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { field, parseJson, stringField } from "../../src/domain/Json.ts"
import { all, askedOf, question, settled, startLine, textOf } from "../support/Clients.ts"
import { chunk, completion, json, send, sendChat, stream, streamText } from "../support/Upstream.ts"

const THOUGHTFUL = "<think>\nLet me see.\n</think>\n\n Hello, <b>you</b>. \n"
const SPOKEN = "\n\n Hello, <b>you</b>. \n"
const LETTERS = Array.from(THOUGHTFUL)

describe("what a model thinks aloud", () => {
  it.scopedLive("stays out of a whole answer, and in the record", () =>
    Effect.gen(function* () {
      const { openai, router, upstream } = yield* startLine()
      upstream.answers(completion(THOUGHTFUL))
      const answer = yield* Effect.promise(() => openai.chat.completions.create(question("Hi")))
      assert.strictEqual(answer.choices[0]?.message.content, SPOKEN)
      const [row] = yield* settled(router, 1)
      assert.strictEqual(row?.output_char_length, THOUGHTFUL.length)
    })
  )

  it.scopedLive("stays out of a stream, letter by letter, and in the record", () =>
    Effect.gen(function* () {
      const { openai, router, upstream } = yield* startLine()
      upstream.answers(stream(...LETTERS.map((content) => chunk({ content })), streamText([])))
      const chunks = yield* all(openai.chat.completions.create({ ...question("Hi"), stream: true }))
      assert.strictEqual(textOf(chunks), SPOKEN)
      assert.isFalse(chunks.slice(0, -1).some(({ choices }) => choices[0]?.delta.content === ""))
      const [row] = yield* settled(router, 1)
      assert.strictEqual(row?.state, "done")
      assert.strictEqual(row?.output_char_length, THOUGHTFUL.length)
    })
  )

  it.scopedLive("cut short leaves an empty answer that ends well", () =>
    Effect.gen(function* () {
      const { openai, upstream } = yield* startLine()
      upstream.answers(stream(chunk({ content: "<think>On" }), chunk({ content: " and on" }), streamText([])))
      const chunks = yield* all(openai.chat.completions.create({ ...question("Hi"), stream: true }))
      assert.strictEqual(textOf(chunks), "")
      assert.strictEqual(chunks.at(-1)?.choices[0]?.finish_reason, "stop")
    })
  )

  it.scopedLive("is not what somebody writes about the tag", () =>
    Effect.gen(function* () {
      const { openai, upstream } = yield* startLine()
      const pieces = ["Models write <think", "> before they", " think."]
      upstream.answers(stream(...pieces.map((content) => chunk({ content })), streamText([])))
      const chunks = yield* all(openai.chat.completions.create({ ...question("Hi"), stream: true }))
      assert.strictEqual(textOf(chunks), pieces.join(""))
    })
  )

  it.scopedLive("comes to those who want it, byte by byte", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* startLine({ env: { STRIP_THINKING: "false" } })
      upstream.answers(stream(streamText(LETTERS)))
      const { text } = yield* sendChat(router, { ...question("Hi"), stream: true })
      assert.strictEqual(text, streamText(LETTERS))
    })
  )

  it.scopedLive("changes nothing in a stream without any", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* startLine()
      const said = `: waiting\n\n${streamText(["a < b", " <thinking> c </", "think> d"])}`
      upstream.answers(stream(said.slice(0, 150), said.slice(150)))
      const { text } = yield* sendChat(router, { ...question("Hi"), stream: true })
      assert.strictEqual(text, said)
    })
  )
})

describe("on every route", () => {
  const legacy = (text: string, finish_reason: string | null = null) => ({
    ...{ id: "cmpl-1", object: "text_completion", created: 1, model: "test/plain" },
    choices: [{ index: 0, text, logprobs: null, finish_reason }]
  })
  const event = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`

  it.scopedLive("a legacy completion has its answer alone, whole and streamed", () =>
    Effect.gen(function* () {
      const { openai, upstream } = yield* startLine()
      const asked = { model: "test/plain", prompt: "Hi" }
      upstream.answers(json(200, legacy(THOUGHTFUL, "stop")))
      const whole = yield* Effect.promise(() => openai.completions.create(asked))
      assert.strictEqual(whole.choices[0]?.text, SPOKEN)
      const events = [...LETTERS.map((text) => legacy(text)), legacy("", "stop")].map(event)
      upstream.answers(stream(...events, "data: [DONE]\n\n"))
      const chunks = yield* all(openai.completions.create({ ...asked, stream: true }))
      assert.strictEqual(chunks.map(({ choices }) => choices[0]?.text ?? "").join(""), SPOKEN)
    })
  )

  it.scopedLive("percept/inspect shows what is asked word for word, in a chat as in a completion", () =>
    Effect.gen(function* () {
      const { openai } = yield* startLine()
      const prompt = "What does <think>this</think> mean?"
      const model = "percept/inspect"
      const chat = yield* Effect.promise(() => openai.chat.completions.create(question(prompt, model)))
      const completion = yield* Effect.promise(() => openai.completions.create({ model, prompt }))
      assert.include(chat.choices[0]?.message.content, prompt)
      assert.include(completion.choices[0]?.text, prompt)
    })
  )

  const lines = (text: string): ReadonlyArray<unknown> =>
    text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line))

  for (const [path, said, body] of [
    ["/api/chat", (line: unknown) => stringField(field(line, "message"), "content"), question("Hi")],
    ["/api/generate", (line: unknown) => stringField(line, "response"), { model: "test/plain", prompt: "Hi" }]
  ] as const)
    it.scopedLive(`${path} says the answer alone, whole and streamed`, () =>
      Effect.gen(function* () {
        const { router, upstream } = yield* startLine()
        const ask = (stream: boolean) => send(router, { path, body: JSON.stringify({ ...body, stream }) })
        upstream.answers(completion(THOUGHTFUL))
        assert.strictEqual(said(parseJson((yield* ask(false)).text)), SPOKEN)
        upstream.answers(stream(...LETTERS.map((content) => chunk({ content })), streamText([])))
        const { text } = yield* ask(true)
        assert.strictEqual(
          lines(text)
            .map((line) => said(line) ?? "")
            .join(""),
          SPOKEN
        )
        assert.strictEqual(field(lines(text).at(-1), "done"), true)
      })
    )
})

describe("DISABLE_THINKING", () => {
  it.scopedLive("asks the model not to think, and asks for nothing when it is off", () =>
    Effect.gen(function* () {
      const quiet = yield* startLine({ env: { DISABLE_THINKING: "true" } })
      const plain = yield* startLine()
      const body = '{ "model":"test/plain", "messages" : [{"role":"user","content":"H\\u0069", "x":1.0}]}'
      for (const { router } of [quiet, plain]) yield* sendChat(router, body)
      assert.strictEqual(
        quiet.upstream.received[0]?.body.toString(),
        body.replace('H\\u0069"', 'Hi /no_think"')
      )
      assert.strictEqual(plain.upstream.received[0]?.body.toString(), body)
    })
  )

  it.scopedLive("stands behind what Percept puts into the conversation", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* startLine({
        env: { DISABLE_THINKING: "true", VIDEO_CAPTIONS: "off" }
      })
      yield* sendChat(router, question("What is in http://127.0.0.1:9/clip.mp4 ?"))
      const asked = JSON.stringify(askedOf(upstream))
      assert.match(asked, /<\/media-evidence [^>]+> \/no_think"/)
      assert.strictEqual(asked.split("/no_think").length, 2)
    })
  )
})
