import { Clock, Context, Effect, Layer, Logger, LogLevel } from "effect"
import type { Scope } from "effect"
import { SqlClient } from "@effect/sql/SqlClient"
import * as fc from "effect/FastCheck"
import * as RecordQuery from "../../src/domain/record/RecordQuery.ts"
import type { RequestKind, RequestRecord, RequestState } from "../../src/domain/RequestRecord.ts"
import { AppConfig } from "../../src/services/AppConfig.ts"
import * as Database from "../../src/services/Database.ts"
import { RecordErrors } from "../../src/services/tracking/read/ErrorGroups.ts"
import { RecordFacets } from "../../src/services/tracking/read/Facets.ts"
import { RecordSeries } from "../../src/services/tracking/read/Series.ts"
import { ShapeTable } from "../../src/services/tracking/read/ShapeTable.ts"
import { RecordStats } from "../../src/services/tracking/read/Stats.ts"
import { RecordSums } from "../../src/services/tracking/read/Sums.ts"
import { ReadDatabase } from "../../src/services/tracking/ReadDatabase.ts"
import { SearchIndex } from "../../src/services/tracking/SearchIndex.ts"
import { TrackingRepo } from "../../src/services/tracking/TrackingRepo.ts"

/** When all questions are asked. */
export const NOW = Date.parse("2026-11-20T11:23:45.678Z")

/** A record with these rows in it, written as the router writes them, and what can be asked of it. */
export const recordOf = (
  env: { readonly [name: string]: string },
  rows: ReadonlyArray<RequestRecord>
): Effect.Effect<Figures, never, Scope.Scope> =>
  Effect.gen(function* () {
    const reads = Layer.mergeAll(
      RecordErrors.Default,
      RecordStats.Default,
      RecordSeries.Default,
      RecordFacets.Default
    ).pipe(
      Layer.provideMerge(RecordSums.Default),
      Layer.provideMerge(Layer.mergeAll(SearchIndex.Default, ShapeTable.Default)),
      Layer.provideMerge(ReadDatabase.Default)
    )
    const layer = Layer.mergeAll(reads, TrackingRepo.Default).pipe(
      Layer.provideMerge(Database.layer),
      Layer.provide([AppConfig.layer(env), Logger.minimumLogLevel(LogLevel.None)])
    )
    const context = yield* Effect.orDie(Layer.build(layer))
    const repo = Context.get(context, TrackingRepo)
    for (let at = 0; at < rows.length; at += 50) {
      const some = rows.slice(at, at + 50)
      const early = some.filter((_, place) => place % 3 === 0)
      yield* Effect.orDie(
        repo.save(
          early.map((row) => Object.assign(copyOf(row), UNKNOWN_YET)),
          []
        )
      )
      yield* Effect.orDie(repo.save(some.map(copyOf), []))
    }
    const ask = <A, E>(question: Effect.Effect<A, E>) => Effect.orDie(Effect.withClock(question, CLOCK))
    return {
      repo,
      sql: Context.get(context, SqlClient),
      stats: (query: RecordQuery.RecordQuery) => ask(Context.get(context, RecordStats).stats(query)),
      series: (query: RecordQuery.RecordQuery) => ask(Context.get(context, RecordSeries).series(query)),
      facets: (query: RecordQuery.RecordQuery) => ask(Context.get(context, RecordFacets).facets(query)),
      errors: (query: RecordQuery.RecordQuery) => ask(Context.get(context, RecordErrors).errors(query))
    }
  })

export interface Figures {
  readonly repo: TrackingRepo
  readonly sql: SqlClient
  readonly stats: (
    query: RecordQuery.RecordQuery
  ) => Effect.Effect<Effect.Effect.Success<ReturnType<RecordStats["stats"]>>>
  readonly series: (
    query: RecordQuery.RecordQuery
  ) => Effect.Effect<Effect.Effect.Success<ReturnType<RecordSeries["series"]>>>
  readonly facets: (
    query: RecordQuery.RecordQuery
  ) => Effect.Effect<Effect.Effect.Success<ReturnType<RecordFacets["facets"]>>>
  readonly errors: (
    query: RecordQuery.RecordQuery
  ) => Effect.Effect<Effect.Effect.Success<ReturnType<RecordErrors["errors"]>>>
}

/** The question an address asks. */
export const queryOf = (address: string): RecordQuery.RecordQuery =>
  Effect.runSync(RecordQuery.parse(new URLSearchParams(address), NOW))

/** Whether a row is asked for, decided from the words of the address alone. */
export const wants = (address: string, row: RequestRecord): boolean => {
  const asked = new URLSearchParams(address)
  const moment = Date.parse(row.timestamp)
  const [from, to] = rangeOf(address)
  const oneOf = (name: string, has: (value: string) => boolean) =>
    asked.getAll(name).length === 0 || asked.getAll(name).some(has)
  const text = (cell: string | null) => (value: string) => (cell ?? "(none)") === value
  const status = String(row.status_code_returned_to_client ?? "(none)")
  return (
    moment >= from &&
    moment < to &&
    oneOf("kind", (value) => value === "all" || row.kind === value) &&
    oneOf("state", text(row.state)) &&
    oneOf("endpoint", text(row.endpoint_called)) &&
    oneOf("model", text(row.model_requested_by_client)) &&
    oneOf("routed", text(row.model_routed_to_openrouter)) &&
    oneOf("provider", text(row.provider)) &&
    oneOf("key", text(row.key_id)) &&
    oneOf("source", text(row.error_source)) &&
    oneOf("ip", text(row.client_ip)) &&
    oneOf("stream", (value) => value === String(row.is_streaming === 1)) &&
    oneOf("status", (value) => value === status || value === `${status[0]}xx`) &&
    oneOf("media", (value) => (row.media_type_processed ?? "(none)").split(",").includes(value)) &&
    (row.cost_nano_usd ?? -1) >= Number(asked.get("min_cost") ?? -1) * 1e9 &&
    (row.processing_duration_ms ?? -1) >= Number(asked.get("min_ms") ?? -1)
  )
}

/** The range of an address in milliseconds. */
export const rangeOf = (address: string): readonly [from: number, to: number] => {
  const asked = new URLSearchParams(address)
  const [from, to] = [asked.get("from"), asked.get("to")]
  return [from === null ? -Infinity : Date.parse(from), to === null ? Infinity : Date.parse(to)]
}

/** Rows as they may be, about two months of them, some at the very edges of hours and days. */
export const rowsFor = (count: number, seed: number): ReadonlyArray<RequestRecord> => {
  const rows = fc.sample(anyRow, { numRuns: count, seed })
  for (const [at, row] of rows.entries()) row.internal_request_id = `req_${at.toString(16).padStart(12, "0")}`
  return rows
}

const MODELS = ["vendor/one", "vendor/two", "local:three", "four", "five", "six", "seven"]
const KEYS = [null, "env:01234567", "key_alice", "key_bob"]

/** Moments, often whole hours or days, and often of the last two days. */
export const anyMoment = fc
  .tuple(
    fc.oneof(fc.integer({ min: 0, max: 60 * 24 * 60 }), fc.integer({ min: 0, max: 48 * 60 })),
    fc.constantFrom(1, 1, 60_000, 3_600_000, 86_400_000),
    fc.integer({ min: 0, max: 59_999 })
  )
  .map(([minutes, step, millis]) => Math.floor((NOW - minutes * 60_000 - millis) / step) * step)

const anyRow = fc
  .record({
    moment: anyMoment,
    state: fc.constantFrom<Array<RequestState>>(
      "done",
      "done",
      "done",
      "failed",
      "cancelled",
      "interrupted",
      "running"
    ),
    kind: fc.constantFrom<Array<RequestKind>>("main", "main", "main", "describe", "transcribe"),
    model: fc.constantFrom(null, ...MODELS),
    routed: fc.constantFrom(null, ...MODELS),
    key: fc.constantFrom(...KEYS),
    tokens: fc.tuple(fc.integer({ min: 0, max: 9000 }), fc.integer({ min: 0, max: 900 })),
    cost: fc.option(fc.integer({ min: 0, max: 3_000_000_000 })),
    duration: fc.option(fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 3_000_000 }))),
    first: fc.option(fc.integer({ min: 0, max: 9000 })),
    media: fc.constantFrom(null, null, "image", "video", "image,video"),
    hits: fc.integer({ min: 0, max: 3 }),
    endpoint: fc.constantFrom("/v1/chat/completions", "/api/chat"),
    stream: fc.integer({ min: 0, max: 1 }),
    ip: fc.constantFrom("10.0.0.1", "10.0.0.2"),
    failure: fc.constantFrom(400, 429, 502)
  })
  .map((any): RequestRecord => {
    const isRunning = any.state === "running"
    const hasFailed = any.state === "failed"
    return {
      timestamp: new Date(any.moment).toISOString(),
      internal_request_id: "",
      endpoint_called: any.endpoint,
      client_ip: any.ip,
      model_requested_by_client: any.model,
      model_routed_to_openrouter: any.routed,
      openrouter_request_id: null,
      prompt_tokens: isRunning ? null : any.tokens[0],
      completion_tokens: isRunning ? null : any.tokens[1],
      total_tokens: isRunning ? null : any.tokens[0] + any.tokens[1],
      is_multimodal: any.media === null ? 0 : 1,
      media_type_processed: any.media,
      input_char_length: null,
      output_char_length: null,
      processing_duration_ms: isRunning ? null : any.duration,
      openrouter_latency_ms: null,
      status_code_returned_to_client: isRunning ? null : hasFailed ? any.failure : 200,
      error_source: hasFailed ? "upstream" : null,
      error_message: hasFailed ? "It failed." : null,
      is_streaming: any.stream,
      state: any.state,
      kind: any.kind,
      parent_request_id: null,
      provider: any.routed === null ? null : any.routed.includes("/") ? "openrouter" : "ollama",
      route_rule: null,
      key_id: any.key,
      cached_tokens: any.tokens[0] % 7 === 0 ? null : any.tokens[0] % 100,
      reasoning_tokens: any.tokens[1] % 5 === 0 ? null : any.tokens[1] % 10,
      cost_nano_usd: isRunning ? null : any.cost,
      cost_source: isRunning || any.cost === null ? null : any.cost % 2 === 0 ? "provider" : "estimated",
      time_to_first_token_ms: isRunning ? null : any.first,
      media_ms: null,
      cache_hits: any.media === null ? null : any.hits,
      trace_id: null,
      instance_id: "me",
      shape_id: null,
      preview: null
    }
  })

/** Addresses with a range and some filters; `more` are filters that sums know nothing of. */
export const anyAddress = (more: boolean) =>
  fc
    .record({
      times: fc.tuple(fc.option(anyMoment, { freq: 6 }), fc.option(anyMoment, { freq: 3 })),
      filters: fc.subarray(
        [
          ...["kind=all", "kind=describe", "state=done", "state=failed", "state=running", "state=cancelled"],
          ...["model=vendor%2Fone", "model=(none)", "model=four", "routed=five", "routed=(none)"],
          ...["provider=openrouter", "provider=ollama", "endpoint=%2Fapi%2Fchat", "key=key_alice"],
          ...["key=(none)", "key=env%3A01234567", "status=2xx", "status=4xx", "status=502", "status=(none)"],
          ...["source=upstream", "source=(none)", "media=image", "media=video", "media=(none)"],
          ...["stream=true", "stream=false"]
        ],
        { maxLength: 4 }
      ),
      more: more
        ? fc.subarray(["ip=10.0.0.1", "min_cost=1.5", "min_ms=1000"], { minLength: 1 })
        : fc.constant<Array<string>>([])
    })
    .map(({ filters, more, times }) => {
      const [early, late] = times
      const [from, to] = early !== null && late !== null && early > late ? [late, early] : [early, late]
      return [
        ...(from === null ? [] : [`from=${new Date(from).toISOString()}`]),
        ...(to === null ? [] : [`to=${new Date(to).toISOString()}`]),
        ...filters,
        ...more
      ].join("&")
    })

/** Saving notes the shape in the row. */
const copyOf = (row: RequestRecord): RequestRecord => ({ ...row })

/** What a row does not say while it runs. */
const UNKNOWN_YET = {
  state: "running",
  status_code_returned_to_client: null,
  processing_duration_ms: null,
  cost_nano_usd: null,
  cost_source: null
} as const

const CLOCK: Clock.Clock = Object.assign(Object.create(Clock.make()), {
  currentTimeMillis: Effect.succeed(NOW),
  unsafeCurrentTimeMillis: () => NOW
})
