import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { isOfShapes } from "../../../domain/record/RecordQuery.ts"
import type { RecordQuery } from "../../../domain/record/RecordQuery.ts"
import { ReadDatabase } from "../ReadDatabase.ts"
import type { Found } from "../SearchIndex.ts"
import { indexFor } from "./Approach.ts"
import type { Approach } from "./Approach.ts"
import { between, conditionsOf } from "./Conditions.ts"
import { ShapeTable } from "./ShapeTable.ts"
import type { Picked } from "./ShapeTable.ts"
import { RecordSums } from "./Sums.ts"

/** How many rows a question has. */
export interface Total {
  readonly items: number
  /** There are more; counting them all would take long. */
  readonly isCapped: boolean
}

/** Counts a few thousand rows one by one, and more of them by the hour, where sums know them. */
export const makeTotal = Effect.gen(function* () {
  const reader = yield* ReadDatabase
  const shapes = yield* ShapeTable
  const sql = yield* SqlClient
  const sums = yield* RecordSums

  const total = Effect.fnUntraced(function* (
    query: RecordQuery,
    picked: Picked,
    approach: Approach,
    found: Found
  ) {
    const { counted, high, low, telling } = approach
    if (isOfShapes(query) && picked.perhaps.length === 0)
      return { items: yield* bySums(query, picked), isCapped: false }
    if (counted !== undefined) return { items: Math.min(counted, MOST), isCapped: counted > MOST }
    // What is in no index costs a look at each row.
    const most = query.search === undefined && query.cache === undefined ? MOST : MOST_LOOKED_AT
    const visible = found.isAll ? (telling ?? indexFor(approach)) : "walk"
    const id = sql.literal(visible === "walk" ? "openrouter_requests.id" : "+openrouter_requests.id")
    const [row = { items: 0 }] = yield* reader.rows(
      sql<{ items: number }>`
        SELECT count(*) AS items FROM (SELECT 1 AS one FROM ${found.from}
          WHERE ${found.where} AND ${between(sql, id, low, high)}
          AND ${conditionsOf(sql, query, picked, visible)} LIMIT ${most + 1}) AS counted`
    )
    return { items: Math.min(row.items, most), isCapped: row.items > most }
  })

  /** Whole days and hours by their sums, where sums outlive their rows; what is running by rows. */
  const bySums = Effect.fnUntraced(function* (query: RecordQuery, picked: Picked) {
    const { rows } = yield* sums.kept()
    const listed = { ...query, from: Math.max(query.from ?? rows, rows) }
    const sourcesOf = yield* sums.sourcesFor(listed, yield* shapes.all())
    const [finished = 0] = Number.isFinite(rows)
      ? yield* Effect.flatMap(sourcesOf(picked), (sources) => sums.inAll(sources, ["requests"]))
      : []
    const [running] = yield* reader.rows(
      sql<{ items: number }>`
        SELECT count(*) AS items FROM openrouter_requests
        WHERE shape_id IS NULL AND ${conditionsOf(sql, query, { ...picked, sure: [], perhaps: [] }, "shapes")}`
    )
    return finished + (running?.items ?? 0)
  })

  return total
})

/** Rows that are counted one by one. */
const MOST = 10_000

const MOST_LOOKED_AT = 1000
