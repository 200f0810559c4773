import { assert, describe, it } from "@effect/vitest"
import { BUCKETS, bucketOf } from "../../../src/domain/Histogram.ts"
import { DAY, HOUR, ROLLUP_COLUMNS, ROLLUP_SUMS, rollupsOf } from "../../../src/domain/record/Rollup.ts"
import type { Rollup } from "../../../src/domain/record/Rollup.ts"
import { rowOf } from "../../support/Rows.ts"

const at = (time: string) => Date.parse(time) / 1000

/** By name, without those of nothing. */
const said = ({ counts, shape, span, start }: Rollup): { readonly [name: string]: unknown } => ({
  ...{ shape, span, start },
  ...Object.fromEntries(
    ROLLUP_COLUMNS.flatMap((name, place) => (counts[place] === 0 ? [] : [[name, counts[place]]]))
  )
})

describe("rollups", () => {
  it("are sums by shape, hour and day, in one order", () => {
    const first = rowOf("a", {
      timestamp: "2026-11-20T10:59:59.999Z",
      prompt_tokens: 10,
      cost_nano_usd: 0,
      processing_duration_ms: 300,
      time_to_first_token_ms: 20
    })
    const second = rowOf("b", { timestamp: "2026-11-20T11:00:00.000Z", is_multimodal: 1, cache_hits: 2 })
    const rollups = rollupsOf([
      { row: second, shape: 1 },
      { row: first, shape: 2 },
      { row: first, shape: 1 }
    ])
    const sums = { requests: 1, prompt_tokens: 10, duration_ms: 300, first_token_ms: 20, first_tokens: 1 }
    const one = { ...sums, [`b${bucketOf(300)}`]: 1 }
    const two = { requests: 1, cost_unknown: 1, media_requests: 1, media_hits: 2 }
    const [ten, eleven, day] = [
      at("2026-11-20T10:00:00Z"),
      at("2026-11-20T11:00:00Z"),
      at("2026-11-20T00:00:00Z")
    ]
    assert.deepStrictEqual(rollups.map(said), [
      { span: HOUR, start: ten, shape: 1, ...one },
      { span: HOUR, start: ten, shape: 2, ...one },
      { span: HOUR, start: eleven, shape: 1, ...two },
      { span: DAY, start: day, shape: 1, ...one, ...two, requests: 2 },
      { span: DAY, start: day, shape: 2, ...one }
    ])
  })

  it("have a column for every count", () => {
    const [rollup] = rollupsOf([{ row: rowOf("a"), shape: 1 }])
    assert.strictEqual(rollup?.counts.length, ROLLUP_COLUMNS.length)
    assert.strictEqual(ROLLUP_COLUMNS.length, ROLLUP_SUMS.length + BUCKETS)
    assert.strictEqual(new Set(ROLLUP_COLUMNS).size, ROLLUP_COLUMNS.length)
  })

  it("begin on the hour and the day also before 1970, and where a clock stepped back", () => {
    const early = rollupsOf([{ row: rowOf("a", { timestamp: "1969-12-31T23:30:00.000Z" }), shape: 1 }])
    assert.deepStrictEqual(
      early.map(({ start }) => start),
      [-HOUR, -DAY]
    )
  })

  it("count nothing that cannot be, so that sums stay countable", () => {
    const nonsense = {
      prompt_tokens: 1e300,
      completion_tokens: NaN,
      cost_nano_usd: Infinity,
      processing_duration_ms: -7
    }
    const [hour] = rollupsOf([{ row: rowOf("a", nonsense), shape: 1 }])
    const counts = hour?.counts ?? []
    assert.isTrue(counts.every(Number.isSafeInteger))
    assert.deepStrictEqual(hour === undefined ? {} : { ...said(hour), start: 0 }, {
      ...{ shape: 1, span: HOUR, start: 0 },
      ...{ requests: 1, b0: 1 }
    })
  })
})
