import type { Statement } from "@effect/sql/Statement"
import { Effect } from "effect"
import type { Redacted } from "effect"
import type { InvalidRequest } from "../../domain/Errors.ts"
import { AppConfig } from "../AppConfig.ts"
import { codeOf, wordsOf } from "../database/problems.ts"
import { ReadFailed } from "./ReadFailed.ts"
import { makeSqliteReader } from "./SqliteReader.ts"
import type { Answer, Question } from "./workers/readMessages.ts"

export { ReadFailed } from "./ReadFailed.ts"

/** Reads beside the writer: never on its connection, never on the main thread, never longer than a few seconds. */
export class ReadDatabase extends Effect.Service<ReadDatabase>()("percept/ReadDatabase", {
  scoped: Effect.gen(function* () {
    const { databaseFile, databaseServer, searchIndex } = yield* AppConfig
    const { ask, read }: { readonly ask: Asking | undefined; readonly read: Reader } =
      databaseServer === undefined
        ? yield* makeSqliteReader({ file: databaseFile, searchIndex, ...LIMITS })
        : { ask: undefined, read: yield* serverReader(databaseServer) }

    /** What a statement, written with the client's templates, gives. Large integers are numbers on every database. */
    const rows = <A extends object>(statement: Statement<A>): Effect.Effect<ReadonlyArray<A>, ReadFailed> =>
      Effect.suspend(() => {
        const [text, parameters] = statement.compile()
        return read(text, parameters) as Effect.Effect<ReadonlyArray<A>, ReadFailed>
      })

    /**
     * What a statement with the columns `c0` and on gives, none of it null. The rows come as one text: thousands of
     * them cost the thread that serves requests next to nothing.
     */
    const numbers = (statement: Statement<object>, width: number): Effect.Effect<Numbers, ReadFailed> =>
      Effect.suspend(() => {
        const [text, parameters] = statement.compile()
        const cells = Array.from({ length: width }, (_, at) => `CAST(c${at} AS TEXT)`).join(" || ' ' || ")
        return Effect.map(
          read(`SELECT string_agg(${cells}, ',') AS packed FROM (${text}) AS parts`, parameters),
          (rows) => unpacked(rows as ReadonlyArray<{ readonly packed: string | null }>)
        )
      })

    /** Statements of one question that are worth asking at a time. */
    const atOnce: number = LIMITS.readers

    return { rows, numbers, ask, atOnce }
  })
}) {}

/** Rows of numbers, as a statement gave them. */
export type Numbers = ReadonlyArray<ReadonlyArray<number>>

/** Runs one statement. */
export type Reader = (
  text: string,
  parameters: ReadonlyArray<unknown>
) => Effect.Effect<ReadonlyArray<object>, ReadFailed>

/** Has a question answered elsewhere. */
export type Asking = (question: Question) => Effect.Effect<Answer, ReadFailed | InvalidRequest>

const unpacked = ([row]: ReadonlyArray<{ readonly packed: string | null }>): Numbers =>
  row === undefined || row.packed === null
    ? []
    : row.packed.split(",").map((numbers) => numbers.split(" ").map(Number))

/** Who reads a file has no use for a server's driver. */
const serverReader = Effect.fnUntraced(function* (server: Redacted.Redacted) {
  const { makePostgresReader } = yield* Effect.promise(() => import("../database/PostgresReader.ts"))
  const read = yield* makePostgresReader(server, LIMITS)
  return (text: string, parameters: ReadonlyArray<unknown>) =>
    Effect.mapError(read(text, parameters), (error) => {
      const code = codeOf(error)
      const detail = `${code} ${wordsOf(error)}`.trim()
      return new ReadFailed({ code: code === CANCELLED ? "record_slow" : "record_unreadable", detail })
    })
})

/** What Postgres says of a statement that it ended. */
const CANCELLED = "57014"

const LIMITS = {
  /** Milliseconds a statement may run. */
  millis: 5000,
  /** Rows and characters of a result. */
  rows: 20_000,
  characters: 32 * 1024 * 1024,
  /** Statements that run at once. */
  readers: 2
}
