import { SqlClient } from "@effect/sql/SqlClient"
import { Clock, Effect } from "effect"
import { statSync } from "node:fs"
import { AppConfig } from "../AppConfig.ts"
import { ReadDatabase } from "../tracking/ReadDatabase.ts"
import { ASKED } from "./families.ts"
import { one } from "./processGauges.ts"
import type { Collected } from "./Registry.ts"

/** How large the database is, and how far its search index is behind; asked beside the writer, and not too often. */
export const makeRecordGauges = Effect.gen(function* () {
  const { databaseFile, databaseServer, searchIndex } = yield* AppConfig
  const reader = yield* ReadDatabase
  const sql = yield* SqlClient
  let last: ReadonlyArray<Collected> = []
  let askedAt = -Infinity

  const serverBytes = Effect.map(
    reader.rows(sql<{ bytes: number }>`SELECT pg_database_size(current_database()) AS bytes`),
    ([found]) => (found === undefined ? [] : [one(ASKED.databaseBytes, found.bytes)])
  )

  const fileBytes = Effect.sync(() => [
    one(ASKED.databaseBytes, bytesOf(databaseFile) + bytesOf(`${databaseFile}-wal`))
  ])

  const behind = Effect.map(
    reader.rows(sql<{ rows: number }>`
      SELECT coalesce((SELECT max(id) FROM openrouter_requests), 0) - position
        + (SELECT count(*) FROM request_search_waiting) AS rows
      FROM request_search_state`),
    ([found]) => (found === undefined ? [] : [one(ASKED.searchBehind, Math.max(0, found.rows))])
  )

  const ask = Effect.all(
    [databaseServer === undefined ? fileBytes : serverBytes, searchIndex ? behind : Effect.succeed([])].map(
      // Who cannot be asked is left out; that the record is in trouble is told elsewhere.
      (gauge) => Effect.orElseSucceed(gauge, (): ReadonlyArray<Collected> => [])
    )
  )

  const collect = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    if (now - askedAt < PAUSE) return last
    askedAt = now
    last = (yield* ask).flat()
    return last
  })

  return { collect }
})

const bytesOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0

/** Milliseconds. */
const PAUSE = 5000
