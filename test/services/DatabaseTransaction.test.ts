import { SqlClient } from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Layer, Logger, LogLevel } from "effect"
import { AppConfig } from "../../src/services/AppConfig.ts"
import * as Database from "../../src/services/Database.ts"
import { inTransaction } from "../../src/services/database/transaction.ts"
import { everyDatabase } from "../support/Postgres.ts"

for (const { fresh, name } of everyDatabase())
  describe(`on ${name}, a transaction`, () => {
    const start = Effect.gen(function* () {
      const config = AppConfig.layer(yield* fresh)
      const quiet = Logger.minimumLogLevel(LogLevel.None)
      const context = yield* Effect.orDie(Layer.build(Database.layer.pipe(Layer.provide([config, quiet]))))
      const sql = Context.get(context, SqlClient)
      yield* sql`CREATE TABLE parents (id INTEGER PRIMARY KEY)`
      yield* sql`CREATE TABLE children (id INTEGER PRIMARY KEY,
        parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)`
      const names = Effect.map(sql<{ id: number }>`SELECT id FROM parents ORDER BY id`, (rows) =>
        rows.map(({ id }) => id)
      )
      return { names, sql }
    })

    it.scopedLive("that cannot be committed fails, and the next one does not notice", () =>
      Effect.gen(function* () {
        const { names, sql } = yield* start
        const error = yield* Effect.flip(
          inTransaction(sql, (run) =>
            Effect.zipRight(run("INSERT INTO parents VALUES (1)"), run("INSERT INTO children VALUES (1, 7)"))
          )
        )
        assert.strictEqual(error._tag, "SqlError")
        assert.deepStrictEqual(yield* names, [])
        yield* inTransaction(sql, (run) => run("INSERT INTO parents VALUES (2)"))
        assert.deepStrictEqual(yield* names, [2])
      })
    )

    it.scopedLive("that fails, dies or is interrupted leaves nothing, and says what it said", () =>
      Effect.gen(function* () {
        const { names, sql } = yield* start
        const after = <A, E>(end: Effect.Effect<A, E>) =>
          inTransaction(sql, (run) => Effect.zipRight(run("INSERT INTO parents VALUES (1)"), end))
        assert.strictEqual(yield* Effect.flip(after(Effect.fail("no"))), "no")
        const death = yield* Effect.exit(after(Effect.die("bug")))
        assert.deepStrictEqual(death, Exit.die("bug"))
        const hanging = yield* Effect.fork(after(Effect.never))
        yield* Effect.sleep("50 millis")
        yield* Fiber.interrupt(hanging)
        assert.deepStrictEqual(yield* names, [])
      })
    )

    it.scopedLive("takes ordinary statements along", () =>
      Effect.gen(function* () {
        const { names, sql } = yield* start
        yield* Effect.flip(
          inTransaction(sql, () => Effect.zipRight(sql`INSERT INTO parents VALUES (1)`, Effect.fail("no")))
        )
        yield* inTransaction(sql, () => sql`INSERT INTO parents VALUES (2)`)
        assert.deepStrictEqual(yield* names, [2])
      })
    )

    if (name === "Postgres")
      it.scopedLive("whose connection is cut fails as something that passes", () =>
        Effect.gen(function* () {
          const { names, sql } = yield* start
          const cut = inTransaction(sql, (run) =>
            Effect.zipRight(
              run("INSERT INTO parents VALUES (1)"),
              run("SELECT pg_terminate_backend(pg_backend_pid())")
            )
          )
          assert.isTrue(Database.isPassing(yield* Effect.flip(cut)))
          yield* inTransaction(sql, (run) => run("INSERT INTO parents VALUES (2)"))
          assert.deepStrictEqual(yield* names, [2])
        })
      )
  })
