import Database from "better-sqlite3"
import { readlinkSync } from "node:fs"
import { setPriority } from "node:os"
import { parentPort, workerData } from "node:worker_threads"
import type { ReadAnswer, ReadRequest, ReaderOptions } from "./readMessages.ts"

/** Where the system can tell threads apart, requests go before reads: this one yields to all others. */
try {
  setPriority(Number(readlinkSync("/proc/thread-self").split("/").at(-1)), 5)
} catch {
  // Then all are alike.
}

/** A thread with a read-only connection: it answers one statement after the other. */
const { characters, file, rows: most } = workerData as ReaderOptions
const database = new Database(file, { readonly: true, fileMustExist: true, timeout: 1000 })
// Pages that stay in memory are what makes the difference at a million rows.
database.pragma("cache_size = -32768")
database.pragma("mmap_size = 1073741824")

const statements = new Map<string, Database.Statement<Array<unknown>, Array<unknown>>>()

const prepared = (text: string) => {
  const known = statements.get(text)
  if (known !== undefined) return known
  const statement = database.prepare<Array<unknown>, Array<unknown>>(text).raw(true)
  if (statements.size >= KEPT) statements.clear()
  statements.set(text, statement)
  return statement
}

const answer = ({ parameters, text }: ReadRequest): ReadAnswer => {
  try {
    const statement = prepared(text)
    const columns = statement.columns().map(({ name }) => name)
    const rows: Array<ReadonlyArray<unknown>> = []
    let size = 0
    // One by one: between two rows the thread can be ended.
    for (const row of statement.iterate(...parameters)) {
      for (const cell of row) if (typeof cell === "string" || cell instanceof Uint8Array) size += cell.length
      if (size > characters || rows.length >= most) return { problem: "too large a result", tooLarge: true }
      rows.push(row)
    }
    return { columns, rows }
  } catch (error) {
    const { code = "", message = String(error) } = error as { code?: string; message?: string }
    return { problem: `${code} ${message}`.trim(), tooLarge: false }
  }
}

parentPort?.on("message", (request: ReadRequest) => parentPort?.postMessage(answer(request), []))

/** Prepared statements. */
const KEPT = 200
