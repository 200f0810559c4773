import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { DAY, durationTicks, partAt, ticks, timeTicks } from "../../src/ui/charts/scale.ts"

const HOUR = 3_600_000

/** Axes that can be read: from nothing on, in equal steps, not far beyond what is shown. */
const assertAxis = (axis: ReadonlyArray<number>, max: number, most: number) => {
  assert.strictEqual(axis[0], 0)
  const [step = 0] = axis.slice(1)
  assert.isAbove(step, 0)
  axis.forEach((tick, at) => assert.closeTo(tick, at * step, step * 1e-6))
  assert.isAtLeast((axis.at(-1) ?? 0) * (1 + 1e-9), max)
  assert.isBelow(axis.at(-2) ?? 0, max)
  assert.isAtMost(axis.length - 1, most)
}

describe("an axis", () => {
  it("goes from nothing to what is shown in steps that can be read", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-9, max: 1e12, noNaN: true }),
        fc.integer({ min: 2, max: 6 }),
        (max, wanted) => assertAxis(ticks(max, wanted), max, wanted + 1)
      )
    )
    assert.deepStrictEqual(ticks(650, 3), [0, 250, 500, 750])
    assert.deepStrictEqual(ticks(0.3, 3), [0, 0.1, 0.2, 0.3])
    assert.deepStrictEqual(ticks(2, 3, true), [0, 1, 2])
    assert.deepStrictEqual(ticks(7, 3, true), [0, 3, 6, 9])
  })

  it("is there for nothing, and for what is no number", () => {
    for (const max of [0, -1, Number.NaN, Infinity]) {
      assert.deepStrictEqual(ticks(max), [0, 1])
      assert.deepStrictEqual(durationTicks(max), [0, 1000])
    }
  })

  it("counts long times in seconds, minutes and hours", () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 1e9, noNaN: true }), (max) =>
        assertAxis(durationTicks(max, 3), max, 6)
      )
    )
    assert.deepStrictEqual(durationTicks(100_000, 3), [0, 60_000, 120_000])
    assert.deepStrictEqual(durationTicks(12 * HOUR, 3), [0, 6 * HOUR, 12 * HOUR])
  })

  it("of time has its marks at full hours and days of the place, and few of them", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4e12 }),
        fc.integer({ min: 60_000, max: 400 * DAY }),
        fc.integer({ min: 2, max: 12 }),
        fc.constantFrom(0, 2 * HOUR, -5.5 * HOUR),
        (from, length, most, ahead) => {
          const { moments, step } = timeTicks(from, from + length, most, () => ahead)
          assert.isAtMost(moments.length, most + 1)
          assert.isAtLeast(moments.length, Math.min(1, Math.floor(length / step)))
          for (const moment of moments) {
            assert.isAtLeast(moment, from)
            assert.isBelow(moment, from + length)
            assert.strictEqual((moment + ahead) % step, 0)
          }
        }
      )
    )
  })

  it("of time stays at midnight when the clocks change", () => {
    const change = Date.parse("2026-03-29T01:00:00Z")
    const offset = (moment: number) => (moment < change ? HOUR : 2 * HOUR)
    const { moments } = timeTicks(change - 2 * DAY, change + 2 * DAY, 5, offset)
    assert.deepStrictEqual(
      moments.map((moment) => new Date(moment).toISOString()),
      [
        "2026-03-27T23:00:00.000Z",
        "2026-03-28T23:00:00.000Z",
        "2026-03-29T22:00:00.000Z",
        "2026-03-30T22:00:00.000Z"
      ]
    )
  })

  it("has a part for each place, also beyond its ends", () => {
    assert.deepStrictEqual(
      [-5, 0, 9.9, 10, 99, 100, 500].map((place) => partAt(place, 100, 10)),
      [0, 0, 0, 1, 9, 9, 9]
    )
    assert.strictEqual(partAt(5, 0, 3), 2)
  })
})
