import type { Statement } from "@effect/sql/Statement"
import { Effect } from "effect"
import { AppConfig } from "../AppConfig.ts"
import { makePostgresReader } from "../database/PostgresReader.ts"
import { codeOf, wordsOf } from "../database/problems.ts"
import { ReadFailed } from "./ReadFailed.ts"
import { makeSqliteReader } from "./SqliteReader.ts"

export { ReadFailed } from "./ReadFailed.ts"

/** Reads beside the writer: never on its connection, never on the main thread, never longer than a few seconds. */
export class ReadDatabase extends Effect.Service<ReadDatabase>()("percept/ReadDatabase", {
  scoped: Effect.gen(function* () {
    const { databaseFile, databaseServer } = yield* AppConfig
    const read: Reader =
      databaseServer === undefined
        ? yield* makeSqliteReader({ file: databaseFile, ...LIMITS })
        : failingPlainly(yield* makePostgresReader(databaseServer, LIMITS))

    /** What a statement, written with the client's templates, gives. Large integers are numbers on every database. */
    const rows = <A extends object>(statement: Statement<A>): Effect.Effect<ReadonlyArray<A>, ReadFailed> =>
      Effect.suspend(() => {
        const [text, parameters] = statement.compile()
        return read(text, parameters) as Effect.Effect<ReadonlyArray<A>, ReadFailed>
      })

    return { rows }
  })
}) {}

/** Runs one statement. */
export type Reader = (
  text: string,
  parameters: ReadonlyArray<unknown>
) => Effect.Effect<ReadonlyArray<object>, ReadFailed>

const failingPlainly =
  (read: Effect.Effect.Success<ReturnType<typeof makePostgresReader>>): Reader =>
  (text, parameters) =>
    Effect.mapError(read(text, parameters), (error) => {
      const code = codeOf(error)
      const detail = `${code} ${wordsOf(error)}`.trim()
      return new ReadFailed({ code: code === CANCELLED ? "record_slow" : "record_unreadable", detail })
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
