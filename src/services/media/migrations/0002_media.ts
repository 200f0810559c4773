import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** What is remembered of media, and what this installation keeps for itself. Long columns stand last. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient
  const binary = sql.onDialectOrElse({ pg: () => sql.literal("BYTEA"), orElse: () => sql.literal("BLOB") })
  yield* sql`
    CREATE TABLE media_entries (
      id TEXT NOT NULL PRIMARY KEY,
      bytes BIGINT NOT NULL,
      created_at BIGINT NOT NULL,
      used_at BIGINT NOT NULL,
      value TEXT NOT NULL
    )`
  yield* sql`CREATE INDEX media_entries_used_at ON media_entries (used_at, id)`
  yield* sql`
    CREATE TABLE media_blobs (
      sha256 TEXT NOT NULL,
      part INTEGER NOT NULL,
      mime TEXT NOT NULL,
      size BIGINT NOT NULL,
      bytes ${binary} NOT NULL,
      PRIMARY KEY (sha256, part)
    )`
  yield* sql`
    CREATE TABLE media_entry_blobs (
      entry TEXT NOT NULL,
      sha256 TEXT NOT NULL,
      PRIMARY KEY (entry, sha256)
    )`
  yield* sql`CREATE INDEX media_entry_blobs_sha256 ON media_entry_blobs (sha256)`
  yield* sql`
    CREATE TABLE media_links (
      key TEXT NOT NULL PRIMARY KEY,
      target TEXT NOT NULL,
      checked_at BIGINT NOT NULL,
      value TEXT NOT NULL
    )`
  yield* sql`CREATE INDEX media_links_checked_at ON media_links (checked_at, key)`
  yield* sql`CREATE TABLE media_room (bytes BIGINT NOT NULL)`
  yield* sql`INSERT INTO media_room (bytes) VALUES (0)`
  yield* sql`CREATE TABLE installation (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)`
})
