import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { evenInstants, frameCount } from "../../../src/domain/media/FramePlan.ts"

describe("how many pictures tell of a video", () => {
  it.each([
    [10, 4],
    [30, 6],
    [60, 7],
    [120, 9],
    [300, 12],
    [600, 14],
    [1200, 16],
    [7200, 16],
    [86_400, 16]
  ])("of %d seconds: %d", (duration, count) => {
    assert.strictEqual(frameCount(duration), count)
  })

  it("three at least, sixteen at most, and never fewer of a longer one", () => {
    assert.deepStrictEqual(
      [0, -1, Number.NEGATIVE_INFINITY, 0.04, Infinity].map(frameCount),
      [3, 3, 3, 3, 16]
    )
    const seconds = fc.double({ min: -10, max: 1e6, noNaN: true })
    fc.assert(
      fc.property(seconds, seconds, (one, other) => {
        const [short, long] = [frameCount(Math.min(one, other)), frameCount(Math.max(one, other))]
        assert.isTrue(Number.isInteger(short) && short >= 3 && short <= long && long <= 16)
      }),
      { seed: 1 }
    )
  })
})

describe("instants that are looked at", () => {
  const spans = fc
    .tuple(fc.double({ min: 0, max: 1e5, noNaN: true }), fc.double({ min: 0.1, max: 1e5, noNaN: true }))
    .map(([from, length]) => ({ from, to: from + length }))

  it("are one in each part of the time", () => {
    fc.assert(
      fc.property(spans, fc.integer({ min: 1, max: 64 }), (span, count) => {
        const width = (span.to - span.from) / count
        const parts = evenInstants(span, count).map((instant) => Math.floor((instant - span.from) / width))
        assert.deepStrictEqual(
          parts.toSorted((one, other) => one - other),
          Array.from({ length: count }, (_, part) => part)
        )
      }),
      { seed: 2 }
    )
  })

  it("leave no large part out wherever one stops", () => {
    const instants = evenInstants({ from: 0, to: 64 }, 64)
    for (const some of [4, 8, 16, 32]) {
      const seen = [0, ...instants.slice(0, some + 1).toSorted((one, other) => one - other), 64]
      const gaps = seen.slice(1).map((instant, at) => instant - (seen[at] ?? 0))
      assert.isBelow(Math.max(...gaps), (64 / some) * 2.5, `after ${some}`)
    }
  })

  it("are none of none", () => {
    assert.deepStrictEqual(evenInstants({ from: 0, to: 10 }, 0), [])
  })
})
