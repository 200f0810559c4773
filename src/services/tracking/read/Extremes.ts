import { SqlClient } from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"
import { Effect } from "effect"
import type { RecordQuery } from "../../../domain/record/RecordQuery.ts"
import { ReadDatabase } from "../ReadDatabase.ts"
import { MOST_BRANCHES } from "./Approach.ts"
import { conditionsOf, numbers, rowCondition } from "./Conditions.ts"
import type { Picked } from "./ShapeTable.ts"

/** A stretch of a list: rows with a value, or those without one. */
export interface Stretch {
  /** What the rows are sorted by before their numbers. */
  readonly column: Fragment
  readonly where: Fragment
  readonly order: Fragment
  readonly direction: "ASC" | "DESC"
  readonly take: number
}

/**
 * Finds the first rows in the order of a column: as many shapes as rows are wanted are enough, those whose first rows
 * come first, and as many rows of each.
 */
export const makeExtremes = Effect.gen(function* () {
  const reader = yield* ReadDatabase
  const sql = yield* SqlClient
  const id = sql.literal("openrouter_requests.id")

  return Effect.fnUntraced(function* (
    { picked, query }: { readonly picked: Picked; readonly query: RecordQuery },
    { column, direction, order, take, where }: Stretch
  ) {
    const rows = conditionsOf(sql, query, { ...picked, all: true }, "walk")
    const looked = rowCondition(sql, query.shapes)
    const firsts = yield* firstOf(picked.sure)
    const chosen = firsts.slice(0, take)
    const shapes = chosen.map(([shape = 0]) => sql`shape_id = ${sql.literal(String(Math.trunc(shape)))}`)
    const parts = [
      ...(shapes.length > MOST_BRANCHES ? [sql`shape_id IN (${numbers(sql, picked.sure)})`] : shapes),
      ...picked.perhaps.map(
        (shape) => sql`shape_id = ${sql.literal(String(Math.trunc(shape)))} AND ${looked}`
      ),
      sql`shape_id IS NULL AND ${looked}`
    ]
    // As many rows as are wanted come at least as early as the first one of the last shape.
    const [, last] = chosen.length < take ? [] : (chosen.at(-1) ?? [])
    const bound =
      last === undefined
        ? sql`1 = 1`
        : sql`${column} ${sql.literal(direction === "ASC" ? "<=" : ">=")} ${last}`
    const way = sql.literal(direction)
    const found = yield* reader.rows(
      sql<{ id: number }>`
        SELECT id FROM (${sql.join(" UNION ALL ", false)(parts.map(branch))}) AS parts
        ORDER BY value ${way}, id ${way} LIMIT ${take}`
    )
    return found.map((row) => row.id)

    function branch(condition: Fragment) {
      return sql`SELECT id, value FROM (
        SELECT ${id} AS id, ${column} AS value FROM openrouter_requests
        WHERE ${condition} AND ${where} AND ${bound} AND ${rows} ORDER BY ${order} LIMIT ${take}) AS part`
    }

    /** Shapes with the value and the number of their first row, in the order of those; they come as one text. */
    function firstOf(wanted: ReadonlyArray<number>) {
      const first = sql`(SELECT ${column} || ' ' || ${id} FROM openrouter_requests
        WHERE shape_id = request_shapes.id AND ${where} AND ${rows} ORDER BY ${order} LIMIT 1)`
      const sign = direction === "ASC" ? 1 : -1
      return Effect.map(
        reader.rows(
          sql<{ packed: string | null }>`
            SELECT string_agg(shape || ' ' || first, ',') AS packed FROM (
              SELECT request_shapes.id AS shape, ${first} AS first FROM request_shapes
              WHERE request_shapes.id IN (${numbers(sql, [-1, ...wanted])})
            ) AS firsts WHERE first IS NOT NULL`
        ),
        ([found]) =>
          (found?.packed?.split(",") ?? [])
            .map((text) => text.split(" ").map(Number))
            .toSorted(([, a = 0, one = 0], [, b = 0, other = 0]) => sign * (a - b || one - other))
      )
    }
  })
})
