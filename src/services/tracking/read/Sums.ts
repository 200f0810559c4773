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
import type { Numbers } from "../ReadDatabase.ts"
import { SearchIndex } from "../SearchIndex.ts"
import { indexFor, makeApproach } from "./Approach.ts"
import { conditionsOf, numbers } from "./Conditions.ts"
import { Remembered } from "./Remembered.ts"
import { rowColumns } from "./rowColumns.ts"
import { makeSeals, rollups, timesOf } from "./seals.ts"
import type { Picked } from "./ShapeTable.ts"

/** Where sums come from: a table, or rows made to look like one. */
export interface Source {
  readonly span: Span
  readonly table: Fragment
  /** With the shapes that are asked for, and of all shapes. */
  readonly where: () => Fragment
  readonly times: Fragment
  /** Of what is over: while it is the same, so are all sums. */
  readonly seal: string | undefined
}

/** All that is to be summed up for a question. */
export interface Sources {
  readonly sources: ReadonlyArray<Source>
  /** The shapes that are asked for; undefined where there are no others in the sources. */
  readonly wanted: Uint8Array | undefined
  /** What has been asked for this question, which may ask for the same twice. */
  readonly asked: Map<string, Numbers>
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
    const seals = yield* makeSeals

    /** What a question is answered from, for any choice of shapes; that is part of it unless all are picked. */
    const sourcesFor = Effect.fnUntraced(function* (
      query: RecordQuery,
      known: ReadonlyMap<number, Shape>,
      coarsest: Span["of"] = "days"
    ) {
      const spans = isOfShapes(query)
        ? closing(spansOf(query, yield* kept(), coarsest), yield* Clock.currentTimeMillis)
        : []
      const over = yield* seals(spans.filter(({ isOver }) => isOver))
      const asked = new Map<string, Numbers>()
      return (picked: Picked) => {
        if (!isOfShapes(query) || picked.perhaps.length > 0) return rowsAlone(query, picked)
        let shapes: Fragment | undefined
        const shapesOf = () => (shapes ??= picked.all ? sql`1 = 1` : among(picked.sure, known))
        const sources = spans.map((span): Source => {
          const { table, times } = span.of === "rows" ? rows(span) : rollups(sql, span)
          return {
            span,
            table,
            times,
            seal: over.get(span),
            // Many questions have no use for it, and it may be long.
            where: () => sql`${times} AND ${shapesOf()}`
          }
        })
        const wanted = picked.all ? undefined : marked(picked.sure)
        return Effect.succeed<Sources>({ sources, wanted, asked, atMost: Infinity })
      }
    })

    /** Most shapes are named by the few others: a statement of thousands of numbers costs more than its answer. */
    const among = (wanted: ReadonlyArray<number>, known: ReadonlyMap<number, Shape>): Fragment => {
      if (wanted.length * 2 < known.size) return sql`shape_id IN (${numbers(sql, [-1, ...wanted])})`
      const some = new Set(wanted)
      const others = Array.from(known.keys()).filter((id) => !some.has(id))
      return sql`shape_id NOT IN (${numbers(sql, [-1, ...others])})`
    }

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

    const rows = (span: Span) => ({
      table: sql`(SELECT ${columns} FROM openrouter_requests WHERE ${sql.and([...timesOf(sql, span), sql`+shape_id IS NOT NULL`])}) AS sums`,
      times: sql`1 = 1`
    })

    /** What sums do not know is found as a list finds it: the newest rows of it. */
    const rowsAlone = Effect.fnUntraced(function* (query: RecordQuery, picked: Picked) {
      const found = yield* search.find(query.search)
      const approach = yield* approachOf(query, picked, ROWS_AT_MOST)
      const others = { wanted: undefined, asked: new Map<string, Numbers>(), atMost: ROWS_AT_MOST }
      if (approach === undefined) return { sources: [], ...others }
      const { high, low } = approach
      const way = found.isAll ? indexFor(approach) : "walk"
      const span: Span = { of: "rows", from: query.from ?? -Infinity, to: query.to ?? Infinity }
      const table = sql`(SELECT ${columns} FROM ${found.from} WHERE ${found.where}
        AND ${conditionsOf(sql, query, picked, way)} AND +shape_id IS NOT NULL
        AND +openrouter_requests.id BETWEEN ${low} AND ${high}
        ORDER BY ${way === "walk" ? found.id : sql.literal("+openrouter_requests.id")} DESC
        LIMIT ${sql.literal(String(ROWS_AT_MOST))}) AS sums`
      const everything = sql`1 = 1`
      return {
        sources: [{ span, table, where: () => everything, times: everything, seal: undefined }],
        ...others
      } satisfies Sources
    })

    /** What the same statement gives for each source: rows of numbers. */
    const packed = (sources: ReadonlyArray<Source>, select: (source: Source) => Fragment, width: number) =>
      Effect.map(
        Effect.forEach(sources, (source) => answered(source, select(source), width), {
          concurrency: reader.atOnce
        }),
        (found) => found.flat()
      )

    const answered = Effect.fnUntraced(function* (
      { seal }: Source,
      selected: Fragment,
      width: number,
      asked?: Map<string, Numbers>
    ) {
      const statement = sql<Record<string, number>>`${selected}`
      const question = JSON.stringify(statement.compile())
      const known = asked?.get(question) ?? (seal === undefined ? undefined : remembered.get(question, seal))
      const found = known ?? (yield* reader.numbers(statement, width))
      if (known === undefined && seal !== undefined) remembered.put(question, seal, found)
      asked?.set(question, found)
      return found
    })

    /**
     * By shape: its number, then the sums of the first few of these columns. What is over is asked for with all
     * columns and shapes, and so once whatever is filtered.
     */
    const byShape = Effect.fnUntraced(function* (
      sources: Sources,
      names: ReadonlyArray<string>,
      few = names.length
    ) {
      const shapes = new Map<number, Array<number>>()
      for (const rows of yield* summed(sources, names))
        for (const row of rows) {
          const shape = row[0] ?? 0
          if (sources.wanted !== undefined && sources.wanted[shape] !== 1) continue
          const known = shapes.get(shape)
          if (known === undefined) shapes.set(shape, row.slice(1, few + 1))
          else for (let at = 0; at < few; at++) known[at] = (known[at] ?? 0) + (row[at + 1] ?? 0)
        }
      return shapes as ReadonlyMap<number, ReadonlyArray<number>>
    })

    /** Over all shapes that are asked for: the sums of these columns. */
    const inAll = Effect.fnUntraced(function* (sources: Sources, names: ReadonlyArray<string>) {
      const totals = names.map(() => 0)
      for (const rows of yield* summed(sources, names))
        for (const row of rows) {
          if (sources.wanted !== undefined && sources.wanted[row[0] ?? 0] !== 1) continue
          for (let at = 0; at < totals.length; at++) totals[at] = (totals[at] ?? 0) + (row[at + 1] ?? 0)
        }
      return totals as ReadonlyArray<number>
    })

    const summed = ({ asked, sources }: Sources, names: ReadonlyArray<string>) => {
      const sums = sql.literal(names.map((name, at) => `sum(${name}) AS c${at + 1}`).join(", "))
      return Effect.forEach(
        sources,
        (source) => {
          const { table, times } = source
          const selected = sql`SELECT shape_id AS c0, ${sums} FROM ${table} WHERE ${times} GROUP BY shape_id`
          return answered(source, selected, names.length + 1, asked)
        },
        { concurrency: reader.atOnce }
      )
    }

    return { sourcesFor, packed, byShape, inAll, kept, requestsIn }
  })
}) {}

/** By number: shapes are few, and their numbers small. */
const marked = (shapes: ReadonlyArray<number>): Uint8Array => {
  const marks = new Uint8Array(shapes.reduce((most, id) => Math.max(most, id), 0) + 1)
  for (const shape of shapes) marks[shape] = 1
  return marks
}

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
