import { assert, describe, it } from "@effect/vitest"
import { parsed } from "../../src/ui/api/client.ts"
import { entriesOf, sizeOf } from "../../src/ui/drawer/json-nodes.ts"

const names = (value: unknown) => entriesOf(value).map(([name]) => name)

describe("a tree of JSON", () => {
  it("lists what an object has itself, and nothing it inherits", () => {
    const value = parsed('{"__proto__":{"polluted":true},"constructor":1,"toString":"x"}')
    assert.deepStrictEqual(names(value), ["__proto__", "constructor", "toString"])
    assert.deepStrictEqual(entriesOf(value)[0]?.[1], { polluted: true })
    assert.notProperty({}, "polluted")
  })

  it("lists up to a hundred things as they are", () => {
    assert.deepStrictEqual(entriesOf(["a", "b"]), [
      ["0", "a"],
      ["1", "b"]
    ])
    assert.strictEqual(entriesOf(Array.from({ length: 100 }, () => 1)).length, 100)
  })

  it("puts more of them into groups, and never shows more than a hundred at once", () => {
    for (const length of [101, 250, 10_000, 10_001, 123_456]) {
      const seen = new Array<unknown>()
      const open = (value: unknown): void => {
        const entries = entriesOf(value)
        assert.isAtMost(entries.length, 100)
        for (const [, inside] of entries) {
          if (inside instanceof Map) open(inside)
          else seen.push(inside)
        }
      }
      const all = Array.from({ length }, (_, at) => at)
      open(all)
      assert.deepStrictEqual(seen, all)
    }
    assert.deepStrictEqual(names(Array.from({ length: 250 }, () => 1)), ["0 … 99", "100 … 199", "200 … 249"])
    const object = Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`k${at}`, at]))
    assert.deepStrictEqual(names(object), ["k0 … k99", "k100 … k100"])
  })

  it("opens only what has something in it", () => {
    assert.deepStrictEqual([null, true, 1.5, "text", [], {}, undefined].map(sizeOf), Array(7).fill(undefined))
    assert.deepStrictEqual([[1, 2], { a: 1 }].map(sizeOf), [2, 1])
    assert.deepStrictEqual(
      entriesOf(Array.from({ length: 150 }, () => 1)).map(([, group]) => sizeOf(group)),
      [100, 50]
    )
  })

  it("takes a text that is cut off for none", () => {
    assert.strictEqual(parsed('{"a":[1,2'), undefined)
    assert.strictEqual(parsed(""), undefined)
    assert.deepStrictEqual(parsed('"\\ud800"'), "\ud800")
  })
})
