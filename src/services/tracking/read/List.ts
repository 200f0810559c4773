import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { InvalidRequest } from "../../../domain/Errors.ts"
import * as Money from "../../../domain/Money.ts"
import * as Cursor from "../../../domain/record/Cursor.ts"
import { mainByDefault } from "../../../domain/record/RecordQuery.ts"
import type { RecordQuery } from "../../../domain/record/RecordQuery.ts"
import type { Shape } from "../../../domain/record/Shape.ts"
import type { RequestRecord } from "../../../domain/RequestRecord.ts"
import { ReadDatabase } from "../ReadDatabase.ts"
import { SearchIndex } from "../SearchIndex.ts"
import { makeApproach } from "./Approach.ts"
import { numbers } from "./Conditions.ts"
import { makeIds } from "./Ids.ts"
import { ShapeTable } from "./ShapeTable.ts"
import { makeTotal } from "./Total.ts"

/** A row as it is listed; the database computes `cost_usd`, and `cost` is the same as an exact decimal. */
export type Listed = RequestRecord & {
  readonly id: number
  readonly cost_usd: number | null
  readonly cost: string | null
}

/** Lists of rows, by page or from a place on. */
export class RecordList extends Effect.Service<RecordList>()("percept/RecordList", {
  effect: Effect.gen(function* () {
    const approachOf = yield* makeApproach
    const idsOf = yield* makeIds
    const reader = yield* ReadDatabase
    const search = yield* SearchIndex
    const shapes = yield* ShapeTable
    const sql = yield* SqlClient
    const total = yield* makeTotal

    /** A page, with the places before and behind it; rows that arrive meanwhile shift nothing there. */
    const list = Effect.fnUntraced(function* (asked: RecordQuery) {
      const found = yield* search.find(asked.search)
      const query = found.isOne ? asked : mainByDefault(asked)
      const { page, pageSize, place } = query
      const skip = place === undefined ? (page - 1) * pageSize : 0
      if (skip > FARTHEST) return yield* TOO_FAR
      const picked = yield* pick(query)
      const approach = yield* approachOf(query, picked, skip + pageSize + 1)
      if (approach === undefined) return answerOf(query, [], { items: 0, isCapped: false })
      const part = { query, picked, approach, found, skip, take: pageSize + 1 }
      const [ids, count] = yield* Effect.all([idsOf(part), total(query, picked, approach, found)], {
        concurrency: reader.atOnce
      })
      return answerOf(query, yield* rows(ids), count)
    })

    /** A few rows without pages or counts; `also` narrows the shapes further. */
    const some = Effect.fnUntraced(function* (
      query: RecordQuery,
      skip: number,
      take: number,
      also?: (shape: Shape) => boolean
    ) {
      const found = yield* search.find(query.search)
      const picked = yield* pick(query, also)
      const approach = yield* approachOf(query, picked, skip + take)
      if (approach === undefined) return []
      return yield* rows(yield* idsOf({ query, picked, approach, found, skip, take }))
    })

    /** What only media have is not looked for among other shapes. */
    const pick = (query: RecordQuery, also?: (shape: Shape) => boolean) => {
      if (query.cache === undefined) return shapes.pick(query.shapes, also)
      const ofMedia = (shape: Shape) => shape.media !== "" && (also === undefined || also(shape))
      return Effect.map(shapes.pick(query.shapes, ofMedia), (picked) => ({ ...picked, all: false }))
    }

    /** Rows by their numbers, in this order. */
    const rows = Effect.fnUntraced(function* (ids: ReadonlyArray<number>) {
      if (ids.length === 0) return []
      const found = yield* reader.rows(
        sql<Omit<Listed, "cost">>`SELECT * FROM openrouter_requests WHERE id IN (${numbers(sql, ids)})`
      )
      const byId = new Map(found.map((row) => [row.id, withCost(row)]))
      return ids.flatMap((id) => byId.get(id) ?? [])
    })

    return { list, some, rows, pick, found: (query: RecordQuery) => search.find(query.search) }
  })
}) {}

/** The same row with its money as people write it. */
export const withCost = (row: Omit<Listed, "cost">): Listed => Object.assign(row, { cost: costOf(row) })

export const costOf = ({ cost_nano_usd }: Pick<RequestRecord, "cost_nano_usd">): string | null =>
  cost_nano_usd === null ? null : Money.toDollars(cost_nano_usd)

/** The first system's answer, and where to read on. */
const answerOf = (
  query: RecordQuery,
  rows: ReadonlyArray<Listed>,
  total: { readonly items: number; readonly isCapped: boolean }
) => {
  const { page, pageSize, place, question, sort } = query
  const isBack = place?.backwards === true
  const hasMore = rows.length > pageSize
  const shown = isBack ? rows.slice(0, pageSize).toReversed() : rows.slice(0, pageSize)
  const cursorAt = (row: Listed | undefined, backwards: boolean) =>
    row === undefined
      ? null
      : Cursor.encode(question, { backwards, value: sort === "id" ? null : row[sort], id: row.id })
  const isFirst = isBack ? !hasMore : place === undefined && page === 1
  return {
    items: shown,
    total_items: total.items,
    page,
    page_size: pageSize,
    total_pages: Math.ceil(total.items / pageSize),
    total_is_capped: total.isCapped,
    next_cursor: isBack || hasMore ? cursorAt(shown.at(-1), false) : null,
    prev_cursor: isFirst ? null : cursorAt(shown[0], true)
  }
}

/** Rows that are skipped for the number of a page. */
const FARTHEST = 10_000

const TOO_FAR = new InvalidRequest({
  message: `'page' leads beyond row ${FARTHEST}; read on with next_cursor, or narrow the list.`,
  param: "page",
  code: null
})
