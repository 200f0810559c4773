import { Data, Schedule } from "effect"

/** Why the database cannot be used, in a sentence for the operator. Nothing is ever deleted or recreated. */
export class DatabaseUnusable extends Data.TaggedError("DatabaseUnusable")<{ readonly message: string }> {}

/** Another process was faster and is not done yet. */
export class StillMigrating extends Data.TaggedError("StillMigrating")<{}> {}

/** For what another process holds for a moment: ten seconds of asking again. */
export const whileLocked = {
  schedule: Schedule.intersect(Schedule.jittered(Schedule.spaced("200 millis")), Schedule.recurs(50)),
  while: (error: unknown) => isLocked(error)
}

export const isLocked = (error: unknown): boolean =>
  error instanceof StillMigrating || LOCKED.test(codeOf(error))

/** Whether a write may succeed later: what it needs is locked, full, restarting, or out of reach for now. */
export const isPassing = (error: unknown): boolean =>
  isLocked(error) || PASSING.test(codeOf(error)) || isUnreachable(error)

/** Whether there is nobody to talk to, or nobody who is ready yet. */
export const isUnreachable = (error: unknown): boolean =>
  UNREACHABLE.test(codeOf(error)) || CUT_OFF.test(wordsOf(error))

/** The driver's code, from however deep it is wrapped. */
export const codeOf = (error: unknown): string => {
  if (typeof error !== "object" || error === null) return ""
  if ("code" in error && typeof error.code === "string") return error.code
  return "cause" in error ? codeOf(error.cause) : ""
}

/** The driver's own words. */
export const wordsOf = (error: unknown): string => {
  if (typeof error !== "object" || error === null) return String(error)
  if ("cause" in error && error.cause !== undefined) return wordsOf(error.cause)
  return "message" in error ? String(error.message) : ""
}

/** SQLite's lock; Postgres' row that another writes at the same moment, its deadlock and failed serialisation. */
const LOCKED = /^(SQLITE_(BUSY|LOCKED)|23505|40001|40P01)/

/**
 * What an operator mends while the router runs: a file, its disk and rights; a server's password, grants, role of a
 * standby, resources, locks, shutdown, and its own disk.
 */
const PASSING =
  /^(SQLITE_(FULL|IOERR|CANTOPEN|READONLY|NOMEM|CORRUPT|NOTADB)|28|3D000|42501|25006|53|55P03|57|58)/

const UNREACHABLE =
  /^(08|57P0[1-3]|53300|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT$)/

/** The Postgres driver has no codes for these. */
const CUT_OFF =
  /^(Connection (terminated|timed out|ended)|timeout exceeded when|Client has encountered a connection error|Client was closed|Query read timeout)/
