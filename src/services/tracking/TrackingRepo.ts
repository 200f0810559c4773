import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import type { RequestBodies, RequestRecord } from "../../domain/RequestRecord.ts"

/** The only place that knows the record's tables. */
export class TrackingRepo extends Effect.Service<TrackingRepo>()("percept/TrackingRepo", {
  effect: Effect.gen(function* () {
    const sql = yield* SqlClient

    /** Rows in whatever state they are now; a row that is known already takes its newer state. */
    const save = (rows: ReadonlyArray<RequestRecord>, bodies: ReadonlyArray<RequestBodies>) => {
      const statements = [
        ...statementsFor("openrouter_requests", rows),
        ...statementsFor("request_bodies", bodies)
      ]
      const run = ({ parameters, text }: Statement) => sql.unsafe(text, parameters)
      return sql.withTransaction(Effect.forEach(statements, run, { discard: true }))
    }

    /** Announces this process, or says that it is still there. */
    const beat = Effect.fn("TrackingRepo.beat")(function* (instance: Instance) {
      yield* sql`
        INSERT INTO instances ${sql.insert({ ...instance })}
        ON CONFLICT (id) DO UPDATE SET heartbeat_at = excluded.heartbeat_at`
    })

    const instances = Effect.fn("TrackingRepo.instances")(function* () {
      return yield* sql<Instance>`SELECT id, host, pid, process_start, heartbeat_at FROM instances`
    })

    /** What a dead process left running can never end; its rows become `interrupted`. */
    const bury = Effect.fn("TrackingRepo.bury")(function* (ids: ReadonlyArray<string>) {
      yield* sql.withTransaction(
        Effect.zipRight(
          sql`UPDATE openrouter_requests SET state = 'interrupted', error_source = 'router',
              error_message = 'The router stopped before this request ended.'
              WHERE state = 'running'
              AND (instance_id IN ${sql.in(ids)} OR instance_id NOT IN (SELECT id FROM instances))`,
          sql`DELETE FROM instances WHERE id IN ${sql.in(ids)}`
        )
      )
    })

    /** A process that leaves in order has nothing to bury. */
    const leave = Effect.fn("TrackingRepo.leave")(function* (id: string) {
      yield* sql`DELETE FROM instances WHERE id = ${id}`
    })

    return { save, beat, instances, bury, leave }
  })
}) {}

/** One process that writes rows. */
export interface Instance {
  readonly id: string
  readonly host: string
  readonly pid: number
  /** Tells two processes with the same pid apart. */
  readonly process_start: string
  readonly heartbeat_at: number
}

interface Statement {
  readonly text: string
  readonly parameters: ReadonlyArray<Cell>
}

type Cell = string | number | null

/**
 * Statements that insert these rows, or give them their newer state. They come in powers of two: few different
 * texts to build and prepare, and none with more parameters than a database takes.
 */
const statementsFor = <Row extends { readonly [Column in keyof Row]: Cell }>(
  table: string,
  rows: ReadonlyArray<Row>
): ReadonlyArray<Statement> => {
  const statements: Array<Statement> = []
  const [first] = rows
  if (first === undefined) return statements
  const columns: Array<Extract<keyof Row, string>> = []
  for (const column in first) columns.push(column)
  let from = 0
  for (let size = 32; size >= 1; size /= 2)
    for (; rows.length - from >= size; from += size) {
      const parameters: Array<Cell> = []
      for (const row of rows.slice(from, from + size))
        for (const column of columns) parameters.push(row[column])
      statements.push({ text: upsertText(table, columns, size), parameters })
    }
  return statements
}

const texts = new Map<string, string>()

const upsertText = (table: string, columns: ReadonlyArray<string>, size: number): string => {
  const name = `${table} ${size}`
  let text = texts.get(name)
  if (text === undefined) {
    const marks = `(${columns.map(() => "?").join(", ")})`
    const updates = columns
      .filter((column) => column !== "internal_request_id")
      .map((column) => `${column} = excluded.${column}`)
    text = `INSERT INTO ${table} (${columns.join(", ")}) VALUES ${Array.from({ length: size }, () => marks).join(", ")}
      ON CONFLICT (internal_request_id) DO UPDATE SET ${updates.join(", ")}`
    texts.set(name, text)
  }
  return text
}
