import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import type { Trace } from "../../domain/record/Sighting.ts"
import type { RequestBodies, RequestRecord, RequestState } from "../../domain/RequestRecord.ts"
import { ROLLUP_COLUMNS, rollupsOf } from "../../domain/record/Rollup.ts"
import { codeOf } from "../database/problems.ts"
import { inTransaction } from "../database/transaction.ts"
import type { Cell, Run } from "../database/transaction.ts"
import { makeCharges } from "./charges.ts"
import { makeLateFigures } from "./completeRow.ts"
import { makeShapes } from "./Shapes.ts"
import { makeTraces } from "./traces.ts"
import { adding, makeUpsert, replacing } from "./upsert.ts"
import { withNumbers } from "./withNumbers.ts"

/** The only place that writes the record's tables. */
export class TrackingRepo extends Effect.Service<TrackingRepo>()("percept/TrackingRepo", {
  effect: Effect.gen(function* () {
    const sql = yield* SqlClient
    const shapes = makeShapes(sql)
    // The clocks of two hosts may differ; all of them go by the database's.
    const now = sql.literal(
      sql.onDialectOrElse({
        pg: () => "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
        orElse: () => "CAST(round(unixepoch('subsec') * 1000) AS INTEGER)"
      })
    )
    const putRows = makeUpsert(sql, {
      table: ROWS,
      columns: ROW_COLUMNS,
      key: ["internal_request_id"],
      // A final state is final, whoever wrote it.
      update: `${replacing(ROW_COLUMNS.slice(1))} WHERE ${ROWS}.state = 'running'`,
      returning: "internal_request_id"
    })
    const putBodies = makeUpsert(sql, {
      table: "request_bodies",
      columns: BODY_COLUMNS,
      key: ["internal_request_id"],
      update: replacing(BODY_COLUMNS.slice(1))
    })
    const addRollups = makeUpsert(sql, {
      table: "request_rollups",
      columns: ["span", "start", "shape_id", ...ROLLUP_COLUMNS],
      key: ["span", "start", "shape_id"],
      update: adding("request_rollups", ROLLUP_COLUMNS)
    })
    const charges = makeCharges(sql)
    const putTraces = makeTraces(sql)
    const late = yield* makeLateFigures({ sql, charges, shapes, addRollups, columns: ROW_COLUMNS })

    /**
     * Rows in whatever state they are now; a row that is known already takes its newer state. Who is finished is
     * counted in the same transaction, once, however often it is sent.
     */
    const save = (
      rows: ReadonlyArray<RequestRecord>,
      bodies: ReadonlyArray<RequestBodies>,
      traces: ReadonlyArray<Trace> = []
    ) =>
      Effect.map(
        Effect.tapError(
          inTransaction(sql, (run) => write(run, lastOf(rows), lastOf(bodies), traces)),
          (error) => lookAgain(sql, error)
        ),
        (learned) => {
          shapes.remember(learned)
          late.note(rows)
        }
      )

    const write = Effect.fnUntraced(function* (
      run: Run,
      given: ReadonlyArray<RequestRecord>,
      bodies: ReadonlyArray<RequestBodies>,
      traces: ReadonlyArray<Trace>
    ) {
      // As they are now: a request may end while this waits for the database, and must not count as half of both.
      const rows = given.map(copyOf)
      const finished = rows.filter(({ state }) => state !== "running")
      const { learned, numbers } = yield* shapes.numbersOf(run, finished)
      for (const [at, row] of finished.entries()) row.shape_id = numbers[at] ?? null
      const taken = yield* putRows(run, cellsOf(rows, ROW_COLUMNS))
      yield* putBodies(run, cellsOf(bodies, BODY_COLUMNS))
      const isTaken = new Set(taken.map((row) => row["internal_request_id"]))
      yield* putTraces(
        run,
        traces.filter((trace) => isTaken.has(trace.internal_request_id))
      )
      // Last, for other processes wait for these until the end of the transaction.
      yield* count(run, finished, isTaken)
      yield* charges.charge(
        run,
        finished.filter((row) => isTaken.has(row.internal_request_id))
      )
      return learned
    })

    const count = (run: Run, finished: ReadonlyArray<RequestRecord>, taken: ReadonlySet<unknown>) => {
      const counted = finished.flatMap((row) =>
        row.shape_id === null || !taken.has(row.internal_request_id) ? [] : [{ row, shape: row.shape_id }]
      )
      return addRollups(
        run,
        rollupsOf(counted).map(({ counts, shape, span, start }) => [span, start, shape].concat(counts))
      )
    }

    /** Announces this process, or says that it is still there. */
    const beat = Effect.fn("TrackingRepo.beat")(function* (instance: Instance) {
      const { host, id, pid, process_start } = instance
      yield* sql`
        INSERT INTO instances (id, host, pid, process_start, heartbeat_at)
        VALUES (${id}, ${host}, ${pid}, ${process_start}, ${now})
        ON CONFLICT (id) DO UPDATE SET heartbeat_at = excluded.heartbeat_at`
    })

    /** Every process that announced itself. */
    const instances = Effect.fn("TrackingRepo.instances")(function* () {
      const found = yield* sql<Instance & Silence>`
        SELECT id, host, pid, process_start, ${now} - heartbeat_at AS silent_ms FROM instances`
      return found.map(({ host, id, pid, process_start, silent_ms }) => ({
        host,
        id,
        pid,
        process_start,
        silent_ms: Number(silent_ms)
      }))
    })

    /** What a dead process left running can never end; its rows become `interrupted`, and are counted as that. */
    const bury = Effect.fn("TrackingRepo.bury")(function* (ids: ReadonlyArray<string>) {
      const orphaned = sql`instance_id NOT IN (SELECT id FROM instances)`
      const theirs = ids.length === 0 ? orphaned : sql.or([orphaned, sql.in("instance_id", ids)])
      while (true) {
        const dead = yield* sql<RequestRecord>`
          SELECT ${sql.literal(ROW_COLUMNS.join(", "))} FROM openrouter_requests
          WHERE state = 'running' AND ${theirs} LIMIT ${BURIED_AT_ONCE}`
        yield* save(dead.map(interrupted), [])
        if (dead.length < BURIED_AT_ONCE) break
      }
      if (ids.length > 0) yield* sql`DELETE FROM instances WHERE ${sql.in("id", ids)}`
      yield* inTransaction(sql, charges.releaseDead)
    })

    /** A process that leaves in order has nothing to bury. */
    const leave = Effect.fn("TrackingRepo.leave")(function* (id: string) {
      yield* sql`DELETE FROM instances WHERE id = ${id}`
    })

    const { complete, note, owedBetween, owing } = late
    return { save, complete, note, owedBetween, owing, beat, instances, bury, leave }
  })
}) {}

/** One process that writes rows. */
export interface Instance {
  readonly id: string
  readonly host: string
  readonly pid: number
  /** Tells two processes with the same pid apart. */
  readonly process_start: string
}

/** How long ago a process last said that it is there. */
export interface Silence {
  readonly silent_ms: number
}

const copyOf = (row: RequestRecord): RequestRecord => ({ ...row })

const interrupted = (row: RequestRecord): RequestRecord => ({
  ...withNumbers(row),
  state: "interrupted",
  error_source: "router",
  error_message: "The router stopped before this request ended."
})

const cellsOf = <Column extends string>(
  rows: ReadonlyArray<{ readonly [Name in Column]: Cell }>,
  columns: ReadonlyArray<Column>
): ReadonlyArray<ReadonlyArray<Cell>> => rows.map((row) => columns.map((column) => row[column]))

/** One of each id: the first that is final, else the last. */
const lastOf = <Row extends { readonly internal_request_id: string; readonly state?: RequestState }>(
  rows: ReadonlyArray<Row>
): ReadonlyArray<Row> => {
  const last = new Map<string, Row>()
  for (const row of rows) {
    const { state = "running" } = last.get(row.internal_request_id) ?? row
    if (state === "running" || !last.has(row.internal_request_id)) last.set(row.internal_request_id, row)
  }
  return last.size === rows.length ? rows : Array.from(last.values())
}

/** A file that was found damaged may be mended by now: what is remembered of it must not be trusted. */
const lookAgain = (sql: SqlClient, error: unknown) =>
  /^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(error)) ? Effect.ignore(sql`PRAGMA shrink_memory`) : Effect.void

const ROWS = "openrouter_requests"
const BURIED_AT_ONCE = 500

const BODY_COLUMNS = ["internal_request_id", "request_body", "response_body"] as const
const ROW_COLUMNS = [
  "internal_request_id",
  "timestamp",
  "endpoint_called",
  "client_ip",
  "model_requested_by_client",
  "model_routed_to_openrouter",
  "openrouter_request_id",
  "prompt_tokens",
  "completion_tokens",
  "total_tokens",
  "is_multimodal",
  "media_type_processed",
  "input_char_length",
  "output_char_length",
  "processing_duration_ms",
  "openrouter_latency_ms",
  "status_code_returned_to_client",
  "error_source",
  "error_message",
  "is_streaming",
  "state",
  "kind",
  "parent_request_id",
  "provider",
  "route_rule",
  "key_id",
  "cached_tokens",
  "reasoning_tokens",
  "cost_nano_usd",
  "cost_source",
  "time_to_first_token_ms",
  "media_ms",
  "cache_hits",
  "trace_id",
  "instance_id",
  "shape_id",
  "preview"
] as const
