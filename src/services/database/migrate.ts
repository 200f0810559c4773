import * as Migrator from "@effect/sql/Migrator"
import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import media from "../media/migrations/0002_media.ts"
import requests from "../tracking/migrations/0001_requests.ts"
import statistics from "../tracking/migrations/0003_statistics.ts"
import search from "../tracking/migrations/0004_search.ts"
import steps from "../tracking/migrations/0005_steps.ts"
import orders from "../tracking/migrations/0006_orders.ts"
import { DatabaseUnusable, StillMigrating } from "./problems.ts"
import { inTransaction } from "./transaction.ts"

/** In order and for ever: a released migration is never changed. */
const migrations = {
  "0001_requests": requests,
  "0002_media": media,
  "0003_statistics": statistics,
  "0004_search": search,
  "0005_steps": steps,
  "0006_orders": orders
}

const names = Object.keys(migrations)
const newestKnown = Math.max(...names.map((name) => Number.parseInt(name, 10)))

/** Brings the database's tables up to date, unless they are another program's or a newer version's. */
export const migrate = Effect.gen(function* () {
  const sql = yield* SqlClient
  const bringUpToDate = Effect.zipRight(
    refuseForeign(sql),
    Migrator.make({})({ loader: Migrator.fromRecord(migrations) })
  )
  yield* sql.onDialectOrElse({
    pg: () => inTurn(sql, bringUpToDate),
    orElse: () => bringUpToDate
  })
  // Who is beaten to the lock of a file is told that all is done, though it is not.
  if ((yield* newestIn(sql)) < newestKnown) return yield* new StillMigrating()
})

/** Processes that start at once on one server wait for each other, and each migrates wholly or not at all. */
const inTurn = <A, E, R>(sql: SqlClient, bringUpToDate: Effect.Effect<A, E, R>) =>
  inTransaction(sql, (run) =>
    run("SELECT pg_advisory_xact_lock(hashtext('percept'))").pipe(
      Effect.zipRight(refuseForeign(sql)),
      // The migrator would find out by an error whether it is there, and an error ends a transaction.
      Effect.zipRight(
        run(`CREATE TABLE IF NOT EXISTS effect_sql_migrations (
          migration_id INTEGER PRIMARY KEY,
          created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
          name TEXT NOT NULL)`)
      ),
      Effect.zipRight(bringUpToDate)
    )
  )

const refuseForeign = Effect.fnUntraced(function* (sql: SqlClient) {
  const tables = yield* sql.onDialectOrElse({
    pg: () => sql<{ name: string }>`
      SELECT table_name AS name FROM information_schema.tables
      WHERE table_schema = current_schema() AND table_name IN ('effect_sql_migrations', 'openrouter_requests')`,
    orElse: () => sql<{ name: string }>`
      SELECT name FROM sqlite_master WHERE name IN ('effect_sql_migrations', 'openrouter_requests')`
  })
  if (tables.length === 0) return
  if (!tables.some(({ name }) => name === "effect_sql_migrations")) return yield* belongsToAnother
  const applied = yield* sql<{ id: number; name: string }>`
    SELECT migration_id AS id, name FROM effect_sql_migrations ORDER BY migration_id`
  const known = names.map((name) => /^0*(\d+)_(.+)$/.exec(name))
  if (applied.some(({ id, name }) => known.some((ours) => Number(ours?.[1]) === id && ours?.[2] !== name)))
    return yield* belongsToAnother
  if (applied.some(({ id }) => id > newestKnown))
    return yield* new DatabaseUnusable({
      message: "was written by a newer version of Percept; start that version, or choose another one"
    })
})

const belongsToAnother = new DatabaseUnusable({
  message: "belongs to another program; choose another one"
})

const newestIn = (sql: SqlClient) =>
  Effect.map(
    sql<{ newest: number | null }>`SELECT max(migration_id) AS newest FROM effect_sql_migrations`,
    ([row]) => row?.newest ?? 0
  )
