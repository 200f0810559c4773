import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { isOfShapes } from "../../../domain/record/RecordQuery.ts"
import type { RecordQuery } from "../../../domain/record/RecordQuery.ts"
import { DAY, HOUR } from "../../../domain/record/Rollup.ts"
import { spansOf } from "../../../domain/record/Spans.ts"
import type { Span } from "../../../domain/record/Spans.ts"
import { ReadDatabase } from "../ReadDatabase.ts"
import type { Found } from "../SearchIndex.ts"
import type { Approach } from "./Approach.ts"
import { between, conditionsOf, iso, numbers } from "./Conditions.ts"
import type { Picked } from "./ShapeTable.ts"

/** How many rows a question has. */
export interface Total {
  readonly items: number
  /** There are more; counting them all would take long. */
  readonly isCapped: boolean
}

/** Counts a few thousand rows one by one, and more of them by the hour, where sums know them. */
export const makeTotal = Effect.gen(function* () {
  const reader = yield* ReadDatabase
  const sql = yield* SqlClient

  const total = Effect.fnUntraced(function* (
    query: RecordQuery,
    picked: Picked,
    { high, low, way }: Approach,
    found: Found
  ) {
    if (isOfShapes(query) && picked.perhaps.length === 0)
      return { items: yield* bySums(query, picked), isCapped: false }
    // What is in no index costs a look at each row.
    const most = query.search === undefined && query.cache === undefined ? MOST : MOST_LOOKED_AT
    const isTelling = query.ips.length > 0 || query.minCost !== undefined || query.minMillis !== undefined
    const visible = !found.isAll
      ? "walk"
      : way === "branches"
        ? "shapes"
        : isTelling && way === "walk"
          ? "columns"
          : way
    const id = sql.literal(visible === "walk" ? "openrouter_requests.id" : "+openrouter_requests.id")
    const [row = { items: 0 }] = yield* reader.rows(
      sql<{ items: number }>`
        SELECT count(*) AS items FROM (SELECT 1 AS one FROM ${found.from}
          WHERE ${found.where} AND ${between(sql, id, low, high)}
          AND ${conditionsOf(sql, query, picked, visible)} LIMIT ${most + 1}) AS counted`
    )
    return { items: Math.min(row.items, most), isCapped: row.items > most }
  })

  /** Whole days and hours by their sums; what lies beside them, or is running, by rows. */
  const bySums = Effect.fnUntraced(function* (query: RecordQuery, picked: Picked) {
    const [kept] = yield* reader.rows(
      sql<{ oldest: string | null; hour: number | null }>`
        SELECT (SELECT timestamp FROM openrouter_requests ORDER BY timestamp LIMIT 1) AS oldest,
          (SELECT min(start) FROM request_rollups WHERE span = ${HOUR}) AS hour`
    )
    if (kept === undefined || kept.oldest === null) return 0
    const rows = Date.parse(kept.oldest)
    // Sums outlive their rows, which alone are listed.
    const range = { from: Math.max(query.from ?? rows, rows), to: query.to }
    const spans = spansOf(range, { rows, hours: kept.hour === null ? Infinity : kept.hour * 1000 })
    const parts = yield* reader.rows(
      sql<{ items: number | null }>`
        ${sql.join(" UNION ALL ", false)(spans.map((span) => partOf(span, query, picked)))}
        ${sql.literal(spans.length === 0 ? "" : "UNION ALL")} SELECT count(*) AS items FROM openrouter_requests
        WHERE shape_id IS NULL AND ${conditionsOf(sql, query, picked, "shapes")}`
    )
    return parts.reduce((sum, { items }) => sum + (items ?? 0), 0)
  })

  const partOf = ({ from, of, to }: Span, query: RecordQuery, picked: Picked) => {
    if (of === "rows")
      return sql`
        SELECT count(*) AS items FROM openrouter_requests WHERE shape_id IS NOT NULL
        AND ${conditionsOf(sql, { ...query, from: undefined, to: undefined }, picked, "walk")} AND ${sql.and([
          ...(Number.isFinite(from) ? [sql`timestamp >= ${iso(from)}`] : []),
          ...(Number.isFinite(to) ? [sql`timestamp < ${iso(to)}`] : [])
        ])}`
    return sql`
      SELECT sum(requests) AS items FROM request_rollups WHERE ${sql.and([
        sql`span = ${of === "days" ? DAY : HOUR}`,
        ...(Number.isFinite(from) ? [sql`start >= ${from / 1000}`] : []),
        ...(Number.isFinite(to) ? [sql`start < ${to / 1000}`] : []),
        ...(picked.all ? [] : [sql`shape_id IN (${numbers(sql, [...picked.sure, -1])})`])
      ])}`
  }

  return total
})

/** Rows that are counted one by one. */
const MOST = 10_000

const MOST_LOOKED_AT = 1000
