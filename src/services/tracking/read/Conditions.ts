import type { SqlClient } from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"
import type { RecordQuery } from "../../../domain/record/RecordQuery.ts"
import type { Shape } from "../../../domain/record/Shape.ts"
import { NONE } from "../../../domain/record/ShapeFilter.ts"
import type { ShapeFilters } from "../../../domain/record/ShapeFilter.ts"
import type { Picked } from "./ShapeTable.ts"

/**
 * Which index a statement is to use: that of the numbers, of shapes, of addresses, or of cost or duration by shape. The
 * others are hidden from the database, which cannot know better.
 */
export type Way = "walk" | "shapes" | "ip" | "cost" | "millis"

/** What rows must be like, for the WHERE of a statement over `openrouter_requests`. */
export const conditionsOf = (sql: SqlClient, query: RecordQuery, picked: Picked, way: Way): Fragment =>
  sql.and([...shapeConditions(sql, query, picked, way), ...columnConditions(sql, query, way)])

const shapeConditions = (
  sql: SqlClient,
  query: RecordQuery,
  picked: Picked,
  way: Way
): ReadonlyArray<Fragment> => {
  const isNamed =
    (way === "cost" && query.minCost !== undefined) || (way === "millis" && query.minMillis !== undefined)
  if (isNamed) return finishedOf(sql, query.shapes, picked)
  return picked.all ? [] : [shapeCondition(sql, query.shapes, picked, way === "shapes")]
}

/** What has a cost or a duration has a shape; all shapes are named, for they stand first in the index. */
const finishedOf = (
  sql: SqlClient,
  filters: ShapeFilters,
  { perhaps, sure }: Picked
): ReadonlyArray<Fragment> => [
  sql`shape_id IN (${numbers(sql, [-1, ...sure, ...perhaps])})`,
  ...(perhaps.length === 0
    ? []
    : [sql.or([sql`+shape_id NOT IN (${numbers(sql, perhaps)})`, rowCondition(sql, filters)])])
]

/** The wanted shapes; rows that have none yet, or whose shape lost a name, are looked at themselves. */
const shapeCondition = (
  sql: SqlClient,
  filters: ShapeFilters,
  picked: Picked,
  visible: boolean
): Fragment => {
  const { perhaps } = picked
  const looked = perhaps.length === 0 ? [] : [sql`${nameOf(sql, visible)} IN (${numbers(sql, perhaps)})`]
  return sql.or([
    ...sureShapes(sql, picked, visible),
    sql.and([sql.or([sql`shape_id IS NULL`, ...looked]), rowCondition(sql, filters)])
  ])
}

/** Where most are wanted, the few others are named: a text of thousands of numbers costs more than its answer. */
const sureShapes = (sql: SqlClient, { not, perhaps, sure }: Picked, visible: boolean) => {
  if (sure.length === 0) return []
  const others = [...not, ...perhaps]
  if (visible || sure.length <= others.length)
    return [sql`${nameOf(sql, visible)} IN (${numbers(sql, sure)})`]
  const newest = sure.reduce((most, id) => Math.max(most, id), 0)
  return [
    sql`(+shape_id <= ${sql.literal(String(newest))} AND +shape_id NOT IN (${numbers(sql, [-1, ...others])}))`
  ]
}

const nameOf = (sql: SqlClient, visible: boolean) => sql.literal(visible ? "shape_id" : "+shape_id")

/** What shapes are picked by, asked of rows themselves. */
export const rowCondition = (sql: SqlClient, filters: ShapeFilters): Fragment =>
  sql.and(
    Array.from(filters, ([column, values]) =>
      sql.or(values.map((value) => isOf(sql, COLUMNS[column], value)))
    )
  )

const isOf = (sql: SqlClient, column: (typeof COLUMNS)[keyof Shape], value: string): Fragment => {
  const name = sql(column)
  if (value === NONE) return sql`${name} IS NULL`
  if (column === "status_code_returned_to_client" && value.endsWith("xx")) {
    const from = Number(value[0]) * 100
    return sql`${name} BETWEEN ${from} AND ${from + 99}`
  }
  if (column === "status_code_returned_to_client" || column === "is_streaming")
    return sql`${name} = ${Number(value)}`
  if (column === "media_type_processed")
    return sql`',' || ${name} || ',' LIKE ${`%,${escaped(value)},%`} ESCAPE '!'`
  return sql`substr(${name}, 1, 120) = ${value.slice(0, 120)}`
}

const columnConditions = (sql: SqlClient, query: RecordQuery, way: Way): ReadonlyArray<Fragment> => {
  const time = sql.literal("(timestamp || '')")
  const ip = sql.literal(way === "ip" ? "client_ip" : "(client_ip || '')")
  const cost = sql.literal(way === "cost" ? "cost_nano_usd" : "+cost_nano_usd")
  const millis = sql.literal(way === "millis" ? "processing_duration_ms" : "+processing_duration_ms")
  return [
    ...(query.from === undefined ? [] : [sql`${time} >= ${iso(query.from)}`]),
    ...(query.to === undefined ? [] : [sql`${time} < ${iso(query.to)}`]),
    ...(query.ips.length === 0 ? [] : [ipCondition(sql, ip, query.ips)]),
    ...(query.minCost === undefined ? [] : [sql`${cost} >= ${query.minCost}`]),
    ...(query.minMillis === undefined ? [] : [sql`${millis} >= ${query.minMillis}`]),
    ...(query.cache === undefined
      ? []
      : [
          query.cache === "hit" ? sql`cache_hits > 0` : sql`is_multimodal = 1 AND coalesce(cache_hits, 0) = 0`
        ])
  ]
}

/** Of one address the rows stand in order. */
const ipCondition = (sql: SqlClient, name: Fragment, ips: ReadonlyArray<string>): Fragment =>
  ips.length === 1 ? sql`${name} = ${ips[0]}` : sql`${name} IN ${sql.in(ips)}`

/** Numbers of rows; what is no bound is not told to the database, which might prefer it to a better one. */
export const between = (sql: SqlClient, id: Fragment, low: number, high: number): Fragment =>
  sql.and([
    ...(low > 0 ? [sql`${id} >= ${low}`] : []),
    ...(high < Number.MAX_SAFE_INTEGER ? [sql`${id} <= ${high}`] : [])
  ])

/** A moment as rows have it. */
export const iso = (millis: number): string => new Date(millis).toISOString()

/** Our own numbers may stand in the text: there can be more of them than a statement takes parameters. */
export const numbers = (sql: SqlClient, values: ReadonlyArray<number>): Fragment =>
  sql.literal(values.map(Math.trunc).join(","))

/** A text within a pattern of LIKE, where `!` escapes. */
export const escaped = (text: string): string => text.replaceAll(/[%_!]/g, "!$&")

const COLUMNS = {
  kind: "kind",
  state: "state",
  endpoint: "endpoint_called",
  model_requested: "model_requested_by_client",
  model_routed: "model_routed_to_openrouter",
  provider: "provider",
  key_id: "key_id",
  status: "status_code_returned_to_client",
  error_source: "error_source",
  media: "media_type_processed",
  streaming: "is_streaming",
  cost_source: "cost_source"
} as const
