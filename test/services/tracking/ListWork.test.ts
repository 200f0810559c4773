import { assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Effect, Either, Layer, Logger, LogLevel } from "effect"
import { join } from "node:path"
import { kinds } from "../../../bench/record/questions.mjs"
import { seed } from "../../../bench/record/seed.mjs"
import { parse } from "../../../src/domain/record/RecordQuery.ts"
import { AppConfig } from "../../../src/services/AppConfig.ts"
import * as Databases from "../../../src/services/Database.ts"
import { makeQuestions } from "../../../src/services/tracking/workers/readQuestions.ts"
import { temporaryFolder } from "../../support/Router.ts"

const ROWS = 40_000
const SORTS = ["", "sort_order=asc"].concat(
  ["cost_usd", "ms"].flatMap((column) => [`sort_by=${column}`, `sort_by=${column}&sort_order=asc`])
)

/** A record whose rows are counted as they are looked at. */
const counting = Effect.gen(function* () {
  const file = join(yield* temporaryFolder, "seeded.db")
  const layer = Databases.layer.pipe(
    Layer.provide([
      AppConfig.layer({ DB_PATH: file, SEARCH_INDEX: "false" }),
      Logger.minimumLogLevel(LogLevel.None)
    ])
  )
  yield* Effect.scoped(Effect.orDie(Layer.build(layer)))
  seed(file, { rows: ROWS, until: NOW })
  const database = yield* Effect.acquireRelease(
    Effect.sync(() => new Database(file, { readonly: true })),
    (open) => Effect.sync(() => open.close())
  )
  let looked = 0
  database.function("looked_at", { deterministic: false, varargs: true }, () => {
    looked++
    return 1
  })
  const prepared = (text: string) =>
    database.prepare<Array<unknown>>(
      text.replaceAll(/FROM openrouter_requests\s+WHERE/g, "$& looked_at(openrouter_requests.id) AND")
    )
  const ask = makeQuestions(
    {
      found: () => ({ failed: { code: "record_unreadable", detail: "not asked for" } }),
      rows: ({ parameters, text }) => prepared(text).all(...parameters) as ReadonlyArray<object>,
      numbers: ({ parameters, text }) =>
        prepared(text)
          .raw(true)
          .all(...parameters) as ReadonlyArray<ReadonlyArray<number>>,
      together: (run) => run()
    },
    false
  )
  return (words: string) =>
    Effect.promise(async () => {
      looked = 0
      const query = Either.getOrThrow(parse(new URLSearchParams(words), NOW))
      const told = await ask({ about: "list", query, now: NOW })
      return { looked, isAnswered: "answer" in told }
    })
})

const NOW = Date.parse("2026-11-20T11:23:45.678Z")

describe("a page of a large record", () => {
  it.scopedLive("is found without looking at a large part of it, whatever is filtered and sorted by", () =>
    Effect.gen(function* () {
      const ask = yield* counting
      const everything = yield* ask("sort_by=total_tokens")
      assert.isAtLeast(everything.looked, ROWS, "what has no index is looked at, and counted")
      const filters = (kinds[0]?.paths ?? []).map((path) => path.split("?")[1] ?? "")
      for (const filter of filters)
        for (const sort of SORTS) {
          const { isAnswered, looked } = yield* ask(`${filter}&${sort}`)
          assert.isTrue(isAnswered, `${filter} ${sort}`)
          assert.isBelow(looked, ROWS / 3, `${filter} ${sort}`)
        }
    })
  )
})
