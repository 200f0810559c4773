import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { groupsOf } from "../../../domain/record/ErrorGroup.ts"
import type { CountedErrors, ErrorGroup } from "../../../domain/record/ErrorGroup.ts"
import { isOfShapes, mainByDefault } from "../../../domain/record/RecordQuery.ts"
import type { RecordQuery } from "../../../domain/record/RecordQuery.ts"
import type { Shape } from "../../../domain/record/Shape.ts"
import { isError } from "../../../domain/record/Statistics.ts"
import { ReadDatabase } from "../ReadDatabase.ts"
import { SearchIndex } from "../SearchIndex.ts"
import { indexFor, makeApproach } from "./Approach.ts"
import { conditionsOf, numbers } from "./Conditions.ts"
import { ShapeTable } from "./ShapeTable.ts"
import type { Picked } from "./ShapeTable.ts"
import { RecordSums, ROWS_AT_MOST } from "./Sums.ts"

/** What goes wrong, alike with alike: the commonest kinds of failure, each with its newest request. */
export class RecordErrors extends Effect.Service<RecordErrors>()("percept/RecordErrors", {
  effect: Effect.gen(function* () {
    const approachOf = yield* makeApproach
    const reader = yield* ReadDatabase
    const search = yield* SearchIndex
    const shapes = yield* ShapeTable
    const sql = yield* SqlClient
    const sums = yield* RecordSums

    /** Failures of a range by who is to blame, status, endpoint and provider. */
    const errors = Effect.fnUntraced(function* (asked: RecordQuery) {
      const query = mainByDefault(asked)
      const known = yield* shapes.all()
      // What only media have is not looked for among other shapes.
      const mayBe = (shape: Shape) => isError(shape) && (query.cache === undefined || shape.media !== "")
      const picked = { ...(yield* shapes.pick(query.shapes, mayBe)), all: false }
      const isSummed = isOfShapes(query) && picked.perhaps.length === 0
      const counted = yield* isSummed ? fromSums(query, picked, known) : fromRows(query, picked)
      const all = groupsOf(counted, known)
      const groups = all.slice(0, GROUPS)
      const count = counted.reduce((sum, { requests }) => sum + requests, 0)
      return {
        groups: yield* withNewest(query, picked, groups),
        total_groups: all.length,
        total_errors: count,
        is_partial: !isSummed && count >= ROWS_AT_MOST
      }
    })

    const fromSums = Effect.fnUntraced(function* (
      query: RecordQuery,
      picked: Picked,
      known: ReadonlyMap<number, Shape>
    ) {
      const sourcesOf = yield* sums.sourcesFor(query, known)
      const { sources } = yield* sourcesOf(picked)
      const found = yield* sums.packed(
        sources,
        ({ table, where }) => sql`
          SELECT shape_id AS c0, sum(requests) AS c1, min(start) AS c2, max(start) AS c3
          FROM ${table} WHERE ${where()} GROUP BY shape_id`,
        4
      )
      // What is counted by the hour came at some time of it, and within the range.
      const inRange = (seconds: number) => Math.max(seconds * 1000, query.from ?? -Infinity)
      return found.map(([shape = 0, requests = 0, first = 0, last = 0]): CountedErrors => ({
        shape,
        requests,
        first: inRange(first),
        last: inRange(last),
        newest: undefined
      }))
    })

    /** What sums do not know is counted in the newest rows of it. */
    const fromRows = Effect.fnUntraced(function* (query: RecordQuery, picked: Picked) {
      const found = yield* search.find(query.search)
      const approach = yield* approachOf(query, picked, ROWS_AT_MOST)
      if (approach === undefined) return []
      const { high, low } = approach
      const way = found.isAll ? indexFor(approach) : "walk"
      const rows = yield* reader.rows(
        sql<{ shape_id: number; requests: number; first: string; last: string; newest: number }>`
          SELECT shape_id, count(*) AS requests, min(timestamp) AS first, max(timestamp) AS last, max(id) AS newest
          FROM (
            SELECT openrouter_requests.id AS id, shape_id, timestamp FROM ${found.from}
            WHERE ${found.where} AND ${conditionsOf(sql, query, picked, way)} AND +shape_id IS NOT NULL
              AND +openrouter_requests.id BETWEEN ${low} AND ${high}
            ORDER BY ${way === "walk" ? found.id : sql.literal("+openrouter_requests.id")} DESC
            LIMIT ${sql.literal(String(ROWS_AT_MOST))}
          ) AS found GROUP BY shape_id`
      )
      return rows.map(({ first, last, newest, requests, shape_id }): CountedErrors => ({
        shape: shape_id,
        requests,
        first: Date.parse(first),
        last: Date.parse(last),
        newest
      }))
    })

    /** The newest request of each group, as far as its row is kept. */
    const withNewest = Effect.fnUntraced(function* (
      query: RecordQuery,
      picked: Picked,
      groups: ReadonlyArray<ErrorGroup>
    ) {
      const unknown = groups.flatMap(({ newest, shapes }) =>
        newest === undefined ? shapes.slice(0, SHAPES_OF_GROUP) : []
      )
      const byShape = yield* newestOf(query, picked, unknown)
      const ids = groups.map(
        ({ newest, shapes }) => newest ?? Math.max(0, ...shapes.map((shape) => byShape.get(shape) ?? 0))
      )
      const rows = yield* rowsOf(ids.filter((id) => id > 0))
      return groups.map(
        ({ count, endpoint, first, last, model, models, provider, source, state, status }, at) => {
          const row = rows.get(ids[at] ?? 0)
          return {
            ...{ state, source, status, endpoint, provider, count, models, model },
            first: new Date(first).toISOString(),
            last: row?.timestamp ?? new Date(last).toISOString(),
            newest: row ?? null
          }
        }
      )
    })

    /** The last entry of each shape in the index of rows by shape. */
    const newestOf = Effect.fnUntraced(function* (
      query: RecordQuery,
      picked: Picked,
      wanted: ReadonlyArray<number>
    ) {
      const approach = wanted.length === 0 ? undefined : yield* approachOf(query, picked, 1)
      if (approach === undefined) return new Map<number, number>()
      const times = conditionsOf(sql, query, { ...picked, all: true }, "walk")
      const rows = yield* reader.rows(
        sql<{ shape: number; newest: number | null }>`
          SELECT request_shapes.id AS shape, (
            SELECT kept.id FROM openrouter_requests AS kept
            WHERE kept.shape_id = request_shapes.id
              AND kept.id BETWEEN ${approach.low} AND ${approach.high} AND ${times}
            ORDER BY kept.id DESC LIMIT 1
          ) AS newest FROM request_shapes WHERE id IN (${numbers(sql, wanted)})`
      )
      return new Map(rows.map(({ newest, shape }) => [shape, newest ?? 0]))
    })

    const rowsOf = Effect.fnUntraced(function* (ids: ReadonlyArray<number>) {
      if (ids.length === 0) return new Map<number, Newest>()
      const rows = yield* reader.rows(
        sql<Newest & { readonly id: number }>`
          SELECT id, internal_request_id, timestamp, substr(error_message, 1, ${sql.literal(String(LONGEST))}) AS error_message
          FROM openrouter_requests WHERE id IN (${numbers(sql, ids)})`
      )
      return new Map(rows.map(({ id, ...row }) => [id, row]))
    })

    return { errors }
  })
}) {}

interface Newest {
  readonly internal_request_id: string
  readonly timestamp: string
  readonly error_message: string | null
}

const GROUPS = 20

/** Shapes of a group whose last rows are looked for, beginning with those that were seen last. */
const SHAPES_OF_GROUP = 100

/** Characters of a message. */
const LONGEST = 500
