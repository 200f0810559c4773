import { SqlClient } from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Logger, LogLevel, Redacted, TestClock } from "effect"
import { connect, createServer } from "node:net"
import type { AddressInfo, Socket } from "node:net"
import { AppConfig } from "../../src/services/AppConfig.ts"
import * as Database from "../../src/services/Database.ts"
import { makePostgresReader } from "../../src/services/database/PostgresReader.ts"
import { ReadDatabase } from "../../src/services/tracking/ReadDatabase.ts"
import { selfSigned } from "../support/Certificate.ts"
import { freshDatabase, hasPostgres, ownPostgres, sharedPostgres } from "../support/Postgres.ts"
import { eventually, startRouter } from "../support/Router.ts"
import { sendChat } from "../support/Upstream.ts"

const quiet = Logger.minimumLogLevel(LogLevel.None)

const build = (url: string) =>
  Layer.build(
    ReadDatabase.Default.pipe(
      Layer.provideMerge(Database.layer),
      Layer.provide([AppConfig.layer({ DATABASE_URL: url }), quiet])
    )
  )

/** What a reader finds in a table that is never empty. */
const readBy = (context: Context.Context<SqlClient | ReadDatabase>) => {
  const sql = Context.get(context, SqlClient)
  return Context.get(context, ReadDatabase).rows(
    sql<{ rooms: number }>`SELECT count(*) AS rooms FROM media_room`
  )
}

const refusal = (url: string) =>
  Effect.scoped(build(url)).pipe(
    Effect.flip,
    Effect.catchAll(() => Effect.dieMessage(`${url} was opened`))
  )

const tablesIn = (sql: SqlClient) =>
  Effect.map(
    sql<{
      name: string
    }>`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
    (rows) => rows.map(({ name }) => name).toSorted()
  )

/** A way to a server on which nothing more is heard of connections once it falls silent, but they stay open. */
const silenceable = (port: number) =>
  Effect.acquireRelease(
    Effect.async<{ readonly port: number; readonly fallSilent: () => void; readonly close: () => void }>(
      (resume) => {
        const sockets = new Set<Socket>()
        const relay = createServer((client) => {
          const server = connect(port, "127.0.0.1")
          for (const [from, to] of [
            [client, server],
            [server, client]
          ] as const) {
            sockets.add(from)
            from.on("error", () => to.destroy())
            from.pipe(to)
          }
        }).listen(0, "127.0.0.1", () => {
          const { port } = relay.address() as AddressInfo
          const fallSilent = () => {
            for (const socket of sockets) socket.unpipe().pause()
          }
          const close = () => {
            for (const socket of sockets) socket.destroy()
            relay.close()
          }
          resume(Effect.succeed({ port, fallSilent, close }))
        })
      }
    ),
    ({ close }) => Effect.sync(close)
  )

const HELLO = { model: "percept/inspect", messages: [{ role: "user", content: "Hi" }] }

describe.skipIf(!hasPostgres)("a Postgres server", () => {
  const postgres = sharedPostgres()

  for (const [spelling, change] of [
    ["postgres://", (url: string) => url.replace("postgresql:", "postgres:")],
    ["postgresql+asyncpg://", (url: string) => url.replace("postgresql:", "postgresql+asyncpg:")],
    ["postgresql+psycopg2://", (url: string) => url.replace("postgresql:", "postgresql+psycopg2:")],
    ["sslmode=disable", (url: string) => `${url}?sslmode=disable`],
    ["sslmode=prefer", (url: string) => `${url}?sslmode=prefer`],
    ["ssl=prefer", (url: string) => `${url}?ssl=prefer`]
  ] as const)
    it.scopedLive(`is understood as ${spelling}, made ready, and found so again`, () =>
      Effect.gen(function* () {
        const url = change(freshDatabase(yield* postgres))
        const context = yield* build(url)
        const sql = Context.get(context, SqlClient)
        assert.deepStrictEqual(yield* readBy(context), [{ rooms: 1 }])
        const tables = yield* tablesIn(sql)
        assert.includeMembers(tables, ["openrouter_requests", "request_rollups", "media_blobs", "api_keys"])
        yield* sql`INSERT INTO installation (name, value) VALUES ('a', 'b')`
        const again = Context.get(yield* build(url), SqlClient)
        assert.deepStrictEqual(yield* again`SELECT value FROM installation`, [{ value: "b" }])
      })
    )

  it.scopedLive("that wants encryption, with a certificate of its own, is written and read", () =>
    Effect.gen(function* () {
      const server = yield* ownPostgres
      const { cert, key } = selfSigned("percept.test")
      for (const [file, text] of Object.entries({ "server.crt": cert, "server.key": key }))
        server.psql(
          `COPY (SELECT '${Buffer.from(text).toString("base64")}') TO PROGRAM 'umask 077; base64 -d > ${file}'`
        )
      server.psql("COPY (SELECT 1) TO PROGRAM 'sed -i s/^host/hostssl/ pg_hba.conf'")
      server.psql("ALTER SYSTEM SET ssl = on")
      server.psql("SELECT pg_reload_conf()")
      yield* eventually(
        Effect.sync(() => server.psql("SHOW ssl")),
        (ssl) => ssl === "on"
      )
      for (const choice of ["", "?sslmode=prefer", "?sslmode=require", "?ssl=true"])
        assert.deepStrictEqual(
          yield* Effect.scoped(Effect.flatMap(build(server.url("postgres") + choice), readBy)),
          [{ rooms: 1 }],
          choice
        )
    })
  )

  it.scopedLive("that falls silent keeps no reader waiting, and is asked anew", () =>
    Effect.gen(function* () {
      const { port, url } = yield* postgres
      const line = yield* silenceable(port)
      const read = yield* makePostgresReader(
        Redacted.make(url("postgres").replace(`:${port}/`, `:${line.port}/`)),
        { millis: 200, readers: 1 }
      )
      const ask = Effect.timeout(read("SELECT 1 AS one", []), "5 seconds")
      assert.deepStrictEqual(yield* ask, [{ one: 1 }])
      line.fallSilent()
      const failed = yield* Effect.flip(ask)
      assert.strictEqual(failed._tag, "SqlError")
      assert.deepStrictEqual(yield* ask, [{ one: 1 }])
    })
  )

  const refused: ReadonlyArray<readonly [string, (port: number) => string, RegExp]> = [
    ["wrong password", (port) => `percept:wr0ng-one@127.0.0.1:${port}/postgres`, /does not let this user in/],
    ["unknown user", (port) => `stranger:wr0ng-one@127.0.0.1:${port}/postgres`, /does not let this user in/],
    [
      "unknown database",
      (port) => `percept:s3cret-of-the-tests@127.0.0.1:${port}/nowhere`,
      /does not exist; make it/
    ],
    [
      "encryption it does not have",
      (port) => `percept:s3cret-of-the-tests@127.0.0.1:${port}/postgres?sslmode=require`,
      /cannot be used: The server does not support SSL connections/
    ]
  ]
  for (const [name, address, says] of refused)
    it.scopedLive(`with ${name} is refused at once in a sentence that tells no secret`, () =>
      Effect.gen(function* () {
        const { port } = yield* postgres
        const { _tag, message } = yield* refusal(`postgresql://${address(port)}`)
        assert.strictEqual(_tag, "DatabaseUnusable")
        assert.match(message, says)
        assert.isTrue(message.startsWith(`The database 127.0.0.1:${port}/`), message)
        assert.match(message, /\.$/)
        assert.notMatch(message, /stranger|percept:|wr0ng|s3cret|\n|undefined|\[object/)
      })
    )

  it.scoped("that is not there is asked for half a minute, and then missed in a sentence", () =>
    Effect.gen(function* () {
      // Nobody listens on the first port.
      const asking = yield* Effect.fork(refusal("postgresql://stranger:wr0ng@127.0.0.1:1/percept"))
      let waited = 0
      while (asking.unsafePoll() === null) {
        yield* TestClock.adjust("1 second")
        yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 5)))
        waited++
      }
      assert.isAtLeast(waited, 20)
      const { message } = yield* Fiber.join(asking)
      assert.strictEqual(message, "The database 127.0.0.1:1/percept cannot be reached (ECONNREFUSED).")
    })
  )

  it.scopedLive("that still starts is waited for", () =>
    Effect.gen(function* () {
      const server = yield* ownPostgres
      yield* Effect.promise(() => server.control("stop"))
      const opening = yield* Effect.fork(build(server.url("postgres")))
      yield* Effect.sleep("300 millis")
      assert.isNull(opening.unsafePoll())
      yield* Effect.promise(() => server.control("start"))
      const sql = Context.get(yield* Fiber.join(opening), SqlClient)
      assert.include(yield* tablesIn(sql), "openrouter_requests")
    })
  )

  const blocked: ReadonlyArray<readonly [string, string, RegExp]> = [
    [
      "of a newer version",
      `CREATE TABLE effect_sql_migrations (migration_id INTEGER PRIMARY KEY, created_at TIMESTAMPTZ, name TEXT);
       INSERT INTO effect_sql_migrations (migration_id, name) VALUES (1, 'requests'), (9999, 'future')`,
      /was written by a newer version of Percept; start that version/
    ],
    [
      "of another program that keeps its migrations alike",
      `CREATE TABLE effect_sql_migrations (migration_id INTEGER PRIMARY KEY, created_at TIMESTAMPTZ, name TEXT);
       INSERT INTO effect_sql_migrations (migration_id, name) VALUES (1, 'customers')`,
      /belongs to another program; choose another one\.$/
    ],
    [
      "of another program with a table of the same name",
      "CREATE TABLE openrouter_requests (mine TEXT)",
      /belongs to another program; choose another one\.$/
    ],
    [
      "of another program with another table of ours",
      "CREATE TABLE installation (mine TEXT)",
      /has tables of another program; choose another one\.$/
    ]
  ]
  for (const [name, statements, says] of blocked)
    it.scopedLive(`${name} is refused in a sentence, and left as it was`, () =>
      Effect.gen(function* () {
        const server = yield* postgres
        const url = freshDatabase(server)
        const database = new URL(url).pathname.slice(1)
        server.psql(statements, database)
        const dump =
          "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        const before = server.psql(dump, database)
        const { message } = yield* refusal(url)
        assert.match(message, says)
        assert.strictEqual(server.psql(dump, database), before)
      })
    )

  it.scopedLive("whose owner lets nobody make tables says so", () =>
    Effect.gen(function* () {
      const server = yield* postgres
      const url = new URL(freshDatabase(server))
      const database = url.pathname.slice(1)
      server.psql(
        `CREATE ROLE guest LOGIN PASSWORD 'guest'; REVOKE CREATE ON SCHEMA public FROM PUBLIC`,
        database
      )
      const { message } = yield* refusal(server.url(database, "guest:guest"))
      assert.match(message, /does not let this user make its tables; grant it CREATE/)
    })
  )

  it.scopedLive("in another encoding than Unicode's is refused", () =>
    Effect.gen(function* () {
      const server = yield* postgres
      server.psql("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1'")
      assert.match((yield* refusal(server.url("latin"))).message, /is encoded in LATIN1; make one in UTF8/)
    })
  )

  it.scopedLive("that is new is made ready once, by however many start at once", () =>
    Effect.gen(function* () {
      const server = yield* postgres
      const url = freshDatabase(server)
      const all = yield* Effect.all(
        Array.from({ length: 4 }, () => build(url)),
        { concurrency: "unbounded" }
      )
      for (const context of all)
        assert.strictEqual((yield* Context.get(context, SqlClient)`SELECT * FROM media_room`).length, 1)
    })
  )

  it.scopedLive("restarted while requests come: rows wait, none is lost, none counts twice", () =>
    Effect.gen(function* () {
      const server = yield* ownPostgres
      const router = yield* startRouter({ DATABASE_URL: server.url("postgres") })
      const answered: Array<string> = []
      const over = new AbortController()
      const load = Effect.gen(function* () {
        while (!over.signal.aborted) {
          const got = yield* sendChat(router, HELLO)
          assert.strictEqual(got.status, 200)
          answered.push(String(got.headers["x-request-id"]))
        }
      })
      const clients = yield* Effect.fork(Effect.all([load, load, load], { concurrency: "unbounded" }))
      for (const mode of ["fast", "immediate", "fast"] as const) {
        const before = answered.length
        yield* eventually(
          Effect.sync(() => answered.length),
          (count) => count > before + 30
        )
        yield* Effect.promise(() => server.control("restart", mode))
      }
      over.abort()
      yield* Fiber.join(clients)
      const rows = yield* eventually(
        router.rowsNow,
        (rows) => rows.length >= answered.length && rows.every(({ state }) => state === "done"),
        20
      )
      assert.sameMembers(
        rows.map((row) => row.internal_request_id),
        answered
      )
      const counted = server.psql("SELECT sum(requests) FROM request_rollups GROUP BY span")
      assert.deepStrictEqual(counted.split("\n"), [`${answered.length}`, `${answered.length}`])
      const report = yield* Effect.promise(() =>
        fetch(`${router.url}/readyz`).then((answer) => answer.json())
      )
      assert.deepInclude(report, { status: "ready", record: "ok", rows_lost: 0 })
    })
  )
})
