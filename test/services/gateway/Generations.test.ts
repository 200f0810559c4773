import { assert, describe, it } from "@effect/vitest"
import { SqlClient } from "@effect/sql/SqlClient"
import { Context, Effect, Layer, Queue, TestClock } from "effect"
import { UpstreamFailure } from "../../../src/domain/Errors.ts"
import type { RequestRecord } from "../../../src/domain/RequestRecord.ts"
import { fromGeneration } from "../../../src/domain/Usage.ts"
import type { Usage } from "../../../src/domain/Usage.ts"
import { AppConfig } from "../../../src/services/AppConfig.ts"
import * as Database from "../../../src/services/Database.ts"
import { Generations } from "../../../src/services/gateway/Generations.ts"
import { Providers } from "../../../src/services/gateway/Provider.ts"
import { ReadDatabase } from "../../../src/services/tracking/ReadDatabase.ts"
import { TrackingRepo } from "../../../src/services/tracking/TrackingRepo.ts"
import { ALL_ROLLUPS, ALL_ROWS, assertBalanced } from "../../support/Accounts.ts"
import type { CountedLine } from "../../support/Accounts.ts"
import { freshDatabase, hasPostgres, sharedPostgres } from "../../support/Postgres.ts"
import { temporaryFolder } from "../../support/Router.ts"
import type { Row } from "../../support/Router.ts"

const postgres = sharedPostgres()

const databases = [
  ["SQLite", Effect.map(temporaryFolder, (folder) => ({ DATA_DIR: folder })), true],
  [
    "Postgres",
    Effect.gen(function* () {
      return { DATA_DIR: yield* temporaryFolder, DATABASE_URL: freshDatabase(yield* postgres) }
    }),
    hasPostgres
  ]
] as const

/** A record, and beside it somebody who asks a provider that tells what the test says. */
const start = (
  env: { readonly [name: string]: string },
  tells: (generation: string) => Effect.Effect<Usage | undefined, UpstreamFailure>,
  name = "openrouter"
) =>
  Effect.gen(function* () {
    const asked: Array<string> = []
    const figures = (generation: string) =>
      Effect.suspend(() => {
        asked.push(generation)
        return tells(generation)
      })
    const provider = {
      name,
      answer: () => Effect.void,
      models: Effect.succeed([]),
      ...(name === "openrouter" ? { figures } : {})
    }
    const context = yield* Layer.build(
      Generations.Default.pipe(
        Layer.provideMerge(TrackingRepo.Default),
        Layer.provideMerge(ReadDatabase.Default),
        Layer.provideMerge(Database.layer),
        Layer.provideMerge(Layer.succeed(Providers, [provider])),
        Layer.provideMerge(AppConfig.layer({ LOG_LEVEL: "none", ...env }))
      )
    )
    const sql = Context.get(context, SqlClient)
    const repo = Context.get(context, TrackingRepo)
    const books = Effect.all({
      rows: sql.unsafe<Row>(ALL_ROWS),
      rollups: sql.unsafe<CountedLine>(ALL_ROLLUPS)
    })
    const save = (...rows: ReadonlyArray<RequestRecord>) => repo.save(rows, [])
    return { asked, books, repo, save }
  })

/** A row of a stream whose client left. */
const cut = (rest: Partial<RequestRecord> = {}): RequestRecord => ({
  timestamp: "2026-11-20T10:00:00.000Z",
  internal_request_id: "req_1",
  endpoint_called: "/v1/chat/completions",
  client_ip: null,
  model_requested_by_client: "test/plain",
  model_routed_to_openrouter: "test/plain",
  openrouter_request_id: "gen-1",
  prompt_tokens: null,
  completion_tokens: null,
  total_tokens: null,
  is_multimodal: 0,
  media_type_processed: null,
  input_char_length: 1,
  output_char_length: 1,
  processing_duration_ms: 100,
  openrouter_latency_ms: 50,
  status_code_returned_to_client: 200,
  error_source: null,
  error_message: null,
  is_streaming: 1,
  state: "cancelled",
  kind: "main",
  parent_request_id: null,
  provider: "openrouter",
  route_rule: "listed",
  key_id: null,
  cached_tokens: null,
  reasoning_tokens: null,
  cost_nano_usd: null,
  cost_source: null,
  time_to_first_token_ms: 60,
  media_ms: null,
  cache_hits: null,
  trace_id: null,
  instance_id: "here",
  shape_id: null,
  preview: null,
  ...rest
})

const TOLD = fromGeneration({
  total_cost: 0.000123457,
  native_tokens_prompt: 10,
  native_tokens_completion: 5,
  native_tokens_cached: 4,
  native_tokens_reasoning: 3
})

const failure = (status: number, code: string, retryable = false) =>
  new UpstreamFailure({ status, type: "upstream_error", code, message: "no", retryable })

const notFound = Effect.fail(failure(404, "not_found"))

/** Lets what was woken by the clock reach the database and come back; a server answers in its own time. */
const settled = Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1)))

const until = <A, E>(look: Effect.Effect<A, E>, wanted: (found: A) => boolean): Effect.Effect<A, E> =>
  Effect.gen(function* () {
    for (let tries = 0; tries < 5000; tries++) {
      const found = yield* look
      if (wanted(found)) return found
      yield* settled
    }
    return yield* Effect.dieMessage(`waited in vain; last seen: ${JSON.stringify(yield* look)}`)
  })

for (const [database, environment, isThere] of databases)
  describe.skipIf(!isThere)(`a stream that was cut, on ${database}`, () => {
    it.scoped("is completed when the provider tells, in its row and in all sums", () =>
      Effect.gen(function* () {
        let tries = 0
        const { asked, books, save } = yield* start(yield* environment, () =>
          ++tries < 3 ? (tries === 1 ? notFound : Effect.succeed(undefined)) : Effect.succeed(TOLD)
        )
        yield* save(cut(), cut({ internal_request_id: "req_2", openrouter_request_id: null }))
        assertBalanced(yield* books)
        yield* settled
        yield* TestClock.adjust("999 millis")
        assert.deepStrictEqual(asked, [])
        for (const wait of ["1 millis", "2 seconds", "4 seconds"] as const) {
          yield* TestClock.adjust(wait)
          yield* settled
        }
        const { rollups, rows } = yield* until(books, ({ rows }) => rows[0]?.cost_source === "provider")
        assert.deepInclude(numbers(rows[0]), {
          prompt_tokens: 10,
          completion_tokens: 5,
          total_tokens: 15,
          cached_tokens: 4,
          reasoning_tokens: 3,
          cost_nano_usd: 123_457
        })
        assert.strictEqual(rows[0]?.state, "cancelled")
        assert.isNull(rows[1]?.cost_nano_usd)
        assert.deepStrictEqual(asked, ["gen-1", "gen-1", "gen-1"])
        assertBalanced({ rows, rollups })
      })
    )

    it.scoped("counts once, however often it is completed, and beside whatever it was counted with", () =>
      Effect.gen(function* () {
        const { books, repo, save } = yield* start(yield* environment, () => notFound)
        yield* save(cut(), cut({ internal_request_id: "req_2", openrouter_request_id: "gen-2" }))
        assert.isDefined(TOLD)
        if (TOLD === undefined) return
        const told = yield* Effect.all(
          Array.from({ length: 5 }, () => repo.complete("req_1", TOLD)),
          { concurrency: 5 }
        )
        assert.strictEqual(told.filter((isNew) => isNew).length, 1)
        assert.isFalse(yield* repo.complete("req_0", TOLD))
        // Who had figures keeps them.
        assert.isFalse(yield* repo.complete("req_1", { ...TOLD, cost: 1 }))
        assertBalanced(yield* books)
        yield* repo.complete("req_2", TOLD)
        const { rollups, rows } = yield* books
        assertBalanced({ rows, rollups })
        assert.strictEqual(rollups.length, 2)
      })
    )

    it.scoped("of an earlier run is taken up at the start, if it is not older than a day", () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(Date.parse("2026-11-20T12:00:00.000Z"))
        const env = yield* environment
        const before = yield* Effect.scoped(
          Effect.gen(function* () {
            const { asked, save } = yield* start(env, () => notFound)
            yield* save(
              cut(),
              cut({
                internal_request_id: "req_2",
                openrouter_request_id: "gen-2",
                timestamp: "2026-11-19T11:59:00.000Z"
              }),
              cut({ internal_request_id: "req_3", openrouter_request_id: "gen-3", state: "done" })
            )
            return asked
          })
        )
        assert.deepStrictEqual(before, [])
        const { asked, books } = yield* start(env, () => Effect.succeed(TOLD))
        yield* TestClock.adjust("3 seconds")
        // Hardly faster than real time: what is read meanwhile must come within the reader's limit.
        yield* until(
          Effect.zipRight(
            TestClock.adjust("4 millis"),
            Effect.sync(() => asked.length)
          ),
          (count) => count > 0
        )
        const after = yield* until(books, ({ rows }) => rows[0]?.cost_source === "provider")
        assert.deepStrictEqual(asked, ["gen-1"])
        assertBalanced(after)
      })
    )
  })

const numbers = (row: Row | undefined) =>
  Object.fromEntries(
    [
      "prompt_tokens",
      "completion_tokens",
      "total_tokens",
      "cached_tokens",
      "reasoning_tokens",
      "cost_nano_usd"
    ].map((column) => [column, Number(Object(row)[column])])
  )

describe("patience", () => {
  const [, environment] = databases[0]

  it.scoped("ends after a quarter of an hour, and what is unknown stays unknown", () =>
    Effect.gen(function* () {
      const { asked, books, save } = yield* start(yield* environment, () => notFound)
      yield* save(cut())
      yield* settled
      for (let seconds = 0; seconds < 3600; seconds += 60) yield* TestClock.adjust("1 minutes")
      assert.strictEqual(asked.length, 10)
      const { rows } = yield* books
      assert.isNull(rows[0]?.cost_nano_usd)
      assert.isNull(rows[0]?.prompt_tokens)
    })
  )

  it.scoped("is kept for what may pass, and for nothing else", () =>
    Effect.gen(function* () {
      const answers = new Map([
        ["gen-401", Effect.fail(failure(502, "upstream_auth_failed"))],
        ["gen-402", Effect.fail(failure(402, "payment_required"))],
        ["gen-503", Effect.fail(failure(503, "upstream_unreachable", true))]
      ])
      const { asked, save } = yield* start(yield* environment, (id) => answers.get(id) ?? notFound)
      yield* save(
        ...Array.from(answers.keys(), (id) => cut({ internal_request_id: id, openrouter_request_id: id }))
      )
      yield* settled
      yield* TestClock.adjust("4 seconds")
      assert.deepStrictEqual(asked.toSorted(), ["gen-401", "gen-402", "gen-503", "gen-503"])
    })
  )

  it.scoped("is not for those who have their figures, cost nothing, or are not its own", () =>
    Effect.gen(function* () {
      const others: ReadonlyArray<Partial<RequestRecord>> = [
        { state: "done" },
        { state: "running" },
        { provider: "openai" },
        { openrouter_request_id: null },
        { openrouter_request_id: "chatcmpl-1" },
        { openrouter_request_id: "gen-1&id=gen-2" },
        { cost_nano_usd: 0, cost_source: "provider" },
        { prompt_tokens: 5 },
        // Refused before a byte of an answer came.
        { state: "failed", openrouter_latency_ms: null }
      ]
      const { asked, save } = yield* start(yield* environment, () => Effect.succeed(TOLD))
      yield* save(...others.map((rest, at) => cut({ internal_request_id: `req_${at}`, ...rest })))
      yield* save(cut({ internal_request_id: "req_x", openrouter_request_id: "gen-x", state: "interrupted" }))
      yield* settled
      yield* TestClock.adjust("1 minutes")
      assert.deepStrictEqual(asked, ["gen-x"])
    })
  )

  it.scoped("is kept for few calls at once", () =>
    Effect.gen(function* () {
      const open = yield* Effect.makeLatch()
      const { asked, save } = yield* start(yield* environment, () => Effect.zipRight(open.await, notFound))
      yield* save(
        ...Array.from({ length: 20 }, (_, at) =>
          cut({ internal_request_id: `req_${at}`, openrouter_request_id: `gen-${at}` })
        )
      )
      yield* settled
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(asked.length, 4)
      yield* open.open
      yield* until(
        Effect.sync(() => asked.length),
        (count) => count === 20
      )
    })
  )

  it.scoped("is bounded, also where nobody has any", () =>
    Effect.gen(function* () {
      const { repo, save } = yield* start(yield* environment, () => notFound, "openai")
      yield* save(
        ...Array.from({ length: 1500 }, (_, at) =>
          cut({ internal_request_id: `req_${at}`, openrouter_request_id: `gen-${at}` })
        )
      )
      yield* TestClock.adjust("1 minutes")
      assert.strictEqual(yield* Queue.size(repo.owing), 1000)
    })
  )
})
