import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { APIError, BadRequestError, NotFoundError } from "openai"
import type { Completion } from "openai/resources/completions"
import { arrayField, field, isObject, parseJson } from "../../src/domain/Json.ts"
import type { JsonObject } from "../../src/domain/Json.ts"
import { all, askedOf, openAi, raised, settled } from "../support/Clients.ts"
import { eventually, startRouter } from "../support/Router.ts"
import {
  brokenOffWith,
  byHand,
  chunk,
  client,
  completion,
  json,
  openStream,
  refusedWith,
  says,
  send,
  startUpstream,
  stream,
  USAGE
} from "../support/Upstream.ts"
import type { Answer } from "../support/Upstream.ts"

const PATH = "/v1/completions"

/** One server as two providers: OpenRouter, which knows completions, and Hugging Face, which knows chats alone. */
const startBoth = (env: { readonly [name: string]: string } = {}, lanes = true) =>
  Effect.gen(function* () {
    const upstream = yield* startUpstream
    const huggingFace = { HF_TOKEN: "hf_test", HUGGINGFACE_BASE_URL: `${upstream.url}/v1` }
    const router = yield* startRouter(
      { ...upstream.env, ...huggingFace, UPSTREAM_RETRIES: "0", ...env },
      { lanes }
    )
    const complete = (body: unknown) =>
      send(router, { path: PATH, body: typeof body === "string" ? body : JSON.stringify(body) })
    return { upstream, router, openai: openAi(router), complete }
  })

const KNOWS = "openrouter:test/plain"
const CHATS = "huggingface:test/plain"

const legacy = (text: string, rest: object = {}) => ({
  id: "cmpl-1",
  object: "text_completion",
  created: 5,
  model: "test/plain",
  choices: [{ text, index: 0, logprobs: null, finish_reason: "stop" }],
  usage: USAGE,
  ...rest
})

const legacyEvent = (value: object): string => `data: ${JSON.stringify(value)}\n\n`

const textOf = (chunks: ReadonlyArray<Completion>, index = 0): string =>
  chunks
    .flatMap(({ choices }) => choices.filter((choice) => choice.index === index))
    .map(({ text }) => text)
    .join("")

/** Answers a chat with what it was asked, in the way it was asked; `n` times. */
const parrot: Answer = (request, response) => {
  const asked = parseJson(request.body.toString("utf8"))
  const prompt = String(field(arrayField(asked, "messages")[0], "content"))
  const count = Number(field(asked, "n") ?? 1)
  const choices = Array.from({ length: count }, (_, index) => ({
    index,
    message: { role: "assistant", content: `${prompt} ${index}`, reasoning: "Hm." },
    finish_reason: "stop"
  }))
  if (field(asked, "stream") !== true)
    return completion("", { id: `gen-${prompt}`, choices })(request, response)
  const say = (index: number, delta: object, finish_reason: string | null = null) =>
    chunk({}, null, { choices: [{ index, delta, finish_reason }] })
  const pieces = choices.flatMap(({ index, message }) =>
    [
      say(index, { role: "assistant", content: "" }),
      say(index, { reasoning: "Hm." }),
      message.content.split(/(?= )/).map((content) => say(index, { content })),
      say(index, {}, "stop")
    ].flat()
  )
  return stream(
    ...pieces,
    chunk({}, null, { choices: [], usage: USAGE }),
    "data: [DONE]\n\n"
  )(request, response)
}

for (const lanes of [true, false]) {
  describe(lanes ? "legacy completions" : "legacy completions without lanes", () => {
    it.scopedLive("go to who knows them as they are, and the answer comes back as it is", () =>
      Effect.gen(function* () {
        const { complete, router, upstream } = yield* startBoth({}, lanes)
        const answer = `{ "id":"cmpl-1","choices":[ {"text":"upon a time","index":0,"x":1.50} ],"usage":{"prompt_tokens":2,"completion_tokens":3,"total_tokens":5,"cost":0.5} }`
        upstream.once(says(200, answer, { "content-type": "application/json" }))
        const body = `{ "prompt":"Once","model":"${KNOWS}", "top_k":1.50,"suffix":"end","best_of":4,"echo":true }`
        const got = yield* complete(body)
        assert.strictEqual(got.text, answer)
        assert.strictEqual(upstream.received[0]?.path, PATH)
        assert.strictEqual(upstream.received[0]?.body.toString("utf8"), body.replace(KNOWS, "test/plain"))
        const [row] = yield* settled(router, 1)
        assert.strictEqual(row?.endpoint_called, PATH)
        assert.strictEqual(row?.state, "done")
        assert.strictEqual(row?.provider, "openrouter")
        assert.strictEqual(row?.input_char_length, 4)
        assert.strictEqual(row?.output_char_length, 11)
        assert.strictEqual(row?.total_tokens, 5)
        assert.strictEqual(row?.cost_usd, 0.5)
      })
    )

    it.scopedLive("stream from who knows them, byte for byte", () =>
      Effect.gen(function* () {
        const { complete, openai, router, upstream } = yield* startBoth({}, lanes)
        const pieces = [
          ": OPENROUTER PROCESSING\n\n",
          legacyEvent({ ...legacy("upon "), usage: null, smell: "of ink" }),
          legacyEvent({ ...legacy("a time"), usage: null }),
          legacyEvent({ ...legacy(""), choices: [], usage: USAGE }),
          "data: [DONE]\n\n"
        ]
        upstream.answers(stream(...pieces))
        const request = {
          ...{ model: KNOWS, prompt: "Once", stream: true as const },
          stream_options: { include_usage: true }
        }
        const got = yield* complete(request)
        assert.strictEqual(got.text, pieces.join(""))
        assert.deepStrictEqual(askedOf(upstream), { ...request, model: "test/plain" })
        const chunks = yield* all(openai.completions.create(request))
        assert.strictEqual(textOf(chunks), "upon a time")
        assert.deepStrictEqual(chunks.at(-1)?.usage, USAGE)
        const rows = yield* settled(router, 2)
        for (const row of rows) {
          assert.strictEqual(row.state, "done")
          assert.strictEqual(row.is_streaming, 1)
          assert.strictEqual(row.output_char_length, 11)
          assert.strictEqual(row.openrouter_request_id, "cmpl-1")
          assert.strictEqual(row.total_tokens, 15)
          assert.strictEqual(row.cost_usd, 0.00014)
        }
      })
    )

    it.scopedLive("are chats for who knows nothing else", () =>
      Effect.gen(function* () {
        const { openai, router, upstream } = yield* startBoth({}, lanes)
        const top = [{ token: "Hey", logprob: -2, bytes: null }]
        upstream.once(
          completion("", {
            choices: [
              {
                index: 0,
                message: { role: "assistant", content: "Hi!", reasoning: "Polite." },
                logprobs: { content: [{ token: "Hi!", logprob: -1, bytes: null, top_logprobs: top }] },
                finish_reason: "length"
              }
            ]
          })
        )
        const answer = yield* Effect.promise(() =>
          openai.completions.create({
            ...{ model: CHATS, prompt: "Hello. ", max_tokens: 5, temperature: 0.5, stop: ["\n"] },
            ...{ logprobs: 1, echo: true, best_of: 1, seed: 7, user: "me" }
          })
        )
        assert.strictEqual(upstream.received[0]?.path, "/v1/chat/completions")
        assert.deepStrictEqual(askedOf(upstream), {
          ...{ model: "test/plain", max_tokens: 5, temperature: 0.5, stop: ["\n"], seed: 7, user: "me" },
          ...{ logprobs: true, top_logprobs: 1, messages: [{ role: "user", content: "Hello. " }] }
        })
        assert.deepStrictEqual(JSON.parse(JSON.stringify(answer)), {
          ...{ id: "gen-1", object: "text_completion", created: 1, model: "test/plain", usage: USAGE },
          choices: [
            {
              ...{ text: "Hello. Hi!", index: 0, finish_reason: "length" },
              logprobs: {
                ...{ tokens: ["Hi!"], token_logprobs: [-1], text_offset: [7] },
                top_logprobs: [{ Hey: -2, "Hi!": -1 }]
              }
            }
          ]
        })
        const [row] = yield* settled(router, 1)
        assert.strictEqual(row?.output_char_length, 3)
        assert.strictEqual(row?.total_tokens, 15)
        assert.strictEqual(row?.provider, "huggingface")
      })
    )

    it.scopedLive("stream as chats, and only who asks is told what was used", () =>
      Effect.gen(function* () {
        const { complete, openai, router, upstream } = yield* startBoth({}, lanes)
        upstream.answers(parrot)
        const request = { model: CHATS, prompt: "One two", stream: true as const, echo: true }
        const chunks = yield* all(openai.completions.create(request))
        assert.strictEqual(textOf(chunks), "One twoOne two 0")
        assert.strictEqual(chunks.at(-1)?.choices[0]?.finish_reason, "stop")
        for (const chunk of chunks) {
          assert.strictEqual(chunk.object, "text_completion")
          assert.strictEqual(chunk.id, "gen-1")
          assert.isFalse("usage" in chunk)
        }
        const stream_options = { include_usage: true }
        const told = yield* all(openai.completions.create({ ...request, stream_options }))
        assert.deepStrictEqual(field(askedOf(upstream, 1), "stream_options"), stream_options)
        assert.deepStrictEqual(told.at(-1)?.choices, [])
        assert.deepStrictEqual(told.at(-1)?.usage, USAGE)
        assert.isTrue(told.slice(0, -1).every(({ usage }) => usage === null))
        const raw = yield* complete(request)
        assert.match(raw.text, /data: \[DONE\]\n\n$/)
        assert.notInclude(raw.text, "Hm.")
        const rows = yield* settled(router, 3)
        assert.deepStrictEqual(
          rows.map(({ output_char_length, total_tokens }) => [output_char_length, total_tokens]),
          [
            [9, 15],
            [9, 15],
            [9, 15]
          ]
        )
      })
    )

    it.scopedLive("of several prompts are one answer", () =>
      Effect.gen(function* () {
        const { openai, router, upstream } = yield* startBoth({}, lanes)
        upstream.answers(parrot)
        const prompt = ["a", "b", "c", "d", "e"]
        const request = { model: CHATS, prompt, n: 2, echo: true }
        const expected = prompt.flatMap((text) => [`${text}${text} 0`, `${text}${text} 1`])
        const answer = yield* Effect.promise(() => openai.completions.create(request))
        assert.deepStrictEqual(
          answer.choices.map(({ index, text }) => [index, text]),
          expected.map((text, index) => [index, text])
        )
        assert.strictEqual(answer.usage?.total_tokens, 75)
        const stream_options = { include_usage: true }
        const chunks = yield* all(openai.completions.create({ ...request, stream: true, stream_options }))
        expected.forEach((text, index) => assert.strictEqual(textOf(chunks, index), text))
        assert.strictEqual(chunks.at(-1)?.usage?.total_tokens, 75)
        assert.strictEqual(new Set(chunks.map(({ id }) => id)).size, 1)
        assert.strictEqual(upstream.received.length, 10)
        const rows = yield* settled(router, 2)
        assert.strictEqual(rows.length, 2)
        for (const row of rows) {
          assert.strictEqual(row.total_tokens, 75)
          assert.strictEqual(row.cost_usd, 0.0007)
          assert.strictEqual(row.input_char_length, 5)
          assert.strictEqual(row.output_char_length, 30)
        }
      })
    )
  })
}

describe("a legacy completion", () => {
  it.scopedLive("is answered by percept/inspect like a chat", () =>
    Effect.gen(function* () {
      const { openai } = yield* startBoth()
      const request = { model: "percept/inspect", prompt: ["Once", "Twice"] }
      const answer = yield* Effect.promise(() => openai.completions.create(request))
      assert.deepStrictEqual(
        answer.choices.map(({ text }) => text),
        ["[user]\nOnce", "[user]\nTwice"]
      )
      const chunks = yield* all(openai.completions.create({ ...request, stream: true }))
      assert.strictEqual(textOf(chunks, 1), "[user]\nTwice")
    })
  )

  it.scopedLive("of tokens goes to who knows completions, and gets a clear no elsewhere", () =>
    Effect.gen(function* () {
      const { complete, openai, router, upstream } = yield* startBoth()
      upstream.once(json(200, legacy("ok")))
      yield* Effect.promise(() => openai.completions.create({ model: KNOWS, prompt: [[1, 2], [3]] }))
      assert.deepStrictEqual(field(askedOf(upstream), "prompt"), [[1, 2], [3]])
      const [row] = yield* settled(router, 1)
      assert.isNull(row?.input_char_length)
      const got = yield* complete({ model: CHATS, prompt: [1, 2, 3] })
      const verdict = { status: 400, source: "client", type: "invalid_request_error" } as const
      yield* refusedWith(router, got, { ...verdict, param: "prompt", says: /tokens/ })
    })
  )

  it.scopedLive("that a chat cannot answer gets a clear no", () =>
    Effect.gen(function* () {
      const { openai, upstream } = yield* startBoth()
      const refusal = (more: object) =>
        raised(BadRequestError, () => openai.completions.create({ model: CHATS, prompt: "a", ...more }))
      assert.strictEqual((yield* refusal({ suffix: "z" })).param, "suffix")
      assert.strictEqual((yield* refusal({ best_of: 2 })).param, "best_of")
      assert.strictEqual((yield* refusal({ n: 0 })).param, "n")
      assert.strictEqual((yield* refusal({ prompt: [] })).param, "prompt")
      assert.strictEqual((yield* refusal({ prompt: ["a", 1] })).param, "prompt")
      yield* raised(NotFoundError, () => openai.completions.create({ model: "ollama:x", prompt: "a" }))
      assert.strictEqual(upstream.received.length, 0)
    })
  )

  it.scopedLive("without a prompt begins a new document", () =>
    Effect.gen(function* () {
      const { complete, upstream } = yield* startBoth()
      upstream.once(json(200, legacy("ok")))
      yield* complete({ model: KNOWS })
      assert.deepStrictEqual(askedOf(upstream), { model: "test/plain" })
      yield* complete({ model: CHATS })
      assert.deepStrictEqual(arrayField(askedOf(upstream, 1), "messages"), [
        { role: "user", content: "<|endoftext|>" }
      ])
    })
  )

  it.scopedLive("has no thoughts in it, and can be asked not to think", () =>
    Effect.gen(function* () {
      const { complete, upstream } = yield* startBoth({ DISABLE_THINKING: "true" })
      const texts = (got: { readonly text: string }) =>
        arrayField(parseJson(got.text), "choices").map((choice) => field(choice, "text"))
      const thought = "<think>Hm, <b>.</think>Hi"
      upstream.once(json(200, legacy(thought)), completion(thought))
      const known = yield* complete(`{"model":"${KNOWS}","prompt":["a", "b"],"x":1.50}`)
      assert.deepStrictEqual(texts(known), ["Hi"])
      assert.strictEqual(
        upstream.received[0]?.body.toString("utf8"),
        '{"model":"test/plain","prompt":["a /no_think","b /no_think"],"x":1.50}'
      )
      assert.deepStrictEqual(texts(yield* complete({ model: CHATS, prompt: "a" })), ["Hi"])
      assert.deepStrictEqual(arrayField(askedOf(upstream, 1), "messages"), [
        { role: "user", content: "a /no_think" }
      ])
      const cut = ["<th", "ink>Hm", "</thi", "nk>H", "i"]
      upstream.once(
        stream(...cut.map((text) => legacyEvent(ongoing(text))), legacyEvent(legacy("")), "data: [DONE]\n\n"),
        stream(...cut.map((content) => chunk({ content })), chunk({}, "stop"), "data: [DONE]\n\n")
      )
      for (const model of [KNOWS, CHATS]) {
        const got = yield* complete({ model, prompt: "a", stream: true })
        assert.strictEqual(said(got.text), "Hi", got.text)
      }
      const thinking = cut.map((content) => chunk({ content }))
      upstream.answers(stream(...thinking, chunk({}, "stop"), "data: [DONE]\n\n"))
      const both = yield* complete({ model: CHATS, prompt: ["a", "b"], stream: true })
      assert.strictEqual(said(both.text).length, 4, both.text)
      assert.notInclude(both.text, "Hm")
    })
  )

  it.scopedLive("that breaks off in a stream ends with an error and no [DONE]", () =>
    Effect.gen(function* () {
      const { complete, openai, router, upstream } = yield* startBoth()
      const broken = { error: { message: "The model fell over.", code: 502 } }
      const failing: ReadonlyArray<readonly [string, Answer]> = [
        [KNOWS, stream(legacyEvent(ongoing("Hi")), legacyEvent(broken))],
        [CHATS, stream(chunk({ content: "Hi" }), legacyEvent(broken))]
      ]
      for (const [model, answer] of failing) {
        upstream.once(answer)
        const got = yield* complete({ model, prompt: "a", stream: true })
        assert.strictEqual(said(got.text), "Hi")
        yield* brokenOffWith(router, got, { source: "upstream", says: /fell over/ })
        upstream.once(answer)
        const error = yield* raised(APIError, async () => {
          for await (const _ of await openai.completions.create({ model, prompt: "a", stream: true }));
        })
        assert.match(error.message, /fell over/)
      }
    })
  )

  it.scopedLive("of which one prompt fails, fails, and the others are called back", () =>
    Effect.gen(function* () {
      const { complete, router, upstream } = yield* startBoth()
      upstream.once(
        (_, response) => openStream(response),
        json(429, { error: { message: "Too many.", code: 429 } }, { "retry-after": "7" })
      )
      const got = yield* complete({ model: CHATS, prompt: ["a", "b"] })
      assert.strictEqual(got.status, 429)
      assert.strictEqual(got.headers["retry-after"], "7")
      yield* eventually(
        Effect.sync(() => upstream.received.filter(({ aborted }) => aborted).length),
        (count) => count === 1
      )
      const [row] = yield* settled(router, 1)
      assert.strictEqual(row?.state, "failed")
    })
  )

  it.scopedLive("passes a provider's comments on, and is called back when its client leaves", () =>
    Effect.gen(function* () {
      const { router, upstream } = yield* startBoth()
      for (const [at, model] of [KNOWS, CHATS].entries()) {
        const answering = byHand(upstream)
        const body = JSON.stringify({ model, prompt: "a", stream: true })
        const { hears, leave } = yield* client(router, { path: PATH, body })
        const response = yield* answering
        openStream(response)
        response.write(": PROCESSING\n\n")
        yield* hears(": PROCESSING\n\n")
        leave()
        yield* eventually(
          Effect.sync(() => upstream.received[at]?.aborted),
          (aborted) => aborted === true
        )
        const rows = yield* settled(router, at + 1)
        assert.strictEqual(rows[at]?.state, "cancelled")
      }
    })
  )

  it.scopedLive("comes the way it was asked for, whatever way its provider answers", () =>
    Effect.gen(function* () {
      const { complete, upstream } = yield* startBoth()
      upstream.once(completion("Hi"))
      const streamed = yield* complete({ model: CHATS, prompt: "a", stream: true })
      assert.strictEqual(said(streamed.text), "Hi")
      assert.match(streamed.text, /data: \[DONE\]\n\n$/)
      upstream.once(stream(chunk({ content: "H" }), chunk({ content: "i" }, "stop"), "data: [DONE]\n\n"))
      const whole = parseJson((yield* complete({ model: CHATS, prompt: "a" })).text)
      assert.strictEqual(field(arrayField(whole, "choices")[0], "text"), "Hi")
      assert.strictEqual(field(whole, "object"), "text_completion")
    })
  )
})

const ongoing = (text: string) =>
  legacy(text, { choices: [{ text, index: 0, logprobs: null, finish_reason: null }], usage: null })

/** The text of all events. */
const said = (events: string): string =>
  events
    .split("\n")
    .map((line) => parseJson(line.replace(/^data: /, "")))
    .filter((event): event is JsonObject => isObject(event))
    .flatMap((event) => arrayField(event, "choices"))
    .map((choice) => field(choice, "text"))
    .join("")
