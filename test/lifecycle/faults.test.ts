import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import { Effect } from "effect"
import { execFileSync, spawnSync } from "node:child_process"
import { closeSync, cpSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs"
import { join } from "node:path"
import { vi } from "vitest"
import { root } from "../../scripts/fresh.mjs"
import { field } from "../../src/domain/Json.ts"
import { startProgram, WITHOUT_TOOLS } from "../support/Program.ts"
import type { Row } from "../support/Router.ts"
import { eventually, startRouter, temporaryFolder } from "../support/Router.ts"

interface Place {
  readonly url: string
}

/** A request that must be answered, whatever is broken. */
const ask = ({ url }: Place, said: string) =>
  Effect.promise(async () => {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "percept/inspect", messages: [{ role: "user", content: said }] })
    })
    assert.strictEqual(answer.status, 200)
    await answer.arrayBuffer()
    return answer.headers.get("x-request-id") ?? ""
  })

const ready = ({ url }: Place) =>
  Effect.promise(() => fetch(`${url}/readyz`).then((answer) => answer.json() as Promise<unknown>))

const untilReady = (place: Place, parts: { readonly [name: string]: string }) =>
  eventually(
    ready(place),
    (report) => Object.entries(parts).every(([name, state]) => field(report, name) === state),
    20
  )

/** SQLite cannot be led to a file by way of another process, so it gets a copy. */
const rowsOf = (file: string, copy: string): ReadonlyArray<Row> => {
  for (const end of ["", "-wal"]) cpSync(`${file}${end}`, `${copy}${end}`)
  const database = new Sqlite(copy)
  try {
    return database.prepare<[], Row>("SELECT * FROM openrouter_requests ORDER BY id").all()
  } finally {
    database.close()
  }
}

const loggedIn = (file: string): ReadonlyArray<string> =>
  (existsSync(file) ? readFileSync(file, "utf8") : "")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line).id)

const canMount =
  process.platform === "linux" &&
  spawnSync("unshare", ["-m", "sh", "-c", "mount -t tmpfs none /mnt && command -v nsenter"]).status === 0

/** The program with disks of its own, which nobody else sees but through it. */
const onSmallDisks = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const [data, logs] = [join(folder, "data"), join(folder, "logs")]
  mkdirSync(data)
  mkdirSync(logs)
  const script = `mount -t tmpfs -o size=24m none "$0" && mount -t tmpfs -o size=1m none "$1" && exec "$2" "$3"`
  const program = yield* startProgram(
    {
      ...WITHOUT_TOOLS,
      DATA_DIR: data,
      LOG_FILE_PATH: join(logs, "log"),
      LOG_LEVEL: "none",
      MEDIA_TMP_DIR: join(folder, "tmp")
    },
    {
      command: "unshare",
      args: ["-m", "sh", "-c", script, data, logs, process.execPath, join(root, "dist", "main.js")]
    }
  )
  const seen = (path: string) => `/proc/${program.pid}/root${path}`
  return {
    ...program,
    folder,
    database: seen(join(data, "percept.db")),
    log: seen(join(logs, "log")),
    fill: (disk: "data" | "logs") => fill(seen(join(folder, disk, "ballast"))),
    empty: (disk: "data" | "logs") => rmSync(seen(join(folder, disk, "ballast"))),
    remount: (how: "ro" | "rw") =>
      execFileSync("nsenter", ["-t", String(program.pid), "-m", "mount", "-o", `remount,${how}`, logs])
  }
})

/** Until not a byte more goes in. */
const fill = (file: string): void => {
  const handle = openSync(file, "w")
  try {
    for (let size = 1 << 20; size >= 1; size >>= 1)
      try {
        while (true) writeSync(handle, Buffer.alloc(size))
      } catch {
        // Smaller pieces may still fit.
      }
  } finally {
    closeSync(handle)
  }
}

describe.skipIf(!canMount)("a disk", () => {
  it.scopedLive("that is full costs no answer, no row and no line of the log", () =>
    Effect.gen(function* () {
      const program = yield* onSmallDisks
      const ids = [yield* ask(program, "before")]
      yield* untilReady(program, { record: "ok", log: "ok" })
      program.fill("data")
      program.fill("logs")
      // What has room already is used up first.
      yield* eventually(
        Effect.gen(function* () {
          ids.push(yield* ask(program, "x".repeat(100_000)))
          return yield* ready(program)
        }),
        (report) => field(report, "record") === "failing" && field(report, "log") === "failing",
        20
      )
      for (let more = 0; more < 5; more++) ids.push(yield* ask(program, "while it is full"))
      assert.deepInclude(yield* ready(program), { status: "ready", rows_lost: 0, log_lines_lost: 0 })
      program.empty("data")
      program.empty("logs")
      yield* untilReady(program, { record: "ok", log: "ok" })
      ids.push(yield* ask(program, "after"))
      const rows = yield* eventually(
        Effect.sync(() => rowsOf(program.database, join(program.folder, "copy.db"))),
        (rows) => rows.length === ids.length && rows.every(({ state }) => state === "done")
      )
      assert.sameMembers(
        rows.map((row) => row.internal_request_id),
        ids
      )
      const logged = yield* eventually(
        Effect.sync(() => loggedIn(program.log)),
        (logged) => logged.length === ids.length
      )
      assert.sameMembers(Array.from(logged), ids)
      assert.deepInclude(yield* ready(program), { status: "ready", rows_lost: 0, log_lines_lost: 0 })
    })
  )

  it.scopedLive("that may only be read costs the log no line once it may be written again", () =>
    Effect.gen(function* () {
      const program = yield* onSmallDisks
      const ids = [yield* ask(program, "before")]
      yield* eventually(
        Effect.sync(() => loggedIn(program.log)),
        (logged) => logged.length === 1
      )
      program.remount("ro")
      ids.push(yield* ask(program, "meanwhile"))
      assert.deepInclude(yield* untilReady(program, { log: "failing" }), { status: "ready", record: "ok" })
      ids.push(yield* ask(program, "meanwhile"))
      program.remount("rw")
      yield* untilReady(program, { log: "ok" })
      assert.deepStrictEqual(loggedIn(program.log), ids)
    })
  )
})

describe("a database that is damaged while it is used", () => {
  it.scopedLive("costs no answer, and its rows wait for its repair", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const file = join(folder, "kept.db")
      const router = yield* startRouter({ DB_PATH: file })
      const ids: Array<string> = []
      for (let number = 0; number < 20; number++) ids.push(yield* ask(router, "before ".repeat(2000)))
      yield* eventually(router.rowsNow, (rows) => rows.filter(({ state }) => state === "done").length === 20)
      const other = new Sqlite(file)
      other.pragma("wal_checkpoint(TRUNCATE)")
      other.close()
      const good = readFileSync(file)
      const bad = Buffer.from(good)
      bad.fill(0x5a, 0)
      writeOver(file, bad)
      const report = yield* eventually(
        Effect.gen(function* () {
          ids.push(yield* ask(router, "meanwhile ".repeat(2000)))
          return yield* ready(router)
        }),
        (report) => field(report, "record") === "failing"
      )
      assert.deepInclude(report, { status: "ready", record: "failing", rows_lost: 0 })
      writeOver(file, good)
      yield* untilReady(router, { record: "ok" })
      const rows = yield* eventually(
        router.rowsNow,
        (rows) => rows.length === ids.length && rows.every(({ state }) => state === "done")
      )
      assert.sameMembers(
        rows.map((row) => row.internal_request_id),
        ids
      )
      assert.deepInclude(yield* ready(router), { status: "ready", record: "ok", rows_lost: 0 })
    })
  )
})

/** As a bad disk or a wrong hand does: the file stays, its bytes change. */
const writeOver = (file: string, bytes: Buffer): void => {
  const handle = openSync(file, "r+")
  try {
    writeSync(handle, bytes, 0, bytes.length, 0)
  } finally {
    closeSync(handle)
  }
}

describe("a clock that steps back by a day", () => {
  it.scopedLive("changes neither durations nor the order of the record, and loses nothing", () =>
    Effect.gen(function* () {
      yield* Effect.acquireRelease(
        Effect.sync(() => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() })),
        () => Effect.sync(() => vi.useRealTimers())
      )
      const router = yield* startRouter({ MAX_LOG_AGE_DAYS: "1" })
      const now = Date.now()
      const ids = [yield* ask(router, "today")]
      vi.setSystemTime(now - 86_400_000)
      ids.push(yield* ask(router, "yesterday"), yield* ask(router, "yesterday"))
      vi.setSystemTime(now)
      ids.push(yield* ask(router, "today again"))
      const rows = yield* eventually(
        router.rowsNow,
        (rows) => rows.length === 4 && rows.every(({ state }) => state === "done")
      )
      assert.deepStrictEqual(
        rows.map((row) => row.internal_request_id),
        ids
      )
      for (const { processing_duration_ms } of rows) {
        assert.isAtLeast(processing_duration_ms ?? -1, 0)
        assert.isBelow(processing_duration_ms ?? Infinity, 60_000)
      }
      const days = new Set(rows.map(({ timestamp }) => timestamp.slice(0, 10)))
      assert.strictEqual(days.size, 2)
      assert.strictEqual(new Set(ids).size, 4)
      assert.deepInclude(yield* ready(router), { status: "ready", record: "ok", rows_lost: 0 })
    })
  )
})
