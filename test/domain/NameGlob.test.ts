import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { fits, fitsAny } from "../../src/domain/NameGlob.ts"

const letters = fc.string({ unit: fc.constantFrom("a", "b", "/", "*", "?", ".", "["), maxLength: 8 })

describe("a pattern", () => {
  it.prop("fits what the same regular expression fits", [letters, letters], ([pattern, name]) => {
    const source = pattern
      .replace(/[[\].\\/+^$(){}|]/g, "\\$&")
      .replaceAll("*", "[^]*")
      .replaceAll("?", "[^]")
    assert.strictEqual(fits(pattern, name), new RegExp(`^${source}$`).test(name))
  })

  it("with many stars still comes to an end", () => {
    assert.isFalse(fits("a*".repeat(100) + "b", "a".repeat(20_000)))
  })

  it("fits one of several names, and no name at all", () => {
    assert.isTrue(fitsAny(["gpt-*", "anthropic/*"], [null, "x", "anthropic/claude"]))
    assert.isFalse(fitsAny(["gpt-*"], [undefined, null, "my-gpt-4"]))
    assert.isFalse(fitsAny([], ["gpt-4"]))
  })
})
