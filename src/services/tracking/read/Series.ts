import { SqlClient } from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"
import { Clock, Effect } from "effect"
import { BUCKETS, percentile } from "../../../domain/Histogram.ts"
import * as Money from "../../../domain/Money.ts"
import { bucketAt, bucketsOf, LONGEST, startOf } from "../../../domain/record/Buckets.ts"
import type { Buckets } from "../../../domain/record/Buckets.ts"
import { isOfShapes, mainByDefault } from "../../../domain/record/RecordQuery.ts"
import type { RecordQuery } from "../../../domain/record/RecordQuery.ts"
import type { Shape } from "../../../domain/record/Shape.ts"
import { DAY_MILLIS } from "../../../domain/record/Spans.ts"
import * as Statistics from "../../../domain/record/Statistics.ts"
import { ReadDatabase } from "../ReadDatabase.ts"
import { numbers } from "./Conditions.ts"
import { ShapeTable } from "./ShapeTable.ts"
import { RecordSums } from "./Sums.ts"
import type { Source } from "./Sums.ts"

/** A range over time, for charts. */
export class RecordSeries extends Effect.Service<RecordSeries>()("percept/RecordSeries", {
  effect: Effect.gen(function* () {
    const { atOnce } = yield* ReadDatabase
    const shapes = yield* ShapeTable
    const sql = yield* SqlClient
    const sums = yield* RecordSums

    /** Each bucket of the range, also those in which nothing was. */
    const series = Effect.fnUntraced(function* (query: RecordQuery) {
      const now = yield* Clock.currentTimeMillis
      const buckets = bucketsOf(query, now, yield* knownFor(query, now))
      const known = yield* shapes.all()
      const sourcesOf = yield* sums.sourcesFor(query, known, COARSEST[buckets.unit])
      const money = yield* Effect.flatMap(shapes.pick(query.shapes), sourcesOf)
      const counted = yield* Effect.flatMap(shapes.pick(mainByDefault(query).shapes), sourcesOf)
      const top = topModels(known, yield* sums.byShape(money, ["requests", "cost_nano_usd"]))
      const [counts, costs] = yield* Effect.all(
        [
          sums.packed(counted.sources, countsIn(buckets, known), COUNTS),
          sums.packed(money.sources, costsIn(buckets, top.shapes), 3)
        ],
        { concurrency: atOnce }
      )
      return {
        unit: buckets.unit,
        bucket_ms: buckets.width,
        models: top.names,
        buckets: written(buckets, counts, costs, top.names.length),
        is_partial: top.rows >= money.atMost
      }
    })

    const knownFor = Effect.fnUntraced(function* (query: RecordQuery, now: number) {
      const { days, hours, rows } = yield* sums.kept()
      const earliest = Math.min(days, hours, rows)
      // Only short ranges are shown by the minute, and only theirs are worth counting.
      const isShort = (query.to ?? now) - (query.from ?? earliest) <= LONGEST.minute
      return {
        earliest,
        hours: isOfShapes(query) ? hours : -Infinity,
        minutes: isShort && (!isOfShapes(query) || (yield* sums.requestsIn(query)) <= ROWS_BY_MINUTE)
      }
    })

    /** Sums of one bucket each come in the order of time already. */
    const beganIn = ({ unit, width }: Buckets, { span }: Source): Fragment =>
      sql.literal(
        span.of === `${unit}s` && width <= DAY_MILLIS
          ? "start"
          : `start - start % ${Math.trunc(width / 1000)}`
      )

    const countsIn = (buckets: Buckets, known: ReadonlyMap<number, Shape>) => {
      const of = (wanted: (shape: Shape) => boolean) =>
        numbers(sql, [-1, ...Array.from(known).flatMap(([id, shape]) => (wanted(shape) ? [id] : []))])
      const errors = of(Statistics.isError)
      const cancelled = of(({ state }) => state === "cancelled")
      return (source: Source): Fragment => sql`
        SELECT ${beganIn(buckets, source)} AS c0, sum(requests) AS c1,
          sum(CASE WHEN shape_id IN (${errors}) THEN requests ELSE 0 END) AS c2,
          sum(CASE WHEN shape_id IN (${cancelled}) THEN requests ELSE 0 END) AS c3,
          ${sql.literal(HISTOGRAM)}
        FROM ${source.table} WHERE ${source.where()} GROUP BY 1`
    }

    const costsIn = (buckets: Buckets, models: ReadonlyArray<ReadonlyArray<number>>) => {
      const cases = models.map(
        (ids, at) => sql`WHEN shape_id IN (${numbers(sql, ids)}) THEN ${sql.literal(String(at))} `
      )
      const model =
        cases.length === 0
          ? sql.literal("0")
          : sql`CASE ${sql.join(" ", false)(cases)} ELSE ${sql.literal(String(models.length))} END`
      return (source: Source): Fragment => sql`
        SELECT ${beganIn(buckets, source)} AS c0, ${model} AS c1, sum(cost_nano_usd) AS c2
        FROM ${source.table} WHERE ${source.where()} GROUP BY 1, 2`
    }

    return { series }
  })
}) {}

/** The models on which most was spent, with their shapes, and how many rows there are in all. */
const topModels = (
  known: ReadonlyMap<number, Shape>,
  sums: ReadonlyMap<number, ReadonlyArray<number>>
): {
  readonly names: ReadonlyArray<string>
  readonly shapes: ReadonlyArray<ReadonlyArray<number>>
  readonly rows: number
} => {
  const models = new Map<string, { shapes: Array<number>; requests: number; cost: number }>()
  let rows = 0
  for (const [id, [requests = 0, cost = 0]] of sums) {
    const shape = known.get(id)
    if (shape === undefined) continue
    const name = Statistics.modelOf(shape)
    const model = models.get(name) ?? { shapes: [], requests: 0, cost: 0 }
    models.set(name, model)
    model.shapes.push(id)
    model.requests += requests
    model.cost += cost
    rows += requests
  }
  const top = Array.from(models)
    .toSorted(
      ([name, a], [other, b]) => b.cost - a.cost || b.requests - a.requests || (name < other ? -1 : 1)
    )
    .slice(0, MODELS)
  return { names: top.map(([name]) => name), shapes: top.map(([, { shapes }]) => shapes), rows }
}

/** Sums by bucket in the order of time. */
const written = (
  buckets: Buckets,
  counts: ReadonlyArray<ReadonlyArray<number>>,
  costs: ReadonlyArray<ReadonlyArray<number>>,
  models: number
) => {
  const countsBy = Array.from({ length: buckets.count }, () => zeros(COUNTS - 1))
  const costsBy = Array.from({ length: buckets.count }, () => zeros(models + 1))
  for (const [start = 0, ...values] of counts) {
    const sums = countsBy[bucketAt(buckets, start * 1000)]
    if (sums !== undefined)
      for (const [column, value] of values.entries()) sums[column] = (sums[column] ?? 0) + value
  }
  for (const [start = 0, model = 0, cost = 0] of costs) {
    const sums = costsBy[bucketAt(buckets, start * 1000)]
    if (sums !== undefined) sums[model] = (sums[model] ?? 0) + cost
  }
  return countsBy.map(([requests = 0, errors = 0, cancelled = 0, ...durations], at) => {
    const spent = costsBy[at] ?? []
    return {
      start: new Date(startOf(buckets, at)).toISOString(),
      requests,
      errors,
      cancelled,
      cost_usd: Money.toDollars(spent.reduce((sum, cost) => sum + cost, 0)),
      // The last one is that of all other models.
      cost_by_model_usd: spent.map(Money.toDollars),
      p50_ms: Statistics.rounded(percentile(durations, 0.5)),
      p95_ms: Statistics.rounded(percentile(durations, 0.95))
    }
  })
}

const zeros = (length: number) => Array.from({ length }, () => 0)

/** What is counted by bucket: when it begins, three counts, and durations. */
const HISTOGRAM = Array.from({ length: BUCKETS }, (_, at) => `sum(b${at}) AS c${at + 4}`).join(", ")
const COUNTS = BUCKETS + 4

/** What a bucket may be read from. */
const COARSEST = { minute: "rows", hour: "hours", day: "days" } as const

/** Models with a line of their own. */
const MODELS = 5

/** More rows than these are shown by the hour. */
const ROWS_BY_MINUTE = 50_000
