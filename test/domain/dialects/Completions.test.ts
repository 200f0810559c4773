import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import * as fc from "effect/FastCheck"
import { chunksOf } from "../../../src/domain/chat/Chunks.ts"
import {
  chatsOf,
  choicesEach,
  decode,
  refusalAsChat,
  withPrompts
} from "../../../src/domain/dialects/Completions.ts"
import type { CompletionRequest } from "../../../src/domain/dialects/Completions.ts"
import { makeVoice } from "../../../src/domain/dialects/CompletionVoice.ts"
import type { Manner } from "../../../src/domain/dialects/CompletionVoice.ts"
import { arrayField, field, isObject, numberField, parseJson, stringField } from "../../../src/domain/Json.ts"
import type { JsonObject } from "../../../src/domain/Json.ts"
import { SseSplitter } from "../../../src/domain/Sse.ts"

const read = (body: unknown) => decode(Buffer.from(typeof body === "string" ? body : JSON.stringify(body)))

const accepted = (body: unknown): CompletionRequest => Either.getOrThrow(read(body))

const chats = (body: unknown): ReadonlyArray<JsonObject> =>
  Either.getOrThrow(chatsOf(accepted(body))).map((chat) => chat.body)

const said = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8")

describe("decode", () => {
  const takes: ReadonlyArray<readonly [string, unknown, ReadonlyArray<string> | undefined]> = [
    ["a text", "Once", ["Once"]],
    ["an empty text", "", [""]],
    ["texts", ["Once", "Twice"], ["Once", "Twice"]],
    ["tokens", [1, 2, 3], undefined],
    ["lists of tokens", [[1, 2], [3]], undefined],
    ["no prompt", undefined, ["<|endoftext|>"]],
    ["a null", null, ["<|endoftext|>"]]
  ]
  for (const [name, prompt, prompts] of takes)
    it(`takes ${name} for a prompt, and keeps what was sent`, () => {
      const body = { model: "a/b", prompt, x: 1.5 }
      const request = accepted(body)
      assert.deepStrictEqual(request.prompts, prompts)
      assert.strictEqual(said(request.bytes), JSON.stringify(body))
      assert.strictEqual(request.model, "a/b")
      assert.isFalse(request.stream)
    })

  const refuses: ReadonlyArray<readonly [string, unknown, string | null]> = [
    ["what is no JSON", "{", null],
    ["a list", ["Once"], null],
    ["a number for a prompt", { prompt: 7 }, "prompt"],
    ["an object for a prompt", { prompt: { text: "Once" } }, "prompt"],
    ["no texts at all", { prompt: [] }, "prompt"],
    ["texts mixed with tokens", { prompt: ["Once", 1] }, "prompt"],
    ["half a token", { prompt: [1.5] }, "prompt"],
    ["a null among texts", { prompt: ["Once", null] }, "prompt"],
    ["a number for a model", { model: 1, prompt: "Once" }, "model"],
    ["a text for stream", { stream: "yes", prompt: "Once" }, "stream"],
    ["what nests without end", `{"prompt":"Once","x":${"[".repeat(300)}${"]".repeat(300)}}`, null]
  ]
  for (const [name, body, param] of refuses)
    it(`refuses ${name} and says where`, () => {
      const refusal = Either.getOrThrow(Either.flip(read(body)))
      assert.strictEqual(refusal.param, param)
      assert.strictEqual(refusal.status, 400)
    })
})

describe("what a chat cannot do", () => {
  const cases: ReadonlyArray<readonly [string, JsonObject, string | undefined]> = [
    ["nothing special", {}, undefined],
    ["nulls everywhere", { suffix: null, best_of: null, n: null, echo: null, logprobs: null }, undefined],
    ["an empty suffix", { suffix: "" }, undefined],
    ["a suffix", { suffix: " end" }, "suffix"],
    ["a choice among more than is wanted", { n: 1, best_of: 3 }, "best_of"],
    ["the best of three without an n", { best_of: 3 }, "best_of"],
    ["the best of as many as are wanted", { n: 3, best_of: 3 }, undefined],
    ["half an answer", { n: 0.5 }, "n"],
    ["no answer", { n: 0 }, "n"],
    ["tokens", { prompt: [1, 2] }, "prompt"],
    ["more prompts than one request may become", { prompt: Array(129).fill("a") }, "prompt"]
  ]
  for (const [name, more, param] of cases)
    it(`${param === undefined ? "can" : "cannot"}: ${name}`, () => {
      const refusal = refusalAsChat(accepted({ prompt: "Once", ...more }))
      assert.strictEqual(refusal?.param ?? undefined, param)
      if (param !== undefined) assert.include(refusal?.message, `'${param}'`)
    })
})

/** What a chat has for the fields of a completion; the inverse of `chatsOf`. */
const completionFrom = (bodies: ReadonlyArray<JsonObject>): JsonObject => {
  const [{ logprobs, messages: _, top_logprobs, ...rest } = {}] = bodies
  return {
    ...rest,
    ...(logprobs === true && top_logprobs !== undefined ? { logprobs: top_logprobs } : {}),
    prompt: bodies.map((body) => stringField(arrayField(body, "messages")[0], "content"))
  }
}

const text = fc.string({ unit: "grapheme", maxLength: 20 })
const number = fc.double({ noNaN: true, noDefaultInfinity: true })
const optional = <A>(arbitrary: fc.Arbitrary<A>) => fc.option(arbitrary, { nil: undefined })

/** Every field the dialect has that a chat can do something with, and some it has not. */
const fields = fc.record({
  model: fc.string({ minLength: 1 }),
  temperature: optional(number),
  top_p: optional(number),
  max_tokens: optional(fc.nat()),
  n: optional(fc.integer({ min: 1, max: 4 })),
  logprobs: optional(fc.nat({ max: 5 })),
  presence_penalty: optional(number),
  frequency_penalty: optional(number),
  stop: optional(fc.oneof(text, fc.array(text))),
  seed: optional(fc.integer()),
  logit_bias: optional(fc.dictionary(fc.string(), fc.integer())),
  user: optional(text),
  stream: optional(fc.boolean()),
  stream_options: optional(fc.record({ include_usage: fc.boolean() })),
  top_k: optional(fc.integer()),
  provider: optional(fc.record({ order: fc.array(text) })),
  percept: optional(fc.record({ policy: fc.constant("off") }))
})
const defined = (body: JsonObject): JsonObject => JSON.parse(JSON.stringify(body)) as JsonObject

describe("a completion as chats", () => {
  it("loses nothing that a chat can be told", () => {
    fc.assert(
      fc.property(fields, fc.array(text, { minLength: 1, maxLength: 4 }), (fields, prompt) => {
        const body = defined({ ...fields, prompt })
        const request = accepted(body)
        const bodies = Either.getOrThrow(chatsOf(request)).map((chat) => chat.body)
        assert.isUndefined(refusalAsChat(request))
        assert.strictEqual(bodies.length, prompt.length)
        assert.deepStrictEqual(completionFrom(bodies), body)
      })
    )
  })

  it("invents nothing", () => {
    const messages = [{ role: "user", content: "Once" }]
    assert.deepStrictEqual(chats({ prompt: "Once" }), [{ messages }])
    assert.deepStrictEqual(chats({ prompt: "Once", echo: true, best_of: 1, suffix: "", logprobs: null }), [
      { messages }
    ])
    assert.deepStrictEqual(chats({}), [{ messages: [{ role: "user", content: "<|endoftext|>" }] }])
    assert.strictEqual(choicesEach(accepted({ prompt: "Once" })), 1)
  })

  it("can have other words in its prompts, and nothing else changes", () => {
    const louder = (text: string) => {
      const request = accepted(text)
      return withPrompts(
        request,
        (request.prompts ?? []).map((prompt) => `${prompt}!`)
      ).text
    }
    assert.strictEqual(louder('{ "x":1.50, "prompt" : "Once" }'), '{ "x":1.50, "prompt" : "Once!" }')
    assert.strictEqual(louder('{"prompt":["a", "b"],"y":[]}'), '{"prompt":["a!","b!"],"y":[]}')
    assert.strictEqual(louder('{"prompt":"old","prompt":"new"}'), '{"prompt":"new!","prompt":"new!"}')
    assert.strictEqual(louder('{"model":"a"}'), '{"model":"a"}')
    assert.strictEqual(louder('{"prompt":[1,2]}'), '{"prompt":[1,2]}')
  })
})

const PLAIN: Manner = { prompts: [], choicesEach: 1, usageAsked: false }

const whole = (completion: JsonObject, manner = PLAIN): JsonObject => {
  const value = parseJson(makeVoice(manner).whole(completion))
  return isObject(value) ? value : {}
}

/** The events of a stream; the last one is `[DONE]`. */
const streamed = (chunks: ReadonlyArray<JsonObject>, manner = PLAIN): ReadonlyArray<JsonObject> => {
  const voice = makeVoice(manner)
  const text = chunks.map((chunk) => voice.chunk(chunk)).join("") + voice.end()
  const { data } = new SseSplitter().push(Buffer.from(text))
  assert.strictEqual(data.at(-1), "[DONE]")
  return data.slice(0, -1).map((event) => JSON.parse(event) as JsonObject)
}

const token = fc.record({
  token: fc.string({ unit: "grapheme", minLength: 1, maxLength: 4 }),
  logprob: number,
  bytes: fc.constant(null)
})

const chatChoice = fc.record({
  tokens: fc.array(token, { maxLength: 5 }),
  likely: fc.boolean(),
  finish_reason: fc.constantFrom("stop", "length", "content_filter"),
  reasoning: optional(text)
})
type ChatChoice = typeof chatChoice extends fc.Arbitrary<infer A> ? A : never

const likelihoodsOf = (tokens: ChatChoice["tokens"]): JsonObject => ({
  content: tokens.map((token) => ({ ...token, top_logprobs: [{ ...token }] })),
  refusal: null
})

const completionOf = (choices: ReadonlyArray<ChatChoice>): JsonObject => ({
  id: "gen-1",
  object: "chat.completion",
  created: 7,
  model: "a/b",
  provider: "Somebody",
  choices: choices.map(({ finish_reason, likely, reasoning, tokens }, index) => ({
    index,
    message: {
      role: "assistant",
      content: tokens.map(({ token }) => token).join(""),
      ...(reasoning === undefined ? {} : { reasoning })
    },
    logprobs: likely && tokens.length > 0 ? likelihoodsOf(tokens) : null,
    finish_reason
  })),
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, cost: 0.1 }
})

const likely = (token: unknown, logprob: unknown) => ({ token, logprob, bytes: null })

/** A chat's choice from a completion's, as far as one says what the other does. */
const chatChoiceFrom = (choice: unknown): JsonObject => {
  const logprobs = field(choice, "logprobs")
  const likelihoods = arrayField(logprobs, "token_logprobs")
  const content = arrayField(logprobs, "tokens").map((token, at) => {
    const top = arrayField(logprobs, "top_logprobs")[at]
    const top_logprobs = Object.entries(isObject(top) ? top : {}).map(([token, logprob]) =>
      likely(token, logprob)
    )
    return Object.assign(likely(token, likelihoods[at]), { top_logprobs })
  })
  return {
    index: field(choice, "index"),
    message: { role: "assistant", content: field(choice, "text") },
    logprobs: logprobs === null ? null : { content, refusal: null },
    finish_reason: field(choice, "finish_reason")
  }
}

const withoutReasoning = (choice: ChatChoice): ChatChoice => ({ ...choice, reasoning: undefined })

describe("the answer of a chat as that of a completion", () => {
  it("loses nothing but what the model thought, and invents nothing", () => {
    fc.assert(
      fc.property(fc.array(chatChoice, { maxLength: 3 }), (choices) => {
        const answer = whole(completionOf(choices))
        assert.strictEqual(answer["object"], "text_completion")
        assert.deepStrictEqual(
          {
            ...answer,
            object: "chat.completion",
            choices: arrayField(answer, "choices").map(chatChoiceFrom)
          },
          defined(completionOf(choices.map(withoutReasoning)))
        )
      })
    )
  })

  it("says the same in a stream, however it is cut", () => {
    fc.assert(
      fc.property(
        fc.array(chatChoice, { maxLength: 3 }),
        fc.boolean(),
        fc.boolean(),
        (choices, echo, asked) => {
          const manner = { prompts: echo ? ["A", "Bß😀", ""] : [], choicesEach: 1, usageAsked: asked }
          const head = { id: "gen-1", object: "chat.completion.chunk", created: 7, model: "a/b" }
          const pieces = choices.flatMap(({ finish_reason, likely, tokens }, index) => [
            { ...head, choices: [{ index, delta: { role: "assistant", content: "" }, finish_reason: null }] },
            ...tokens.map((token) => ({
              ...head,
              choices: [
                {
                  ...{ index, delta: { content: token.token }, finish_reason: null },
                  logprobs: likely ? likelihoodsOf([token]) : null
                }
              ]
            })),
            { ...head, choices: [{ index, delta: { reasoning: "hm" }, finish_reason }] }
          ])
          const events = streamed([...pieces, { ...head, choices: [], usage: { total_tokens: 3 } }], manner)
          const together = choices.map((_, index) => {
            const mine = events.flatMap((event) =>
              arrayField(event, "choices").filter((choice) => numberField(choice, "index") === index)
            )
            const parts = mine.map((choice) => field(choice, "logprobs")).filter(isObject)
            const list = (key: string) => parts.flatMap((part) => arrayField(part, key))
            return {
              text: mine.map((choice) => stringField(choice, "text") ?? "").join(""),
              index,
              logprobs:
                parts.length === 0
                  ? null
                  : {
                      tokens: list("tokens"),
                      token_logprobs: list("token_logprobs"),
                      top_logprobs: list("top_logprobs"),
                      text_offset: list("text_offset")
                    },
              finish_reason: mine.map((choice) => field(choice, "finish_reason")).find((why) => why !== null)
            }
          })
          assert.deepStrictEqual(together, whole(completionOf(choices), manner)["choices"])
          const idle = { text: "", logprobs: null, finish_reason: null }
          for (const choice of events.flatMap((event) => arrayField(event, "choices")))
            assert.notInclude(choice, idle)
          const counts = events.flatMap((event) => (isObject(event["usage"]) ? [event] : []))
          const last = { ...head, object: "text_completion", choices: [], usage: { total_tokens: 3 } }
          assert.deepStrictEqual(counts, asked ? [last] : [])
          if (!asked) assert.isTrue(events.every((event) => !("usage" in event)))
        }
      )
    )
  })

  it("puts each prompt before its own answers, once", () => {
    const manner = { prompts: ["Once ", "Twice "], choicesEach: 2, usageAsked: false }
    const choices = [0, 1, 2, 3].map((index) => ({
      index,
      message: { content: `${index}` },
      finish_reason: "stop"
    }))
    const expected = ["Once 0", "Once 1", "Twice 2", "Twice 3"]
    const answer = { id: "gen-1", created: 1, model: "a/b", choices }
    const texts = (value: JsonObject) => arrayField(value, "choices").map((choice) => field(choice, "text"))
    assert.deepStrictEqual(texts(whole(answer, manner)), expected)
    const events = streamed(chunksOf(answer), manner)
    assert.deepStrictEqual(events.flatMap(texts), [...expected, "", "", "", ""])
  })

  it("tells offsets in characters, behind what is put before the answer", () => {
    const tokens = ["ß", "😀", "!"].map((token) => ({ token, logprob: -1, bytes: null }))
    const choice = { tokens, likely: true, finish_reason: "stop", reasoning: undefined }
    const answer = whole(completionOf([choice]), { ...PLAIN, prompts: ["a😀"] })
    const logprobs = field(arrayField(answer, "choices")[0], "logprobs")
    assert.deepStrictEqual(arrayField(logprobs, "text_offset"), [2, 3, 4])
  })

  it("says a refusal, and what came in parts", () => {
    const texts = (message: JsonObject) =>
      field(arrayField(whole({ choices: [{ index: 0, message }] }), "choices")[0], "text")
    assert.strictEqual(texts({ content: null, refusal: "No." }), "No.")
    assert.strictEqual(
      texts({
        content: [
          { type: "text", text: "a" },
          { type: "text", text: "b" }
        ]
      }),
      "ab"
    )
    assert.strictEqual(texts({ content: null, tool_calls: [] }), "")
  })

  it("leaves an error in a stream to who ends it", () => {
    const error = { message: "broke", code: 502 }
    const voice = makeVoice(PLAIN)
    assert.strictEqual(voice.chunk({ error, choices: [{ delta: {}, finish_reason: "error" }] }), "")
    assert.strictEqual(voice.comment?.("video 1/1"), ": percept video 1/1\n\n")
    assert.isUndefined(voice.thought)
  })
})
