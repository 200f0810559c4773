import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { SHAPE_COLUMNS } from "../../../src/domain/record/Shape.ts"
import { everyDatabase } from "../../support/Postgres.ts"
import { openRecord } from "../../support/Record.ts"

/** More than a reader gives at once. */
const MANY = 20_100

for (const { fresh, name } of everyDatabase())
  describe(`the shapes of ${name}`, () => {
    it.scopedLive("are all known, however many there are, and those that come later too", () =>
      Effect.gen(function* () {
        const { shapes, sql } = yield* Effect.flatMap(fresh, openRecord)
        const others = SHAPE_COLUMNS.filter((column) => column !== "model_requested")
        const put = (from: number, to: number) => sql`
          INSERT INTO request_shapes (model_requested, ${sql.literal(others.join(", "))})
          WITH RECURSIVE n(i) AS (SELECT CAST(${from} AS INTEGER) UNION ALL SELECT i + 1 FROM n WHERE i < ${to})
          SELECT 'model ' || i, ${sql.literal(others.map(() => "''").join(", "))} FROM n`
        yield* put(1, MANY)
        assert.strictEqual((yield* shapes.all()).size, MANY)
        const { sure } = yield* shapes.pick(new Map([["model_requested", [`model ${MANY}`]]]))
        assert.lengthOf(sure, 1)
        yield* put(MANY + 1, MANY + 7)
        assert.strictEqual((yield* shapes.all()).size, MANY + 7)
      })
    )
  })
