import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { chunksOf } from "../../../src/domain/chat/Chunks.ts"
import { makeVoice } from "../../../src/domain/dialects/OllamaVoice.ts"
import type { JsonObject } from "../../../src/domain/Json.ts"
import { arrayField, field, stringField } from "../../../src/domain/Json.ts"
import { linesOf, text, timeless, words } from "./OllamaSayings.ts"

const chat = (think?: unknown) => makeVoice({ endpoint: "/api/chat", model: "asked", think })
const generate = () => makeVoice({ endpoint: "/api/generate", model: "asked", think: undefined })

const delta = (delta: JsonObject, finish: string | null = null): JsonObject => ({
  choices: [{ index: 0, delta, finish_reason: finish }]
})

/** Everything a voice says to these chunks, without what its clock said. */
const said = (chunks: ReadonlyArray<JsonObject>, voice = chat()): ReadonlyArray<JsonObject> =>
  linesOf(chunks.map((chunk) => voice.chunk(chunk)).join("") + voice.end()).map(unmeasured)

const unmeasured = (line: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(line).filter(([key]) => !key.endsWith("_duration")))

const line = (said: JsonObject, rest: JsonObject = {}) => ({
  model: "asked",
  message: { role: "assistant", content: "", ...said },
  done: false,
  ...rest
})

const END = line({}, { done: true, done_reason: "stop" })

describe("a voice for Ollama's clients", () => {
  it("says what is new, and nothing for what is not", () => {
    const voice = chat()
    assert.strictEqual(voice.chunk(delta({ role: "assistant", content: "" })), "")
    assert.strictEqual(voice.chunk({ choices: [] }), "")
    assert.strictEqual(voice.chunk({}), "")
    assert.strictEqual(voice.chunk(delta({ content: null })), "")
    const news = voice.chunk(delta({ content: "a" }))
    assert.isTrue(news.endsWith("}\n"))
    assert.match(String(JSON.parse(news).created_at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.deepStrictEqual(linesOf(news), [line({ content: "a" })])
    assert.strictEqual(voice.chunk(delta({}, "stop")), "")
  })

  it("ends once all has been said, with counts that came after the end", () => {
    const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }
    assert.deepStrictEqual(
      said([delta({ content: "a" }), delta({}, "stop"), { choices: [], usage }, { usage: null }]),
      [line({ content: "a" }), { ...END, prompt_eval_count: 3, eval_count: 4 }]
    )
    assert.deepStrictEqual(said([]), [END])
    assert.deepStrictEqual(said([delta({}, "length"), { choices: [{ index: 0, delta: {} }] }]), [
      { ...END, done_reason: "length" }
    ])
  })

  it("gives a whole answer a time, by which clients divide its tokens", () => {
    const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }
    const whole: unknown = JSON.parse(
      chat().whole({ choices: [{ index: 0, message: { content: "a" }, finish_reason: "stop" }], usage })
    )
    assert.isAbove(Number(field(whole, "eval_duration")), 0)
    assert.strictEqual(field(whole, "eval_duration"), field(whole, "total_duration"))
  })

  it("measures where nobody told it how long it took", () => {
    const voice = chat()
    voice.chunk(delta({ content: "a" }))
    const { eval_duration, prompt_eval_duration, total_duration } = JSON.parse(voice.end())
    for (const figure of [eval_duration, prompt_eval_duration, total_duration]) {
      assert.isTrue(Number.isInteger(figure))
      assert.isAbove(figure, 0)
    }
    assert.isAtLeast(total_duration, prompt_eval_duration)
    const { done, total_duration: whole } = JSON.parse(generate().whole({ choices: [] }))
    assert.isTrue(done)
    assert.isAbove(whole, 0)
  })

  it("takes a server's own figures as they are", () => {
    const own = { ...delta({}, "stop"), ollama: { total_duration: 9 }, usage: { prompt_tokens: 1 } }
    const voice = chat()
    assert.deepStrictEqual(linesOf(voice.chunk(own) + voice.end()), [{ ...END, total_duration: 9 }])
  })

  it("keeps what is said of the whole for its end", () => {
    const whole = {
      choices: [{ message: { content: "a" }, finish_reason: "stop" }],
      ollama: { eval_duration: 9, context: [1], remote_model: "far" }
    }
    const voice = generate()
    const lines = chunksOf(whole).map((chunk) => voice.chunk(chunk))
    const head = { model: "asked", remote_model: "far" }
    assert.deepStrictEqual(linesOf(lines.join("") + voice.end()), [
      { ...head, response: "a", done: false },
      { ...head, response: "", done: true, done_reason: "stop", eval_duration: 9, context: [1] }
    ])
  })

  const reasons: ReadonlyArray<readonly [string | null, string]> = [
    ["stop", "stop"],
    ["length", "length"],
    ["load", "load"],
    ["tool_calls", "stop"],
    ["function_call", "stop"],
    ["content_filter", "stop"],
    [null, "stop"]
  ]
  for (const [finish, done_reason] of reasons)
    it(`ends ${finish} with ${done_reason}`, () => {
      assert.deepStrictEqual(said([delta({ content: "a" }, finish)]).at(-1), { ...END, done_reason })
      const whole = chat().whole({ choices: [{ message: { content: "a" }, finish_reason: finish }] })
      assert.strictEqual(JSON.parse(whole).done_reason, done_reason)
    })

  it("thinks aloud, unless it was asked not to", () => {
    const chunks = [delta({ reasoning: "a" }), delta({ reasoning_content: "b" }), delta({ content: "c" })]
    assert.deepStrictEqual(said(chunks), [
      line({ thinking: "a" }),
      line({ thinking: "b" }),
      line({ content: "c" }),
      END
    ])
    assert.deepStrictEqual(said(chunks, chat(false)), [line({ content: "c" }), END])
    const completion = { choices: [{ message: { content: "c", reasoning: "a" } }] }
    assert.strictEqual(JSON.parse(chat().whole(completion)).message.thinking, "a")
    assert.deepStrictEqual(JSON.parse(chat(false).whole(completion)).message, {
      role: "assistant",
      content: "c"
    })
  })

  it("tells of progress as a thought, and knows no comments", () => {
    const news = chat(false).thought?.("video 2/4") ?? ""
    assert.deepStrictEqual(linesOf(news), [line({ thinking: "video 2/4\n" })])
    assert.deepStrictEqual(linesOf(generate().thought?.("x") ?? ""), [
      { model: "asked", response: "", thinking: "x\n", done: false }
    ])
    assert.isUndefined(chat().comment)
  })

  it("goes by the name the model has where it answers", () => {
    const voice = chat()
    assert.strictEqual(JSON.parse(voice.chunk({ ...delta({ content: "a" }), model: "real" })).model, "real")
    assert.strictEqual(JSON.parse(voice.end()).model, "real")
    assert.strictEqual(JSON.parse(chat().whole({ model: "real", choices: [] })).model, "real")
  })

  it("lets only the first of several choices speak", () => {
    const choices = [
      { index: 1, delta: { content: "b" }, finish_reason: "length" },
      { index: 0, delta: { content: "a" }, finish_reason: null }
    ]
    assert.deepStrictEqual(said([{ choices }, { choices: choices.slice(0, 1) }]), [
      line({ content: "a" }),
      END
    ])
    const messages = [
      { index: 1, message: { content: "b" } },
      { index: 0, message: { content: "a" } }
    ]
    assert.strictEqual(JSON.parse(chat().whole({ choices: messages })).message.content, "a")
  })

  it("says a whole answer at once", () => {
    const completion = {
      model: "m",
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: null,
            reasoning_content: "hm",
            tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: '{"a":1}' } }]
          },
          finish_reason: "tool_calls"
        }
      ],
      usage: { prompt_tokens: 1, completion_tokens: 2 }
    }
    const calls = [{ id: "1", function: { index: 0, name: "f", arguments: { a: 1 } } }]
    const end = { done: true, done_reason: "stop", prompt_eval_count: 1, eval_count: 2 }
    assert.deepStrictEqual(unmeasured(timeless(JSON.parse(chat().whole(completion)))), {
      model: "m",
      message: { role: "assistant", content: "", thinking: "hm", tool_calls: calls },
      ...end
    })
    assert.deepStrictEqual(unmeasured(timeless(JSON.parse(generate().whole(completion)))), {
      model: "m",
      response: "",
      thinking: "hm",
      tool_calls: calls,
      ...end
    })
    assert.deepStrictEqual(said(chunksOf(completion)), [
      { ...line({ thinking: "hm" }), model: "m" },
      { ...line({ tool_calls: calls }), model: "m" },
      { ...line({}), model: "m", ...end }
    ])
  })

  it("says why it refuses, and what came in parts", () => {
    assert.deepStrictEqual(said([delta({ content: null, refusal: "no" })]), [line({ content: "no" }), END])
    const parts = [
      { type: "text", text: "a" },
      { type: "text", text: "b" }
    ]
    const whole = chat().whole({ choices: [{ message: { content: parts } }] })
    assert.strictEqual(JSON.parse(whole).message.content, "a\nb")
  })

  it("says how probable its words were", () => {
    const logprobs = {
      content: [
        { token: "a", logprob: -1, bytes: [97], top_logprobs: [{ token: "b", logprob: -2, bytes: null }] },
        { token: "c", logprob: -3, bytes: null, top_logprobs: [] }
      ]
    }
    const expected = [
      { token: "a", logprob: -1, bytes: [97], top_logprobs: [{ token: "b", logprob: -2 }] },
      { token: "c", logprob: -3 }
    ]
    const chunk = { choices: [{ delta: { content: "ac" }, logprobs }] }
    assert.deepStrictEqual(said([chunk]), [line({ content: "ac" }, { logprobs: expected }), END])
    const whole = chat().whole({ choices: [{ message: { content: "ac" }, logprobs }] })
    assert.deepStrictEqual(JSON.parse(whole).logprobs, expected)
    assert.deepStrictEqual(said([{ choices: [{ delta: {}, logprobs: null }] }]), [END])
    assert.deepStrictEqual(said([{ choices: [{ delta: { content: "" }, logprobs }] }]), [
      line({}, { logprobs: expected }),
      END
    ])
  })

  const called: ReadonlyArray<readonly [string, ReadonlyArray<JsonObject>, ReadonlyArray<JsonObject>]> = [
    [
      "in pieces",
      [
        { index: 0, id: "x", function: { name: "f", arguments: "" } },
        { index: 0, function: { arguments: '{"a"' } },
        { index: 1, id: "y", function: { name: "g", arguments: "{}" } },
        { index: 0, function: { arguments: ":1}" } }
      ],
      [
        { id: "x", function: { index: 0, name: "f", arguments: { a: 1 } } },
        { id: "y", function: { index: 1, name: "g", arguments: {} } }
      ]
    ],
    [
      "without numbers",
      [
        { id: "x", function: { name: "f", arguments: '{"a":' } },
        { function: { arguments: "1}" } },
        { id: "y", function: { name: "g", arguments: "" } }
      ],
      [
        { id: "x", function: { index: 0, name: "f", arguments: { a: 1 } } },
        { id: "y", function: { index: 1, name: "g", arguments: {} } }
      ]
    ],
    [
      "all with one number",
      [
        { index: 0, id: "x", function: { name: "f", arguments: "{}" } },
        { index: 0, id: "y", function: { name: "g", arguments: "{" } },
        { index: 0, function: { arguments: "}" } }
      ],
      [
        { id: "x", function: { index: 0, name: "f", arguments: {} } },
        { id: "y", function: { index: 1, name: "g", arguments: {} } }
      ]
    ],
    [
      "with arguments that are none",
      [
        { index: 0, function: { name: "f", arguments: '{"a":' } },
        { index: 1, function: { name: "g", arguments: "[1]" } },
        { index: 2, function: { name: "h", arguments: "null" } },
        { index: 3, function: { name: "i", arguments: `{"a":${"[".repeat(9999)}${"]".repeat(9999)}}` } }
      ],
      [
        { function: { index: 0, name: "f", arguments: { raw: '{"a":' } } },
        { function: { index: 1, name: "g", arguments: { raw: "[1]" } } },
        { function: { index: 2, name: "h", arguments: {} } },
        {
          function: {
            index: 3,
            name: "i",
            arguments: { raw: `{"a":${"[".repeat(9999)}${"]".repeat(9999)}}` }
          }
        }
      ]
    ]
  ]
  for (const [how, pieces, calls] of called)
    it(`puts calls together that come ${how}`, () => {
      const chunks = pieces.map((piece) => delta({ tool_calls: [piece] }))
      assert.deepStrictEqual(said([...chunks, delta({}, "tool_calls")]), [line({ tool_calls: calls }), END])
    })

  it("says the same however an answer is cut into chunks", () => {
    const calls = fc.array(
      fc.tuple(
        words,
        fc.dictionary(words, text, { maxKeys: 2 }).map((args) => JSON.stringify(args)),
        fc.infiniteStream(fc.integer({ min: 1, max: 5 }))
      ),
      { maxLength: 3 }
    )
    const cuts = fc.infiniteStream(fc.integer({ min: 1, max: 5 }))
    fc.assert(
      fc.property(
        text,
        text,
        calls,
        cuts,
        cuts,
        fc.boolean(),
        (content, thinking, calls, cut, other, isDeep) => {
          const voice = isDeep ? chat() : generate()
          const chunks = [
            ...cutUp(thinking, cut).map((piece, at) =>
              delta({ [at % 2 === 0 ? "reasoning" : "reasoning_content"]: piece })
            ),
            ...cutUp(content, other).map((piece) => delta({ content: piece })),
            ...calls.flatMap(([name, args, cut], index) => [
              delta({ tool_calls: [{ index, id: `id${index}`, function: { name, arguments: "" } }] }),
              ...cutUp(args, cut).map((piece) =>
                delta({ tool_calls: [{ index, function: { arguments: piece } }] })
              )
            ]),
            delta({}, "stop")
          ]
          const lines = said(chunks, voice).map((line) => field(line, "message") ?? line)
          assert.strictEqual(
            lines.map((line) => stringField(line, "content") ?? stringField(line, "response") ?? "").join(""),
            content
          )
          assert.strictEqual(lines.map((line) => stringField(line, "thinking") ?? "").join(""), thinking)
          assert.deepStrictEqual(
            lines.flatMap((line) => arrayField(line, "tool_calls")),
            calls.map(([name, args], index) => ({
              id: `id${index}`,
              function: { index, name, arguments: JSON.parse(args) }
            }))
          )
        }
      )
    )
  })
})

/** Pieces of the lengths that a stream of numbers says. */
const cutUp = (whole: string, lengths: IterableIterator<number>): ReadonlyArray<string> => {
  const pieces: Array<string> = []
  for (let from = 0; from < whole.length;) {
    const to = from + Number(lengths.next().value)
    pieces.push(whole.slice(from, to))
    from = to
  }
  return pieces
}
