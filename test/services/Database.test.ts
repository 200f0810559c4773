import { SqlClient } from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import { Context, Effect, Exit, Fiber, Layer, Logger, LogLevel, Scope, TestClock } from "effect"
import { createHash, randomBytes } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { AppConfig } from "../../src/services/AppConfig.ts"
import * as Database from "../../src/services/Database.ts"
import { rowsIn, startProgram, WITHOUT_TOOLS } from "../support/Program.ts"
import { eventually, startRouter, temporaryFolder } from "../support/Router.ts"
import { sendChat } from "../support/Upstream.ts"

const quiet = Logger.minimumLogLevel(LogLevel.None)

const build = (file: string) =>
  Layer.build(Database.layer.pipe(Layer.provide(AppConfig.layer({ DB_PATH: file })), Layer.provide(quiet)))

/** Why a file cannot be used. */
const refusal = (file: string) =>
  Effect.scoped(build(file)).pipe(
    Effect.flip,
    Effect.catchAll(() => Effect.dieMessage(`${file} was opened`))
  )

/** A database of ours, closed again. */
const made = (file: string) =>
  Effect.scoped(Effect.orDie(build(file))).pipe(Effect.tap(() => Effect.sync(() => change(file, COMPACT))))

const change = (file: string, sql: string) => {
  const database = new Sqlite(file)
  database.exec(sql)
  database.close()
}

const COMPACT = "PRAGMA wal_checkpoint(TRUNCATE)"

const fingerprint = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex")

const HELLO = { model: "percept/inspect", messages: [{ role: "user", content: "Hi" }] }

describe("a file that cannot be the database", () => {
  const words = "this was never a database, but it is somebody's file\n"
  const obstacles: ReadonlyArray<readonly [string, (file: string) => Effect.Effect<void>, RegExp]> = [
    [
      "of text",
      (file) => Effect.sync(() => writeFileSync(file, words.repeat(100))),
      /damaged or no SQLite file/
    ],
    ["of one word", (file) => Effect.sync(() => writeFileSync(file, "mine")), /damaged or no SQLite file/],
    [
      "of noise",
      (file) => Effect.sync(() => writeFileSync(file, randomBytes(8192))),
      /damaged or no SQLite file/
    ],
    [
      "with noise behind a good head",
      (file) =>
        Effect.tap(made(file), () =>
          Effect.sync(() => {
            const bytes = readFileSync(file)
            randomBytes(3000).copy(bytes, 100)
            writeFileSync(file, bytes)
          })
        ),
      /damaged or no SQLite file/
    ],
    [
      "cut short",
      (file) =>
        Effect.tap(made(file), () =>
          Effect.sync(() => writeFileSync(file, readFileSync(file).subarray(0, 6000)))
        ),
      /damaged or no SQLite file/
    ],
    [
      "of a newer version",
      (file) =>
        Effect.tap(made(file), () =>
          Effect.sync(() => {
            change(file, "INSERT INTO effect_sql_migrations (migration_id, name) VALUES (9999, 'future')")
            change(file, COMPACT)
          })
        ),
      /was written by a newer version of Percept; start that version, or choose another one\.$/
    ]
  ]
  for (const [name, block, says] of obstacles)
    it.scopedLive(`${name} is refused in a sentence, and not touched`, () =>
      Effect.gen(function* () {
        const file = join(yield* temporaryFolder, "kept.db")
        yield* block(file)
        const before = fingerprint(file)
        const { _tag, message } = yield* refusal(file)
        assert.strictEqual(_tag, "DatabaseUnusable")
        assert.match(message, says)
        assertPlain(message, file)
        assert.strictEqual(fingerprint(file), before)
      })
    )

  it.scopedLive(
    "of another program with a table of the same name is refused in a sentence, and keeps its rows",
    () =>
      Effect.gen(function* () {
        const file = join(yield* temporaryFolder, "kept.db")
        change(
          file,
          "CREATE TABLE openrouter_requests (mine TEXT); INSERT INTO openrouter_requests VALUES ('still')"
        )
        const { message } = yield* refusal(file)
        assertPlain(message, file)
        const database = new Sqlite(file)
        assert.deepStrictEqual(database.prepare("SELECT * FROM openrouter_requests").all(), [
          { mine: "still" }
        ])
        database.close()
      })
  )

  it.scopedLive("since it is a folder is refused in a sentence", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "kept.db")
      mkdirSync(file)
      const { message } = yield* refusal(file)
      assertPlain(message, file)
      assert.deepStrictEqual(readdirSync(dirname(file)), ["kept.db"])
    })
  )

  it.scopedLive("since its folder is a file is refused in a sentence", () =>
    Effect.gen(function* () {
      const blocker = join(yield* temporaryFolder, "file")
      writeFileSync(blocker, "mine")
      const { message } = yield* refusal(join(blocker, "kept.db"))
      assertPlain(message, join(blocker, "kept.db"))
      assert.strictEqual(readFileSync(blocker, "utf8"), "mine")
    })
  )
})

/** One sentence or two for the operator, with the file in it and nothing from the depths. */
const assertPlain = (message: string, file: string) => {
  assert.isTrue(message.startsWith(`The database ${file} `), message)
  assert.match(message, /\.$/)
  assert.notMatch(message, /\n|Error\b.*Error\b|node_modules|\[object|undefined|FiberFailure/)
  assert.isBelow(message.length - file.length, 200)
}

describe("a database", () => {
  it.scopedLive("is made where there is none, folders and all", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "not", "there", "kept.db")
      const sql = Context.get(yield* build(file), SqlClient)
      const tables = yield* sql<{ name: string }>`SELECT name FROM sqlite_master WHERE type = 'table'`
      assert.includeMembers(
        tables.map(({ name }) => name),
        ["openrouter_requests", "request_bodies", "instances", "media_entries", "installation"]
      )
      assert.deepStrictEqual(yield* sql`PRAGMA journal_mode`, [{ journal_mode: "wal" }])
    })
  )

  it.scopedLive("of nothing is a new one", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "kept.db")
      writeFileSync(file, "")
      const sql = Context.get(yield* build(file), SqlClient)
      assert.deepStrictEqual(yield* sql`SELECT count(*) AS rows FROM openrouter_requests`, [{ rows: 0 }])
    })
  )

  it.scopedLive("is opened again as it was", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "kept.db")
      yield* made(file)
      change(file, "INSERT INTO instances VALUES ('a', 'b', 1, 'c', 2)")
      const sql = Context.get(yield* build(file), SqlClient)
      assert.deepStrictEqual(yield* sql`SELECT id FROM instances`, [{ id: "a" }])
      const applied = yield* sql<{
        name: string
      }>`SELECT name FROM effect_sql_migrations ORDER BY migration_id`
      assert.deepStrictEqual(applied.map(({ name }) => name).slice(0, 3), ["requests", "media", "statistics"])
    })
  )

  for (const version of [1, 2, 3, 4])
    it.scopedLive(
      `as version ${version} left it is brought up to date, keeps what it has, and counts it`,
      () =>
        Effect.gen(function* () {
          const file = join(yield* temporaryFolder, "kept.db")
          for (let upTo = 1; upTo <= version; upTo++)
            change(file, readFileSync(new URL(`./database/version-${upTo}.sql`, import.meta.url), "utf8"))
          const sql = Context.get(yield* build(file), SqlClient)
          assert.deepStrictEqual(
            yield* sql`
            SELECT internal_request_id AS id, state, cost_nano_usd AS cost, shape_id IS NULL AS uncounted
            FROM openrouter_requests ORDER BY id`,
            [
              { id: "req_1", state: "done", cost: 12345, uncounted: 0 },
              { id: "req_2", state: "done", cost: 5, uncounted: 0 },
              { id: "req_3", state: "failed", cost: null, uncounted: 0 },
              { id: "req_4", state: "running", cost: null, uncounted: 1 }
            ]
          )
          assert.deepStrictEqual(yield* sql`SELECT response_body FROM request_bodies`, [
            { response_body: '{"said":"žluťoučký"}' }
          ])
          assert.deepStrictEqual(yield* sql`SELECT id FROM instances`, [{ id: "i1" }])
          assert.deepStrictEqual(yield* sql`SELECT bytes FROM media_room`, [{ bytes: 0 }])
          const secret = version === 1 ? [] : [{ value: "00ff" }]
          assert.deepStrictEqual(yield* sql`SELECT value FROM installation`, secret)
          const media = version === 1 ? [] : [{ id: "a", medium: null }]
          assert.deepStrictEqual(yield* sql`SELECT id, medium FROM media_entries`, media)
          for (const table of ["request_steps", "request_media", "media_items"])
            assert.deepStrictEqual(yield* sql`SELECT * FROM ${sql(table)}`, [])
          assert.deepStrictEqual(
            yield* sql`
            SELECT span, start, model_requested AS model, status, requests, prompt_tokens AS tokens,
              cost_nano_usd AS cost, cost_unknown AS unknown, duration_ms, first_tokens, b0, b12
            FROM request_rollups JOIN request_shapes ON shape_id = id ORDER BY span, start, model`,
            [3600, 86_400].flatMap((span) => [
              {
                ...{ span, start: Date.parse(`2026-11-17T${span === 3600 ? "10" : "00"}:00:00Z`) / 1000 },
                ...{ model: "fast", status: "200", requests: 2, tokens: 11, cost: 12_350, unknown: 0 },
                ...{ duration_ms: 354, first_tokens: 1, b0: 1, b12: 1 }
              },
              {
                ...{ span, start: Date.parse(`2026-11-17T${span === 3600 ? "11" : "00"}:00:00Z`) / 1000 },
                ...{ model: "nobody", status: "404", requests: 1, tokens: 0, cost: 0, unknown: 1 },
                ...{ duration_ms: 2, first_tokens: 0, b0: 1, b12: 0 }
              }
            ])
          )
        })
    )

  it.scopedLive("is waited for while another process holds it", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "kept.db")
      // As another process leaves it that has begun, and not yet ended, its migrations.
      change(
        file,
        `PRAGMA journal_mode = WAL;
         CREATE TABLE effect_sql_migrations (
           migration_id integer PRIMARY KEY NOT NULL,
           created_at datetime NOT NULL DEFAULT current_timestamp,
           name VARCHAR(255) NOT NULL)`
      )
      const holder = yield* Effect.acquireRelease(
        Effect.sync(() => new Sqlite(file)),
        (holder) => Effect.sync(() => holder.close())
      )
      holder.exec("BEGIN IMMEDIATE")
      const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
      const opening = yield* Effect.fork(Scope.extend(build(file), scope))
      const from = performance.now()
      const stillOpening = Effect.sync(() => opening.unsafePoll() === null)
      // By then the driver has given up waiting at least once.
      assert.isTrue(yield* eventually(stillOpening, (still) => !still || performance.now() - from > 300))
      holder.exec("ROLLBACK")
      const sql = Context.get(yield* Fiber.join(opening), SqlClient)
      assert.deepStrictEqual(yield* sql`SELECT count(*) AS rows FROM openrouter_requests`, [{ rows: 0 }])
    })
  )
})

describe("waiting for a database", () => {
  it.scoped(
    "that another process holds for half a minute is waited for, and in the end missed in a sentence",
    () =>
      Effect.gen(function* () {
        const file = join(yield* temporaryFolder, "kept.db")
        const holder = yield* Effect.acquireRelease(
          Effect.sync(() => new Sqlite(file)),
          (holder) => Effect.sync(() => holder.close())
        )
        holder.exec("BEGIN EXCLUSIVE")
        const opening = yield* Effect.fork(refusal(file))
        const wait = (seconds: number) =>
          TestClock.adjust("1 second").pipe(
            Effect.zipRight(Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1)))),
            Effect.repeatN(seconds - 1)
          )
        yield* wait(30)
        assert.isNull(opening.unsafePoll())
        yield* wait(60)
        const { message } = yield* Fiber.join(opening)
        assert.strictEqual(message, `The database ${file} is locked by another process.`)
      })
  )

  it.scopedLive("leaves the thread to others", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "kept.db")
      change(file, "CREATE TABLE somebody (else_s TEXT)")
      const holder = yield* Effect.acquireRelease(
        Effect.sync(() => new Sqlite(file)),
        (holder) => Effect.sync(() => holder.close())
      )
      holder.exec("BEGIN EXCLUSIVE")
      const opening = yield* Effect.fork(build(file))
      const from = performance.now()
      yield* eventually(
        Effect.sync(() => performance.now()),
        (now) => now - from > 300
      )
      assert.isBelow(performance.now() - from, 2000)
      holder.exec("ROLLBACK")
      const sql = Context.get(yield* Fiber.join(opening), SqlClient)
      assert.deepStrictEqual(yield* sql`SELECT count(*) AS rows FROM openrouter_requests`, [{ rows: 0 }])
    })
  )
})

describe("two routers", () => {
  it.scopedLive("in one process both start on one fresh file, and both write", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "kept.db")
      const routers = yield* Effect.all([startRouter({ DB_PATH: file }), startRouter({ DB_PATH: file })], {
        concurrency: "unbounded"
      })
      for (const router of routers) assert.strictEqual((yield* sendChat(router, HELLO)).status, 200)
      const [first] = routers
      const rows = yield* eventually(
        first.rowsNow,
        (rows) => rows.length === 2 && rows.every(({ state }) => state === "done")
      )
      assert.strictEqual(new Set(rows.map((row) => row.instance_id)).size, 2)
    })
  )

  it.scopedLive("of processes of their own, started at once on one fresh file, all start and write", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const programs = yield* Effect.all(
        Array.from({ length: 3 }, () => startProgram({ ...WITHOUT_TOOLS, DATA_DIR: folder })),
        { concurrency: "unbounded" }
      )
      for (const { url } of programs) {
        const answer = yield* Effect.promise(() =>
          fetch(`${url}/v1/chat/completions`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(HELLO)
          })
        )
        assert.strictEqual(answer.status, 200)
      }
      const rows = yield* eventually(
        Effect.sync(() => rowsIn(folder)),
        (rows) => rows.length === 3 && rows.every(({ state }) => state === "done")
      )
      assert.strictEqual(new Set(rows.map((row) => row.instance_id)).size, 3)
      assert.isTrue(existsSync(join(folder, "percept.db")))
    })
  )
})
