import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { encodeMessage, MessageReader } from "../../../../src/services/media/workers/messages.ts"

const message = fc.record({
  header: fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown),
  parts: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 3 })
})

describe("messages to a worker", () => {
  it.prop(
    "come out as they went in, whatever pieces they come in",
    [fc.array(message, { maxLength: 5 }), fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 })],
    ([messages, sizes]) => {
      const bytes = Buffer.concat(messages.map(({ header, parts }) => encodeMessage(header, ...parts)))
      const reader = new MessageReader()
      const found: Array<unknown> = []
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1
        for (const { body, header } of reader.push(bytes.subarray(at, at + size)))
          found.push({ header, body: body.toString("hex") })
        at += size
      }
      assert.deepStrictEqual(
        found,
        messages.map(({ header, parts }) => ({ header, body: Buffer.concat(parts).toString("hex") }))
      )
    }
  )

  it("of a size that cannot be meant are refused at once", () => {
    const lengths = (header: number, body: number) => {
      const prefix = Buffer.alloc(8)
      prefix.writeUInt32BE(header, 0)
      prefix.writeUInt32BE(body, 4)
      return prefix
    }
    assert.throws(() => new MessageReader().push(lengths(2, 0xffffffff)), "larger than any may be")
    assert.throws(() => new MessageReader().push(lengths(1_000_000, 0)), "larger than any may be")
    assert.deepStrictEqual(new MessageReader().push(lengths(2, 100_000_000)), [])
  })

  it("that are no JSON are refused", () => {
    const bytes = encodeMessage({})
    bytes.write("[", 8)
    assert.throws(() => new MessageReader().push(bytes), SyntaxError)
  })
})
