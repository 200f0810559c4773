import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Logger, LogLevel, Scope } from "effect"
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { AppConfig } from "../../src/services/AppConfig.ts"
import { RequestLog } from "../../src/services/tracking/RequestLog.ts"
import { eventually, filesIn, startRouter, temporaryFolder } from "../support/Router.ts"
import { HI, sendChat } from "../support/Upstream.ts"

const MEGABYTE = 1024 * 1024

const quiet = Logger.minimumLogLevel(LogLevel.None)

/** A log of its own; whoever closes it has everything written. */
const open = (file: string, env: { readonly [name: string]: string } = {}) =>
  Effect.gen(function* () {
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const config = AppConfig.layer({ LOG_FILE_PATH: file, ...env })
    const layer = RequestLog.layerFile.pipe(Layer.provide(config), Layer.provide(quiet))
    const log = Context.get(yield* Effect.orDie(Layer.buildWithScope(layer, scope)), RequestLog)
    return { ...log, close: Scope.close(scope, Exit.void) }
  })

/** A line of exactly this many bytes, its end included. */
const line = (index: number, bytes = MEGABYTE, filling = "x"): string => {
  const head = JSON.stringify({ index, said: "" }).slice(0, -2)
  const room = bytes - head.length - 3
  return `${head}${filling.repeat(room / Buffer.byteLength(filling))}"}`
}

/** The files of a log, the newest first. */
const filesOf = (file: string, most = 100): ReadonlyArray<string> =>
  [file, ...Array.from({ length: most }, (_, age) => `${file}.${age + 1}`)].filter((name) => existsSync(name))

const linesOf = (file: string): ReadonlyArray<string> => {
  const text = readFileSync(file, "utf8")
  assert.isTrue(text.endsWith("\n"), "the last line is whole")
  return text.slice(0, -1).split("\n")
}

/** Whose lines are in a file; every one of them is whole. */
const indexesIn = (file: string): ReadonlyArray<number> =>
  linesOf(file).map((line) => {
    const read: unknown = JSON.parse(line)
    return typeof read === "object" && read !== null && "index" in read ? Number(read.index) : NaN
  })

const writable = (file: string) => Effect.sync(() => (existsSync(file) ? readFileSync(file, "utf8") : ""))

describe("the request log", () => {
  it.scopedLive("writes one line each, in order, into a folder that it makes", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "not", "there", "router.log.json")
      const log = yield* open(file)
      for (let index = 0; index < 100; index++) log.write(line(index, 200, "ü"))
      const text = yield* eventually(writable(file), (text) => text.split("\n").length === 101)
      assert.strictEqual(
        text,
        Array.from({ length: 100 }, (_, index) => `${line(index, 200, "ü")}\n`).join("")
      )
      assert.strictEqual(statSync(file).mode & 0o777, 0o600)
      assert.isFalse(log.failing())
      assert.strictEqual(log.dropped(), 0)
    })
  )

  it.scopedLive("writes what is left when it is closed", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "router.log.json")
      const log = yield* open(file)
      log.write(line(0, 100))
      yield* log.close
      assert.deepStrictEqual(indexesIn(file), [0])
    })
  )

  it.scopedLive("goes on in the file that is there", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "router.log.json")
      for (let index = 0; index < 3; index++) {
        const log = yield* open(file)
        log.write(line(index, 100))
        yield* log.close
      }
      assert.deepStrictEqual(indexesIn(file), [0, 1, 2])
    })
  )

  it.scopedLive("makes no file while nothing is written", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const log = yield* open(join(folder, "router.log.json"))
      yield* log.close
      assert.deepStrictEqual(readdirSync(folder), [])
    })
  )

  it.scopedLive("makes its folder again when somebody takes it away", () =>
    Effect.gen(function* () {
      const folder = join(yield* temporaryFolder, "logs")
      const file = join(folder, "router.log.json")
      const log = yield* open(file)
      log.write(line(0, 100))
      yield* eventually(writable(file), (text) => text !== "")
      rmSync(folder, { recursive: true })
      log.write(line(1, 100))
      yield* eventually(writable(file), (text) => text !== "")
      assert.deepStrictEqual(indexesIn(file), [1])
      assert.isFalse(log.failing())
      assert.strictEqual(log.dropped(), 0)
    })
  )
})

describe("rotation", () => {
  it.scopedLive("begins a new file where the old one would become too large, and keeps so many", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "router.log.json")
      const log = yield* open(file, { LOG_MAX_MB: "1", LOG_MAX_FILES: "3" })
      for (let index = 0; index < 6; index++) log.write(line(index))
      yield* log.close
      assert.deepStrictEqual(filesOf(file).map(indexesIn), [[5], [4], [3]])
    })
  )

  it.scopedLive("leaves every line whole and in order, and no file too large", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "router.log.json")
      const log = yield* open(file, { LOG_MAX_MB: "1", LOG_MAX_FILES: "20" })
      for (let index = 0; index < 40; index++)
        log.write(line(index, 90_000 + 7 * index, index % 2 === 0 ? "x" : "ü"))
      yield* log.close
      const files = filesOf(file)
      assert.deepStrictEqual(
        files.toReversed().flatMap(indexesIn),
        Array.from({ length: 40 }, (_, index) => index)
      )
      for (const file of files) assert.isAtMost(statSync(file).size, MEGABYTE)
      assert.strictEqual(files.length, 4)
    })
  )

  it.scopedLive("fills a file to the last byte", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "router.log.json")
      const log = yield* open(file, { LOG_MAX_MB: "1" })
      log.write(line(0, MEGABYTE / 2))
      log.write(line(1, MEGABYTE / 2))
      log.write(line(2, 100))
      yield* log.close
      assert.deepStrictEqual(filesOf(file).map(indexesIn), [[2], [0, 1]])
    })
  )

  it.scopedLive("counts what was there before the start", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "router.log.json")
      writeFileSync(file, `${line(0, MEGABYTE - 50)}\n`)
      const log = yield* open(file, { LOG_MAX_MB: "1" })
      log.write(line(1, 100))
      yield* log.close
      assert.deepStrictEqual(filesOf(file).map(indexesIn), [[1], [0]])
    })
  )

  it.scopedLive("keeps one file alone where one is wanted", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "router.log.json")
      const log = yield* open(file, { LOG_MAX_MB: "1", LOG_MAX_FILES: "1" })
      for (let index = 0; index < 3; index++) log.write(line(index))
      yield* log.close
      assert.deepStrictEqual(filesOf(file).map(indexesIn), [[2]])
    })
  )

  it.scopedLive("writes a line that is longer than a file may be, and does not rotate an empty one", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "router.log.json")
      const log = yield* open(file, { LOG_MAX_MB: "1" })
      log.write(line(0, 3 * MEGABYTE))
      log.write(line(1, 100))
      yield* log.close
      assert.deepStrictEqual(filesOf(file).map(indexesIn), [[1], [0]])
    })
  )
})

describe("a log that cannot be written", () => {
  const obstacles: ReadonlyArray<readonly [string, (file: string) => void, (file: string) => void]> = [
    [
      "because its folder is a file",
      (file) => writeFileSync(join(file, ".."), "in the way"),
      (file) => rmSync(join(file, ".."))
    ],
    [
      "because it is a folder",
      (file) => mkdirSync(file, { recursive: true }),
      (file) => rmSync(file, { recursive: true })
    ],
    [
      "because the disk is full",
      (file) => {
        mkdirSync(join(file, ".."))
        symlinkSync("/dev/full", file)
      },
      (file) => rmSync(file)
    ]
  ]
  for (const [why, block, clear] of obstacles)
    it.scopedLive(`${why} says so, keeps what comes, and recovers by itself`, () =>
      Effect.gen(function* () {
        const file = join(yield* temporaryFolder, "logs", "router.log.json")
        block(file)
        const log = yield* open(file)
        assert.isFalse(log.failing())
        log.write(line(0, 100))
        log.write(line(1, 100))
        yield* eventually(Effect.sync(log.failing), (failing) => failing)
        log.write(line(2, 100_000))
        clear(file)
        yield* eventually(Effect.sync(log.failing), (failing) => !failing)
        log.write(line(3, 100))
        yield* log.close
        assert.deepStrictEqual(indexesIn(file), [0, 1, 2, 3])
        assert.strictEqual(log.dropped(), 0)
      })
    )

  it.scopedLive("until the end has lost what waited, and says how much", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "router.log.json")
      mkdirSync(file)
      const log = yield* open(file)
      log.write(line(0, 100))
      yield* eventually(Effect.sync(log.failing), (failing) => failing)
      log.write(line(1, 100))
      yield* log.close
      assert.strictEqual(log.dropped(), 2)
    })
  )

  it.scopedLive("that becomes one by and by is written to again when it can be", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "router.log.json")
      const log = yield* open(file)
      log.write(line(0, 100))
      yield* eventually(writable(file), (text) => text !== "")
      renameSync(file, `${file}.away`)
      mkdirSync(file)
      log.write(line(1, 100))
      yield* eventually(Effect.sync(log.failing), (failing) => failing)
      rmSync(file, { recursive: true })
      // Nobody has to write anything for it.
      yield* eventually(writable(file), (text) => text !== "")
      assert.deepStrictEqual(indexesIn(`${file}.away`), [0])
      assert.deepStrictEqual(indexesIn(file), [1])
    })
  )

  it.scopedLive("since it cannot be rotated waits until it can", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "router.log.json")
      mkdirSync(join(`${file}.1`, "full"), { recursive: true })
      const log = yield* open(file, { LOG_MAX_MB: "1", LOG_MAX_FILES: "2" })
      log.write(line(0, MEGABYTE - 10))
      log.write(line(1, 100))
      yield* eventually(Effect.sync(log.failing), (failing) => failing)
      assert.deepStrictEqual(indexesIn(file), [0])
      rmSync(`${file}.1`, { recursive: true })
      yield* eventually(Effect.sync(log.failing), (failing) => !failing)
      assert.deepStrictEqual(filesOf(file).map(indexesIn), [[1], [0]])
    })
  )

  it.scopedLive("loses what does not fit into its memory, and nothing else", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "router.log.json")
      mkdirSync(file)
      const log = yield* open(file, { LOG_MAX_MB: "100" })
      for (let index = 0; index < 70; index++) log.write(line(index))
      yield* eventually(Effect.sync(log.failing), (failing) => failing)
      log.write(line(70))
      assert.strictEqual(log.dropped(), 71 - 64)
      rmSync(file, { recursive: true })
      yield* eventually(Effect.sync(log.failing), (failing) => !failing)
      log.write(line(71))
      yield* log.close
      assert.deepStrictEqual(indexesIn(file), [...Array.from({ length: 64 }, (_, index) => index), 71])
      assert.strictEqual(log.dropped(), 7)
    })
  )

  it.scopedLive("is no request's trouble, but the operator's", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      writeFileSync(join(folder, "file"), "in the way")
      const router = yield* startRouter({ LOG_FILE_PATH: join(folder, "file", "router.log.json") })
      const ready = Effect.promise(() => fetch(`${router.url}/readyz`).then((response) => response.json()))
      assert.deepInclude(yield* ready, { status: "ready", log: "ok", log_lines_lost: 0 })
      const hello = { ...HI, model: "percept/inspect" }
      assert.strictEqual((yield* sendChat(router, hello)).status, 200)
      const failing = yield* eventually(ready, (report) => JSON.stringify(report).includes("failing"))
      assert.deepInclude(failing, { status: "ready", record: "ok", log: "failing", log_lines_lost: 0 })
      assert.strictEqual((yield* sendChat(router, hello)).status, 200)
      rmSync(join(folder, "file"))
      yield* eventually(ready, (report) => JSON.stringify(report).includes('"log":"ok"'))
      const written = linesOf(join(folder, "file", "router.log.json"))
      assert.strictEqual(written.length, 2)
    })
  )
})

describe("ENABLE_LOGGING=false", () => {
  it.scopedLive("writes no log and keeps no words; rows and counts stay", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({ ENABLE_LOGGING: "false" })
      const got = yield* sendChat(router, {
        model: "percept/inspect",
        messages: [{ role: "user", content: "a thought" }]
      })
      assert.strictEqual(got.status, 200)
      assert.strictEqual((yield* sendChat(router, "{ a thought")).status, 400)
      const rows = yield* eventually(
        router.rowsNow,
        (rows) => rows.length === 2 && rows.every(({ state }) => state !== "running")
      )
      assert.deepStrictEqual(
        rows.map(({ input_char_length, state, total_tokens }) => ({
          input_char_length,
          state,
          total_tokens
        })),
        [
          { input_char_length: 9, state: "done", total_tokens: 0 },
          { input_char_length: null, state: "failed", total_tokens: null }
        ]
      )
      const files = filesIn(router.dataDir)
      assert.notInclude(
        files.map(([name]) => name),
        "router.log.json"
      )
      for (const [name, content] of files) assert.notInclude(content.toString("latin1"), "a thought", name)
    })
  )

  it.scopedLive("true keeps them, in log and database alike", () =>
    Effect.gen(function* () {
      const router = yield* startRouter({})
      yield* sendChat(router, {
        model: "percept/inspect",
        messages: [{ role: "user", content: "a thought" }]
      })
      const log = join(router.dataDir, "router.log.json")
      yield* eventually(writable(log), (text) => text.includes("a thought"))
      yield* eventually(
        Effect.sync(() => readdirSync(router.dataDir).filter((file) => file.startsWith("percept.db"))),
        (files) =>
          files.some((file) =>
            readFileSync(join(router.dataDir, file)).toString("latin1").includes("a thought")
          )
      )
    })
  )

  it.scoped("is a log that takes everything and keeps nothing", () =>
    Effect.gen(function* () {
      const log = yield* Effect.provide(RequestLog, RequestLog.layerOff)
      log.write(line(0, 100))
      assert.isFalse(log.failing())
      assert.strictEqual(log.dropped(), 0)
    })
  )
})
