import * as PgClient from "@effect/sql-pg/PgClient"
import { SqlClient } from "@effect/sql/SqlClient"

import type { SqlError } from "@effect/sql/SqlError"
import { Context, Effect, Layer, Redacted } from "effect"

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
          ? Layer.buildWithScope(clientFor(url, limits), scope).pipe(
              Effect.map(Context.get(SqlClient)),
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

const clientFor = (url: Redacted.Redacted, { millis, readers }: ReadLimits) =>
  PgClient.layer({
    url: Redacted.make(readOnly(Redacted.value(url), millis)),
    applicationName: "percept-read",
    connectTimeout: "5 seconds",
    idleTimeout: "30 seconds",
    maxConnections: readers,
    types: { getTypeParser: (type: number) => PARSERS.get(type) ?? asItIs }
  })

const readOnly = (address: string, millis: number): string => {
  const url = new URL(address)
  const own = url.searchParams.get("options")
  const ours = `-c default_transaction_read_only=on -c statement_timeout=${millis}`
  url.searchParams.set("options", own === null ? ours : `${own} ${ours}`)
  return url.href
}

const asItIs = (text: string): unknown => text

/** Integers, numerics and floats are numbers, as they are in a file; sums of this record fit. */
const PARSERS: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  ...[20, 21, 23, 700, 701, 1700].map((type) => [type, Number] as const),
  [16, (text) => text === "t"],
  [17, (text) => Buffer.from(text.slice(2), "hex")]
])
