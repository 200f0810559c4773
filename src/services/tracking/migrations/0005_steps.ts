import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** How a request came about, which media it had, and what the memory of media holds, one row for each medium. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient
  const isPostgres = sql.onDialectOrElse({ pg: () => true, orElse: () => false })
  const integer = sql.literal(isPostgres ? "BIGINT" : "INTEGER")
  const seconds = sql.literal(isPostgres ? "DOUBLE PRECISION" : "REAL")
  const withoutRowId = sql.literal(isPostgres ? "" : "WITHOUT ROWID")
  yield* sql`
    CREATE TABLE request_steps (internal_request_id TEXT NOT NULL PRIMARY KEY, steps TEXT NOT NULL)`
  yield* sql`
    CREATE TABLE request_media (
      internal_request_id TEXT NOT NULL,
      place INTEGER NOT NULL,
      kind TEXT NOT NULL,
      param TEXT NOT NULL,
      entry TEXT,
      remembered INTEGER NOT NULL,
      ms ${integer} NOT NULL,
      shown TEXT NOT NULL,
      failure TEXT,
      label TEXT NOT NULL,
      PRIMARY KEY (internal_request_id, place)
    ) ${withoutRowId}`
  yield* sql`
    CREATE INDEX request_media_entry ON request_media (entry, internal_request_id, remembered, ms)
    WHERE entry IS NOT NULL`

  // Several entries may be of one medium; null where that has not been found out yet.
  yield* sql`ALTER TABLE media_entries ADD COLUMN medium TEXT`
  yield* sql`CREATE INDEX media_entries_medium ON media_entries (medium, bytes)`
  yield* sql`
    CREATE TABLE media_items (
      id TEXT NOT NULL PRIMARY KEY,
      kind TEXT NOT NULL,
      created_at ${integer} NOT NULL,
      used_at ${integer} NOT NULL,
      duration ${seconds},
      width INTEGER,
      height INTEGER,
      cover TEXT,
      site TEXT,
      title TEXT,
      coverage TEXT,
      words TEXT
    )`
  yield* sql`CREATE INDEX media_items_used_at ON media_items (used_at, id)`
  yield* sql`CREATE INDEX media_links_target ON media_links (target)`
})
