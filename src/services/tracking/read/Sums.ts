import { SqlClient } from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"
import { Clock, Effect } from "effect"
import { isOfShapes } from "../../../domain/record/RecordQuery.ts"
import type { RecordQuery } from "../../../domain/record/RecordQuery.ts"
import { DAY, HOUR } from "../../../domain/record/Rollup.ts"
import type { Shape } from "../../../domain/record/Shape.ts"
import { DAY_MILLIS, HOUR_MILLIS, spansOf } from "../../../domain/record/Spans.ts"
import type { Kept, Range, Span } from "../../../domain/record/Spans.ts"
import { ReadDatabase } from "../ReadDatabase.ts"
import { SearchIndex } from "../SearchIndex.ts"
import { makeApproach } from "./Approach.ts"
import { conditionsOf, iso, numbers } from "./Conditions.ts"
import { Remembered } from "./Remembered.ts"
import type { Numbers } from "./Remembered.ts"
import { rowColumns } from "./rowColumns.ts"
import type { Picked } from "./ShapeTable.ts"

/** Where sums come from: a table, or rows made to look like one. */
export interface Source {
  readonly span: Span
  readonly table: Fragment
  readonly where: Fragment
  /** Of what is over: while it is the same, so are all sums. */
  readonly seal: string | undefined
}

/** All that is to be summed up for a question. */
export interface Sources {
  readonly sources: ReadonlyArray<Source>
  /** Rows are read up to a bound; there may be more. */
  readonly atMost: number
}

/** Sums by day and hour, and rows where those know too little. */
export class RecordSums extends Effect.Service<RecordSums>()("percept/RecordSums", {
  effect: Effect.gen(function* () {
    const approachOf = yield* makeApproach
    const reader = yield* ReadDatabase
    const search = yield* SearchIndex
    const sql = yield* SqlClient
    const columns = rowColumns(sql)

    const HOURS = sql.literal(String(HOUR))
    const DAYS = sql.literal(String(DAY))

    const remembered = new Remembered()

    /** What a question is answered from, for any choice of shapes; that is part of it unless all are picked. */
    const sourcesFor = Effect.fn("RecordSums.sourcesFor")(function* (
      query: RecordQuery,
      known: ReadonlyMap<number, Shape>,
      coarsest: Span["of"] = "days"
    ) {
      const spans = isOfShapes(query)
        ? closing(spansOf(query, yield* kept(), coarsest), yield* Clock.currentTimeMillis)
        : []
      const seals = yield* sealsOf(spans)
      return (picked: Picked) => {
        if (!isOfShapes(query) || picked.perhaps.length > 0) return rowsAlone(query, picked)
        const shapes = picked.all ? sql`1 = 1` : among(picked.sure, known)
        const sources = spans.map((span, at): Source => {
          const { table, where } = span.of === "rows" ? rows(span, shapes) : rollups(span, shapes)
          return { span, table, where, seal: seals[at] }
        })
        return Effect.succeed<Sources>({ sources, atMost: Infinity })
      }
    })

    /** Most shapes are named by the few others: a statement of thousands of numbers costs more than its answer. */
    const among = (wanted: ReadonlyArray<number>, known: ReadonlyMap<number, Shape>): Fragment => {
      if (wanted.length * 2 < known.size) return sql`shape_id IN (${numbers(sql, [-1, ...wanted])})`
      const some = new Set(wanted)
      const others = Array.from(known.keys()).filter((id) => !some.has(id))
      return sql`shape_id NOT IN (${numbers(sql, [-1, ...others])})`
    }

    /**
     * Tells whether anything has come to a span that is over: requests only become more, and where they do not, costs
     * only become known.
     */
    const sealsOf = Effect.fnUntraced(function* (spans: ReadonlyArray<Span & { readonly isOver: boolean }>) {
      const parts = spans.flatMap((span, at) => {
        const { table, where } = rollups(span, sql`1 = 1`)
        const sums = sql`SELECT sum(requests) AS requests, sum(cost_unknown) AS unknown FROM ${table} WHERE ${where}`
        return span.isOver ? [{ at, sums: sql`SELECT * FROM (${sums}) AS part` }] : []
      })
      if (parts.length === 0) return []
      const found = yield* reader.rows(
        sql<{ requests: number | null; unknown: number | null }>`
          ${sql.join(" UNION ALL ", false)(parts.map(({ sums }) => sums))}`
      )
      const seals = new Map(parts.map(({ at }, place) => [at, JSON.stringify(found[place])]))
      return spans.map((_, at) => seals.get(at))
    })

    const kept = Effect.fnUntraced(function* () {
      const [row] = yield* reader.rows(
        sql<{ first_row: string | null; first_hour: number | null; first_day: number | null }>`
          SELECT (SELECT timestamp FROM openrouter_requests WHERE +shape_id IS NOT NULL
              ORDER BY timestamp LIMIT 1) AS first_row,
            (SELECT min(start) FROM request_rollups WHERE span = ${HOURS}) AS first_hour,
            (SELECT min(start) FROM request_rollups WHERE span = ${DAYS}) AS first_day`
      )
      const { first_day = null, first_hour = null, first_row = null } = row ?? {}
      return {
        rows: first_row === null ? Infinity : Date.parse(first_row),
        hours: first_hour === null ? Infinity : first_hour * 1000,
        days: first_day === null ? Infinity : first_day * 1000
      } satisfies Kept & { readonly days: number }
    })

    /** How many requests there are in the hours that a range touches. */
    const requestsIn = Effect.fnUntraced(function* ({ from, to }: Range) {
      const [row] = yield* reader.rows(
        sql<{ requests: number | null }>`
          SELECT sum(requests) AS requests FROM request_rollups WHERE ${sql.and([
            sql`span = ${HOURS}`,
            ...(from === undefined ? [] : [sql`start > ${Math.floor(from / 1000) - HOUR}`]),
            ...(to === undefined ? [] : [sql`start < ${Math.ceil(to / 1000)}`])
          ])}`
      )
      return row?.requests ?? 0
    })

    const rollups = ({ from, of, to }: Span, shapes: Fragment) => {
      return {
        table: sql.literal("request_rollups AS sums"),
        where: sql.and([
          sql`span = ${of === "days" ? DAYS : HOURS}`,
          ...(Number.isFinite(from) ? [sql`start >= ${from / 1000}`] : []),
          ...(Number.isFinite(to) ? [sql`start < ${to / 1000}`] : []),
          shapes
        ])
      }
    }

    const rows = (span: Span, shapes: Fragment) => ({
      table: sql`(SELECT ${columns} FROM openrouter_requests WHERE ${sql.and([...timesOf(sql, span), sql`+shape_id IS NOT NULL`])}) AS sums`,
      where: shapes
    })

    /** What sums do not know is found as a list finds it: the newest rows of it. */
    const rowsAlone = Effect.fnUntraced(function* (query: RecordQuery, picked: Picked) {
      const found = yield* search.find(query.search)
      const approach = yield* approachOf(query, picked, ROWS_AT_MOST)
      if (approach === undefined) return { sources: [], atMost: ROWS_AT_MOST }
      const { high, low } = approach
      const way = approach.way === "branches" ? "shapes" : found.isAll ? approach.way : "walk"
      const span: Span = { of: "rows", from: query.from ?? -Infinity, to: query.to ?? Infinity }
      const table = sql`(SELECT ${columns} FROM ${found.from} WHERE ${found.where}
        AND ${conditionsOf(sql, query, picked, way)} AND +shape_id IS NOT NULL
        AND +openrouter_requests.id BETWEEN ${low} AND ${high}
        ORDER BY ${way === "walk" ? found.id : sql.literal("+openrouter_requests.id")} DESC
        LIMIT ${sql.literal(String(ROWS_AT_MOST))}) AS sums`
      return {
        sources: [{ span, table, where: sql`1 = 1`, seal: undefined }],
        atMost: ROWS_AT_MOST
      } satisfies Sources
    })

    /**
     * The same statement for each source, whose rows of numbers come as one text: thousands of them cost the thread that
     * serves requests next to nothing.
     */
    const packed = (sources: ReadonlyArray<Source>, select: (source: Source) => Fragment, width: number) =>
      Effect.map(
        Effect.forEach(sources, (source) => answered(source, select(source), width), { concurrency: 2 }),
        (found) => found.flat()
      )

    const answered = Effect.fnUntraced(function* ({ seal }: Source, selected: Fragment, width: number) {
      const names = Array.from({ length: width }, (_, at) => `CAST(c${at} AS TEXT)`).join(" || ' ' || ")
      const statement = sql<{ packed: string | null }>`
        SELECT string_agg(${sql.literal(names)}, ',') AS packed FROM (${selected}) AS parts`
      if (seal === undefined) return unpacked(yield* reader.rows(statement))
      const question = JSON.stringify(statement.compile())
      const known = remembered.get(question, seal)
      if (known !== undefined) return known
      const found = unpacked(yield* reader.rows(statement))
      remembered.put(question, seal, found)
      return found
    })

    /** By shape: its number, then the sums of these columns. */
    const byShape = Effect.fn("RecordSums.byShape")(function* (
      { sources }: Sources,
      names: ReadonlyArray<string>
    ) {
      const sums = sql.literal(names.map((name, at) => `sum(${name}) AS c${at + 1}`).join(", "))
      const found = yield* packed(
        sources,
        ({ table, where }) =>
          sql`SELECT shape_id AS c0, ${sums} FROM ${table} WHERE ${where} GROUP BY shape_id`,
        names.length + 1
      )
      const shapes = new Map<number, Array<number>>()
      for (const [shape = 0, ...values] of found) {
        const known = shapes.get(shape)
        if (known === undefined) shapes.set(shape, values)
        else for (const [at, value] of values.entries()) known[at] = (known[at] ?? 0) + value
      }
      return shapes as ReadonlyMap<number, ReadonlyArray<number>>
    })

    /** Over everything: the sums of these columns. */
    const inAll = Effect.fn("RecordSums.inAll")(function* (
      { sources }: Sources,
      names: ReadonlyArray<string>
    ) {
      const sums = sql.literal(names.map((name, at) => `coalesce(sum(${name}), 0) AS c${at}`).join(", "))
      const found = yield* packed(
        sources,
        ({ table, where }) => sql`SELECT ${sums} FROM ${table} WHERE ${where}`,
        names.length
      )
      return names.map((_, at) => found.reduce((sum, values) => sum + (values[at] ?? 0), 0))
    })

    return { sourcesFor, packed, byShape, inAll, kept, requestsIn }
  })
}) {}

const timesOf = (sql: SqlClient, { from, to }: Span): ReadonlyArray<Fragment> => [
  ...(Number.isFinite(from) ? [sql`timestamp >= ${iso(from)}`] : []),
  ...(Number.isFinite(to) ? [sql`timestamp < ${iso(to)}`] : [])
]

const unpacked = ([row]: ReadonlyArray<{ readonly packed: string | null }>): Numbers =>
  row === undefined || row.packed === null
    ? []
    : row.packed.split(",").map((numbers) => numbers.split(" ").map(Number))

/** What is over stands apart from what still grows. */
const closing = (
  spans: ReadonlyArray<Span>,
  now: number
): ReadonlyArray<Span & { readonly isOver: boolean }> =>
  spans.flatMap((span) => {
    const step = span.of === "days" ? DAY_MILLIS : HOUR_MILLIS
    const current = Math.floor(now / step) * step
    const { from, to } = span
    if (span.of === "rows" || from >= current) return [{ ...span, isOver: false }]
    if (to <= current) return [{ ...span, isOver: true }]
    return [
      { ...span, to: current, isOver: true },
      { ...span, from: current, isOver: false }
    ]
  })

/** Rows that are read for one question where sums cannot answer it. */
export const ROWS_AT_MOST = 20_000
