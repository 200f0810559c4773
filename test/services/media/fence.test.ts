import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { fenceTag } from "../../../src/services/media/fence.ts"

const secret = Buffer.alloc(32, 7)

describe("the tag of a fence", () => {
  it("is this one, on every replica and after every start", () => {
    assert.strictEqual(fenceTag(secret, "abc/1"), fenceTag(Buffer.from(secret), "abc/1"))
    assert.strictEqual(fenceTag(secret, "abc/1"), "qnatdcpm0w")
  })

  it.prop(
    "is ten signs that stand for themselves in a pattern",
    [fc.string(), fc.uint8Array({ minLength: 1 })],
    ([id, key]) => {
      assert.match(fenceTag(key, id), /^[0-9a-hjkmnp-tv-z]{10}$/)
    }
  )

  it("differs by medium and by installation", () => {
    const tags = Array.from({ length: 1_000 }, (_, at) => fenceTag(secret, `medium ${at}`))
    assert.strictEqual(new Set(tags).size, 1_000)
    assert.notStrictEqual(fenceTag(secret, "abc"), fenceTag(Buffer.alloc(32, 8), "abc"))
    for (const place of Array.from({ length: 10 }).keys())
      assert.isAbove(new Set(tags.map((tag) => tag[place])).size, 25)
  })
})
