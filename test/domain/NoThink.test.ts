import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import { parse } from "../../src/domain/chat/ChatRequest.ts"
import { askedNotToThink } from "../../src/domain/chat/NoThink.ts"

const asked = (text: string) => Either.getOrThrow(parse(Buffer.from(text)))

const table: ReadonlyArray<readonly [what: string, before: string, after: string]> = [
  [
    "the last user message alone",
    '{"messages":[{"role":"user","content":"a"},{"role":"user","content":"b"},{"role":"assistant","content":"c"}]}',
    '{"messages":[{"role":"user","content":"a"},{"role":"user","content":"b /no_think"},{"role":"assistant","content":"c"}]}'
  ],
  [
    "and every other letter stays",
    '{ "big": 12345678901234567890, "messages" : [ {"content" : "l\\u00f6k\\n" ,"role":"user", "x":1.0} ] , "model":"m"}',
    '{ "big": 12345678901234567890, "messages" : [ {"content" : "lök\\n /no_think" ,"role":"user", "x":1.0} ] , "model":"m"}'
  ],
  [
    "an empty content",
    '{"messages":[{"role":"user","content":""}]}',
    '{"messages":[{"role":"user","content":"/no_think"}]}'
  ],
  [
    "no content",
    '{"messages":[{"role":"user","content":null}]}',
    '{"messages":[{"role":"user","content":[{"type":"text","text":"/no_think"}]}]}'
  ],
  [
    "the last text part",
    '{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b","cache_control":{}},{"type":"image_url","image_url":{"url":"x"}}]}]}',
    '{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b /no_think","cache_control":{}},{"type":"image_url","image_url":{"url":"x"}}]}]}'
  ],
  [
    "a text part of its own where there is none",
    '{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]}',
    '{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}},{"type":"text","text":"/no_think"}]}]}'
  ],
  [
    "the content that counts where it is said twice",
    '{"messages":[{"role":"user","content":"a","content":"b"}]}',
    '{"messages":[{"role":"user","content":"a","content":"b /no_think"}]}'
  ],
  [
    "a longer word that begins alike",
    '{"messages":[{"role":"user","content":"/no_thinking"}]}',
    '{"messages":[{"role":"user","content":"/no_thinking /no_think"}]}'
  ]
]

describe("askedNotToThink", () => {
  for (const [what, before, after] of table)
    it(`tags ${what}`, () => {
      const request = askedNotToThink(asked(before))
      assert.strictEqual(request.text, after)
      assert.strictEqual(Buffer.from(request.bytes).toString(), after)
      assert.deepStrictEqual(request.body, JSON.parse(after))
      assert.deepStrictEqual(request.body["messages"], request.messages)
      assert.strictEqual(askedNotToThink(request), request)
    })

  it("leaves a conversation alone that says it already, or in which no user speaks", () => {
    for (const text of [
      '{"messages":[{"role":"user","content":"a /no_think"}]}',
      '{"messages":[{"role":"user","content":"/no_think\\na"}]}',
      '{"messages":[{"role":"user","content":[{"type":"text","text":"/no_think"},{"type":"text","text":"a"}]}]}',
      '{"messages":[{"role":"system","content":"a"},{"role":"assistant","content":"b"}]}'
    ]) {
      const request = asked(text)
      assert.strictEqual(askedNotToThink(request), request)
    }
  })
})
