import { SqlClient } from "@effect/sql/SqlClient"
import * as Migrator from "@effect/sql/Migrator"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import { Cause, Context, Data, Effect, Layer, Schedule } from "effect"
import { mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { AppConfig } from "./AppConfig.ts"
import media from "./media/migrations/0002_media.ts"
import requests from "./tracking/migrations/0001_requests.ts"

/** Why the database cannot be used, in a sentence for the operator. Nothing is ever deleted or recreated. */
export class DatabaseUnusable extends Data.TaggedError("DatabaseUnusable")<{ readonly message: string }> {}

/** In order and for ever: a released migration is never changed. */
const migrations = { "0001_requests": requests, "0002_media": media }

/** The record's database, opened and migrated; tried again while another process holds the file. */
export const layer = Layer.scoped(
  SqlClient,
  Effect.gen(function* () {
    const { databaseFile } = yield* AppConfig
    const opened = Effect.gen(function* () {
      mkdirSync(dirname(databaseFile), { recursive: true })
      const client = Layer.build(SqliteClient.layer({ filename: databaseFile, disableWAL: true }))
      const sql = yield* Effect.map(client, Context.get(SqlClient))
      yield* Effect.provideService(prepare, SqlClient, sql)
      return sql
    })
    return yield* opened.pipe(
      Effect.catchAllCause((cause) => Effect.fail(Cause.squash(cause))),
      Effect.retry(whileLocked),
      Effect.mapError((error) => new DatabaseUnusable({ message: problemWith(databaseFile, error) }))
    )
  })
)

const prepare = Effect.gen(function* () {
  const sql = yield* SqlClient
  // The driver waits on the only thread there is, so waiting for a lock is left to schedules.
  yield* sql`PRAGMA busy_timeout = 50`
  yield* sql`PRAGMA journal_mode = WAL`
  // A checkpoint writes a page once, however often it changed since the last one.
  yield* sql`PRAGMA wal_autocheckpoint = 4000`
  yield* refuseForeign(sql)
  yield* Migrator.make({})({ loader: Migrator.fromRecord(migrations) })
  // Who is beaten to the lock is told that all is done, though it is not.
  const [row] = yield* sql<{ newest: number | null }>`
    SELECT max(migration_id) AS newest FROM effect_sql_migrations`
  if ((row?.newest ?? 0) < newestKnown) return yield* new StillMigrating()
})

/** A file of a newer version, or of another program with tables of the same name, is left as it is. */
const refuseForeign = Effect.fnUntraced(function* (sql: SqlClient) {
  const tables = yield* sql<{ name: string }>`
    SELECT name FROM sqlite_master WHERE name IN ('effect_sql_migrations', 'openrouter_requests')`
  if (tables.length === 0) return
  if (!tables.some(({ name }) => name === "effect_sql_migrations"))
    return yield* new DatabaseUnusable({ message: "belongs to another program; choose another file" })
  const [row] = yield* sql<{ newest: number | null }>`
    SELECT max(migration_id) AS newest FROM effect_sql_migrations`
  if ((row?.newest ?? 0) > newestKnown)
    return yield* new DatabaseUnusable({
      message: "was written by a newer version of Percept; start that version, or choose another file"
    })
})

const newestKnown = Math.max(...Object.keys(migrations).map((name) => Number.parseInt(name, 10)))

/** For what another process holds for a moment: ten seconds of asking again. */
export const whileLocked = {
  schedule: Schedule.intersect(Schedule.jittered(Schedule.spaced("200 millis")), Schedule.recurs(50)),
  while: (error: unknown) => isLocked(error)
}

/** Whether a write may succeed later: the file is locked, the disk is full, or it cannot be reached for now. */
export const isPassing = (error: unknown): boolean =>
  /^SQLITE_(BUSY|LOCKED|FULL|IOERR|CANTOPEN|READONLY|NOMEM)/.test(codeOf(error))

class StillMigrating extends Data.TaggedError("StillMigrating")<{}> {}

const isLocked = (error: unknown) =>
  error instanceof StillMigrating || /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error))

const problemWith = (file: string, error: unknown): string => {
  if (error instanceof DatabaseUnusable) return `The database ${file} ${error.message}.`
  const code = codeOf(error)
  if (/^SQLITE_(NOTADB|CORRUPT)/.test(code))
    return `The database ${file} is damaged or no SQLite file. Nothing was changed; restore a backup or choose another file.`
  if (isLocked(error)) return `The database ${file} is locked by another process.`
  return `The database ${file} cannot be opened (${code || String(error)}).`
}

/** The driver's code, from however deep it is wrapped. */
const codeOf = (error: unknown): string => {
  if (typeof error !== "object" || error === null) return ""
  if ("code" in error && typeof error.code === "string") return error.code
  return "cause" in error ? codeOf(error.cause) : ""
}
