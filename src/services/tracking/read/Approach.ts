import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import type { RecordQuery } from "../../../domain/record/RecordQuery.ts"
import type { SortColumn } from "../../../domain/record/SortColumns.ts"
import { ReadDatabase } from "../ReadDatabase.ts"
import { conditionsOf, iso } from "./Conditions.ts"
import type { Way } from "./Conditions.ts"
import type { Picked } from "./ShapeTable.ts"

/** How the rows of a question are best come by. */
export interface Approach {
  /** `branches` reads the newest rows of each shape, `extremes` those of the shapes whose first rows come first. */
  readonly way: Way | "branches" | "extremes"
  /** The index of the column that leaves the fewest rows; undefined where none is asked about. */
  readonly telling: Telling | undefined
  /** Numbers between which all rows of the range lie, so that no walk goes on behind them. */
  readonly low: number
  readonly high: number
  /** How many rows there are, where that came out on the way; no more than are counted anyhow. */
  readonly counted: number | undefined
}

type Telling = "ip" | "cost" | "millis"

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
    const probed = yield* probe(query, picked)
    const rows = Math.max(1, picked.rowsOfAll)
    const ofShapes = picked.all ? rows : Math.min(rows, picked.rows)
    const shapes = picked.sure.length + picked.perhaps.length
    const found = probed === undefined ? ofShapes : Math.min(probed.found, ofShapes)
    const among = probed?.telling === "ip" ? rows : ofShapes
    const rarity = Math.min(1, Math.max(found, 0.01) / Math.max(among, 1))
    const isOrdered = query.sort === "id"
    const isLookedAt = probed !== undefined || query.cache !== undefined
    const costs: ReadonlyArray<readonly [Approach["way"], number]> = [
      ["walk", isOrdered ? (wanted * 2 * rows) / Math.max(ofShapes * rarity, 0.01) : rows * share * 0.8],
      [
        "shapes",
        picked.all ? Infinity : ofShapes * share * (isLookedAt || !isOrdered ? 3 : 0.6) + shapes * 3
      ],
      [
        probed?.telling ?? "walk",
        probed === undefined || probed.found >= PROBED
          ? Infinity
          : probed.telling === "ip" && isOrdered && query.ips.length === 1
            ? Math.min(found, wanted / share) * 2
            : found * 3
      ],
      [
        "branches",
        picked.all || isLookedAt || !isOrdered || shapes > MOST_BRANCHES
          ? Infinity
          : (shapes + 1) * (12 + wanted * 0.3)
      ],
      ["extremes", extremes()]
    ]
    const [way] = costs.reduce((best, next) => (next[1] < best[1] ? next : best))
    const isCounted = probed?.isAll === true && picked.perhaps.length === 0
    const counted = isCounted ? probed.found : undefined
    return { way, telling: probed?.telling, counted, ...between } satisfies Approach

    /** Rows that are passed by in the index cost little, those that must be looked at much more. */
    function extremes(): number {
      const some = Math.min(shapes, wanted)
      if (!INDEXED.has(query.sort) || some + picked.perhaps.length > MOST_BRANCHES) return Infinity
      const passed = Math.min(1 / share, ofShapes / Math.max(shapes, 1)) * 0.1
      const looked = isLookedAt ? Math.min(1 / (share * rarity), ofShapes / Math.max(shapes, 1)) : 0
      return shapes * (1 + passed + looked) + some * (12 + wanted * (0.3 + passed + looked))
    }
  })

  /** Which column leaves the fewest rows, and how many; undefined where none is asked about. */
  const probe = Effect.fnUntraced(function* (query: RecordQuery, picked: Picked) {
    const ways: ReadonlyArray<Telling> = [
      ...(query.ips.length === 0 ? [] : ["ip" as const]),
      ...(query.minCost === undefined ? [] : ["cost" as const]),
      ...(query.minMillis === undefined ? [] : ["millis" as const])
    ]
    if (ways.length === 0) return undefined
    const counts = yield* Effect.forEach(ways, (telling) =>
      Effect.map(countBy(telling, query, picked), (found) => ({ telling, found }))
    )
    const best = counts.reduce((best, next) => (next.found < best.found ? next : best))
    // By address, rows of all shapes are counted.
    const isAll =
      ways.length === 1 &&
      best.telling !== "ip" &&
      [query.from, query.to, query.cache, query.search].every((asked) => asked === undefined)
    return { ...best, isAll }
  })

  const countBy = (telling: Telling, query: RecordQuery, picked: Picked) => {
    const alone: RecordQuery = {
      ...query,
      from: undefined,
      to: undefined,
      cache: undefined,
      ips: telling === "ip" ? query.ips : [],
      minCost: telling === "cost" ? query.minCost : undefined,
      minMillis: telling === "millis" ? query.minMillis : undefined
    }
    const everything = { ...picked, perhaps: [], sure: [...picked.sure, ...picked.perhaps], all: true }
    return Effect.map(
      reader.rows(
        sql<{ found: number }>`
          SELECT count(*) AS found FROM (SELECT 1 AS one FROM openrouter_requests
            WHERE ${conditionsOf(sql, alone, everything, telling)} LIMIT ${PROBED}) AS counted`
      ),
      ([row]) => row?.found ?? 0
    )
  }

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

/** The index that serves one statement over all rows. */
export const indexFor = ({ way }: Approach): Way =>
  way === "branches" || way === "extremes" ? "shapes" : way

/** Columns whose order an index has for each shape. */
export const INDEXED: ReadonlySet<SortColumn> = new Set(["cost_nano_usd", "processing_duration_ms"])

/** Rows counted at most to see how rare they are. */
const PROBED = 60_000

/** Parts that a statement may have; SQLite takes 500. */
export const MOST_BRANCHES = 300

const NEAR = 500
