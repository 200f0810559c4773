import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { statSync } from "node:fs"

/** What there is in a database, and what it takes: numbers and bytes. */
export const recordReport = Effect.gen(function* () {
  const sql = yield* SqlClient
  const one = (select: string) =>
    Effect.map(sql.unsafe<{ readonly [column: string]: unknown }>(`SELECT ${select}`), ([row = {}]) => row)
  const requests = yield* one(`count(*) AS "all", min(timestamp) AS oldest, max(timestamp) AS newest
    FROM openrouter_requests`)
  const running = yield* one(`count(*) AS "all" FROM openrouter_requests WHERE state = 'running'`)
  const bodies = yield* one(`count(*) AS "all" FROM request_bodies`)
  const hours = yield* one(`count(*) AS "all", min(start) AS oldest FROM request_rollups WHERE span = 3600`)
  const days = yield* one(`count(*) AS "all", min(start) AS oldest FROM request_rollups WHERE span = 86400`)
  const media = yield* one(`(SELECT count(*) FROM media_entries) AS "all", bytes FROM media_room`)
  const { free, journal, tables, total } = yield* sql.onDialectOrElse({
    pg: () => onServer(sql),
    orElse: () => inFile(sql)
  })
  return {
    requests: {
      count: Number(requests["all"]),
      running: Number(running["all"]),
      oldest: textOf(requests["oldest"]),
      newest: textOf(requests["newest"])
    },
    texts: Number(bodies["all"]),
    sumsByHour: { count: Number(hours["all"]), oldest: dayOf(hours["oldest"]) },
    sumsByDay: { count: Number(days["all"]), oldest: dayOf(days["oldest"]) },
    media: { count: Number(media["all"]), bytes: Number(media["bytes"] ?? 0) },
    bytes: { total, free, journal },
    tables: tables
      .map(({ bytes, name }) => ({ name, bytes: Number(bytes) }))
      .toSorted((one, other) => other.bytes - one.bytes)
  }
})

const inFile = Effect.fnUntraced(function* (sql: SqlClient) {
  const [file] = yield* sql<{ total: number; free: number; file: string }>`
    SELECT page_count * page_size AS total, freelist_count * page_size AS free, file
    FROM pragma_page_count, pragma_page_size, pragma_freelist_count, pragma_database_list WHERE name = 'main'`
  const tables = yield* sql<Table>`
    SELECT m.tbl_name AS name, sum(s.pgsize) AS bytes FROM dbstat AS s
    JOIN sqlite_master AS m ON m.name = s.name WHERE s.aggregate = TRUE GROUP BY m.tbl_name`
  const journal = statSync(`${file?.file}-wal`, { throwIfNoEntry: false })?.size ?? 0
  return { total: file?.total ?? 0, free: file?.free ?? 0, journal, tables }
})

/** What is free there nobody says. */
const onServer = Effect.fnUntraced(function* (sql: SqlClient) {
  const [database] = yield* sql<{ bytes: string }>`SELECT pg_database_size(current_database()) AS bytes`
  const tables = yield* sql<Table>`
    SELECT relname AS name, pg_total_relation_size(pg_class.oid) AS bytes FROM pg_class
    WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace`
  return { total: Number(database?.bytes), free: undefined, journal: undefined, tables }
})

interface Table {
  readonly name: string
  readonly bytes: number | string
}

const textOf = (cell: unknown): string | undefined => (typeof cell === "string" ? cell : undefined)

const dayOf = (second: unknown): string | undefined =>
  second === null || second === undefined ? undefined : new Date(Number(second) * 1000).toISOString()
