import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { completionOf, makeChunks } from "../../../src/domain/dialects/OllamaAnswer.ts"
import { makeVoice } from "../../../src/domain/dialects/OllamaVoice.ts"
import type { Endpoint } from "../../../src/domain/dialects/OllamaRequest.ts"
import { endpoint, linesOf, nativeAnswer, nativeLines, timeless } from "./OllamaSayings.ts"

const voiceFor = (endpoint: Endpoint) => makeVoice({ endpoint, model: "asked", think: undefined })

const FIGURES = {
  total_duration: 50,
  load_duration: 1,
  prompt_eval_count: 2,
  prompt_eval_duration: 3,
  eval_count: 4,
  eval_duration: 5
}

describe("an Ollama server's answer", () => {
  it("comes back as the server said it", () => {
    fc.assert(
      fc.property(
        endpoint.chain((endpoint) => fc.tuple(fc.constant(endpoint), nativeAnswer(endpoint))),
        ([endpoint, answer]) => {
          const said = voiceFor(endpoint).whole(completionOf(answer, "chatcmpl-1"))
          assert.deepStrictEqual(timeless(JSON.parse(said)), timeless(answer))
        }
      ),
      { numRuns: 150 }
    )
  })

  it("comes back as the server streamed it", () => {
    fc.assert(
      fc.property(
        endpoint.chain((endpoint) => fc.tuple(fc.constant(endpoint), nativeLines(endpoint))),
        ([endpoint, lines]) => {
          const voice = voiceFor(endpoint)
          const said = lines.flatMap(makeChunks("chatcmpl-1")).map((chunk) => voice.chunk(chunk))
          assert.deepStrictEqual(linesOf(said.join("") + voice.end()), lines.map(timeless))
        }
      ),
      { numRuns: 150 }
    )
  })

  it("is a completion", () => {
    const answer = {
      model: "llama",
      created_at: "2026-01-02T03:04:05.678901234Z",
      message: {
        role: "assistant",
        content: "",
        thinking: "hm",
        tool_calls: [
          { function: { index: 0, name: "f", arguments: { a: 1 } } },
          { id: "mine", function: { name: "g" } }
        ]
      },
      done: true,
      done_reason: "stop",
      logprobs: [{ token: "a", logprob: -1, top_logprobs: [{ token: "b", logprob: -2, bytes: [98] }] }],
      ...FIGURES
    }
    assert.deepStrictEqual(completionOf(answer, "chatcmpl-1"), {
      id: "chatcmpl-1",
      object: "chat.completion",
      created: 1767323045,
      model: "llama",
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: null,
            reasoning: "hm",
            tool_calls: [
              { id: "call_chatcmpl1_0", type: "function", function: { name: "f", arguments: '{"a":1}' } },
              { id: "mine", type: "function", function: { name: "g", arguments: "{}" } }
            ]
          },
          finish_reason: "tool_calls",
          logprobs: {
            content: [
              {
                token: "a",
                logprob: -1,
                bytes: null,
                top_logprobs: [{ token: "b", logprob: -2, bytes: [98] }]
              }
            ],
            refusal: null
          }
        }
      ],
      usage: { prompt_tokens: 2, completion_tokens: 4, total_tokens: 6 },
      ollama: FIGURES
    })
  })

  it("of a generate is a completion too", () => {
    const answer = {
      model: "m",
      created_at: "?",
      response: "hi",
      done: true,
      done_reason: "length",
      context: [1]
    }
    const { created, ...completion } = completionOf(answer, "x")
    assert.isAbove(Number(created), 1_700_000_000)
    assert.deepStrictEqual(completion, {
      id: "x",
      object: "chat.completion",
      model: "m",
      choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "length" }],
      ollama: { context: [1] }
    })
  })

  it("is a stream of chunks", () => {
    const line = (said: object, rest: object = { done: false }) => ({
      model: "m",
      created_at: "1970-01-01T00:00:07Z",
      message: { role: "assistant", content: "", ...said },
      ...rest
    })
    const chunks = [
      line({ thinking: "hm" }),
      line({ content: "a", extra: 1 }),
      line({ tool_calls: [{ function: { index: 0, name: "f", arguments: {} } }] }),
      line({ tool_calls: [{ function: { index: 0, name: "g", arguments: { b: 2 } } }] }),
      line({}, { done: true, done_reason: "stop", ...FIGURES })
    ].flatMap(makeChunks("id"))
    const head = { id: "id", object: "chat.completion.chunk", created: 7, model: "m" }
    const chunk = (delta: object, rest: object = {}) => ({
      ...head,
      choices: [{ index: 0, delta, finish_reason: null }],
      ...rest
    })
    const call = (index: number, name: string, args: string) => ({
      content: "",
      tool_calls: [{ index, id: `call_id_${index}`, type: "function", function: { name, arguments: args } }]
    })
    assert.deepStrictEqual(chunks, [
      chunk({ role: "assistant", content: "", reasoning: "hm" }),
      chunk({ content: "a" }, { ollama: { message: { extra: 1 } } }),
      chunk(call(0, "f", "{}")),
      chunk(call(1, "g", '{"b":2}')),
      {
        ...head,
        choices: [{ index: 0, delta: {}, finish_reason: "tool_calls" }],
        usage: { prompt_tokens: 2, completion_tokens: 4, total_tokens: 6 },
        ollama: FIGURES
      }
    ])
  })

  it("says its last words before its end", () => {
    const chunks = makeChunks("id")({
      model: "m",
      response: "bye",
      done: true,
      done_reason: "length",
      eval_count: 1
    })
    assert.deepStrictEqual(
      chunks.map(({ choices, ollama, usage }) => ({ choices, ollama, usage })),
      [
        {
          choices: [{ index: 0, delta: { role: "assistant", content: "bye" }, finish_reason: null }],
          ollama: undefined,
          usage: undefined
        },
        {
          choices: [{ index: 0, delta: {}, finish_reason: "length" }],
          ollama: { eval_count: 1 },
          usage: { prompt_tokens: 0, completion_tokens: 1, total_tokens: 1 }
        }
      ]
    )
  })

  it("keeps what a message holds that nobody knows yet", () => {
    const line = { model: "m", message: { role: "assistant", content: "a", mood: "fine" }, done: false }
    const [chunk = {}] = makeChunks("id")(line)
    assert.deepStrictEqual(linesOf(voiceFor("/api/chat").chunk(chunk)), [line])
  })

  it("gives calls ids that everybody takes back", () => {
    const line = { message: { content: "", tool_calls: [{ function: { name: "f" } }] }, done: false }
    const [chunk] = makeChunks(`chatcmpl-${"0".repeat(60)}`)(line)
    const [id] = JSON.stringify(chunk).match(/call_\w+/) ?? []
    assert.isAtMost(id?.length ?? 99, 40)
  })

  it("keeps lines that only tell of progress", () => {
    const voice = voiceFor("/api/generate")
    const lines = [
      { model: "m", response: "", done: false, completed: 1, total: 2 },
      { model: "m", response: "", done: true, done_reason: "stop", image: "AAAA" }
    ]
    const said = lines.flatMap(makeChunks("id")).map((chunk) => voice.chunk(chunk))
    assert.deepStrictEqual(linesOf(said.join("") + voice.end()), lines)
  })
})
