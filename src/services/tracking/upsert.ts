import type { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import type { Cell, Run } from "../database/transaction.ts"

/** What is to become of a row that is there already. */
export interface Upsert {
  readonly table: string
  readonly columns: ReadonlyArray<string>
  readonly key: ReadonlyArray<string>
  readonly update: string
  readonly returning?: string
}

/**
 * Inserts rows, or updates those that are there. Statements come in powers of two: few different texts to build and
 * prepare, and none with more parameters than a database takes. No row may come twice.
 */
export const makeUpsert = (sql: SqlClient, { columns, key, returning, table, update }: Upsert) => {
  const isPostgres = sql.onDialectOrElse({ pg: () => true, orElse: () => false })
  const texts = new Map<number, string>()

  const textFor = (size: number): string => {
    let next = 0
    const mark = () => (isPostgres ? `$${++next}` : "?")
    const values = Array.from({ length: size }, () => `(${columns.map(mark).join(", ")})`)
    return [
      `INSERT INTO ${table} (${columns.join(", ")}) VALUES ${values.join(", ")}`,
      `ON CONFLICT (${key.join(", ")}) DO UPDATE SET ${update}`,
      ...(returning === undefined ? [] : [`RETURNING ${returning}`])
    ].join("\n")
  }

  const textOf = (size: number): string => {
    const text = texts.get(size) ?? textFor(size)
    texts.set(size, text)
    return text
  }

  /** Each row is an array of cells in the order of the columns. Gives what is to be returned. */
  return Effect.fnUntraced(function* (run: Run, rows: ReadonlyArray<ReadonlyArray<Cell>>) {
    const returned: Array<{ readonly [column: string]: unknown }> = []
    let from = 0
    for (let size = LARGEST; size >= 1; size /= 2)
      for (; rows.length - from >= size; from += size) {
        const parameters: Array<Cell> = []
        for (let at = from; at < from + size; at++)
          for (const cell of rows[at] ?? []) parameters.push(storable(cell))
        for (const row of yield* run(textOf(size), parameters)) returned.push(row)
      }
    return returned
  })
}

/** Postgres takes no NUL in a text and no fraction for an integer; one such cell would cost a whole batch. */
const storable = (cell: Cell): Cell => {
  if (typeof cell === "string") return cell.includes("\0") ? cell.replaceAll("\0", "\uFFFD") : cell
  if (cell === null || Number.isSafeInteger(cell)) return cell
  const whole = Math.round(cell)
  return Number.isSafeInteger(whole) ? whole : null
}

const LARGEST = 32

/** `a = excluded.a, b = excluded.b`. */
export const replacing = (columns: ReadonlyArray<string>): string =>
  columns.map((column) => `${column} = excluded.${column}`).join(", ")

/** `a = t.a + excluded.a, b = t.b + excluded.b`. */
export const adding = (table: string, columns: ReadonlyArray<string>): string =>
  columns.map((column) => `${column} = ${table}.${column} + excluded.${column}`).join(", ")
