import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"

/** Writes statements for SQLite where they run elsewhere. */
export const layer = SqliteClient.layer({ filename: ":memory:", disableWAL: true })
