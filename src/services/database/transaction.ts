import { TransactionConnection } from "@effect/sql/SqlClient"
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"

export type Cell = string | number | null

/** Runs a statement on the connection of a transaction, as cheaply as that can be. */
export type Run = (
  text: string,
  parameters?: ReadonlyArray<Cell>
) => Effect.Effect<ReadonlyArray<{ readonly [column: string]: unknown }>, SqlError>

/**
 * All of a change or none of it. Where `sql.withTransaction` dies, this fails: a commit may find the disk full, and
 * a lost connection cannot roll back; who asked must know that, to ask again.
 */
export const inTransaction = <A, E, R>(sql: SqlClient, change: (run: Run) => Effect.Effect<A, E, R>) => {
  const begin = sql.onDialectOrElse({ pg: () => "BEGIN", orElse: () => "BEGIN IMMEDIATE" })
  return Effect.scoped(
    Effect.flatMap(sql.reserve, (connection) => {
      const run: Run = (text, parameters = []) => connection.execute(text, parameters, undefined)
      const changed = Effect.provideService(change(run), TransactionConnection, [connection, 0])
      return Effect.uninterruptibleMask((restore) =>
        run(begin).pipe(
          Effect.zipRight(restore(changed)),
          Effect.tap(() => run("COMMIT")),
          Effect.tapErrorCause(() => Effect.ignore(run("ROLLBACK")))
        )
      )
    })
  )
}
