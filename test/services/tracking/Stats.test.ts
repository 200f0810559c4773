import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "effect/FastCheck"
import { BUCKETS, boundOf } from "../../../src/domain/Histogram.ts"
import type { RequestRecord } from "../../../src/domain/RequestRecord.ts"
import { anyAddress, NOW, queryOf, rangeOf, recordOf, rowsFor, wants } from "../../support/Figures.ts"
import type { Figures } from "../../support/Figures.ts"
import { everyDatabase } from "../../support/Postgres.ts"

const NO_USAGE = {
  promptTokens: undefined,
  completionTokens: undefined,
  totalTokens: undefined,
  cachedTokens: undefined,
  reasoningTokens: undefined
}

const rows = rowsFor(400, 5)

/** Billions of a dollar from a decimal. */
const nano = (dollars: string): number => {
  const [whole = "", fraction = ""] = dollars.split(".")
  return Number(whole) * 1e9 + Number(fraction.padEnd(9, "0"))
}

const sum = (rows: ReadonlyArray<RequestRecord>, of: (row: RequestRecord) => number | null) =>
  rows.reduce((sum, row) => sum + (of(row) ?? 0), 0)

/** Totals of finished rows, counted one by one. */
const counted = (rows: ReadonlyArray<RequestRecord>, address: string) => {
  const requests = rows.filter((row) => row.kind === "main" || address.includes("kind="))
  const withFirst = requests.filter((row) => row.time_to_first_token_ms !== null)
  const timed = requests.filter((row) => row.processing_duration_ms !== null)
  const mean = (rows: ReadonlyArray<RequestRecord>, of: (row: RequestRecord) => number | null) =>
    rows.length === 0 ? null : Math.round(sum(rows, of) / rows.length)
  return {
    requests: requests.length,
    errors: requests.filter((row) => row.state === "failed" || row.state === "interrupted").length,
    cancelled: requests.filter((row) => row.state === "cancelled").length,
    side_calls: rows.length - requests.length,
    prompt_tokens: sum(rows, (row) => row.prompt_tokens),
    completion_tokens: sum(rows, (row) => row.completion_tokens),
    total_tokens: sum(rows, (row) => row.total_tokens),
    cached_tokens: sum(rows, (row) => row.cached_tokens),
    reasoning_tokens: sum(rows, (row) => row.reasoning_tokens),
    cost: sum(rows, (row) => row.cost_nano_usd),
    estimated: sum(
      rows.filter((row) => row.cost_source === "estimated"),
      (row) => row.cost_nano_usd
    ),
    side_cost: sum(rows, (row) => (requests.includes(row) ? 0 : row.cost_nano_usd)),
    cost_unknown: rows.filter((row) => row.cost_nano_usd === null && row.state !== "failed").length,
    media_requests: sum(requests, (row) => row.is_multimodal),
    media_hits: sum(requests, (row) => row.cache_hits),
    duration: mean(timed, (row) => row.processing_duration_ms),
    first: mean(withFirst, (row) => row.time_to_first_token_ms),
    durations: timed.map((row) => row.processing_duration_ms ?? 0).toSorted((a, b) => a - b)
  }
}

/** An answer's totals in the same words, percentiles apart. */
const said = (totals: Effect.Effect.Success<ReturnType<Figures["stats"]>>["totals"]) => {
  const {
    cost_estimated_usd,
    cost_side_calls_usd,
    cost_usd,
    duration_ms,
    first_token_ms,
    in_flight: _,
    ...more
  } = totals
  return {
    ...more,
    cost: nano(cost_usd),
    estimated: nano(cost_estimated_usd),
    side_cost: nano(cost_side_calls_usd),
    duration: duration_ms.mean,
    first: first_token_ms.mean
  }
}

/** Percentiles lie in the bucket of the true value. */
const assertPercentile = (durations: ReadonlyArray<number>, share: number, found: number | null) => {
  const exact = durations[Math.max(0, Math.ceil(share * durations.length) - 1)]
  if (exact === undefined) return assert.isNull(found)
  const bucket =
    Array.from({ length: BUCKETS }, (_, at) => at).find((at) => exact <= boundOf(at)) ?? BUCKETS - 1
  assert.isAtLeast(found ?? -1, Math.floor(bucket === 0 ? 0 : boundOf(bucket - 1)))
  assert.isAtMost(found ?? Infinity, Math.ceil(boundOf(bucket)))
}

const assertRight = (record: Figures, address: string) =>
  Effect.gen(function* () {
    const answer = yield* record.stats(queryOf(address))
    const matching = rows.filter((row) => wants(address, row) && row.state !== "running")
    const { durations, ...expected } = counted(matching, address)
    assert.deepStrictEqual(said(answer.totals), expected, address)
    for (const [share, name] of [
      [0.5, "p50"],
      [0.95, "p95"],
      [0.99, "p99"]
    ] as const)
      assertPercentile(durations, share, answer.totals.duration_ms[name])
    assert.isFalse(answer.is_partial)

    const parts = [
      [
        answer.models,
        (row: RequestRecord) => row.model_routed_to_openrouter ?? row.model_requested_by_client
      ],
      [answer.providers, (row: RequestRecord) => row.provider],
      [answer.keys, (row: RequestRecord) => row.key_id]
    ] as const
    for (const [{ other, top }, nameOf] of parts) {
      for (const { name, ...totals } of top) {
        const own = counted(
          matching.filter((row) => (nameOf(row) ?? "(none)") === name),
          address
        )
        assert.strictEqual(nano(totals.cost_usd), own.cost, `${address} ${name}`)
        assert.strictEqual(totals.requests, own.requests)
        assert.strictEqual(totals.errors, own.errors)
        assert.strictEqual(totals.total_tokens, own.total_tokens)
      }
      assert.isNull(other)
      assert.deepStrictEqual(
        top.map(({ name }) => name).toSorted(),
        Array.from(new Set(matching.map((row) => nameOf(row) ?? "(none)"))).toSorted()
      )
      const costs = top.map(({ cost_usd }) => nano(cost_usd))
      assert.deepStrictEqual(
        costs,
        costs.toSorted((a, b) => b - a)
      )
    }

    const [from, to] = rangeOf(address)
    const end = Math.min(to, to === Infinity ? NOW : to)
    if (from === -Infinity || end <= from) return assert.isNull(answer.previous)
    const earlier = address.replace(/(from|to)=[^&]*&?/g, "")
    const inside = rows.filter((row) => {
      const moment = Date.parse(row.timestamp)
      return wants(earlier, row) && row.state !== "running" && moment >= from - (end - from) && moment < from
    })
    assert.strictEqual(answer.previous?.requests, counted(inside, address).requests)
    assert.strictEqual(nano(answer.previous?.cost_usd ?? ""), counted(inside, address).cost)
  })

describe.each(everyDatabase())("statistics on $name", ({ fresh, name }) => {
  // Each takes a dozen statements; the databases differ in few of them.
  const runs = name === "SQLite" ? 24 : 8

  it.scopedLive("are what the rows come to, whatever is asked", () =>
    Effect.gen(function* () {
      const record = yield* recordOf(yield* fresh, rows)
      for (const more of [false, true])
        yield* Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(anyAddress(more), (address) => Effect.runPromise(assertRight(record, address))),
            { numRuns: more ? runs / 4 : runs }
          )
        )
      const running = rows.filter((row) => row.state === "running" && row.kind === "main")
      const { totals } = yield* record.stats(queryOf("from=2026-11-20T11:00:00Z"))
      assert.strictEqual(totals.in_flight, running.length)
    })
  )

  it.scopedLive("still add up when retention has taken rows and hours", () =>
    Effect.gen(function* () {
      const { sql, stats } = yield* recordOf(yield* fresh, rows)
      yield* sql`DELETE FROM openrouter_requests WHERE timestamp < '2026-11-18T10:20:30.000Z'`
      yield* sql`DELETE FROM request_rollups WHERE span = 3600 AND start < ${Date.UTC(2026, 10, 10) / 1000}`
      const finished = rows.filter((row) => row.kind === "main" && row.state !== "running")
      const within = (from: string, to: string) =>
        finished.filter(({ timestamp }) => timestamp >= from && timestamp < to).length
      const requests = (from: string, to: string) =>
        Effect.map(
          stats(queryOf(`${from === "" ? "" : `from=${from}&`}to=${to}`)),
          ({ totals }) => totals.requests
        )
      const between = (from: string, to: string) =>
        finished.find(({ timestamp }) => timestamp >= from && timestamp < to)?.timestamp ?? "none"
      const day = between("2026-09-22", "2026-11-09").slice(0, 10)
      const hour = between("2026-11-11", "2026-11-18").slice(0, 13)
      const [early, middle, late] = [`${day}T23:59:59.999Z`, `${hour}:59:59.999Z`, "2026-11-19T01:02:03.000Z"]
      // Edges without rows move down to the hour, and where there are no hours to the day.
      assert.strictEqual(yield* requests("", early), within("", day))
      assert.strictEqual(yield* requests(early, middle), within(day, hour))
      assert.strictEqual(yield* requests(middle, late), within(hour, late))
      assert.strictEqual(yield* requests(late, "2027-01-01T00:00:00Z"), within(late, "2027"))
    })
  )

  it.scopedLive("of days that are over change when something comes late", () =>
    Effect.gen(function* () {
      const { repo, stats } = yield* recordOf(yield* fresh, rows)
      const month = stats(queryOf("from=2026-10-20T00:00:00Z&kind=all"))
      const before = yield* month
      assert.deepStrictEqual(yield* month, before)
      const row = rows.find(({ state, cost_nano_usd }) => state === "cancelled" && cost_nano_usd === null)
      if (row === undefined) return yield* Effect.dieMessage("There is no such row.")
      const late = { ...row, timestamp: "2026-10-22T10:00:00.000Z", internal_request_id: "req_late" }
      yield* repo.save([late], [])
      const more = yield* month
      assert.strictEqual(more.totals.requests, before.totals.requests + 1)
      assert.strictEqual(more.totals.cost_unknown, before.totals.cost_unknown + 1)
      assert.isTrue(yield* repo.complete("req_late", { ...NO_USAGE, cost: 5 }))
      const known = yield* month
      assert.strictEqual(known.totals.cost_unknown, before.totals.cost_unknown)
      assert.strictEqual(nano(known.totals.cost_usd), nano(before.totals.cost_usd) + 5)
    })
  )

  it.scopedLive("find names that a shape has lost", () =>
    Effect.gen(function* () {
      const { sql, stats } = yield* recordOf(yield* fresh, rows)
      yield* sql`UPDATE request_shapes SET model_requested = '(other)' WHERE model_requested = 'four'`
      const { is_partial, totals } = yield* stats(queryOf("model=four"))
      const four = rows.filter((row) => wants("model=four&kind=main", row) && row.state !== "running")
      assert.strictEqual(totals.requests, four.length)
      assert.isFalse(is_partial)
    })
  )
})
