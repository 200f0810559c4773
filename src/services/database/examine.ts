import { SqlClient } from "@effect/sql/SqlClient"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import { Cause, Effect } from "effect"
import type { Redacted } from "effect"
import { statSync } from "node:fs"
import * as Postgres from "./Postgres.ts"
import { DatabaseUnusable } from "./problems.ts"
import * as Sqlite from "./Sqlite.ts"

/** What a database is. */
export interface DatabaseFacts {
  readonly kind: "SQLite" | "PostgreSQL"
  readonly version: string
  /** The file, or the server's host and database. */
  readonly place: string
  /** Bytes; undefined where there is none yet. */
  readonly size: number | undefined
}

/** Asks a file what it is. Nothing is made or changed. */
export const examineFile = (file: string): Effect.Effect<DatabaseFacts, DatabaseUnusable> =>
  Effect.gen(function* () {
    const found = statSync(file, { throwIfNoEntry: false })
    const filename = found === undefined ? ":memory:" : file
    const opened = SqliteClient.layer({ filename, readonly: found !== undefined, disableWAL: true })
    const [row] = yield* Effect.gen(function* () {
      const sql = yield* SqlClient
      // A file is looked into no sooner than it is asked for something of its own.
      yield* sql`SELECT name FROM sqlite_master LIMIT 1`
      return yield* sql<{ version: string }>`SELECT sqlite_version() AS version`
    }).pipe(Effect.provide(opened))
    const version = row?.version ?? "unknown"
    return { kind: "SQLite", version, place: file, size: found?.size } satisfies DatabaseFacts
  }).pipe(
    Effect.catchAllCause((cause) =>
      Effect.fail(new DatabaseUnusable({ message: Sqlite.problemWith(file, Cause.squash(cause)) }))
    )
  )

/** Asks a server the same. */
export const examineServer = (url: Redacted.Redacted): Effect.Effect<DatabaseFacts, DatabaseUnusable> =>
  Effect.gen(function* () {
    const sql = yield* Postgres.connect(url)
    const [row] = yield* sql<{ version: string; size: string }>`
      SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS size`
    return {
      kind: "PostgreSQL",
      version: row?.version ?? "unknown",
      place: Postgres.placeOf(url),
      size: row && Number(row.size)
    } satisfies DatabaseFacts
  }).pipe(
    Effect.scoped,
    Effect.timeoutFail({ duration: "10 seconds", onTimeout: () => ({ code: "ETIMEDOUT" }) }),
    Effect.catchAllCause((cause) =>
      Effect.fail(new DatabaseUnusable({ message: Postgres.problemWith(url, Cause.squash(cause)) }))
    )
  )
