import { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import { statSync } from "node:fs"
import { inTransaction } from "../database/transaction.ts"

/** How much too large the record is, and how to make what was freed another's to use. */
export interface RecordSize {
  /** The number up to which rows have to go for the record to fit; undefined where it fits. */
  readonly tooLarge: (limit: number) => Effect.Effect<number | undefined, SqlError>
  /** Gives back a little of what is free; whether there is more to give. */
  readonly giveBack: Effect.Effect<boolean, SqlError>
  /** After a pass that has deleted much. */
  readonly settle: Effect.Effect<unknown, SqlError>
}

/** The room that a record takes in a file or on a server; the memory of media has its own limit. */
export const makeRecordSize = Effect.map(SqlClient, (sql) =>
  sql.onDialectOrElse({ pg: () => onServer(sql), orElse: () => inFile(sql) })
)

/** Free pages are used again, so they do not count; a long journal counts little, for deleting only lengthens it. */
const inFile = (sql: SqlClient): RecordSize => {
  const pages = Effect.map(
    sql<Pages>`
      SELECT page_count AS pages, page_size AS size, freelist_count AS free, auto_vacuum AS vacuum, file
      FROM pragma_page_count, pragma_page_size, pragma_freelist_count, pragma_auto_vacuum, pragma_database_list
      WHERE name = 'main'`,
    ([found = NO_PAGES]) => found
  )

  const tooLarge = Effect.fnUntraced(function* (limit: number) {
    const { file, free, pages: all, size } = yield* pages
    const [media] = yield* sql<{ bytes: number }>`SELECT bytes FROM media_room`
    const journal = Math.min(bytesOf(`${file}-wal`), limit / 8)
    const taken = (all - free) * size - (media?.bytes ?? 0) + journal
    if (taken <= limit) return undefined
    const rows = yield* numbersOf(sql)
    // Not all that a row takes is free at once, so it is measured again before more have to go.
    return rows && rows.first + Math.ceil((rows.last - rows.first) * Math.min(1 - limit / taken + MARGIN, 1))
  })

  const giveBack = Effect.gen(function* () {
    const { free, pages: all, vacuum } = yield* pages
    if (vacuum !== INCREMENTAL || free < Math.max(all / 10, LITTLE)) return false
    // The driver takes one step of a statement without rows, and that is one page.
    yield* inTransaction(sql, (run) =>
      Effect.replicateEffect(run("PRAGMA incremental_vacuum(1)"), GIVEN_BACK)
    )
    return true
  })

  return { tooLarge, giveBack, settle: Effect.void }
}

/**
 * A server gives nothing back and does not say what is free, but uses it again. So while the tables grow they are
 * full, and it is known what a row takes; afterwards rows are counted.
 */
const onServer = (sql: SqlClient): RecordSize => {
  const tooLarge = Effect.fnUntraced(function* (limit: number) {
    const rows = yield* numbersOf(sql)
    const [found] = yield* sql<{ bytes: string | null }>`
      SELECT sum(pg_total_relation_size(to_regclass(name))) AS bytes
      FROM unnest(ARRAY[${sql.literal(TABLES.map((name) => `'${name}'`).join(", "))}]) AS name`
    if (rows === undefined || found === undefined) return undefined
    const bytes = Number(found.bytes)
    const [kept] = yield* sql<{ value: string }>`SELECT value FROM installation WHERE name = ${MEASURE}`
    const [most = 0, known = 0] = (kept?.value ?? "").split(" ").map(Number)
    const isFull = bytes > most || bytes < most * 0.9
    const count = rows.last - rows.first + 1
    const ofRow = isFull ? bytes / count : known
    if (isFull)
      yield* sql`
        INSERT INTO installation (name, value) VALUES (${MEASURE}, ${`${bytes} ${ofRow}`})
        ON CONFLICT (name) DO UPDATE SET value = excluded.value`
    return bytes > limit && count * ofRow > limit
      ? rows.last - Math.floor((limit * (1 - MARGIN)) / ofRow)
      : undefined
  })

  const settle = Effect.forEach(TABLES.slice(0, 2), (table) => sql.unsafe(`VACUUM ${table}`), {
    discard: true
  })

  return { tooLarge, giveBack: Effect.succeed(false), settle }
}

/** The first and the last number of a row. */
const numbersOf = (sql: SqlClient) =>
  Effect.map(
    sql<{ first: number | string | null; last: number | string | null }>`
      SELECT (SELECT min(id) FROM openrouter_requests) AS first, (SELECT max(id) FROM openrouter_requests) AS last`,
    ([found]) =>
      found === undefined || found.first === null
        ? undefined
        : { first: Number(found.first), last: Number(found.last) }
  )

interface Pages {
  readonly pages: number
  readonly size: number
  readonly free: number
  readonly vacuum: number
  readonly file: string
}

const bytesOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0

const TABLES = ["openrouter_requests", "request_bodies", "request_search", "request_media", "request_steps"]
const MEASURE = "record_size"
const NO_PAGES: Pages = { pages: 0, size: 0, free: 0, vacuum: 0, file: "" }

/** What the file's `auto_vacuum` says where it can be made smaller by and by. */
const INCREMENTAL = 2

/** Pages that may stay free. */
const LITTLE = 256

/** Pages at once; each is moved from the end of the file. */
const GIVEN_BACK = 100

/** A little more goes than must, so that it is not done for every row. */
const MARGIN = 0.05
