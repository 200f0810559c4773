import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "effect/FastCheck"
import type { RequestRecord } from "../../../../src/domain/RequestRecord.ts"
import { anyAddress, NOW, queryOf, recordOf, rangeOf, rowsFor, wants } from "../../../support/Figures.ts"
import type { Figures } from "../../../support/Figures.ts"
import { everyDatabase } from "../../../support/Postgres.ts"
import { rowOf } from "../../../support/Rows.ts"

const ENDS: ReadonlySet<string> = new Set(["failed", "interrupted"])
const SOURCES = ["client", "router", "upstream"] as const

/** What went wrong in rows of all kinds. */
const rows = rowsFor(500, 41).map((row, at) =>
  Object.assign(row, {
    error_message: ENDS.has(row.state) ? `Message ${at}` : null,
    error_source: row.state === "failed" ? (SOURCES[at % 3] ?? null) : null
  })
)

/** The same in the order of their numbers: every third of fifty is there before it has ended. */
const inOrder = rows
  .map((row, at) => ({
    row,
    place: Math.floor(at / 50) * 100 + ((at % 50) % 3 === 0 ? 0 : 50) + (at % 50) / 50
  }))
  .toSorted((one, other) => one.place - other.place)
  .map(({ row }) => row)

const nameOf = (row: RequestRecord) =>
  JSON.stringify([
    ...[row.state, row.error_source, row.status_code_returned_to_client, row.endpoint_called, row.provider]
  ])

/** Groups of failures, counted one by one. */
const grouped = (address: string) => {
  const groups = new Map<string, Array<RequestRecord>>()
  for (const row of inOrder) {
    if (!wants(address, row) || !ENDS.has(row.state)) continue
    if (row.kind !== "main" && !address.includes("kind=")) continue
    groups.set(nameOf(row), [...(groups.get(nameOf(row)) ?? []), row])
  }
  return groups
}

const assertRight = (record: Figures, address: string) =>
  Effect.gen(function* () {
    const expected = grouped(address)
    const answer = yield* record.errors(queryOf(address))
    const all = Array.from(expected.values())
    assert.strictEqual(answer.total_groups, all.length, address)
    assert.strictEqual(answer.total_errors, all.flat().length, address)
    assert.isFalse(answer.is_partial)
    assert.deepStrictEqual(
      answer.groups.map(({ count }) => count),
      all
        .map(({ length }) => length)
        .toSorted((one, other) => other - one)
        .slice(0, 20),
      address
    )
    for (const {
      count,
      endpoint,
      first,
      model,
      models,
      newest,
      provider,
      source,
      state,
      status
    } of answer.groups) {
      const own = expected.get(JSON.stringify([state, source, status, endpoint, provider])) ?? []
      assert.strictEqual(count, own.length, address)
      const names = own.map(
        (row) => row.model_routed_to_openrouter ?? row.model_requested_by_client ?? "(none)"
      )
      assert.strictEqual(models, new Set(names).size, address)
      const timesOf = (name: string) => names.filter((other) => other === name).length
      assert.strictEqual(timesOf(model), Math.max(...names.map(timesOf)), address)
      const last = own.at(-1)
      assert.deepStrictEqual(
        [newest?.internal_request_id, newest?.error_message, newest?.timestamp],
        [last?.internal_request_id, last?.error_message, last?.timestamp],
        address
      )
      const earliest = Math.min(...own.map(({ timestamp }) => Date.parse(timestamp)))
      const from = rangeOf(address)[0]
      assert.isAtMost(Date.parse(first), earliest, address)
      assert.isAtLeast(Date.parse(first), Math.max(earliest - 86_400_000, from), address)
    }
  })

describe.each(everyDatabase())("failures that are alike on $name", ({ fresh, name }) => {
  const runs = name === "SQLite" ? 24 : 8

  it.scopedLive("are counted together, each group with its newest request", () =>
    Effect.gen(function* () {
      const record = yield* recordOf(yield* fresh, rows)
      yield* assertRight(record, "")
      yield* assertRight(record, "kind=all")
      for (const more of [false, true])
        yield* Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(anyAddress(more), (address) => Effect.runPromise(assertRight(record, address))),
            { numRuns: more ? runs / 4 : runs }
          )
        )
    })
  )

  it.scopedLive("are the 20 commonest, and are told of when their rows are gone", () =>
    Effect.gen(function* () {
      const failed = (at: number) =>
        rowOf(`req_${at}`, {
          timestamp: new Date(NOW - 3_600_000 * 5 - at).toISOString(),
          ...{ state: "failed", error_source: "upstream", error_message: "x".repeat(2000) },
          ...{ status_code_returned_to_client: 500 + (at % 30), processing_duration_ms: 5 }
        })
      const many = Array.from({ length: 100 }, (_, at) => failed(at))
      const record = yield* recordOf(yield* fresh, many)
      const answer = yield* record.errors(queryOf("range=24h"))
      assert.deepStrictEqual([answer.groups.length, answer.total_groups, answer.total_errors], [20, 30, 100])
      assert.deepStrictEqual(
        answer.groups.map(({ count }) => count),
        [...Array.from({ length: 10 }, () => 4), ...Array.from({ length: 10 }, () => 3)]
      )
      assert.strictEqual(answer.groups[0]?.newest?.error_message?.length, 500)
      const newestOf = (groups: typeof answer.groups) =>
        groups.find(({ status }) => status === 500)?.newest?.internal_request_id
      assert.strictEqual(newestOf(answer.groups), "req_90")
      const from = new Date(NOW - 3_600_000 * 5 - 65).toISOString()
      assert.strictEqual(newestOf((yield* record.errors(queryOf(`from=${from}`))).groups), "req_60")
      yield* Effect.orDie(record.sql`DELETE FROM openrouter_requests`)
      const later = yield* record.errors(queryOf("range=24h"))
      assert.deepStrictEqual([later.groups.length, later.total_errors], [20, 100])
      assert.isNull(later.groups[0]?.newest)
      assert.strictEqual(later.groups[0]?.last, "2026-11-20T00:00:00.000Z")
    })
  )

  it.scopedLive("are not there where nothing failed", () =>
    Effect.gen(function* () {
      const record = yield* recordOf(yield* fresh, [rowOf("req_1")])
      const none = { groups: [], total_groups: 0, total_errors: 0, is_partial: false }
      assert.deepStrictEqual(yield* record.errors(queryOf("")), none)
      assert.deepStrictEqual(yield* record.errors(queryOf("min_ms=5")), none)
    })
  )
})
