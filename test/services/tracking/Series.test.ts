import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "effect/FastCheck"
import type { RequestRecord } from "../../../src/domain/RequestRecord.ts"
import { anyAddress, NOW, queryOf, rangeOf, recordOf, rowsFor, wants } from "../../support/Figures.ts"
import type { Figures } from "../../support/Figures.ts"
import { everyDatabase } from "../../support/Postgres.ts"

const rows = rowsFor(400, 11)
const nano = (dollars: string) => Math.round(Number(dollars) * 1e9)
const cost = (rows: ReadonlyArray<RequestRecord>) =>
  rows.reduce((sum, row) => sum + (row.cost_nano_usd ?? 0), 0)

const assertRight = (record: Figures, address: string) =>
  Effect.gen(function* () {
    const { bucket_ms, buckets, models } = yield* record.series(queryOf(address))
    assert.isAtMost(buckets.length, 400)
    const starts = buckets.map(({ start }) => Date.parse(start))
    for (const [at, start] of starts.entries()) assert.strictEqual(start, (starts[0] ?? 0) + at * bucket_ms)
    const [from, to] = rangeOf(address)
    if (from !== -Infinity && from < NOW)
      assert.isTrue((starts[0] ?? 0) <= from && from < (starts[0] ?? 0) + bucket_ms)
    if (to !== Infinity && from < to)
      assert.isTrue((starts.at(-1) ?? 0) < to && to <= (starts.at(-1) ?? 0) + bucket_ms)

    const matching = rows.filter((row) => wants(address, row) && row.state !== "running")
    for (const [at, bucket] of buckets.entries()) {
      const start = starts[at] ?? 0
      const inside = matching.filter((row) => {
        const moment = Date.parse(row.timestamp)
        return moment >= start && moment < start + bucket_ms
      })
      const requests = inside.filter((row) => row.kind === "main" || address.includes("kind="))
      const { errors, cancelled, requests: count } = bucket
      assert.deepStrictEqual(
        { count, errors, cancelled, cost: nano(bucket.cost_usd) },
        {
          count: requests.length,
          errors: requests.filter(({ state }) => state === "failed" || state === "interrupted").length,
          cancelled: requests.filter(({ state }) => state === "cancelled").length,
          cost: cost(inside)
        },
        `${address} ${bucket.start}`
      )
      for (const [place, model] of models.entries()) {
        const own = inside.filter(
          (row) => (row.model_routed_to_openrouter ?? row.model_requested_by_client ?? "(none)") === model
        )
        assert.strictEqual(nano(bucket.cost_by_model_usd[place] ?? ""), cost(own), `${address} ${model}`)
      }
      const timed = requests.some((row) => row.processing_duration_ms !== null)
      assert.strictEqual(bucket.p50_ms !== null, timed)
      assert.isAtMost(bucket.p50_ms ?? 0, bucket.p95_ms ?? 0)
    }
    // What began in the range is in one of its buckets.
    const inAll = buckets.reduce((sum, { requests }) => sum + requests, 0)
    assert.strictEqual(
      inAll,
      matching.filter((row) => row.kind === "main" || address.includes("kind=")).length
    )
  })

describe.each(everyDatabase())("a range over time on $name", ({ fresh, name }) => {
  // Each takes a dozen statements; the databases differ in few of them.
  const runs = name === "SQLite" ? 24 : 8

  it.scopedLive("is what the rows come to, whatever is asked", () =>
    Effect.gen(function* () {
      const record = yield* recordOf(yield* fresh, rows)
      const right = (address: string) => assertRight(record, address)
      for (const more of [false, true])
        yield* Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(anyAddress(more), (address) => Effect.runPromise(right(address))),
            { numRuns: more ? runs / 4 : runs }
          )
        )
      const units = yield* Effect.forEach(
        ["from=2026-11-20T05:23:46Z", "from=2026-11-19T11:23:46Z", "from=2026-10-21T11:23:46Z", ""],
        (address) => Effect.zipRight(right(address), record.series(queryOf(address)))
      )
      assert.deepStrictEqual(
        units.map(({ buckets, unit }) => [unit, buckets.length]),
        [
          ["minute", 361],
          ["hour", 25],
          ["day", 31],
          ["day", units[3]?.buckets.length]
        ]
      )
    })
  )
})

it.scopedLive("ten years are shown in 400 pieces at most", () =>
  Effect.gen(function* () {
    const database = everyDatabase()[0]
    if (database === undefined) return yield* Effect.dieMessage("There is no database.")
    const { series } = yield* recordOf(yield* database.fresh, rows)
    const { bucket_ms, buckets } = yield* series(queryOf("from=2016-11-20T00:00:00Z"))
    assert.isAtMost(buckets.length, 400)
    assert.strictEqual(bucket_ms % 86_400_000, 0)
    assert.strictEqual(
      buckets.reduce((sum, { requests }) => sum + requests, 0),
      rows.filter((row) => row.kind === "main" && row.state !== "running").length
    )
  })
)
