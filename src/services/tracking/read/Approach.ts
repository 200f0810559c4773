import { SqlClient } from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"
import { Effect } from "effect"
import type { RecordQuery } from "../../../domain/record/RecordQuery.ts"
import type { SortColumn } from "../../../domain/record/SortColumns.ts"
import { ReadDatabase } from "../ReadDatabase.ts"
import { iso } from "./Conditions.ts"
import type { Way } from "./Conditions.ts"
import type { Picked } from "./ShapeTable.ts"

/** How the rows of a question are best come by. */
export interface Approach {
  /** `branches` reads the newest rows of each shape. */
  readonly way: Way | "branches"
  /** Numbers between which all rows of the range lie, so that no walk goes on behind them. */
  readonly low: number
  readonly high: number
}

/**
 * Chooses by estimates, in microseconds: a walk finds common rows at once and rare ones never; gathering is the
 * other way round. Undefined where no row can be in the range.
 */
export const makeApproach = Effect.gen(function* () {
  const reader = yield* ReadDatabase
  const sql = yield* SqlClient

  const approach = Effect.fnUntraced(function* (query: RecordQuery, picked: Picked, wanted: number) {
    const bounds = yield* boundsOf(query)
    if (bounds === undefined) return undefined
    const { share, ...between } = bounds
    const found = yield* probe(query)
    const rows = Math.max(1, picked.rowsOfAll)
    const some = (picked.all ? rows : Math.min(rows, picked.rows)) * share
    const shapes = picked.sure.length + picked.perhaps.length
    const rarity = Math.min(1, (found ?? rows) / rows)
    const isOrdered = query.sort === "id"
    const isLookedAt = found !== undefined || query.cache !== undefined || !isOrdered
    const walked = isOrdered
      ? (wanted * 2 * rows * share) / Math.max(some * rarity, 0.01)
      : INDEXED.has(query.sort)
        ? (wanted * 0.4 * rows) / Math.max(some * rarity, 0.01)
        : rows * share * 1.2
    const costs: ReadonlyArray<readonly [Approach["way"], number]> = [
      ["walk", walked],
      ["shapes", picked.all ? Infinity : some * (isLookedAt ? 3 : 0.6) + shapes * 3],
      [
        "columns",
        found === undefined || found >= PROBED
          ? Infinity
          : found * (isOrdered && query.ips.length === 0 ? 0.4 : 3)
      ],
      [
        "branches",
        picked.all || isLookedAt || shapes > MOST_BRANCHES ? Infinity : (shapes + 1) * (12 + wanted * 0.3)
      ]
    ]
    const [way] = costs.reduce((best, next) => (next[1] < best[1] ? next : best))
    return { way, ...between } satisfies Approach
  })

  /** How many rows the most telling column leaves; undefined where none is asked about. */
  const probe = Effect.fnUntraced(function* (query: RecordQuery) {
    const conditions: ReadonlyArray<Fragment> = [
      ...(query.ips.length === 0 ? [] : [sql`client_ip IN ${sql.in(query.ips)}`]),
      ...(query.minCost === undefined ? [] : [sql`cost_nano_usd >= ${query.minCost}`]),
      ...(query.minMillis === undefined ? [] : [sql`processing_duration_ms >= ${query.minMillis}`])
    ]
    if (conditions.length === 0) return undefined
    const counts = yield* Effect.forEach(conditions, (condition) =>
      reader.rows(
        sql<{ found: number }>`
          SELECT count(*) AS found
          FROM (SELECT 1 AS one FROM openrouter_requests WHERE ${condition} LIMIT ${PROBED}) AS counted`
      )
    )
    return Math.min(...counts.flat().map(({ found }) => found))
  })

  /**
   * Rows come nearly in the order of their times: the lowest number among the first few of a range is below all of
   * its others.
   */
  const boundsOf = Effect.fnUntraced(function* ({ from, to }: RecordQuery) {
    if (from === undefined && to === undefined) return { low: 0, high: Number.MAX_SAFE_INTEGER, share: 1 }
    const first =
      from === undefined
        ? sql`SELECT min(id) FROM openrouter_requests`
        : sql`SELECT min(id) FROM (
        SELECT id FROM openrouter_requests WHERE timestamp >= ${iso(from)}
        ORDER BY timestamp LIMIT ${NEAR}) AS early`
    const last =
      to === undefined
        ? sql`SELECT max(id) FROM openrouter_requests`
        : sql`SELECT max(id) FROM (
        SELECT id FROM openrouter_requests WHERE timestamp < ${iso(to)}
        ORDER BY timestamp DESC LIMIT ${NEAR}) AS late`
    const [row] = yield* reader.rows(
      sql<{ low: number | null; high: number | null; first: number | null; last: number | null }>`
        SELECT (${first}) AS low, (${last}) AS high,
          (SELECT min(id) FROM openrouter_requests) AS first, (SELECT max(id) FROM openrouter_requests) AS last`
    )
    if (row === undefined || row.low === null || row.high === null) return undefined
    const { high, low } = row
    const share = (high - low + 1) / Math.max(1, (row.last ?? high) - (row.first ?? low) + 1)
    // Rows that arrive meanwhile are in a range without an end.
    return {
      low,
      high: to === undefined ? Number.MAX_SAFE_INTEGER : high,
      share: Math.min(1, Math.max(share, 0))
    }
  })

  return approach
})

/** Columns whose order an index has, with the shapes in it. */
export const INDEXED: ReadonlySet<SortColumn> = new Set(["cost_nano_usd", "processing_duration_ms"])

/** Rows counted at most to see how rare they are. */
const PROBED = 60_000

/** Parts that a statement may have; SQLite takes 500. */
const MOST_BRANCHES = 300

const NEAR = 500
