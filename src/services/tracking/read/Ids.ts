import { SqlClient } from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"
import { Effect } from "effect"
import type { RecordQuery } from "../../../domain/record/RecordQuery.ts"
import { SORT_COLUMNS } from "../../../domain/record/SortColumns.ts"
import { ReadDatabase } from "../ReadDatabase.ts"
import type { Found } from "../SearchIndex.ts"
import { INDEXED } from "./Approach.ts"
import type { Approach } from "./Approach.ts"
import { between as within, conditionsOf, numbers as idsIn, rowCondition } from "./Conditions.ts"
import type { Way } from "./Conditions.ts"
import { makeExtremes } from "./Extremes.ts"
import type { Picked } from "./ShapeTable.ts"

/** Which part of a list is wanted. */
export interface Part {
  readonly query: RecordQuery
  readonly picked: Picked
  readonly approach: Approach
  readonly found: Found
  readonly skip: number
  readonly take: number
}

/** Finds the numbers of rows in the order that was asked for, or in the opposite one from a place backwards. */
export const makeIds = Effect.gen(function* () {
  const extremes = yield* makeExtremes
  const reader = yield* ReadDatabase
  const sql = yield* SqlClient

  const idsOf = (part: Part) =>
    part.query.sort === "id" ? byNumber(part) : byColumn(part, directionOf(part.query))

  const byNumber = (part: Part) => {
    const { approach, found, query, skip, take } = part
    const direction = sql.literal(directionOf(query))
    if (found.isAll && (approach.way === "branches" || approach.way === "shapes"))
      return asked(branches(part), skip, take, direction)
    const isInOrder =
      approach.way === "walk" || !found.isAll || (approach.way === "ip" && query.ips.length === 1)
    const name = isInOrder ? found.id : sql.literal("+openrouter_requests.id")
    return numbers(sql`
      SELECT openrouter_requests.id AS id FROM ${found.from}
      WHERE ${found.where} AND ${conditions(part)} AND ${between(part, name)}
      ORDER BY ${name} ${direction} LIMIT ${take} OFFSET ${skip}`)
  }

  /** The first few of each shape, or of all of them, of which the first few are the first few of all. */
  const branches = ({ approach, picked, query, skip, take }: Part): ReadonlyArray<Fragment> => {
    const direction = sql.literal(directionOf(query))
    const bounds = between({ approach, query }, sql.literal("id"))
    const order = sql.literal(approach.way === "branches" ? "id" : "+id")
    const each = (shapes: ReadonlyArray<number>) =>
      approach.way === "branches"
        ? shapes.map((shape) => sql.literal(`shape_id = ${Math.trunc(shape)}`))
        : shapes.length === 0
          ? []
          : [sql`shape_id IN (${idsIn(sql, shapes)})`]
    const times = conditionsOf(sql, query, { ...picked, all: true }, "walk")
    const branch = (condition: Fragment) => sql`
      SELECT id FROM (SELECT id FROM openrouter_requests WHERE ${condition} AND ${times} AND ${bounds}
        ORDER BY ${order} ${direction} LIMIT ${skip + take}) AS part`
    const looked = rowCondition(sql, query.shapes)
    return [
      ...each(picked.sure).map(branch),
      ...each(picked.perhaps).map((shapes) => branch(sql`${shapes} AND ${looked}`)),
      branch(sql`shape_id IS NULL AND ${looked}`)
    ]
  }

  const asked = (parts: ReadonlyArray<Fragment>, skip: number, take: number, direction: Fragment) =>
    numbers(sql`
      SELECT id FROM (${sql.join(" UNION ALL ", false)(parts)}) AS parts
      ORDER BY id ${direction} LIMIT ${take} OFFSET ${skip}`)

  /** Rows without a value stand last, whichever way the others are sorted. */
  const byColumn = Effect.fnUntraced(function* (part: Part, direction: "ASC" | "DESC") {
    const { query, skip, take } = part
    const { place } = query
    const isBack = place?.backwards === true
    const withValue = (after: boolean) => segment(part, direction, false, after)
    const without = (after: boolean) => segment(part, direction, true, after)
    const segments =
      place === undefined
        ? [withValue(false), without(false)]
        : place.value === null
          ? isBack
            ? [without(true), withValue(false)]
            : [without(true)]
          : isBack
            ? [withValue(true)]
            : [withValue(true), without(false)]
    const ids: Array<number> = []
    for (const next of segments) {
      if (ids.length >= skip + take) break
      for (const id of yield* next(skip + take - ids.length)) ids.push(id)
    }
    return ids.slice(skip)
  })

  const segment =
    (part: Part, direction: "ASC" | "DESC", empty: boolean, after: boolean) => (take: number) => {
      const { approach, found, query } = part
      const { place, sort } = query
      const isWalk = approach.way === "walk" && found.isAll
      const isExtreme = approach.way === "extremes" && found.isAll && INDEXED.has(sort)
      const column = sql.literal(isWalk || isExtreme ? sort : HIDDEN[SORT_COLUMNS[sort]](sort))
      const compare = sql.literal(direction === "ASC" ? ">" : "<")
      const way = sql.literal(direction)
      const id = sql.literal("openrouter_requests.id")
      const keyset =
        !after || place === undefined
          ? sql`1 = 1`
          : empty
            ? sql`${id} ${compare} ${place.id}`
            : sql`(${column}, ${id}) ${compare} (${place.value}, ${place.id})`
      const order = empty ? sql`${id} ${way}` : sql`${column} ${way}, ${id} ${way}`
      const name = sql.literal(isWalk ? "openrouter_requests.id" : "+openrouter_requests.id")
      const where = sql`${keyset} AND ${sql.literal(sort)} IS ${sql.literal(empty ? "NULL" : "NOT NULL")}
        AND ${bounds(approach, name)}`
      if (isExtreme) return extremes(part, { column: empty ? id : column, where, order, direction, take })
      return numbers(sql<{ id: number }>`
      SELECT ${id} AS id FROM ${found.from}
      WHERE ${found.where} AND ${where} AND ${conditions(part)}
      ORDER BY ${order} LIMIT ${take}`)
    }

  const conditions = ({ approach, found, picked, query }: Part): Fragment =>
    conditionsOf(sql, query, picked, found.isAll ? indexOf(approach) : "walk")

  const between = ({ approach, query }: Pick<Part, "approach" | "query">, name: Fragment): Fragment => {
    const { place } = query
    if (place === undefined) return bounds(approach, name)
    const compare = sql.literal(directionOf(query) === "ASC" ? ">" : "<")
    return sql`${name} ${compare} ${place.id} AND ${bounds(approach, name)}`
  }

  const bounds = ({ high, low }: Approach, name: Fragment): Fragment => within(sql, name, low, high)

  const numbers = (statement: ReturnType<typeof sql<{ id: number }>>) =>
    Effect.map(reader.rows(statement), (rows) => rows.map(({ id }) => id))

  return idsOf
})

const indexOf = ({ way }: Approach): Way => (way === "branches" || way === "extremes" ? "walk" : way)

const directionOf = ({ descending, place }: RecordQuery): "ASC" | "DESC" =>
  descending === (place?.backwards !== true) ? "DESC" : "ASC"

/** The same values, and no index for them. */
const HIDDEN = {
  number: (column: string) => `+${column}`,
  text: (column: string) => `(${column} || '')`
}
