import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import type { Span } from "../../../src/domain/record/Spans.ts"
import { makeSeals } from "../../../src/services/tracking/read/seals.ts"
import { openRecord } from "../../support/Record.ts"
import { temporaryFolder } from "../../support/Router.ts"

const DAYS: Span = { of: "days", from: 0, to: 100 * 86_400_000 }

describe("the seal of what is over", () => {
  const sealed = Effect.gen(function* () {
    const { context, sql } = yield* openRecord({ DB_PATH: `${yield* temporaryFolder}/kept.db` })
    const seals = yield* Effect.provide(makeSeals, context)
    return {
      word: Effect.map(seals([DAYS]), (found) => found.get(DAYS)),
      add: (from: number, to: number) => sql`
        INSERT INTO request_rollups (span, start, shape_id, requests)
        WITH RECURSIVE n(i) AS (SELECT CAST(${from} AS INTEGER) UNION ALL SELECT i + 1 FROM n WHERE i < ${to})
        SELECT 86400, i % 90 * 86400, i, 1 FROM n`
    }
  })

  it.scoped("is another one as soon as anything comes to it", () =>
    Effect.gen(function* () {
      const { add, word } = yield* sealed
      const empty = yield* word
      yield* add(1, 10)
      const some = yield* word
      yield* add(11, 11)
      assert.strictEqual(new Set([empty, some, yield* word]).size, 3)
    })
  )

  it.scoped("is looked at again after a while where that takes long, and is another one then", () =>
    Effect.gen(function* () {
      const { add, word } = yield* sealed
      yield* add(1, 6000)
      const before = yield* word
      yield* add(6001, 6001)
      assert.strictEqual(yield* word, before)
      yield* TestClock.adjust("100 millis")
      assert.notStrictEqual(yield* word, before)
    })
  )
})
