import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { answered, asked } from "../../src/ui/drawer/conversation.ts"
import type { Part } from "../../src/ui/drawer/conversation.ts"

const text = (text: string): Part => ({ type: "text", text })
const payload = { mime: "image/png", bytes: 70, sha256: "ab".repeat(32) }

describe("a conversation", () => {
  it("has the texts of its messages, in their roles", () => {
    const messages = [
      { role: "system", content: "Be brief." },
      { role: "user", content: [{ type: "text", text: "Hi" }] },
      { role: "tool", tool_call_id: "1", content: "42" }
    ]
    assert.deepStrictEqual(asked({ messages }), [
      { role: "system", parts: [text("Be brief.")] },
      { role: "user", parts: [text("Hi")] },
      { role: "tool", parts: [text("42")] }
    ])
  })

  it("has files by their link or their hash, with the place the record knows them by", () => {
    const content = [
      { type: "image_url", image_url: { url: payload } },
      { type: "image_url", image_url: "https://a.example/b.png" },
      { type: "input_audio", input_audio: { data: { ...payload, mime: "audio/wav" }, format: "wav" } },
      { type: "file", file: { filename: "talk.mp4", file_data: payload } }
    ]
    const [message] = asked({ messages: [{ content, images: [payload] }] })
    const { bytes, sha256 } = payload
    const unknown = { bytes: undefined, sha256: undefined }
    assert.strictEqual(message?.role, "user")
    assert.deepStrictEqual(message?.parts, [
      { type: "file", kind: "image", label: "image/png", bytes, sha256, place: "messages[0].content[0]" },
      {
        type: "file",
        kind: "image",
        label: "https://a.example/b.png",
        ...unknown,
        place: "messages[0].content[1]"
      },
      { type: "file", kind: "audio", label: "audio/wav", bytes, sha256, place: "messages[0].content[2]" },
      { type: "file", kind: "file", label: "talk.mp4", bytes, sha256, place: "messages[0].content[3]" },
      { type: "file", kind: "image", label: "image/png", bytes, sha256, place: "messages[0].images[0]" }
    ])
  })

  it("has thoughts before words, and what was called behind them", () => {
    const message = {
      role: "assistant",
      reasoning_content: "Let me see.",
      content: "I shall look.",
      tool_calls: [{ id: "1", type: "function", function: { name: "look", arguments: '{"at":1}' } }]
    }
    assert.deepStrictEqual(answered({ choices: [{ message }] }), [
      {
        role: "assistant",
        parts: [
          { type: "reasoning", text: "Let me see." },
          text("I shall look."),
          { type: "call", name: "look", text: '{"at":1}' }
        ]
      }
    ])
  })

  it("is had of requests that are no chats", () => {
    assert.deepStrictEqual(asked({ prompt: ["a", "b"], system: "S" }), [
      { role: "system", parts: [text("S")] },
      { role: "user", parts: [text("a"), text("b")] }
    ])
    assert.deepStrictEqual(asked({ input: "embed me" }), [{ role: "user", parts: [text("embed me")] }])
    assert.deepStrictEqual(answered({ text: "heard" }), [{ role: "assistant", parts: [text("heard")] }])
    assert.deepStrictEqual(answered({ choices: [{ text: "completed" }] }), [
      { role: "assistant", parts: [text("completed")] }
    ])
  })

  it("is made of whatever is sent, and only of text", () => {
    const hostile = { toString: 1, valueOf: null, __proto__: null }
    const odd = fc.oneof(
      fc.jsonValue(),
      fc.constant(hostile),
      fc.constant({ type: "constructor", constructor: 1 })
    )
    const message = fc.record(
      { role: odd, content: fc.oneof(odd, fc.array(odd)), images: odd, tool_calls: odd, reasoning: odd },
      { requiredKeys: [] }
    )
    fc.assert(
      fc.property(fc.oneof(fc.array(message), odd), odd, (messages, choices) => {
        for (const { parts, role } of [
          ...asked({ messages }),
          ...asked(messages),
          ...answered({ choices })
        ]) {
          assert.isString(role)
          for (const part of parts)
            assert.isTrue(
              [...Object.values(part)].every(
                (value) => typeof value !== "object" && typeof value !== "function"
              )
            )
        }
      })
    )
  })
})
