import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import type { RequestBodies, RequestRecord } from "../../domain/RequestRecord.ts"

/** The only place that knows the record's tables. */
export class TrackingRepo extends Effect.Service<TrackingRepo>()("percept/TrackingRepo", {
  effect: Effect.gen(function* () {
    const sql = yield* SqlClient

    /** Rows in whatever state they are now; a row that is known already takes its newer state. */
    const save = Effect.fn("TrackingRepo.save")(function* (
      rows: ReadonlyArray<RequestRecord>,
      bodies: ReadonlyArray<RequestBodies>
    ) {
      const saveRows = Effect.forEach(chunksOf(rows), (some) => saveSome("openrouter_requests", some), {
        discard: true
      })
      const saveBodies = Effect.forEach(chunksOf(bodies), (some) => saveSome("request_bodies", some), {
        discard: true
      })
      yield* sql.withTransaction(Effect.zipRight(saveRows, saveBodies))
    })

    const saveSome = (table: string, rows: ReadonlyArray<object>) => {
      const columns = Object.keys(rows[0] ?? {})
      const updates = columns.filter((column) => column !== "internal_request_id")
      const assignments = updates.map((column) => `${column} = excluded.${column}`).join(", ")
      return sql`
        INSERT INTO ${sql(table)} ${sql.insert(rows as ReadonlyArray<Record<string, string | number | null>>)}
        ON CONFLICT (internal_request_id) DO UPDATE SET ${sql.literal(assignments)}`
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
      if (ids.length === 0) return
      yield* sql.withTransaction(
        Effect.zipRight(
          sql`UPDATE openrouter_requests SET state = 'interrupted', error_source = 'router',
              error_message = 'The router stopped before this request ended.'
              WHERE state = 'running' AND instance_id IN ${sql.in(ids)}`,
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

/** Enough rows for one statement: a database takes only so many parameters at once. */
const chunksOf = <A>(items: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(items.length / 100) }, (_, index) =>
    items.slice(index * 100, index * 100 + 100)
  )
