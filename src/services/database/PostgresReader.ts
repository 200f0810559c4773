import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Scope } from "effect"
import type { Redacted } from "effect"
import { Socket } from "node:net"
import { connect } from "./Postgres.ts"
import type { Purpose } from "./Postgres.ts"

/** What a reading connection may do. */
export interface ReadLimits {
  /** Milliseconds a statement may run. */
  readonly millis: number
  /** Statements that run at once. */
  readonly readers: number
}

/**
 * Connections of their own that cannot write, and whose statements the server ends by itself. They are opened with
 * the first question, and go when there is none for a while.
 */
export const makePostgresReader = (url: Redacted.Redacted, limits: ReadLimits) =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const oneAtATime = yield* Effect.makeSemaphore(1)
    let known: SqlClient | undefined

    const connected: Effect.Effect<SqlClient, SqlError> = oneAtATime.withPermits(1)(
      Effect.suspend(() =>
        known === undefined
          ? connect(url, reading(limits)).pipe(
              Scope.extend(scope),
              Effect.tap((client) => {
                known = client
              })
            )
          : Effect.succeed(known)
      )
    )

    return (text: string, parameters: ReadonlyArray<unknown>) =>
      Effect.flatMap(known === undefined ? connected : Effect.succeed(known), (sql) =>
        sql.unsafe<object>(text, parameters)
      )
  })

const reading = ({ millis, readers }: ReadLimits): Purpose => ({
  name: "percept-read",
  connections: readers,
  idle: millis,
  settings: `-c default_transaction_read_only=on -c statement_timeout=${millis}`,
  stream: () => endingIfSilentFor(millis * 2),
  types: { getTypeParser: (type: number) => PARSERS.get(type) ?? asItIs }
})

/** A server that does not even say that a statement took too long is gone, whether or not the network tells. */
const endingIfSilentFor = (millis: number): Socket => {
  const socket = new Socket()
  return socket.setTimeout(millis, () => {
    socket.destroy(Object.assign(new Error("The server is silent."), { code: "ETIMEDOUT" }))
  })
}

const asItIs = (text: string): unknown => text

/** Integers, numerics and floats are numbers, as they are in a file; sums of this record fit. */
const PARSERS: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  ...[20, 21, 23, 700, 701, 1700].map((type) => [type, Number] as const),
  [16, (text) => text === "t"],
  [17, (text) => Buffer.from(text.slice(2), "hex")]
])
