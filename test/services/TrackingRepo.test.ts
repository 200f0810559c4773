import { SqlClient } from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Logger, LogLevel } from "effect"
import * as fc from "effect/FastCheck"
import { boundOf, BUCKETS } from "../../src/domain/Histogram.ts"
import type { RequestBodies, RequestRecord } from "../../src/domain/RequestRecord.ts"
import { AppConfig } from "../../src/services/AppConfig.ts"
import * as Database from "../../src/services/Database.ts"
import { TrackingRepo } from "../../src/services/tracking/TrackingRepo.ts"
import { everyDatabase } from "../support/Postgres.ts"
import { rowOf } from "../support/Rows.ts"

const quiet = Logger.minimumLogLevel(LogLevel.None)

/** The repository as a process has it. */
const open = (env: { readonly [name: string]: string }) =>
  Effect.gen(function* () {
    const layer = TrackingRepo.Default.pipe(
      Layer.provideMerge(Database.layer),
      Layer.provide([AppConfig.layer(env), quiet])
    )
    const context = yield* Effect.orDie(Layer.build(layer))
    return { repo: Context.get(context, TrackingRepo), sql: Context.get(context, SqlClient) }
  })

const copyOf = (row: RequestRecord): RequestRecord => ({ ...row })

const running = (id: string, more: Partial<RequestRecord> = {}) =>
  rowOf(id, { state: "running", status_code_returned_to_client: null, ...more })

const bodyOf = (id: string, text: string): RequestBodies => ({
  internal_request_id: id,
  request_body: text,
  response_body: null
})

/** Rows as they are, without the numbers that only the database knows; integers as numbers. */
const rowsIn = (sql: SqlClient) =>
  Effect.map(sql<{ [column: string]: unknown }>`SELECT * FROM openrouter_requests ORDER BY id`, (rows) =>
    rows.map((row) => mapped(row, ["id", "shape_id"]))
  )

const mapped = (row: { readonly [column: string]: unknown }, without: ReadonlyArray<string>) =>
  Object.fromEntries(
    Object.entries(row).flatMap(([name, value]) =>
      without.includes(name)
        ? []
        : [[name, typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : value]]
    )
  )

const kept = (row: RequestRecord) => {
  const { shape_id: _, ...rest } = row
  return { ...rest, cost_usd: row.cost_nano_usd === null ? null : row.cost_nano_usd / 1e9 }
}

/** Every rollup with the words of its shape, without those of nothing. */
const rollupsIn = (sql: SqlClient) =>
  Effect.map(
    sql<{ [column: string]: unknown }>`
      SELECT * FROM request_rollups JOIN request_shapes ON request_shapes.id = request_rollups.shape_id`,
    (rows) =>
      rows
        .map((row) => mapped(row, ["id", "shape_id"]))
        .map(withoutZeros)
        .toSorted(byText)
  )

/** The same, counted by hand from the rows that are final. */
const countedByHand = (rows: ReadonlyArray<RequestRecord>) => {
  const found = new Map<string, { [name: string]: unknown }>()
  for (const row of rows) {
    if (row.state === "running") continue
    for (const span of [3600, 86_400]) {
      const shape = {
        kind: row.kind,
        state: row.state,
        endpoint: row.endpoint_called,
        model_requested: row.model_requested_by_client ?? "",
        model_routed: row.model_routed_to_openrouter ?? "",
        provider: row.provider ?? "",
        key_id: row.key_id ?? "",
        status: row.status_code_returned_to_client ?? "",
        error_source: row.error_source ?? "",
        media: row.media_type_processed ?? "",
        streaming: row.is_streaming,
        cost_source: row.cost_source ?? ""
      }
      const start = Date.parse(`${row.timestamp.slice(0, span === 3600 ? 13 : 10)}${HEAD[span] ?? ""}`) / 1000
      const name = JSON.stringify([span, start, shape])
      const sums = found.get(name) ?? { span, start, ...shape }
      const add = (column: string, amount: number | null) => {
        sums[column] = Number(sums[column] ?? 0) + (amount ?? 0)
      }
      add("requests", 1)
      for (const column of [
        "prompt_tokens",
        "completion_tokens",
        "cached_tokens",
        "reasoning_tokens"
      ] as const)
        add(column, row[column])
      add("cost_nano_usd", row.cost_nano_usd)
      add("cost_unknown", row.cost_nano_usd === null ? 1 : 0)
      add("duration_ms", row.processing_duration_ms)
      add("first_token_ms", row.time_to_first_token_ms)
      add("first_tokens", row.time_to_first_token_ms === null ? 0 : 1)
      add("media_requests", row.is_multimodal)
      add("media_hits", row.cache_hits)
      const { processing_duration_ms: duration } = row
      if (duration !== null) {
        const bucket = Array.from({ length: BUCKETS }, (_, at) => at).find(
          (at) => duration <= boundOf(at) + 1e-6
        )
        add(`b${bucket ?? BUCKETS - 1}`, 1)
      }
      found.set(name, sums)
    }
  }
  return Array.from(found.values(), withoutZeros).toSorted(byText)
}

const HEAD: { readonly [span: number]: string } = { 3600: ":00:00.000Z", 86_400: "T00:00:00.000Z" }

const withoutZeros = (row: { readonly [name: string]: unknown }) =>
  Object.fromEntries(
    Object.entries(row)
      .filter(([name, value]) => value !== 0 || name === "streaming")
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
  )

const byText = (one: object, other: object) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1)

const number = (sql: SqlClient, text: string) =>
  Effect.map(sql.unsafe<{ n: unknown }>(`SELECT ${text} AS n`), ([row]) => Number(row?.n))

for (const { fresh, name } of everyDatabase())
  describe(`on ${name}, the record`, () => {
    const start = Effect.flatMap(fresh, open)

    it.scopedLive("has a request while it runs, and then as it ended, with what was said", () =>
      Effect.gen(function* () {
        const { repo, sql } = yield* start
        const early = running("a", { preview: "What is it?" })
        yield* repo.save([early, running("b")], [])
        assert.deepStrictEqual(yield* rowsIn(sql), [kept(early), kept(running("b"))])
        assert.deepStrictEqual(yield* rollupsIn(sql), [])

        const done = rowOf("a", {
          prompt_tokens: 12,
          completion_tokens: 34,
          cost_nano_usd: 1_234_567,
          cost_source: "provider",
          processing_duration_ms: 300,
          time_to_first_token_ms: 100,
          is_streaming: 1
        })
        yield* repo.save([done], [bodyOf("a", '{"said":"žluťoučký 🐎"}')])
        const rows = yield* rowsIn(sql)
        assert.deepStrictEqual(rows, [kept(done), kept(running("b"))])
        assert.closeTo(Number(rows[0]?.["cost_usd"]), 0.001234567, 1e-15)
        assert.deepStrictEqual(yield* sql`SELECT * FROM request_bodies`, [
          { internal_request_id: "a", request_body: '{"said":"žluťoučký 🐎"}', response_body: null }
        ])
        assert.deepStrictEqual(yield* rollupsIn(sql), countedByHand([done]))
        assert.strictEqual(
          yield* number(sql, "(SELECT count(*) FROM openrouter_requests WHERE shape_id IS NULL)"),
          1
        )
      })
    )

    it.scopedLive("counts a request once, however often and by whomever it is saved", () =>
      Effect.gen(function* () {
        const env = yield* fresh
        const [one, other] = [yield* open(env), yield* open(env)]
        const rows = Array.from({ length: 70 }, (_, at) => rowOf(`row ${at}`, { cost_nano_usd: at }))
        const save = (repo: TrackingRepo) =>
          Effect.retry(
            Effect.suspend(() => repo.save(rows.map(copyOf), [])),
            { while: Database.isPassing, times: 100 }
          )
        yield* Effect.all([save(one.repo), save(other.repo), save(one.repo), save(other.repo)], {
          concurrency: "unbounded"
        })
        yield* save(one.repo)
        assert.strictEqual((yield* rowsIn(one.sql)).length, 70)
        assert.deepStrictEqual(yield* rollupsIn(one.sql), countedByHand(rows))
      })
    )

    it.scopedLive("keeps an end that was reached, whatever is said later", () =>
      Effect.gen(function* () {
        const { repo, sql } = yield* start
        const ends = [rowOf("a", { cost_nano_usd: 5 }), rowOf("b", { state: "cancelled" })]
        yield* repo.save(ends, [])
        yield* repo.save([running("a"), rowOf("b", { state: "failed", cost_nano_usd: 9 })], [])
        yield* repo.save([rowOf("c"), running("c"), rowOf("c", { state: "failed" })], [])
        const all = [...ends, rowOf("c")]
        assert.deepStrictEqual(yield* rowsIn(sql), all.map(kept))
        assert.deepStrictEqual(yield* rollupsIn(sql), countedByHand(all))
      })
    )

    it.scopedLive("counts a request that ends while its row is being written", () =>
      Effect.gen(function* () {
        const { repo, sql } = yield* start
        const all: Array<RequestRecord> = []
        for (let turns = 0; turns < 30; turns++) {
          const row = running(`row ${turns}`)
          const other = rowOf(`other ${turns}`, { provider: `new ${turns}` })
          const saving = yield* Effect.fork(repo.save([other, row], []))
          for (let turn = 0; turn < turns; turn++)
            yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
          row.state = "done"
          row.cost_nano_usd = 5
          yield* Fiber.join(saving)
          yield* repo.save([row], [])
          all.push(other, row)
        }
        assert.deepStrictEqual(yield* rowsIn(sql), all.map(kept))
        assert.deepStrictEqual(yield* rollupsIn(sql), countedByHand(all))
      })
    )

    it.scopedLive("adds up by hour and day, for any rows in any order and however often they come", () =>
      Effect.gen(function* () {
        const { repo, sql } = yield* start
        yield* Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(batches, (given) =>
              Effect.gen(function* () {
                yield* sql`DELETE FROM openrouter_requests`
                yield* sql`DELETE FROM request_rollups`
                const expected = new Map<string, RequestRecord>()
                for (const batch of given) {
                  for (const row of batch) {
                    const had = expected.get(row.internal_request_id)
                    if (had === undefined || had.state === "running")
                      expected.set(row.internal_request_id, row)
                  }
                  yield* repo.save(batch.map(copyOf), [])
                }
                const byId = (row: { readonly [column: string]: unknown }) =>
                  String(row["internal_request_id"])
                assert.deepStrictEqual(
                  (yield* rowsIn(sql)).toSorted((one, other) => (byId(one) < byId(other) ? -1 : 1)),
                  Array.from(expected.values(), kept).toSorted((one, other) =>
                    one.internal_request_id < other.internal_request_id ? -1 : 1
                  )
                )
                assert.deepStrictEqual(yield* rollupsIn(sql), countedByHand([...expected.values()]))
              }).pipe(Effect.runPromise)
            ),
            { numRuns: 25 }
          )
        )
      })
    )

    it.scopedLive("writes all of a batch or nothing of it", () =>
      Effect.gen(function* () {
        const { repo, sql } = yield* start
        // The second rollup of a batch cannot be written.
        yield* sql`CREATE UNIQUE INDEX in_the_way ON request_rollups (span)`
        const rows = [rowOf("a", { provider: "new" }), rowOf("b")]
        const error = yield* Effect.flip(repo.save(rows, [bodyOf("a", "{}")]))
        assert.strictEqual(error._tag, "SqlError")
        assert.deepStrictEqual(yield* rowsIn(sql), [])
        assert.deepStrictEqual(yield* sql`SELECT * FROM request_bodies`, [])
        assert.deepStrictEqual(yield* sql`SELECT * FROM request_shapes`, [])
        yield* sql`DROP INDEX in_the_way`
        yield* repo.save(rows, [])
        assert.deepStrictEqual(yield* rollupsIn(sql), countedByHand(rows))
      })
    )

    it.scopedLive("has room for so many names of models, and counts all others together", () =>
      Effect.gen(function* () {
        const env = yield* fresh
        const before = yield* open(env)
        yield* before.repo.save([rowOf("old", { model_requested_by_client: "seen before" })], [])
        yield* before.sql`
          INSERT INTO request_shapes (kind, state, endpoint, model_requested, model_routed, provider, key_id,
            status, error_source, media, streaming, cost_source)
          WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 19994)
          SELECT 'main', 'done', '', 'name ' || i, '', '', '', '', '', '', '0', '' FROM n`
        const { repo, sql } = yield* open(env)
        const invented = (at: number) =>
          rowOf(`row ${at}`, {
            model_requested_by_client: `invented ${String(at).padStart(3, "0")}`,
            prompt_tokens: 1
          })
        yield* repo.save(
          Array.from({ length: 8 }, (_, at) => invented(at)),
          []
        )
        for (let at = 8; at < 100; at += 23)
          yield* repo.save(
            Array.from({ length: 23 }, (_, more) => invented(at + more)),
            []
          )
        yield* repo.save([rowOf("again", { model_requested_by_client: "seen before" })], [])
        // The last five, and one for all others.
        assert.strictEqual(yield* number(sql, "(SELECT count(*) FROM request_shapes)"), 20_001)
        const counted = (name: string) =>
          number(
            sql,
            `(SELECT sum(requests) FROM request_rollups JOIN request_shapes ON shape_id = id
              WHERE span = 3600 AND model_requested = '${name}')`
          )
        assert.strictEqual(yield* counted("invented 004"), 1)
        assert.strictEqual(yield* counted("(other)"), 95)
        assert.strictEqual(yield* counted("seen before"), 2)
        const named =
          "(SELECT count(*) FROM openrouter_requests WHERE model_requested_by_client = 'invented 099')"
        assert.strictEqual(yield* number(sql, named), 1)
      })
    )

    it.scopedLive("takes whatever a client or a provider may say", () =>
      Effect.gen(function* () {
        const { repo, sql } = yield* start
        const long = "x\u{1F40E}'; DROP TABLE openrouter_requests; --".repeat(25_000)
        const hostile = [
          "'; DROP TABLE openrouter_requests; --",
          '"$1 ? :name @p {} %s \\',
          "nul\0in\0it",
          "half a sign \uD83D",
          "\uDE00 other half",
          long
        ]
        const rows = hostile.map((text, at) =>
          rowOf(`row ${at}`, {
            endpoint_called: text,
            client_ip: text.slice(0, 200),
            model_requested_by_client: text,
            model_routed_to_openrouter: text,
            openrouter_request_id: text,
            error_message: text,
            provider: text,
            key_id: text,
            media_type_processed: text,
            preview: text,
            trace_id: text
          })
        )
        yield* repo.save(
          rows,
          hostile.map((text, at) => bodyOf(`row ${at}`, text))
        )
        const mended = hostile.map((text) => text.replace(/\0|\p{Surrogate}/gu, "\uFFFD"))
        // SQLite keeps the three bytes of half a sign, none of which is one.
        const plain = (text: unknown) => String(text).replace(/\uFFFD+/g, "\uFFFD")
        const columns = [
          "endpoint_called",
          "model_requested_by_client",
          "error_message",
          "provider",
          "preview"
        ]
        const found = yield* rowsIn(sql)
        for (const column of columns)
          assert.isTrue(
            found.every((row, at) => plain(row[column]) === mended[at]),
            column
          )
        const bodies = yield* sql<RequestBodies>`SELECT * FROM request_bodies ORDER BY internal_request_id`
        assert.isTrue(bodies.every(({ request_body }, at) => plain(request_body) === mended[at]))
        assert.strictEqual(
          yield* number(sql, "(SELECT sum(requests) FROM request_rollups WHERE span = 86400)"),
          6
        )
        // Whole characters, none cut in two.
        const names = yield* sql<{ provider: string }>`SELECT provider FROM request_shapes`
        assert.isTrue(
          names.every(({ provider }) => provider.length <= 120 && !/\p{Surrogate}/u.test(provider))
        )

        // The same names in a later batch are the same shapes, also to a process that has yet to learn them.
        yield* repo.save(
          rows.map((row) => rowOf("", { ...row, internal_request_id: `${row.internal_request_id} again` })),
          []
        )
        assert.strictEqual(yield* number(sql, "(SELECT count(*) FROM request_shapes)"), 6)
      })
    )

    it.scopedLive("takes amounts beyond what 32 bits hold, and none of nonsense", () =>
      Effect.gen(function* () {
        const { repo, sql } = yield* start
        const large = Number.MAX_SAFE_INTEGER
        const rows = [
          rowOf("a", { prompt_tokens: 5e9, cost_nano_usd: 9e12, total_tokens: large }),
          rowOf("b", { prompt_tokens: 6e9, cost_nano_usd: 8e12 + 1 })
        ]
        yield* repo.save(rows, [])
        const nonsense = {
          prompt_tokens: 1.5,
          completion_tokens: Infinity,
          cached_tokens: NaN,
          total_tokens: 1e300
        }
        yield* repo.save([rowOf("c", { ...nonsense, provider: "odd", processing_duration_ms: 7.4 })], [])
        const found = yield* rowsIn(sql)
        assert.deepStrictEqual(found.slice(0, 2), rows.map(kept))
        assert.deepInclude(found[2], {
          prompt_tokens: 2,
          completion_tokens: null,
          cached_tokens: null,
          total_tokens: null,
          processing_duration_ms: 7
        })
        const sums = `FROM request_rollups JOIN request_shapes ON shape_id = id WHERE span = 3600 AND provider`
        assert.strictEqual(yield* number(sql, `(SELECT cost_nano_usd ${sums} = 'openrouter')`), 17e12 + 1)
        assert.strictEqual(yield* number(sql, `(SELECT prompt_tokens ${sums} = 'openrouter')`), 11e9)
        assert.strictEqual(yield* number(sql, `(SELECT prompt_tokens ${sums} = 'odd')`), 2)
      })
    )

    it.scopedLive("buries what a dead process left, thousands of rows too, and counts them", () =>
      Effect.gen(function* () {
        const { repo, sql } = yield* start
        for (const id of ["dead", "me"]) yield* repo.beat({ id, host: "here", pid: 1, process_start: "" })
        const left = Array.from({ length: 1203 }, (_, at) =>
          running(`left ${at}`, { instance_id: at < 1200 ? "dead" : "nobody", prompt_tokens: 3e9 })
        )
        const others = [rowOf("ended", { instance_id: "dead" }), running("mine")]
        for (let at = 0; at < left.length; at += 401) yield* repo.save(left.slice(at, at + 401), [])
        yield* repo.save(others, [])
        yield* repo.bury(["dead"])
        const rows = yield* rowsIn(sql)
        const buried = left.map((row) =>
          rowOf(row.internal_request_id, {
            ...row,
            state: "interrupted",
            error_source: "router",
            error_message: "The router stopped before this request ended."
          })
        )
        assert.deepStrictEqual(rows, [...buried, ...others].map(kept))
        assert.deepStrictEqual(yield* rollupsIn(sql), countedByHand([...buried, ...others]))
        assert.deepStrictEqual(
          (yield* repo.instances()).map(({ id }) => id),
          ["me"]
        )
        yield* repo.bury(["dead"])
        yield* repo.bury([])
        assert.deepStrictEqual(yield* rollupsIn(sql), countedByHand([...buried, ...others]))
        // It was not dead after all: what it says too late changes nothing.
        yield* repo.save([rowOf("left 0", { cost_nano_usd: 1 })], [])
        assert.deepStrictEqual(yield* rollupsIn(sql), countedByHand([...buried, ...others]))
      })
    )

    it.scopedLive("knows who writes, since when they have been silent, and that they left", () =>
      Effect.gen(function* () {
        const { repo, sql } = yield* start
        const instance = { id: "me", host: "here", pid: 4_000_000, process_start: "then" }
        yield* repo.beat(instance)
        yield* sql`UPDATE instances SET heartbeat_at = heartbeat_at - 50000`
        const [seen] = yield* repo.instances()
        assert.deepInclude(seen, instance)
        assert.isAtLeast(seen?.silent_ms ?? 0, 50_000)
        assert.isBelow(seen?.silent_ms ?? 0, 80_000)
        yield* repo.beat(instance)
        assert.isBelow((yield* repo.instances())[0]?.silent_ms ?? Infinity, 20_000)
        yield* repo.leave("other")
        assert.strictEqual((yield* repo.instances()).length, 1)
        yield* repo.leave("me")
        assert.deepStrictEqual(yield* repo.instances(), [])
      })
    )
  })

const amount = fc.option(fc.nat(10_000), { nil: null })

const anyRow = fc
  .record({
    at: fc.nat(24),
    hour: fc.constantFrom("2026-11-19T23:59:59.999Z", "2026-11-20T00:00:00.000Z", "2026-11-20T05:30:00.123Z"),
    state: fc.constantFrom("running", "running", "done", "failed", "cancelled"),
    model: fc.constantFrom("a", "b", null),
    more: fc.record({
      prompt_tokens: amount,
      completion_tokens: amount,
      cached_tokens: amount,
      reasoning_tokens: amount,
      cost_nano_usd: amount,
      processing_duration_ms: fc.option(fc.nat(3_000_000), { nil: null }),
      time_to_first_token_ms: amount,
      cache_hits: amount,
      is_multimodal: fc.nat(1),
      is_streaming: fc.nat(1)
    })
  })
  .map(({ at, hour, model, more, state }) =>
    rowOf(`row ${at}`, {
      ...more,
      timestamp: hour,
      model_requested_by_client: model,
      state: state === "done" || state === "failed" || state === "cancelled" ? state : "running"
    })
  )

const batches = fc.array(fc.array(anyRow, { maxLength: 40 }), { maxLength: 6 })
