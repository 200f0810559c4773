import { SqlClient } from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Either, Fiber, Layer, Logger, LogLevel } from "effect"
import { join } from "node:path"
import { AppConfig } from "../../../src/services/AppConfig.ts"
import * as Database from "../../../src/services/Database.ts"
import { ReadDatabase } from "../../../src/services/tracking/ReadDatabase.ts"
import { ReaderThreads } from "../../../src/services/tracking/ReaderThreads.ts"
import { makeSqliteReader } from "../../../src/services/tracking/SqliteReader.ts"
import { everyDatabase } from "../../support/Postgres.ts"
import { eventually, temporaryFolder } from "../../support/Router.ts"

const open = (env: { readonly [name: string]: string }) =>
  Effect.gen(function* () {
    const layer = ReadDatabase.Default.pipe(
      Layer.provideMerge(Database.layer),
      Layer.provide([AppConfig.layer(env), Logger.minimumLogLevel(LogLevel.None)])
    )
    const context = yield* Effect.orDie(Layer.build(layer))
    return { reader: Context.get(context, ReadDatabase), sql: Context.get(context, SqlClient) }
  })

for (const { fresh, name } of everyDatabase())
  describe(`the reading side of ${name}`, () => {
    it.scopedLive("sees what was written, with numbers as numbers, and cannot write", () =>
      Effect.gen(function* () {
        const { reader, sql } = yield* Effect.flatMap(fresh, open)
        yield* sql`INSERT INTO media_room (bytes) VALUES (${9_007_199_254_740_991})`
        const rows = yield* reader.rows(sql<{ bytes: number; text: string; void: null }>`
          SELECT bytes, ${"it's 'a' \"text\" 😀; --"} || '' AS text, NULL AS void FROM media_room WHERE bytes > ${1}`)
        assert.deepStrictEqual(rows, [
          { bytes: 9_007_199_254_740_991, text: "it's 'a' \"text\" 😀; --", void: null }
        ])
        for (const attempt of [sql`DELETE FROM media_room`, sql`CREATE TABLE mine (a INTEGER)`]) {
          const failed = yield* Effect.flip(reader.rows(attempt))
          assert.strictEqual(failed.code, "record_unreadable")
          assert.notInclude(failed.message, "media_room")
          assert.match(failed.detail, /read.?only|return data/i)
        }
        assert.strictEqual((yield* sql`SELECT * FROM media_room`).length, 2)
      })
    )

    it.scopedLive("hands on bytes and long texts as they are", () =>
      Effect.gen(function* () {
        const { reader, sql } = yield* Effect.flatMap(fresh, open)
        const long = `"\\ 😀\n`.repeat(20_000)
        yield* sql`INSERT INTO media_blobs ${sql.insert({ sha256: "a", part: 0, mime: "image/png", size: 3, bytes: Buffer.of(0, 255, 34) })}`
        const [row] = yield* reader.rows(
          sql<{
            bytes: Uint8Array
            long: string
          }>`SELECT bytes, ${long} || '' AS long, NULL AS void FROM media_blobs`
        )
        assert.deepStrictEqual(
          { ...row, bytes: Array.from(row?.bytes ?? []) },
          { bytes: [0, 255, 34], long, void: null }
        )
      })
    )

    it.scopedLive("answers many at once, and each its own", () =>
      Effect.gen(function* () {
        const { reader, sql } = yield* Effect.flatMap(fresh, open)
        const numbers = Array.from({ length: 60 }, (_, at) => at)
        const answers = yield* Effect.forEach(
          numbers,
          (number) => reader.rows(sql<{ same: number }>`SELECT CAST(${number} AS INTEGER) AS same`),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(
          answers.flatMap((rows) => rows.map(({ same }) => same)),
          numbers
        )
      })
    )
  })

const ENDLESS =
  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0 OR i % 1000 = 0"

describe("threads that read a file", () => {
  const reading = (limits: {
    readonly millis?: number
    readonly rows?: number
    readonly characters?: number
  }) =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { sql } = yield* open({ DB_PATH: join(folder, "kept.db") })
      yield* sql`SELECT 1`
      const { read } = yield* makeSqliteReader({
        file: join(folder, "kept.db"),
        searchIndex: true,
        millis: 10_000,
        rows: 1_000_000_000,
        characters: 10_000,
        readers: 2,
        ...limits
      })
      return read
    })

  it.scopedLive("give up a question that takes too long, and answer the next", () =>
    Effect.gen(function* () {
      const ask = yield* reading({ millis: 300 })
      const failed = yield* Effect.flip(ask(ENDLESS, []))
      assert.deepStrictEqual([failed.code, failed.status], ["record_slow", 503])
      assert.deepStrictEqual(
        yield* eventually(Effect.either(ask("SELECT 1 AS one", [])), Either.isRight),
        Either.right([{ one: 1 }])
      )
    })
  )

  it.scopedLive("hand on no more than is good for the one that serves", () =>
    Effect.gen(function* () {
      const ask = yield* reading({ rows: 500 })
      for (const text of [ENDLESS, "SELECT printf('%.*c', 20000, 'x') AS long"]) {
        const failed = yield* Effect.flip(ask(text, []))
        assert.deepStrictEqual([failed.code, failed.detail], ["record_slow", "too large a result"])
      }
      assert.deepStrictEqual(yield* ask("SELECT 2 AS two", []), [{ two: 2 }])
    })
  )

  it.scopedLive("leave the thread that serves free while they work", () =>
    Effect.gen(function* () {
      const ask = yield* reading({ millis: 400 })
      let beats = 0
      const beat = setInterval(() => beats++, 5)
      yield* Effect.flip(ask(ENDLESS, []))
      clearInterval(beat)
      assert.isAbove(beats, 10)
    })
  )

  it.scopedLive("refuse what is too much, and what waits too long, and say so", () =>
    Effect.gen(function* () {
      const ask = yield* reading({ millis: 300 })
      const many = yield* Effect.fork(
        Effect.all(
          Array.from({ length: 150 }, () => Effect.flip(ask(ENDLESS, []))),
          { concurrency: "unbounded" }
        )
      )
      const codes = (yield* Fiber.join(many)).map(({ code }) => code)
      assert.isAtLeast(codes.filter((code) => code === "record_busy").length, 48)
      assert.isAtLeast(codes.filter((code) => code === "record_slow").length, 2)
    })
  )

  it.scopedLive("are none for a question that nobody waits for any more", () =>
    Effect.gen(function* () {
      const ask = yield* reading({ millis: 2000 })
      const slow = yield* Effect.all([Effect.fork(ask(ENDLESS, [])), Effect.fork(ask(ENDLESS, []))])
      const third = yield* Effect.fork(ask("SELECT 3 AS three", []))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(third)
      yield* Effect.forEach(slow, Fiber.interrupt)
      assert.deepStrictEqual(
        yield* eventually(Effect.either(ask("SELECT 4 AS four", [])), Either.isRight),
        Either.right([{ four: 4 }])
      )
    })
  )

  it.scopedLive("give one answer to all who wait for the same, and another to who waits for another", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { sql } = yield* open({ DB_PATH: join(folder, "kept.db") })
      yield* sql`SELECT 1`
      const threads = yield* Effect.acquireRelease(
        Effect.sync(
          () =>
            new ReaderThreads({
              ...{ file: join(folder, "kept.db"), program: "read", searchIndex: true, readers: 1 },
              ...{ millis: 10_000, rows: 100, characters: 10_000 }
            })
        ),
        (threads) => threads.close()
      )
      const chance = { text: "SELECT random() AS chance", parameters: [] }
      const first = yield* Effect.fork(threads.ask(chance, "one"))
      yield* Effect.yieldNow()
      const [same, again, other, nameless] = yield* Effect.all(
        [
          threads.ask(chance, "one"),
          threads.ask(chance, "one"),
          threads.ask(chance, "two"),
          threads.ask(chance)
        ],
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(same, again)
      const begun = yield* Fiber.join(first)
      const answers = [begun, same, other, nameless].map((answer) => JSON.stringify(answer))
      assert.strictEqual(new Set(answers).size, 4, "what has begun may have read already")
    })
  )

  it.scopedLive("come back where one has died", () =>
    Effect.gen(function* () {
      const ask = yield* reading({ characters: 1_000_000_000 })
      // More than a thread may have: it dies of it, twice.
      const died = yield* Effect.flip(
        ask(
          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, printf('%.*c', 900000, 'x') || i FROM n",
          []
        )
      )
      assert.strictEqual(died.code, "record_unreadable")
      assert.deepStrictEqual(yield* ask("SELECT 5 AS five", []), [{ five: 5 }])
    })
  )

  it.scopedLive("say that a file is gone or damaged, in words without its name", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { read: ask } = yield* makeSqliteReader({
        file: join(folder, "none.db"),
        searchIndex: true,
        millis: 5000,
        rows: 10,
        characters: 10,
        readers: 1
      })
      const failed = yield* Effect.flip(ask("SELECT 1", []))
      assert.strictEqual(failed.code, "record_unreadable")
      assert.notInclude(failed.message, folder)
    })
  )
})
