import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { RateLimits } from "../../src/services/RateLimits.ts"
import type { TokensAsked } from "../../src/services/RateLimits.ts"

const MINUTE = 60_000

describe("requests of a minute", () => {
  it("slide: the one that is refused is told when the oldest has gone", () => {
    const limits = new RateLimits()
    assert.isUndefined(limits.request("a", 2, 0))
    assert.isUndefined(limits.request("a", 2, 10_000))
    assert.strictEqual(limits.request("a", 2, 20_000), 40)
    assert.strictEqual(limits.request("a", 2, 59_999), 1)
    assert.isUndefined(limits.request("b", 2, 20_000))
    assert.isUndefined(limits.request("a", 2, 60_000))
    assert.strictEqual(limits.request("a", 2, 60_001), 10)
  })

  it.prop(
    "are never more than allowed in any minute, and never fewer than could be",
    [fc.integer({ min: 1, max: 5 }), fc.array(fc.integer({ min: 0, max: 30_000 }), { maxLength: 40 })],
    ([most, pauses]) => {
      const limits = new RateLimits()
      const let_in: Array<number> = []
      let now = 0
      for (const pause of pauses) {
        now += pause
        const within = let_in.filter((at) => at > now - MINUTE).length
        const wait = limits.request("key", most, now)
        assert.strictEqual(wait === undefined, within < most)
        if (wait === undefined) let_in.push(now)
        else assert.isTrue(wait >= 1 && wait <= 60)
      }
    }
  )
})

describe("tokens of a minute", () => {
  const asked = (guess: number) => {
    const row: { -readonly [Name in keyof TokensAsked["row"]]: TokensAsked["row"][Name] } = {
      state: "running",
      total_tokens: null,
      processing_duration_ms: null
    }
    return { row, guess }
  }

  it("are what a request is taken for while it runs, and what it has used from its end on", () => {
    const limits = new RateLimits()
    const first = asked(600)
    assert.isUndefined(limits.tokens("a", 1000, first, 0))
    assert.strictEqual(limits.tokens("a", 1000, asked(600), 1000), 5)
    Object.assign(first.row, { state: "done", total_tokens: 100, processing_duration_ms: 90_000 })
    // It ended after a minute and a half, and counts for a minute more.
    assert.isUndefined(limits.tokens("a", 1000, asked(900), 90_000))
    assert.strictEqual(limits.tokens("a", 1000, asked(1), 100_000), 50)
    assert.isUndefined(limits.tokens("a", 1000, asked(100), 150_000))
  })

  it("that failed were not used; more than a minute holds never fits", () => {
    const limits = new RateLimits()
    const first = asked(1000)
    assert.isUndefined(limits.tokens("a", 1000, first, 0))
    first.row.state = "failed"
    assert.isUndefined(limits.tokens("a", 1000, asked(1000), 1))
    assert.strictEqual(limits.tokens("b", 1000, asked(1001), 1), 60)
  })
})
