import { SqlClient } from "@effect/sql/SqlClient"
import { Clock, Effect } from "effect"
import { DAY } from "../../../domain/record/Rollup.ts"
import { SHAPE_COLUMNS } from "../../../domain/record/Shape.ts"
import type { Shape } from "../../../domain/record/Shape.ts"
import { matcherFor } from "../../../domain/record/ShapeFilter.ts"
import type { ShapeFilters } from "../../../domain/record/ShapeFilter.ts"
import { ReadDatabase } from "../ReadDatabase.ts"

/** Shapes that were asked for, and about how many rows they have. */
export interface Picked {
  /** Every row of these is wanted. */
  readonly sure: ReadonlyArray<number>
  /** Rows of these must be looked at. */
  readonly perhaps: ReadonlyArray<number>
  /** No row of these is wanted; there are no others. */
  readonly not: ReadonlyArray<number>
  /** Nothing is asked for: each row is wanted, whatever its shape. */
  readonly all: boolean
  /** Estimates, for choosing a way: what retention has taken may still be counted. */
  readonly rows: number
  readonly rowsOfAll: number
}

/** The shapes there are, kept here since each question begins with them. */
export class ShapeTable extends Effect.Service<ShapeTable>()("percept/ShapeTable", {
  effect: Effect.gen(function* () {
    const reader = yield* ReadDatabase
    const sql = yield* SqlClient
    const columns = sql.literal(SHAPE_COLUMNS.join(", "))
    let shapes: ReadonlyMap<number, Shape> = new Map()
    let newest = 0
    let rowsBy: ReadonlyMap<number, number> = new Map()
    let weighedAt = -Infinity
    /** A page asks for the same again and again. */
    let picks = new Map<string, Picked>()

    /** Every shape by its number. */
    const all = Effect.fnUntraced(function* () {
      const [now = { number: 0, newest: 0 }] = yield* reader.rows(
        sql<{ number: number; newest: number }>`
          SELECT ${number} AS number, coalesce(max(id), 0) AS newest FROM request_shapes`
      )
      if (now.number <= shapes.size && now.newest === newest) return shapes
      yield* learn(newest)
      if (shapes.size < now.number) yield* learn(0)
      return shapes
    })

    /** Several processes may have given numbers in one order and written them in another; those of a file take turns. */
    const number = sql.onDialectOrElse({ pg: () => sql.literal("count(*)"), orElse: () => sql.literal("0") })

    /** In pieces: there may be more of them than a reader gives at once. */
    const learn = Effect.fnUntraced(function* (after: number) {
      const learned = new Map(shapes)
      for (let last: number | undefined = after; last !== undefined;) {
        const found: ReadonlyArray<Shape & { readonly id: number }> = yield* reader.rows(
          sql<Shape & { readonly id: number }>`
            SELECT id, ${columns} FROM request_shapes WHERE id > ${last} ORDER BY id LIMIT ${AT_ONCE}`
        )
        for (const { id, ...shape } of found) learned.set(id, shape)
        last = found.length < AT_ONCE ? undefined : found.at(-1)?.id
      }
      shapes = learned
      picks = new Map()
      newest = Array.from(learned.keys()).reduce((most, id) => Math.max(most, id), 0)
    })

    /** The shapes that match; `also` narrows them further. */
    const pick = Effect.fnUntraced(function* (filters: ShapeFilters, also?: (shape: Shape) => boolean) {
      const known = yield* all()
      yield* weigh
      if (also !== undefined) return pickedOf(known, filters, also)
      const name = JSON.stringify(Array.from(filters))
      const picked = picks.get(name) ?? pickedOf(known, filters)
      if (picks.size >= PICKS) picks.clear()
      picks.set(name, picked)
      return picked
    })

    const pickedOf = (
      known: ReadonlyMap<number, Shape>,
      filters: ShapeFilters,
      also?: (shape: Shape) => boolean
    ): Picked => {
      const sure: Array<number> = []
      const perhaps: Array<number> = []
      const not: Array<number> = []
      let rows = 0
      const answerFor = matcherFor(filters)
      known.forEach((shape, id) => {
        const answer = also === undefined || also(shape) ? answerFor(shape) : "no"
        const ids = answer === "yes" ? sure : answer === "no" ? not : perhaps
        ids.push(id)
        if (answer !== "no") rows += rowsBy.get(id) ?? 0
      })
      return { sure, perhaps, not, all: filters.size === 0, rows, rowsOfAll }
    }

    let rowsOfAll = 0
    const weigh = Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      if (now - weighedAt < WEIGHED_FOR) return
      weighedAt = now
      const sums = yield* reader.rows(
        sql<{ shape_id: number; rows: number }>`
          SELECT shape_id, sum(requests) AS rows FROM request_rollups
          WHERE span = ${DAY} AND start >= ${Math.floor(now / 1000) - DAYS * DAY} GROUP BY shape_id`
      )
      rowsBy = new Map(sums.map(({ rows, shape_id }) => [shape_id, rows]))
      rowsOfAll = sums.reduce((sum, { rows }) => sum + rows, 0)
      picks = new Map()
    })

    return { all, pick }
  })
}) {}

/** Milliseconds. */
const WEIGHED_FOR = 60_000

/** Choices that are kept. */
const PICKS = 50

/** Shapes; a reader gives no more than 20,000 rows. */
const AT_ONCE = 5000

/** Older rows count for nothing in an estimate. */
const DAYS = 60
