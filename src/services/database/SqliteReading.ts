import type Sqlite from "better-sqlite3"
import { createRequire } from "node:module"
import type { Found, ReaderOptions, Refusal, Statement } from "../tracking/workers/readMessages.ts"

/** A read-only connection that keeps the statements it has prepared. */
export const openForReading = ({ characters, driver, file, rows: most }: ReaderOptions) => {
  const Database: typeof Sqlite = createRequire(import.meta.url)(driver)
  const database = new Database(file, { readonly: true, fileMustExist: true, timeout: 1000 })
  // Pages that stay in memory are what makes the difference at a million rows.
  database.pragma("cache_size = -32768")
  database.pragma("mmap_size = 1073741824")
  const statements = new Map<string, Sqlite.Statement<Array<unknown>, Array<unknown>>>()

  const prepared = (text: string) => {
    const known = statements.get(text)
    if (known !== undefined) return known.raw(true)
    const statement = database.prepare<Array<unknown>, Array<unknown>>(text).raw(true)
    if (statements.size >= KEPT) statements.clear()
    statements.set(text, statement)
    return statement
  }

  /** Rows for another thread, no more than are good for it. */
  const found = ({ parameters, text }: Statement): Found | Refusal => {
    try {
      const statement = prepared(text)
      const columns = statement.columns().map(({ name }) => name)
      const rows: Array<ReadonlyArray<unknown>> = []
      let size = 0
      let hasBytes = false
      // One by one: between two rows the thread can be ended.
      for (const row of statement.iterate(...parameters)) {
        for (const cell of row) {
          if (typeof cell === "string") size += cell.length
          else if (cell instanceof Uint8Array) {
            size += cell.length
            hasBytes = true
          }
        }
        if (size > characters || rows.length >= most)
          return { failed: { code: "record_slow", detail: "too large a result" } }
        rows.push(row)
      }
      return hasBytes || size > rows.length * columns.length * LONG
        ? { columns, rows }
        : { json: JSON.stringify(rows.map((row) => named(columns, row))) }
    } catch (error) {
      return { failed: { code: "record_unreadable", detail: wordsOf(error) } }
    }
  }

  /** Rows for this thread. */
  const rows = ({ parameters, text }: Statement): ReadonlyArray<object> =>
    prepared(text)
      .raw(false)
      .all(...parameters)

  /** Rows of numbers for this thread. */
  const numbers = ({ parameters, text }: Statement): ReadonlyArray<ReadonlyArray<number>> =>
    prepared(text).all(...parameters) as ReadonlyArray<ReadonlyArray<number>>

  /** All statements of a question see the same record. */
  const together = async <A>(run: () => Promise<A>): Promise<A> => {
    database.exec("BEGIN")
    try {
      return await run()
    } finally {
      database.exec("COMMIT")
    }
  }

  return { found, rows, numbers, together }
}

/** An object of its columns. */
export const named = (columns: ReadonlyArray<string>, row: ReadonlyArray<unknown>): object => {
  const cells: { [column: string]: unknown } = {}
  for (const [place, column] of columns.entries()) cells[column] = row[place]
  return cells
}

/** What SQLite says of a failure. */
export const wordsOf = (error: unknown): string => {
  const { code = "", message = String(error) } = error as { code?: string; message?: string }
  return `${code} ${message}`.trim()
}

/** Prepared statements. */
const KEPT = 200

/** Characters in a cell on average, from where on a copy is cheaper than JSON. */
const LONG = 100
