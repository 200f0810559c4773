import { SqlClient } from "@effect/sql/SqlClient"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import { Cause, Context, Effect, Layer, Schedule } from "effect"
import { mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { migrate } from "./migrate.ts"
import { codeOf, DatabaseUnusable, isLocked, wordsOf } from "./problems.ts"

/** A file, opened and migrated; tried again while another process holds it. */
export const layer = (file: string) =>
  Layer.scoped(
    SqlClient,
    Effect.suspend(() => {
      mkdirSync(dirname(file), { recursive: true })
      return Layer.build(SqliteClient.layer({ filename: file, disableWAL: true }))
    }).pipe(
      Effect.map(Context.get(SqlClient)),
      Effect.tap((sql) => Effect.provideService(prepare, SqlClient, sql)),
      Effect.catchAllCause((cause) => Effect.fail(Cause.squash(cause))),
      Effect.retry({ schedule: WHILE_HELD, while: isLocked }),
      Effect.mapError((error) => new DatabaseUnusable({ message: problemWith(file, error) }))
    )
  )

const prepare = Effect.gen(function* () {
  const sql = yield* SqlClient
  // The driver waits on the only thread there is, so waiting for a lock is left to schedules.
  yield* sql`PRAGMA busy_timeout = 50`
  const [size] = yield* sql<{ page_count: number }>`PRAGMA page_count`
  // Only before there are tables: so a file gets smaller by and by when much is deleted.
  if (size?.page_count === 0) yield* sql`PRAGMA auto_vacuum = INCREMENTAL`
  yield* sql`PRAGMA journal_mode = WAL`
  // A checkpoint writes a page once, however often it changed since the last one.
  yield* sql`PRAGMA wal_autocheckpoint = 4000`
  // What a statement would undo is kept aside while it runs: not in a file of its own.
  yield* sql`PRAGMA temp_store = MEMORY`
  yield* migrate
})

/** Why a file cannot be used, in a sentence. */
export const problemWith = (file: string, error: unknown): string => {
  if (error instanceof DatabaseUnusable) return `The database ${file} ${error.message}.`
  const code = codeOf(error)
  if (/^SQLITE_(NOTADB|CORRUPT)/.test(code))
    return `The database ${file} is damaged or no SQLite file. Nothing was changed; restore a backup or choose another file.`
  if (isLocked(error)) return `The database ${file} is locked by another process.`
  if (/already exists/.test(wordsOf(error)))
    return `The database ${file} has tables of another program; choose another file.`
  return `The database ${file} cannot be opened (${code || String(error)}).`
}

/** Three quarters of a minute: a backup or another process's migration may take that long. */
const WHILE_HELD = Schedule.exponential("100 millis").pipe(
  Schedule.union(Schedule.spaced("1 second")),
  Schedule.jittered,
  Schedule.upTo("45 seconds")
)
