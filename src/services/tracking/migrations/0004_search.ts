import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** What rows say, to be searched; filled by and by, so that there is a place up to which it is. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient
  yield* sql.onDialectOrElse({ pg: () => postgres(sql), orElse: () => sqlite(sql) })
  const integer = sql.onDialectOrElse({
    pg: () => sql.literal("BIGINT"),
    orElse: () => sql.literal("INTEGER")
  })
  yield* sql`
    CREATE TABLE request_search_state (position ${integer} NOT NULL, removed ${integer} NOT NULL)`
  yield* sql`INSERT INTO request_search_state (position, removed) VALUES (0, 0)`
  // Rows behind that place that were still running when it passed them.
  yield* sql`CREATE TABLE request_search_waiting (row_id ${integer} NOT NULL PRIMARY KEY)`
})

/** The index alone, without the texts: they are in the bodies. */
const sqlite = (sql: SqlClient) => sql`
  CREATE VIRTUAL TABLE request_search USING fts5 (
    document, content = '', contentless_delete = 1, tokenize = 'trigram'
  )`

/** Servers without the extension search as well, only slower. */
const postgres = Effect.fnUntraced(function* (sql: SqlClient) {
  yield* sql`CREATE TABLE request_search (row_id BIGINT NOT NULL PRIMARY KEY, document TEXT NOT NULL)`
  yield* sql.unsafe(`
    DO $$ BEGIN
      CREATE EXTENSION IF NOT EXISTS pg_trgm;
      CREATE INDEX request_search_document ON request_search USING gin (document gin_trgm_ops);
    EXCEPTION WHEN OTHERS THEN NULL;
    END $$`)
})
