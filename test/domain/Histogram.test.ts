import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { boundOf, bucketOf, BUCKETS, percentile } from "../../src/domain/Histogram.ts"

const counted = (durations: ReadonlyArray<number>) => {
  const counts = Array.from({ length: BUCKETS }, () => 0)
  for (const duration of durations) counts[bucketOf(duration)] = (counts[bucketOf(duration)] ?? 0) + 1
  return counts
}

describe("a bucket", () => {
  it("takes what is above the bound before it, and up to its own", () => {
    for (let bucket = 0; bucket < BUCKETS - 1; bucket++) {
      assert.strictEqual(bucketOf(boundOf(bucket)), bucket)
      assert.strictEqual(bucketOf(boundOf(bucket) * 1.001), bucket + 1)
    }
  })

  it("is there for every duration, whatever a clock says", () => {
    for (const duration of [0, 1, -5, 1e12, Number.MAX_SAFE_INTEGER])
      assert.include(
        Array.from({ length: BUCKETS }, (_, at) => at),
        bucketOf(duration)
      )
    assert.strictEqual(bucketOf(-5), 0)
    assert.strictEqual(bucketOf(1e12), BUCKETS - 1)
    // Twenty minutes, and more than a video takes.
    assert.isAbove(boundOf(BUCKETS - 2), 700_000)
  })
})

describe("a percentile", () => {
  it("of nothing is unknown", () => {
    assert.isUndefined(percentile(counted([]), 0.5))
  })

  it("lies in the bucket of the right one, whatever the durations", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 700_000 }), { minLength: 1, maxLength: 200 }),
        fc.constantFrom(0.01, 0.5, 0.95, 0.99, 1),
        (durations, share) => {
          const right =
            durations.toSorted((one, other) => one - other)[Math.ceil(share * durations.length) - 1] ?? 0
          const found = percentile(counted(durations), share) ?? -1
          const bucket = bucketOf(right)
          assert.isAtMost(found, boundOf(bucket) + 1e-6)
          assert.isAtLeast(found, bucket === 0 ? 0 : boundOf(bucket - 1))
        }
      )
    )
  })

  it("is the same whether sums come at once or by the hour", () => {
    const [one, other] = [counted([5, 80, 900]), counted([7, 7, 30_000])]
    const both = one.map((count, at) => count + (other[at] ?? 0))
    assert.deepStrictEqual(both, counted([5, 80, 900, 7, 7, 30_000]))
    assert.isTrue((percentile(both, 0.5) ?? 0) < (percentile(both, 0.95) ?? 0))
  })
})
