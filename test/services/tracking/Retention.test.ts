import { SqlClient } from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import { Context, Duration, Effect, Fiber, Layer, Logger, LogLevel, TestClock } from "effect"
import { existsSync, statSync } from "node:fs"
import { join } from "node:path"
import type { RequestBodies, RequestRecord } from "../../../src/domain/RequestRecord.ts"
import { AppConfig } from "../../../src/services/AppConfig.ts"
import * as Database from "../../../src/services/Database.ts"
import { makeForgetting } from "../../../src/services/tracking/Forgetting.ts"
import { Retention } from "../../../src/services/tracking/Retention.ts"
import { TrackingRepo } from "../../../src/services/tracking/TrackingRepo.ts"
import { everyDatabase } from "../../support/Postgres.ts"
import { temporaryFolder } from "../../support/Router.ts"
import { rowOf } from "../../support/Rows.ts"

const NOW = Date.parse("2026-11-20T12:00:00.000Z")
const HOUR = 3_600_000
const DAY = 24 * HOUR

/** A record and what tends it, at noon. */
const open = (env: { readonly [name: string]: string }) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(NOW)
    const layer = Layer.mergeAll(Retention.Default, TrackingRepo.Default).pipe(
      Layer.provideMerge(Database.layer),
      Layer.provide([AppConfig.layer(env), Logger.minimumLogLevel(LogLevel.None)])
    )
    const context = yield* Effect.orDie(Layer.build(layer))
    const { sweep } = Context.get(context, Retention)
    return {
      repo: Context.get(context, TrackingRepo),
      sql: Context.get(context, SqlClient),
      sweep: (options?: Parameters<typeof sweep>[0]) => driven(sweep(options))
    }
  })

/** Lets time pass until it is done. */
const driven = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(effect)
    while (fiber.unsafePoll() === null) {
      yield* TestClock.adjust("20 millis")
      yield* breath
    }
    return yield* Fiber.join(fiber)
  })

const breath = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

const rowAt = (id: string, at: number, more: Partial<RequestRecord> = {}): RequestRecord =>
  rowOf(id, {
    ...{ timestamp: new Date(at).toISOString(), processing_duration_ms: 100, preview: "a question" },
    ...{ prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
    ...{ cost_nano_usd: 3, cost_source: "provider" },
    ...more
  })

const bodyOf = (id: string, text = "said"): RequestBodies => ({
  internal_request_id: id,
  request_body: text,
  response_body: null
})

const idsIn = (sql: SqlClient, table = "openrouter_requests") =>
  Effect.map(
    sql<{ id: string }>`SELECT internal_request_id AS id FROM ${sql(table)} ORDER BY internal_request_id`,
    (rows) => rows.map(({ id }) => id)
  )

/** Requests and nano-dollars as the sums have them. */
const sumsOf = (sql: SqlClient, span: number) =>
  Effect.map(
    sql<{ requests: unknown; cost: unknown }>`
      SELECT sum(requests) AS requests, sum(cost_nano_usd) AS cost FROM request_rollups WHERE span = ${span}`,
    ([sums]) => [Number(sums?.requests), Number(sums?.cost)]
  )

for (const { fresh, name } of everyDatabase())
  describe(`on ${name}`, () => {
    it.scoped("what is older than MAX_LOG_AGE_DAYS goes with its texts, and nothing else", () =>
      Effect.gen(function* () {
        const { repo, sql, sweep } = yield* open({ ...(yield* fresh), MAX_LOG_AGE_DAYS: "2" })
        const ages = { old: 2 * DAY + 1, older: 400 * DAY, young: 2 * DAY, new: 0, ahead: -DAY }
        const rows = Object.entries(ages).map(([id, age]) => rowAt(id, NOW - age))
        yield* repo.save(
          rows,
          rows.map((row) => bodyOf(row.internal_request_id))
        )
        assert.deepStrictEqual(yield* sweep(), { rows: 2, bodies: 2, rollups: 1 })
        assert.deepStrictEqual(yield* idsIn(sql), ["ahead", "new", "young"])
        assert.deepStrictEqual(yield* idsIn(sql, "request_bodies"), ["ahead", "new", "young"])
        assert.deepStrictEqual(yield* sumsOf(sql, 86_400), [5, 15])
        assert.deepStrictEqual(yield* sweep({ olderThan: Duration.hours(1) }), {
          rows: 1,
          bodies: 1,
          rollups: 0
        })
        assert.deepStrictEqual(yield* idsIn(sql), ["ahead", "new"])
      })
    )

    it.scoped("who still runs is left alone, by age and by room", () =>
      Effect.gen(function* () {
        const { repo, sql, sweep } = yield* open({ ...(yield* fresh), MAX_LOG_AGE_DAYS: "1", DB_MAX_MB: "1" })
        const text = "x".repeat(9000)
        const running = { state: "running", preview: text } as const
        yield* repo.save(
          Array.from({ length: 300 }, (_, at) =>
            rowAt(`r${String(at).padStart(3, "0")}`, NOW - (at % 2) * 9 * DAY, running)
          ),
          []
        )
        assert.deepStrictEqual(yield* sweep(), { rows: 0, bodies: 0, rollups: 0 })
        assert.lengthOf(yield* idsIn(sql), 300)
      })
    )

    it.scoped("side calls go with their parents, and not before", () =>
      Effect.gen(function* () {
        const { repo, sql, sweep } = yield* open({ ...(yield* fresh), MAX_LOG_AGE_DAYS: "1" })
        const old = NOW - 2 * DAY
        const child = (id: string, parent: string, at = old, more: Partial<RequestRecord> = {}) =>
          rowAt(id, at, { kind: "describe", parent_request_id: parent, ...more })
        yield* repo.save(
          [
            rowAt("done", old),
            child("done-1", "done"),
            child("done-2", "done", NOW),
            child("done-3", "done", NOW, { state: "running" }),
            rowAt("busy", old, { state: "running" }),
            child("busy-1", "busy"),
            rowAt("young", NOW),
            child("young-1", "young"),
            child("orphan", "nobody")
          ],
          []
        )
        yield* sweep()
        assert.deepStrictEqual(yield* idsIn(sql), ["busy", "busy-1", "done-3", "young", "young-1"])
      })
    )

    it.scoped("a step takes a hundred rows or two megabytes, even of one parent's side calls", () =>
      Effect.gen(function* () {
        const { repo, sql } = yield* open({ ...(yield* fresh), MAX_LOG_AGE_DAYS: "1" })
        const old = NOW - 2 * DAY
        const ids = Array.from({ length: 150 }, (_, at) => `child-${at}`)
        const large = Array.from({ length: 6 }, (_, at) => `large-${at}`)
        yield* repo.save(
          [
            rowAt("parent", old),
            ...ids.map((id) => rowAt(id, old, { kind: "describe", parent_request_id: "parent" })),
            ...large.map((id) => rowAt(id, old + 1000)),
            ...ids.map((id) => rowAt(`also-${id}`, old + 2000))
          ],
          large.map((id) => bodyOf(id, "x".repeat(900_000)))
        )
        const { rowsBefore } = yield* Effect.provideService(makeForgetting, SqlClient, sql)
        const steps: Array<number> = []
        while (steps.at(-1) !== 0) steps.push((yield* rowsBefore(new Date(NOW - DAY).toISOString())).rows)
        assert.deepStrictEqual(steps, [100, 53, 2, 100, 52, 0])
      })
    )

    it.scoped("texts older than BODY_MAX_AGE_DAYS go, and their rows stay", () =>
      Effect.gen(function* () {
        const { repo, sql, sweep } = yield* open({ ...(yield* fresh), BODY_MAX_AGE_DAYS: "1" })
        const save = (from: number, to: number, at: number, more: Partial<RequestRecord> = {}) => {
          const rows = Array.from({ length: to - from }, (_, index) =>
            rowAt(`r${String(from + index).padStart(3, "0")}`, at + index, more)
          )
          return repo.save(
            rows,
            rows.map((row) => bodyOf(row.internal_request_id))
          )
        }
        yield* save(0, 230, NOW - 2 * DAY)
        yield* save(230, 240, NOW - 2 * DAY, { state: "running" })
        yield* save(240, 250, NOW)
        assert.deepStrictEqual(yield* sweep(), { rows: 0, bodies: 230, rollups: 0 })
        assert.lengthOf(yield* idsIn(sql), 250)
        assert.lengthOf(yield* idsIn(sql, "request_bodies"), 20)
        const [texts] =
          yield* sql`SELECT count(*) AS "with" FROM openrouter_requests WHERE preview IS NOT NULL`
        assert.strictEqual(Number(texts?.["with"]), 20)
        // Who ends late is found when the walk begins anew.
        yield* sweep()
        yield* save(230, 240, NOW - 2 * DAY)
        assert.deepStrictEqual(yield* sweep(), { rows: 0, bodies: 0, rollups: 0 })
        yield* TestClock.adjust("61 minutes")
        yield* sweep()
        assert.deepStrictEqual(yield* sweep(), { rows: 0, bodies: 10, rollups: 0 })
      })
    )

    it.scoped("sums by the hour go a day at a time, sums by day stay, and all in all is right", () =>
      Effect.gen(function* () {
        const { repo, sql, sweep } = yield* open({
          ...(yield* fresh),
          MAX_LOG_AGE_DAYS: "1",
          ROLLUP_MAX_AGE_DAYS: "5"
        })
        const hours = 24 * 10
        yield* repo.save(
          Array.from({ length: hours }, (_, hour) => rowAt(`r${hour}`, NOW - hour * HOUR)),
          []
        )
        const { rollups } = yield* sweep()
        const [oldest] = yield* sql`SELECT min(start) AS start FROM request_rollups WHERE span = 3600`
        assert.strictEqual(Number(oldest?.["start"]) * 1000, Date.parse("2026-11-15T00:00:00Z"))
        assert.strictEqual(rollups, hours - (5 * 24 + 13))
        assert.deepStrictEqual(yield* sumsOf(sql, 86_400), [hours, hours * 3])
        const [older] = yield* sql`SELECT sum(requests) AS requests FROM request_rollups
          WHERE span = 86400 AND start < ${Number(oldest?.["start"])}`
        const [hourly] = yield* sumsOf(sql, 3600)
        assert.strictEqual(Number(older?.["requests"]) + (hourly ?? 0), hours)
      })
    )

    it.scoped("a clock that steps back deletes nothing, and room is made by who came first", () =>
      Effect.gen(function* () {
        const env = { ...(yield* fresh), DB_MAX_MB: "2" }
        const { repo, sql, sweep } = yield* open(env)
        const save = (from: number, to: number, at: number) => {
          const rows = Array.from({ length: to - from }, (_, index) =>
            rowAt(`r${String(from + index).padStart(4, "0")}`, at + index)
          )
          return repo.save(
            rows,
            rows.map((row) => bodyOf(row.internal_request_id, noise()))
          )
        }
        yield* save(0, 100, NOW)
        yield* TestClock.setTime(NOW - 30 * DAY)
        assert.deepStrictEqual(yield* sweep(), { rows: 0, bodies: 0, rollups: 0 })
        // By their clock these are the older ones.
        yield* save(100, 400, NOW - 30 * DAY)
        const { rows } = yield* sweep()
        assert.isAbove(rows, 0)
        const kept = yield* idsIn(sql)
        assert.strictEqual(kept[0], `r${String(rows).padStart(4, "0")}`)
        assert.strictEqual(kept.at(-1), "r0399")
        assert.isAbove(kept.length, 100)
      })
    )

    it.scoped("the room that DB_MAX_MB gives is kept while requests come, and again after a start", () =>
      Effect.gen(function* () {
        const env = { ...(yield* fresh), DB_MAX_MB: "3" }
        const { repo, sql, sweep } = yield* open(env)
        let made = 0
        const save = Effect.suspend(() => {
          const rows = Array.from({ length: 60 }, () => rowAt(`r${String(made++).padStart(5, "0")}`, NOW))
          return repo.save(
            rows,
            rows.map((row) => bodyOf(row.internal_request_id, noise()))
          )
        })
        const sizes: Array<number> = []
        const counts: Array<number> = []
        for (let round = 0; round < 20; round++) {
          yield* save
          yield* sweep()
          const ids = yield* idsIn(sql)
          counts.push(ids.length)
          assert.strictEqual(ids.at(-1), `r${String(made - 1).padStart(5, "0")}`)
          sizes.push(yield* takenIn(sql))
        }
        const late = counts.slice(-5)
        // 2.4 MB of texts are 300 rows; a server's tables have 8 kB pages and their own overhead.
        assert.isAtLeast(Math.min(...late), 150, counts.join())
        assert.isAtMost(Math.max(...late), 380, counts.join())
        assert.isAtMost(Math.max(...sizes), 4.5 * 1024 * 1024, sizes.join())
        const again = yield* open(env)
        assert.isAtMost((yield* again.sweep()).rows, 30)
        assert.deepStrictEqual(yield* sumsOf(sql, 86_400), [1200, 3600])
      })
    )
  })

/** What tables and indexes take, without what is free in a file. */
const takenIn = (sql: SqlClient) =>
  Effect.map(
    sql.onDialectOrElse({
      pg: () => sql<{ bytes: unknown }>`SELECT pg_total_relation_size('openrouter_requests') +
        pg_total_relation_size('request_bodies') AS bytes`,
      orElse: () => sql<{ bytes: unknown }>`SELECT (page_count - freelist_count) * page_size AS bytes
        FROM pragma_page_count, pragma_freelist_count, pragma_page_size`
    }),
    ([found]) => Number(found?.bytes)
  )

/** Eight kilobytes that no server can press together. */
const noise = (): string =>
  Array.from({ length: 1000 }, () => Math.random().toString(36).slice(2, 10).padEnd(8, "x")).join("")

describe("a month", () => {
  it.scoped("in a minute: the file keeps within its limit, sums stay, and none is missing", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "kept.db")
      const { repo, sql, sweep } = yield* open({
        DB_PATH: file,
        DB_MAX_MB: "4",
        MAX_LOG_AGE_DAYS: "7",
        BODY_MAX_AGE_DAYS: "3",
        ROLLUP_MAX_AGE_DAYS: "14"
      })
      const text = "x".repeat(8000)
      let requests = 0
      let cost = 0
      let largest = 0
      for (let hour = 0; hour < 30 * 24; hour++) {
        const at = NOW + hour * HOUR
        yield* TestClock.setTime(at)
        // Quiet days, then a busy week, then quiet days again.
        const busy = hour > 15 * 24 && hour < 22 * 24
        const rows = Array.from({ length: busy ? 25 : 2 }, (_, index) =>
          rowAt(`r${String(requests + index).padStart(6, "0")}`, at + index * 1000, {
            cost_nano_usd: requests + index
          })
        )
        yield* repo.save(
          rows,
          rows.map((row) => bodyOf(row.internal_request_id, text))
        )
        requests += rows.length
        cost += rows.reduce((sum, row) => sum + (row.cost_nano_usd ?? 0), 0)
        if (hour % 4 === 3) {
          yield* sweep()
          largest = Math.max(largest, statSync(file).size)
        }
      }
      assert.isAbove(largest, 3 * 1024 * 1024)
      assert.isAtMost(largest, 4.5 * 1024 * 1024)
      assert.isBelow(statSync(file).size, 3 * 1024 * 1024)
      assert.isTrue(existsSync(`${file}-wal`))
      assert.deepStrictEqual(yield* sumsOf(sql, 86_400), [requests, cost])
      const end = NOW + (30 * 24 - 1) * HOUR
      const [oldest] =
        yield* sql`SELECT min(timestamp) AS timestamp, count(*) AS count FROM openrouter_requests`
      assert.isAtLeast(Date.parse(String(oldest?.["timestamp"])), end - 7 * DAY)
      assert.strictEqual(oldest?.["count"], 2 * (7 * 24 + 1))
      const [bodies] = yield* sql`SELECT count(*) AS count FROM request_bodies`
      assert.isAtMost(Number(bodies?.["count"]), 2 * (3 * 24 + 1))
      const [horizon] = yield* sql`SELECT min(start) AS start FROM request_rollups WHERE span = 3600`
      assert.isAtLeast(Number(horizon?.["start"]) * 1000, end - 15 * DAY)
      const [before] = yield* sql`SELECT sum(requests) AS requests FROM request_rollups
        WHERE span = 86400 AND start < ${Number(horizon?.["start"])}`
      const [since] = yield* sumsOf(sql, 3600)
      assert.strictEqual(Number(before?.["requests"]) + (since ?? 0), requests)
    })
  )
})
