import { SqlClient } from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"
import { Clock, Effect } from "effect"
import { DAY, HOUR } from "../../../domain/record/Rollup.ts"
import type { Span } from "../../../domain/record/Spans.ts"
import { ReadDatabase } from "../ReadDatabase.ts"
import { iso } from "./Conditions.ts"

/**
 * Tells whether anything has come to spans that are over: requests only become more, and where they do not, costs only
 * become known. Looking takes a while where there are many sums, and what is over hardly ever changes: there a look is
 * good for some tenths of a second.
 */
export const makeSeals = Effect.gen(function* () {
  const reader = yield* ReadDatabase
  const sql = yield* SqlClient
  const known = new Map<string, Seal>()

  return Effect.fnUntraced(function* (spans: ReadonlyArray<Span>) {
    const now = yield* Clock.currentTimeMillis
    const stale = spans.filter((span) => {
      const seal = known.get(nameOf(span))
      return seal === undefined || now < seal.lookedAt || now >= seal.lookedAt + seal.good
    })
    const found = stale.length === 0 ? [] : yield* look(stale)
    if (known.size > MOST) known.clear()
    for (const [at, span] of stale.entries()) {
      const { requests = null, sums = 0, unknown = null } = found[at] ?? {}
      const good = sums < MANY ? 0 : sums * GOOD_FOR
      known.set(nameOf(span), { word: `${requests} ${unknown}`, lookedAt: now, good })
    }
    return new Map(spans.map((span) => [span, known.get(nameOf(span))?.word]))
  })

  function look(spans: ReadonlyArray<Span>) {
    const parts = spans.map((span) => {
      const { table, times } = rollups(sql, span)
      return sql`SELECT * FROM (
        SELECT sum(requests) AS requests, sum(cost_unknown) AS unknown, count(*) AS sums FROM ${table} WHERE ${times}
      ) AS part`
    })
    return reader.rows(
      sql<{ requests: number | null; unknown: number | null; sums: number }>`
        ${sql.join(" UNION ALL ", false)(parts)}`
    )
  }
})

interface Seal {
  readonly word: string
  readonly lookedAt: number
  /** Milliseconds. */
  readonly good: number
}

const nameOf = ({ from, of, to }: Span): string => `${of} ${from} ${to}`

/** Where the sums of a span are, and which they are. */
export const rollups = (sql: SqlClient, { from, of, to }: Span): { table: Fragment; times: Fragment } => ({
  table: sql.literal("request_rollups AS sums"),
  times: sql.and([
    sql`span = ${sql.literal(String(of === "days" ? DAY : HOUR))}`,
    ...(Number.isFinite(from) ? [sql`start >= ${from / 1000}`] : []),
    ...(Number.isFinite(to) ? [sql`start < ${to / 1000}`] : [])
  ])
})

/** When rows of a span began. */
export const timesOf = (sql: SqlClient, { from, to }: Span): ReadonlyArray<Fragment> => [
  ...(Number.isFinite(from) ? [sql`timestamp >= ${iso(from)}`] : []),
  ...(Number.isFinite(to) ? [sql`timestamp < ${iso(to)}`] : [])
]

/** Sums that are looked through in no time. */
const MANY = 5000

/** Milliseconds for each of more. */
const GOOD_FOR = 0.01

/** Spans; each hour and day brings new ones. */
const MOST = 500
