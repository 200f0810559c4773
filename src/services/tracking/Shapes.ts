import type { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { SHAPE_COLUMNS, nameOf, rowName, shapeOf, withoutNames } from "../../domain/record/Shape.ts"
import type { Shape } from "../../domain/record/Shape.ts"
import type { RequestRecord } from "../../domain/RequestRecord.ts"
import type { Run } from "../database/transaction.ts"
import { makeUpsert } from "./upsert.ts"

/** The numbers of shapes: asked of the database once, then known. */
export const makeShapes = (sql: SqlClient) => {
  const known = new Map<string, number>()
  const isPostgres = sql.onDialectOrElse({ pg: () => true, orElse: () => false })
  const same = SHAPE_COLUMNS.map((column, at) => `${column} = ${isPostgres ? `$${at + 1}` : "?"}`)
  const find = `SELECT id FROM request_shapes WHERE ${same.join(" AND ")}`
  const put = makeUpsert(sql, {
    table: "request_shapes",
    columns: SHAPE_COLUMNS,
    key: SHAPE_COLUMNS,
    // Another process may have been faster; what changes nothing still returns the number.
    update: "kind = excluded.kind",
    returning: "id"
  })

  /** The numbers of their shapes, and what was learned of them in the transaction: true once that is committed. */
  const numbersOf = Effect.fnUntraced(function* (run: Run, rows: ReadonlyArray<RequestRecord>) {
    const names = rows.map(rowName)
    const missing = new Map<string, Shape>()
    for (const [at, row] of rows.entries()) {
      const name = names[at] ?? ""
      if (!known.has(name) && !missing.has(name)) missing.set(name, shapeOf(row))
    }
    const learned = missing.size === 0 ? known : yield* learn(run, missing)
    return { numbers: names.map((name) => known.get(name) ?? learned.get(name) ?? null), learned }
  })

  const learn = Effect.fnUntraced(function* (run: Run, missing: ReadonlyMap<string, Shape>) {
    const learned = new Map<string, number>()
    let room: number | undefined
    // All processes take them in one order, so that none waits for another in a circle.
    const inOrder = Array.from(missing, ([name, shape]) => ({ name, shape, order: nameOf(shape) })).toSorted(
      (one, other) => (one.order < other.order ? -1 : 1)
    )
    for (const { name, shape } of inOrder) {
      const [found] = yield* run(find, cellsOf(shape))
      if (found === undefined) {
        room ??= MOST - numberIn((yield* run(COUNT))[0])
        const kept = room-- > 0 ? shape : withoutNames(shape)
        learned.set(name, known.get(nameOf(kept)) ?? numberIn((yield* put(run, [cellsOf(kept)]))[0]))
        if (kept !== shape) learned.set(nameOf(kept), learned.get(name) ?? 0)
      } else learned.set(name, numberIn(found))
    }
    return learned
  })

  const remember = (learned: ReadonlyMap<string, number>): void => {
    if (learned === known) return
    if (known.size > MOST) known.clear()
    for (const [name, number] of learned) known.set(name, number)
  }

  return { numbersOf, remember }
}

const cellsOf = (shape: Shape): ReadonlyArray<string> => SHAPE_COLUMNS.map((column) => shape[column])

/** The only value of a row; Postgres gives large numbers as text. */
const numberIn = (row: { readonly [column: string]: unknown } | undefined): number =>
  Number(row?.["id"] ?? row?.["number"])

const COUNT = "SELECT count(*) AS number FROM request_shapes"

/** More combinations than honest clients ever make. */
const MOST = 20_000
