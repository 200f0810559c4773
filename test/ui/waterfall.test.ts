import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import type { Step } from "../../src/ui/api/steps.ts"
import { waterfall } from "../../src/ui/drawer/waterfall-rows.ts"
import type { Timed } from "../../src/ui/drawer/waterfall-rows.ts"

const row = (more: Partial<Timed> = {}): Timed => ({
  processing_duration_ms: 1000,
  openrouter_latency_ms: null,
  time_to_first_token_ms: null,
  media_ms: null,
  ...more
})

const step = (name: string, at: number, ms: number | null, parent: number | null = null): Step => ({
  ...{ name, at, ms, parent },
  ...{ note: null, ok: true }
})

const drawn = (timed: Timed, steps: ReadonlyArray<Step> = []) =>
  waterfall(timed, steps).bars.map(({ at, depth, ms, name }) => [name, depth, at, ms])

describe("where the time of a request went", () => {
  it("is told by its row where no steps are kept", () => {
    const streamed = row({ media_ms: 300, openrouter_latency_ms: 200, time_to_first_token_ms: 600 })
    assert.deepStrictEqual(drawn(streamed), [
      ["admit and read", 0, 0, 100],
      ["media", 0, 100, 300],
      ["provider", 0, 400, 200],
      ["answer", 0, 600, 400]
    ])
    assert.deepStrictEqual(drawn(row({ openrouter_latency_ms: 990 })), [
      ["admit and read", 0, 0, 10],
      ["provider", 0, 10, 990]
    ])
    assert.deepStrictEqual(drawn(row()), [["admit and read", 0, 0, 1000]])
    assert.deepStrictEqual(drawn(row({ processing_duration_ms: null })), [])
  })

  it("adds up to the whole, without gaps, whatever a row says", () => {
    const millis = fc.option(fc.integer({ min: 0, max: 5000 }))
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 5000 }),
        millis,
        millis,
        millis,
        (total, latency, first, media) => {
          const timed = {
            processing_duration_ms: total,
            openrouter_latency_ms: latency,
            time_to_first_token_ms: first,
            media_ms: media
          }
          const { bars, rest } = waterfall(timed, [])
          assert.strictEqual(
            bars.reduce((sum, { ms }) => sum + ms, 0),
            total
          )
          assert.strictEqual(rest, 0)
          for (const [index, { at, ms }] of bars.entries()) {
            assert.isAbove(ms, 0)
            assert.strictEqual(at, index === 0 ? 0 : (bars[index - 1]?.at ?? 0) + (bars[index - 1]?.ms ?? 0))
          }
        }
      )
    )
  })

  it("shows steps in those they are part of, by the time they began", () => {
    const steps = [
      step("stream", 800, 200),
      step("perceive", 10, 700),
      step("listen", 100, 600, 3),
      step("observe", 20, 690, 1),
      step("look", 90, 200, 3),
      step("attempt", 715, 85)
    ]
    assert.deepStrictEqual(drawn(row(), steps), [
      ["media", 0, 10, 700],
      ["medium", 1, 20, 690],
      ["look", 2, 90, 200],
      ["listen", 2, 100, 600],
      ["provider", 0, 715, 85],
      ["answer", 0, 800, 200]
    ])
    assert.strictEqual(waterfall(row(), steps).rest, 15)
  })

  it("counts what two steps did at once only once", () => {
    assert.strictEqual(waterfall(row(), [step("a", 0, 600), step("b", 400, 400)]).rest, 200)
  })

  it("draws what was not over to the end", () => {
    const [bar] = waterfall(row(), [step("listen", 400, null)]).bars
    assert.deepInclude(bar, { at: 400, ms: 600, isOpen: true })
  })

  it("draws each step once, even where they belong to one another or to nothing", () => {
    const steps = fc.array(
      fc.record({
        name: fc.constantFrom("read", "look", "constructor", "__proto__"),
        at: fc.nat(500),
        ms: fc.option(fc.nat(500)),
        parent: fc.option(fc.integer({ min: -1, max: 12 })),
        note: fc.constant(null),
        ok: fc.boolean()
      }),
      { minLength: 1, maxLength: 10 }
    )
    fc.assert(
      fc.property(steps, (steps) => {
        const { bars, rest, total } = waterfall(row(), steps)
        assert.sameMembers(
          bars.map(({ at }) => at),
          steps.map(({ at }) => at)
        )
        for (const { at, ms, name } of bars) {
          assert.isString(name)
          assert.isAtMost(at + ms, total)
        }
        assert.isAtLeast(rest, 0)
      })
    )
  })
})
