import { assert, describe, it } from "@effect/vitest"
import { Assembly } from "../../src/domain/chat/Assembly.ts"
import { chunksOf } from "../../src/domain/chat/Chunks.ts"

const completion = {
  id: "gen-1",
  object: "chat.completion",
  created: 7,
  model: "a/b",
  provider: "Somebody",
  choices: [
    { index: 0, message: { role: "assistant", content: "Hello", reasoning: "hm" }, finish_reason: "length" },
    {
      index: 1,
      message: {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "c1", type: "function", function: { name: "f", arguments: "{}" } }]
      },
      finish_reason: "tool_calls"
    }
  ],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, cost: 0.1 }
}

describe("a whole answer for a stream", () => {
  const chunks = chunksOf(completion)

  it("says the same, in chunks", () => {
    for (const chunk of chunks) {
      assert.include(chunk, {
        id: "gen-1",
        object: "chat.completion.chunk",
        model: "a/b",
        provider: "Somebody"
      })
    }
    const assembly = new Assembly(100_000)
    for (const chunk of chunks) assembly.add(chunk)
    const again = JSON.parse(JSON.stringify(assembly.completion()))
    assert.strictEqual(again.choices[0].message.content, "Hello")
    assert.strictEqual(again.choices[0].finish_reason, "length")
    assert.strictEqual(again.choices[1].message.tool_calls[0].function.name, "f")
    assert.strictEqual(again.choices[1].finish_reason, "tool_calls")
    assert.deepStrictEqual(again.usage, completion.usage)
  })

  it("gives tool calls their place, and usage once", () => {
    assert.deepInclude(chunks[1]?.["choices"], {
      index: 1,
      finish_reason: null,
      delta: {
        role: "assistant",
        content: null,
        tool_calls: [{ index: 0, id: "c1", type: "function", function: { name: "f", arguments: "{}" } }]
      }
    })
    assert.strictEqual(chunks.filter((chunk) => "usage" in chunk).length, 1)
  })

  it("ends where nothing was said", () => {
    assert.deepStrictEqual(chunksOf({ choices: [{ index: 0 }] }), [
      { object: "chat.completion.chunk", choices: [{ index: 0, delta: {}, finish_reason: null }] },
      { object: "chat.completion.chunk", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }
    ])
  })

  it("keeps what is told of likelihoods", () => {
    const logprobs = { content: [{ token: "a", logprob: -1 }] }
    const [first, last] = chunksOf({ choices: [{ index: 0, message: { content: "a" }, logprobs }] })
    assert.deepStrictEqual(first?.["choices"], [
      { index: 0, delta: { content: "a" }, logprobs, finish_reason: null }
    ])
    assert.deepStrictEqual(last?.["choices"], [{ index: 0, delta: {}, finish_reason: "stop" }])
  })
})
