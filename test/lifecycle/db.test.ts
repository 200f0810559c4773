import { SqlClient } from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Logger, LogLevel } from "effect"
import Sqlite from "better-sqlite3"
import { execFile, spawn } from "node:child_process"
import { existsSync, statSync } from "node:fs"
import { join } from "node:path"
import { root } from "../../scripts/fresh.mjs"
import type { RequestRecord } from "../../src/domain/RequestRecord.ts"
import { AppConfig } from "../../src/services/AppConfig.ts"
import * as Database from "../../src/services/Database.ts"
import { TrackingRepo } from "../../src/services/tracking/TrackingRepo.ts"
import { everyDatabase } from "../support/Postgres.ts"
import { eventually, startRouter, temporaryFolder } from "../support/Router.ts"
import { rowOf } from "../support/Rows.ts"
import { sendChat } from "../support/Upstream.ts"

type Environment = { readonly [name: string]: string }

const mainFile = join(root, "dist", "main.js")

/** The built program with these words, run to its end. */
const db = (env: Environment, ...words: ReadonlyArray<string>) =>
  Effect.async<{ readonly code: unknown; readonly out: string; readonly err: string }>((resume) => {
    const options = { env: { PATH: process.env["PATH"], ...env }, maxBuffer: 1e9 }
    execFile(process.execPath, [mainFile, "db", ...words], options, (error, out, err) =>
      resume(Effect.succeed({ code: error === null ? 0 : error.code, out, err }))
    )
  })

const DAY = 86_400_000

const agedRow = (id: string, age: number, more: Partial<RequestRecord> = {}): RequestRecord =>
  rowOf(id, { timestamp: new Date(Date.now() - age).toISOString(), ...more })

/** A record with these rows, each with so long a text. */
const filled = (env: Environment, rows: ReadonlyArray<RequestRecord>, characters = 10) =>
  Effect.scoped(
    Effect.gen(function* () {
      const layer = TrackingRepo.Default.pipe(
        Layer.provideMerge(Database.layer),
        Layer.provide([AppConfig.layer(env), Logger.minimumLogLevel(LogLevel.None)])
      )
      const context = yield* Effect.orDie(Layer.build(layer))
      const text = JSON.stringify("x".repeat(characters))
      const bodies = rows.map(({ internal_request_id }) => ({
        internal_request_id,
        request_body: text,
        response_body: null
      }))
      for (let at = 0; at < rows.length; at += 100)
        yield* Context.get(context, TrackingRepo).save(rows.slice(at, at + 100), bodies.slice(at, at + 100))
      return yield* Context.get(context, SqlClient)`SELECT count(*) AS n FROM openrouter_requests`
    })
  )

for (const { fresh, name } of everyDatabase())
  describe(`percept db on ${name}`, () => {
    it.scopedLive("says what there is, deletes what is old, and exports the rest", () =>
      Effect.gen(function* () {
        const env = yield* fresh
        yield* filled(env, [
          agedRow("old", 10 * DAY),
          agedRow("midway", 5 * DAY, {
            prompt_tokens: 12,
            cost_nano_usd: 1_500_000_001,
            cost_source: "provider"
          }),
          agedRow("formula", 0, {
            model_requested_by_client: '=HYPERLINK("http://x","y")',
            preview: "a, b\nc"
          }),
          agedRow("side", 0, { kind: "describe", parent_request_id: "formula" }),
          agedRow("running", 9 * DAY, { state: "running" })
        ])
        const stats = yield* db(env, "stats")
        assert.strictEqual(stats.code, 0, stats.err)
        assert.match(stats.out, /^requests +5, 1 of them running, since 20\d\d-/m)
        assert.match(stats.out, /^texts +of 5 requests$/m)
        assert.match(stats.out, /^sums by hour +4, since/m)
        assert.match(stats.out, /^sums by day +\d, since/m)
        assert.match(stats.out, /^media +0 remembered, 0\.0 MB of \d+ MB$/m)
        assert.match(stats.out, /^ +openrouter_requests +0\.\d MB$/m)

        const more = yield* db(env, "prune", "--older-than", "3d", "--vacuum")
        assert.match(more.out, /^2 requests, 2 texts .*\n.* MB became .* MB\.\n$/, more.err)

        const lines = (yield* db(env, "export")).out
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line))
        assert.deepStrictEqual(
          lines.map((line) => [line.internal_request_id, line.kind, line.request_body]),
          [
            ["formula", "main", '"xxxxxxxxxx"'],
            ["side", "describe", '"xxxxxxxxxx"'],
            ["running", "main", '"xxxxxxxxxx"']
          ]
        )
        assert.isNumber(lines[0].id)
        const table = (yield* db(
          env,
          "export",
          "--format",
          "csv",
          "--from",
          "2026-01-01",
          "--to",
          "2099-01-01"
        )).out.split("\r\n")
        assert.match(table[0] ?? "", /^id,timestamp,internal_request_id,/)
        assert.include(table[1], `"'=HYPERLINK(""http://x"",""y"")"`)
        assert.include(table[1], '"a, b\nc"')
        assert.strictEqual(table.length, 5)
      })
    )

    it.scopedLive("works beside a router that goes on", () =>
      Effect.gen(function* () {
        const env = yield* fresh
        yield* filled(
          env,
          Array.from({ length: 300 }, (_, at) => agedRow(`old-${at}`, 6 * DAY)),
          4000
        )
        const router = yield* startRouter(env)
        let asked = 0
        const asking = yield* Effect.fork(
          Effect.forever(
            Effect.gen(function* () {
              const hello = { model: "percept/inspect", messages: [{ role: "user", content: "Hi" }] }
              assert.strictEqual((yield* sendChat(router, hello)).status, 200)
              asked++
              yield* Effect.sleep("20 millis")
            })
          )
        )
        const pruned = yield* db(env, "prune", "--older-than", "5d", "--vacuum")
        assert.match(pruned.out, /^300 requests, 300 texts/, pruned.err)
        const exported = yield* db(env, "export")
        yield* Fiber.interrupt(asking)
        assert.isAtLeast(exported.out.split("\n").length, 2)
        const rows = yield* eventually(
          router.rowsNow,
          (rows) => rows.length >= asked && rows.every(({ state }) => state !== "running")
        )
        assert.isAtLeast(rows.length, asked)
        const report = yield* Effect.promise(() =>
          fetch(`${router.url}/readyz`).then((answer) => answer.json())
        )
        assert.deepInclude(report, { status: "ready", record: "ok", rows_lost: 0 })
      })
    )
  })

describe("percept db", () => {
  it.scopedLive("exports more than fits into its memory, as fast as it is read and no faster", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const env = { DB_PATH: join(folder, "kept.db") }
      yield* filled(
        env,
        Array.from({ length: 250 }, (_, at) => agedRow(`r${at}`, 0)),
        250_000
      )
      const child = spawn(process.execPath, ["--max-old-space-size=64", mainFile, "db", "export"], {
        env: { PATH: process.env["PATH"], ...env },
        stdio: ["ignore", "pipe", "inherit"]
      })
      let bytes = 0
      child.stdout.on("data", (piece: Buffer) => (bytes += piece.length))
      const code = yield* Effect.async<number | null>((resume) => {
        child.on("close", (code) => resume(Effect.succeed(code)))
      })
      assert.strictEqual(code, 0)
      assert.isAbove(bytes, 250 * 250_000)
    })
  )

  it.scopedLive("stops without a word when its reader has enough", () =>
    Effect.gen(function* () {
      const env = { DB_PATH: join(yield* temporaryFolder, "kept.db") }
      yield* filled(
        env,
        Array.from({ length: 300 }, (_, at) => agedRow(`r${at}`, 0)),
        20_000
      )
      const out = yield* Effect.async<string>((resume) => {
        const line = `"${process.execPath}" "${mainFile}" db export 2>&1 | head -c 100; echo " \${PIPESTATUS[0]}"`
        const options = { env: { PATH: process.env["PATH"], ...env } }
        execFile("bash", ["-c", line], options, (_, out) => resume(Effect.succeed(out)))
      })
      assert.strictEqual(out.slice(100), " 0\n")
    })
  )

  it.scopedLive("makes an old file small, and able to get smaller by itself", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "kept.db")
      const old = new Sqlite(file)
      old.exec("PRAGMA journal_mode = WAL")
      old.close()
      const rows = Array.from({ length: 200 }, (_, at) => agedRow(`r${at}`, 20 * DAY))
      yield* filled({ DB_PATH: file }, rows, 20_000)
      const before = statSync(file).size
      const pruned = yield* db({ DB_PATH: file }, "prune", "--vacuum")
      assert.strictEqual(pruned.code, 0, pruned.err)
      assert.isBelow(statSync(file).size, before / 4)
      const now = new Sqlite(file, { readonly: true })
      assert.strictEqual(now.pragma("auto_vacuum", { simple: true }), 2)
      now.close()
    })
  )

  it.scopedLive("makes no database, and says what is wrong in a sentence", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const env = { DATA_DIR: folder }
      for (const deed of ["stats", "export"]) {
        const { code, err } = yield* db(env, deed)
        assert.strictEqual(code, 1)
        assert.match(err, /^There is no database \S+percept\.db\.\n$/)
      }
      assert.isFalse(existsSync(join(folder, "percept.db")))
      yield* filled({ DB_PATH: join(folder, "percept.db") }, [agedRow("one", 0)])
      const wrong: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
        [["prune", "--older-than", "soon"], /^--older-than must be a time such as/],
        [["export", "--format", "xml"], /^--format must be jsonl or csv/],
        [["export", "--from", "yesterday"], /^'from' must be a time/]
      ]
      for (const [words, said] of wrong) {
        const { code, err, out } = yield* db(env, ...words)
        assert.deepStrictEqual([code, out], [1, ""])
        assert.match(err, said)
      }
      assert.match((yield* db(env)).out, /^percept db stats/)
    })
  )
})
