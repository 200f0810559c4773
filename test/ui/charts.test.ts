import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { has } from "../../src/ui/api/client.ts"
import { cut } from "../../src/ui/api/figures.ts"
import type { Bucket, Series, Totals } from "../../src/ui/api/figures.ts"
import { costChart, requestsChart } from "../../src/ui/charts/bars.ts"
import { chosenBy, pressed } from "../../src/ui/charts/brush.ts"
import { latencyChart, line } from "../../src/ui/charts/lines.ts"
import type { Brush } from "../../src/ui/charts/cursor.ts"
import { timeLabel } from "../../src/ui/charts/times.ts"
import { describe as inWords, endOf, spanOf } from "../../src/ui/charts/words.ts"
import { changeOf, pointsBetween } from "../../src/ui/model/change.ts"
import { figuresOf } from "../../src/ui/model/summary.ts"

const HOUR = 3_600_000
const START = Date.parse("2026-11-20T00:00:00Z")

const bucket = (at: number, more: Partial<Bucket> = {}): Bucket => ({
  ...{
    start: new Date(START + at * HOUR).toISOString(),
    requests: 0,
    errors: 0,
    cancelled: 0,
    cost_usd: "0"
  },
  ...{ cost_by_model_usd: ["0", "0"], p50_ms: null, p95_ms: null, ...more }
})

const seriesOf = (...buckets: ReadonlyArray<Partial<Bucket>>): Series => ({
  ...{ bucket_ms: HOUR, models: ["vendor/one"], is_partial: false },
  buckets: buckets.map((more, at) => bucket(at, more))
})

/** Ten pixels for a bucket, one for each unit, the floor at 100. */
const PLACES = { x: (at: number) => at * 10, y: (value: number) => 100 - value, width: 9 }

/** Rectangles of a path, as left, top, width and height. */
const rectangles = (path: unknown) =>
  Array.from(String(path).matchAll(/M(\S+) (\S+)h(\S+)v(\S+)h\S+z/g), (found) => found.slice(1).map(Number))

describe("bars", () => {
  it("stand on the floor, what failed below what did not", () => {
    const series = seriesOf({ requests: 20, errors: 5 }, {}, { requests: 3 })
    const chart = requestsChart(series)
    const [all, failed] = chart.draw(PLACES).values
    assert.deepStrictEqual(rectangles(all), [
      [0, 80, 9, 15],
      [20, 97, 9, 3]
    ])
    assert.deepStrictEqual(rectangles(failed), [[0, 95, 9, 5]])
    assert.strictEqual(inWords("Requests", series, 0), "20 requests, 5 failed (25%)")
    assert.strictEqual(inWords("Requests", series, 1), "0 requests")
    assert.strictEqual(
      inWords("Requests", seriesOf({ requests: 1, cancelled: 1 }), 0),
      "1 request, 1 cancelled"
    )
  })

  it("of one model stand upon another's, and the others on top", () => {
    const series = seriesOf(
      { cost_usd: "30", cost_by_model_usd: ["20", "10"] },
      { cost_usd: "5", cost_by_model_usd: ["0", "5"] }
    )
    const [parts] = costChart(series).draw(PLACES).values
    const paths = Array.isArray(parts) ? parts.map(({ values }) => rectangles(values.at(-1))) : []
    assert.deepStrictEqual(paths, [
      [[0, 80, 9, 20]],
      [
        [0, 70, 9, 10],
        [10, 95, 9, 5]
      ]
    ])
    assert.strictEqual(inWords("Cost", series, 0), "$30.00, most for vendor/one")
    assert.strictEqual(inWords("Cost", series, 1), "$5.00, most for other models")
    assert.strictEqual(inWords("Cost", seriesOf({}), 0), "$0")
  })

  it("are seen however little they are", () => {
    const [all] = requestsChart(seriesOf({ requests: 1 })).draw({
      ...PLACES,
      y: (value) => 100 - value / 1000
    }).values
    assert.deepStrictEqual(rectangles(all), [[0, 99, 9, 1]])
  })
})

describe("lines", () => {
  it("break off where nothing was measured", () => {
    assert.strictEqual(line(PLACES, [10, 20, null, 30, undefined]), "M4.5 90L14.5 80M30 70h9")
    assert.strictEqual(line(PLACES, []), "")
    const series = seriesOf({ p50_ms: 800, p95_ms: 12_000 }, {})
    const chart = latencyChart(series)
    assert.strictEqual(inWords("Duration", series, 0), "p50 800 ms, p95 12 s")
    assert.strictEqual(inWords("Duration", series, 1), "nothing measured")
    assert.strictEqual(inWords("Duration", series, 2), "")
    assert.deepStrictEqual(chart.ticks.map(chart.label), ["0", "5 s", "10 s", "15 s"])
  })
})

describe("times of buckets", () => {
  const hours = seriesOf(...Array.from({ length: 30 }, () => ({})))
  const days: Series = { ...hours, bucket_ms: 24 * HOUR }

  it("are said as people say them", () => {
    assert.strictEqual(spanOf(hours, 14, 14, true), "Nov 20, 14:00 – 15:00")
    assert.strictEqual(spanOf(hours, 23, 25, true), "Nov 20, 23:00 – Nov 21, 02:00")
    assert.strictEqual(spanOf(days, 0, 0, true), "Nov 20")
    assert.strictEqual(spanOf(days, 0, 0, false), "Nov 20")
    assert.strictEqual(spanOf({ ...days, buckets: [bucket(0), bucket(24)] }, 0, 1, true), "Nov 20 – Nov 21")
    assert.strictEqual(spanOf(hours, 99, 99, true), "")
    assert.strictEqual(endOf(hours, 1), START + 2 * HOUR)
    assert.deepStrictEqual(
      [
        timeLabel(START, HOUR, true),
        timeLabel(START + HOUR, HOUR, true),
        timeLabel(START + HOUR, 24 * HOUR, true)
      ],
      ["Nov 20", "01:00", "Nov 20"]
    )
  })
})

describe("keys over a chart", () => {
  const NO_MORE = { altKey: false, ctrlKey: false, metaKey: false, shiftKey: false }
  const press = (brush: Brush, key: string, more = {}, last = 9) =>
    pressed(brush, { ...NO_MORE, key, ...more }, last)

  it("move a cursor that stays within it", () => {
    assert.deepStrictEqual(press({}, "ArrowLeft"), { cursor: 9 })
    assert.deepStrictEqual(press({ cursor: 9 }, "ArrowLeft"), { cursor: 8 })
    assert.deepStrictEqual(press({ cursor: 9 }, "ArrowRight"), { cursor: 9 })
    assert.deepStrictEqual(press({}, "Home"), { cursor: 0 })
    assert.deepStrictEqual(press({ cursor: 3 }, "End"), { cursor: 9 })
    assert.deepStrictEqual(press({ cursor: 60 }, "PageDown", {}, 100), { cursor: 50 })
    const anyKey = fc.constantFrom("ArrowLeft", "ArrowRight", "PageUp", "PageDown", "Home", "End")
    fc.assert(
      fc.property(
        fc.array(fc.tuple(anyKey, fc.boolean())),
        fc.integer({ min: 0, max: 399 }),
        (keys, last) => {
          let brush: Brush = {}
          for (const [key, shiftKey] of keys) {
            const next = press(brush, key, { shiftKey }, last)
            if (typeof next !== "object") return assert.fail(String(next))
            brush = next
            for (const at of [brush.cursor, ...(chosenBy(brush) ?? [])]) {
              assert.isAtLeast(at ?? -1, 0)
              assert.isAtMost(at ?? 400, last)
            }
          }
        }
      )
    )
  })

  it("choose a stretch with Shift, take it with Enter, and give it up with Escape", () => {
    const first = press({ cursor: 5 }, "ArrowLeft", { shiftKey: true })
    assert.deepStrictEqual(first, { cursor: 4, anchor: 5, head: 4 })
    const second = press(typeof first === "object" ? first : {}, "Home", { shiftKey: true })
    assert.deepStrictEqual(chosenBy(typeof second === "object" ? second : {}), [0, 5])
    assert.strictEqual(press({ cursor: 0, anchor: 5, head: 0 }, "Enter"), "take")
    assert.strictEqual(press({ cursor: 0 }, "Escape"), "drop")
    assert.deepStrictEqual(press({ cursor: 4, anchor: 5, head: 4 }, "ArrowLeft"), { cursor: 3 })
  })

  it("leave to the page what is the page's", () => {
    for (const key of ["Enter", "Escape", "j", "Tab"]) assert.isUndefined(press({}, key))
    assert.isUndefined(press({ cursor: 3 }, "ArrowLeft", { ctrlKey: true }))
    assert.isUndefined(press({}, "ArrowLeft", {}, -1))
  })
})

describe("what the server answers", () => {
  it("is taken for what it should be only where it looks like that", () => {
    assert.isTrue(has<Series>(seriesOf({}), "buckets"))
    for (const wrong of [undefined, null, "x", {}, [], { groups: [] }])
      assert.isFalse(has<Series>(wrong, "buckets"))
  })

  it("is shown no finer than a page can bear, the newest of it", () => {
    const { buckets } = cut(seriesOf(...Array.from({ length: 1000 }, () => ({}))))
    assert.strictEqual(buckets.length, 400)
    assert.strictEqual(buckets.at(-1)?.start, new Date(START + 999 * HOUR).toISOString())
  })
})

describe("a change", () => {
  it("is said in percent, in times, or in points between shares", () => {
    assert.deepStrictEqual(changeOf(112, 100), { by: "12%", way: "up" })
    assert.deepStrictEqual(changeOf(99.4, 100), { by: "0.6%", way: "down" })
    assert.deepStrictEqual(changeOf(1200, 100), { by: "12×", way: "up" })
    assert.deepStrictEqual(changeOf(100.001, 100), { by: "0%", way: "same" })
    assert.deepStrictEqual(pointsBetween(0.053, 0.03), { by: "2.3 pt", way: "up" })
    assert.deepStrictEqual(pointsBetween(0.03, 0.03), { by: "0 pt", way: "same" })
  })

  it("is none where there was nothing to compare with", () => {
    for (const before of [undefined, null, 0]) assert.isUndefined(changeOf(5, before))
    assert.isUndefined(changeOf(null, 5))
    assert.isUndefined(pointsBetween(undefined, 0.5))
  })
})

describe("the summary", () => {
  const totals = (more: Partial<Totals> = {}): Totals => ({
    ...{ requests: 200, errors: 10, cancelled: 1, side_calls: 7, prompt_tokens: 900, completion_tokens: 100 },
    ...{ total_tokens: 1000, cost_usd: "1.234567891", cost_estimated_usd: "0.5", cost_unknown: 0 },
    ...{
      duration_ms: { p50: 900, p95: 5200, p99: null },
      media_requests: 10,
      media_hits: 4,
      in_flight: 3,
      ...more
    }
  })
  const figure = (label: string, ...about: Parameters<typeof figuresOf>) =>
    figuresOf(...about).find((figure) => figure.label === label)

  it("says what a range comes to, and how it was before", () => {
    const then = totals({ requests: 100, errors: 10, total_tokens: 2000, media_hits: 5 })
    const said = figuresOf(totals(), then, undefined).map(({ change, label, value }) => [
      label,
      value,
      change?.by
    ])
    assert.deepStrictEqual(said, [
      ["Requests", "200", "100%"],
      ["Errors", "5%", "5 pt"],
      ["Cost", "$1.23", "0%"],
      ["Tokens", "1K", "50%"],
      ["p50", "900 ms", "0%"],
      ["p95", "5.2 s", "0%"],
      ["p99", "", undefined],
      ["Media hits", "40%", "10 pt"],
      ["In flight", "3", undefined]
    ])
    assert.strictEqual(figure("In flight", totals(), undefined, 0)?.value, "0")
  })

  it("never shows a cost that nobody knows as none", () => {
    const cost = (more: Partial<Totals>) => figure("Cost", totals(more), undefined, undefined)
    assert.strictEqual(cost({ cost_usd: "0", cost_unknown: 3 })?.value, "unknown")
    assert.deepInclude(cost({ cost_unknown: 3 }), { value: "$1.23", note: "+ 3 unknown" })
    assert.strictEqual(cost({ cost_usd: "0" })?.value, "$0")
    assert.include(
      cost({ cost_unknown: 3 })?.exact,
      "$1.234567891, of which $0.5 estimated; 3 of unknown cost"
    )
  })

  it("shows nothing in place of what is not known yet, or has nothing to be a share of", () => {
    assert.isTrue(figuresOf(undefined, undefined, undefined).every(({ value }) => value === ""))
    assert.strictEqual(figure("Errors", totals({ requests: 0 }), null, 1)?.value, "")
    assert.strictEqual(figure("Media hits", totals({ media_requests: 0 }), null, 1)?.value, "")
  })
})
