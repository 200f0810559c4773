import { assert, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { readPayload } from "../../../src/domain/media/DataUrl.ts"

/** All the bytes, or undefined where some of the text is no base64. */
const decoded = (data: string): Buffer | undefined => {
  const pieces: Array<Uint8Array> = []
  for (const piece of readPayload(data)?.pieces ?? [undefined]) {
    if (piece === undefined) return undefined
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

it("whatever is encoded comes back, and its size is known beforehand", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 20_000 }), (bytes) => {
      const data = Buffer.from(bytes).toString("base64")
      assert.strictEqual(readPayload(data)?.bytes, bytes.length)
      assert.deepStrictEqual(decoded(data), Buffer.from(bytes))
      assert.deepStrictEqual(decoded(`data:video/mp4;base64,${data}`), Buffer.from(bytes))
    })
  )
})

it("what is taken has one spelling", () => {
  const letters = fc.stringOf(fc.constantFrom(..."AQgw+/=-_ \n%a9"), { maxLength: 12 })
  fc.assert(
    fc.property(letters, (data) => {
      const bytes = decoded(data)
      if (bytes !== undefined) assert.strictEqual(bytes.toString("base64"), data)
      else assert.isTrue(data === "" || Buffer.from(data, "base64").toString("base64") !== data)
    }),
    { numRuns: 5000 }
  )
})

it("a large one comes in pieces, the first of them small", () => {
  const payload = readPayload(Buffer.alloc(3_000_001, 7).toString("base64"))
  const sizes = Array.from(payload?.pieces ?? [], (piece) => piece?.length ?? -1)
  assert.strictEqual(sizes[0], 6144)
  assert.isAbove(sizes.length, 3)
  assert.strictEqual(
    sizes.reduce((sum, size) => sum + size, 0),
    3_000_001
  )
})

it("other addresses and unencoded data are none", () => {
  for (const data of [
    "",
    "data:,",
    "data:text/plain,AAAA",
    "data:;base64",
    "data:;base64,",
    "http://a/b",
    "file:///a",
    "/etc/passwd",
    `data:${"x".repeat(300)};base64,AAAA`
  ])
    assert.isUndefined(decoded(data), data)
})
