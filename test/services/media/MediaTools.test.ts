import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Logger, LogLevel } from "effect"
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { AppConfig } from "../../../src/services/AppConfig.ts"
import type { Environment } from "../../../src/services/AppConfig.ts"
import { MediaTools } from "../../../src/services/media/MediaTools.ts"
import type { ToolName } from "../../../src/services/media/InstallLine.ts"
import { Subprocess } from "../../../src/services/media/Subprocess.ts"
import { Workspace } from "../../../src/services/media/Workspace.ts"
import { eventually, temporaryFolder } from "../../support/Router.ts"

/** A machine with three folders: one on PATH, the router's data, and one where anything may lie. */
const machine = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const [path, data, opt] = [join(folder, "path"), join(folder, "data"), join(folder, "opt")] as const
  for (const made of [path, join(data, "bin"), opt]) mkdirSync(made, { recursive: true })
  const before = process.env["PATH"]
  yield* Effect.acquireRelease(
    Effect.sync(() => (process.env["PATH"] = path)),
    () => Effect.sync(() => (process.env["PATH"] = before))
  )
  return { path, data, bin: join(data, "bin"), opt, tools: (env: Environment = {}) => tools(data, env) }
})

const tools = (dataDir: string, env: Environment) =>
  MediaTools.Default.pipe(
    Layer.provideMerge(Layer.mergeAll(Subprocess.Default, Workspace.Default)),
    Layer.provide(AppConfig.layer({ DATA_DIR: dataDir, ...env })),
    Layer.provide(Logger.minimumLogLevel(LogLevel.None))
  )

/** A program that says it is a version of the tool. */
const put = (folder: string, name: string, version: string, mode = 0o755) => {
  const file = join(folder, name)
  writeFileSync(file, `#!/bin/sh\necho "${name} version ${version} and more"\n`, { mode })
  return file
}

const find = (name: ToolName) => Effect.flatMap(MediaTools, ({ find }) => find(name))

const hasBundle = process.platform === "linux" && process.arch === "x64"

describe("a tool", () => {
  it.scopedLive("is the one that is named, then the one on PATH, then the one in the data folder", () =>
    Effect.gen(function* () {
      const { bin, opt, path, tools } = yield* machine
      const inData = put(bin, "ffmpeg", "3.0")
      const found = { name: "ffmpeg" } as const
      const now = (env: Environment = {}) => find("ffmpeg").pipe(Effect.provide(tools(env)))
      assert.deepStrictEqual(yield* now(), { ...found, path: inData, from: "data folder", version: "3.0" })
      const onPath = put(path, "ffmpeg", "2.0")
      assert.deepStrictEqual(yield* now(), { ...found, path: onPath, from: "PATH", version: "2.0" })
      const named = put(opt, "my-ffmpeg", "1.0")
      assert.deepStrictEqual(yield* now({ FFMPEG_PATH: named }), {
        ...found,
        path: named,
        from: "configured",
        version: "1.0"
      })
    })
  )

  it.scopedLive("may be named as it is called on PATH", () =>
    Effect.gen(function* () {
      const { path, tools } = yield* machine
      const file = put(path, "yt-dlp-nightly", "2026.08.01")
      const found = yield* find("yt-dlp").pipe(Effect.provide(tools({ YTDLP_PATH: "yt-dlp-nightly" })))
      assert.deepStrictEqual(found, { name: "yt-dlp", path: file, from: "configured", version: "2026.08.01" })
    })
  )

  it.scopedLive("that is named and does not run is not replaced by another", () =>
    Effect.gen(function* () {
      const { opt, path, tools } = yield* machine
      put(path, "ffmpeg", "2.0")
      const broken = join(opt, "ffmpeg")
      writeFileSync(broken, "#!/bin/sh\necho no such library >&2\nexit 127\n", { mode: 0o755 })
      for (const [named, why] of [
        [broken, "no such library"],
        [join(opt, "nothing"), "no program"],
        [opt, "no program"],
        [put(opt, "plain", "1.0", 0o644), "no program"]
      ] as const)
        yield* Effect.gen(function* () {
          const { find, need } = yield* MediaTools
          assert.isUndefined(yield* find("ffmpeg"))
          const failure = yield* Effect.flip(need("ffmpeg"))
          assert.deepInclude(failure, { code: "tool_missing", status: 422 })
          assert.include(failure.message, "ffmpeg")
          assert.notInclude(failure.message, opt)
          assert.include(failure.detail ?? "", named)
          assert.include(failure.detail ?? "", why)
        }).pipe(Effect.provide(tools({ FFMPEG_PATH: named })))
    })
  )

  it.scopedLive("on PATH that does not run gives way to the next", () =>
    Effect.gen(function* () {
      const { bin, path, tools } = yield* machine
      writeFileSync(join(path, "yt-dlp"), "#!/nowhere/python\n", { mode: 0o755 })
      const file = put(bin, "yt-dlp", "2026.07.04")
      const found = yield* find("yt-dlp").pipe(Effect.provide(tools()))
      assert.deepStrictEqual(found, {
        name: "yt-dlp",
        path: file,
        from: "data folder",
        version: "2026.07.04"
      })
    })
  )

  it.scopedLive(
    "of the host that is too old gives way to one that is not, and stands where there is no other",
    () =>
      Effect.gen(function* () {
        const { bin, path, tools } = yield* machine
        const old = put(path, "yt-dlp", "2023.03.04")
        const now = find("yt-dlp").pipe(Effect.provide(tools()))
        assert.deepInclude(yield* now, { path: old, version: "2023.03.04" })
        const current = put(bin, "yt-dlp", "2026.07.04")
        assert.deepInclude(yield* now, { path: current, from: "data folder" })
        const named = find("yt-dlp").pipe(Effect.provide(tools({ YTDLP_PATH: old })))
        assert.deepInclude(yield* named, { path: old, from: "configured" })
      })
  )

  it.scopedLive("that lies in two folders of PATH is tried once", () =>
    Effect.gen(function* () {
      const { opt, path, tools } = yield* machine
      const runs = join(opt, "runs")
      writeFileSync(join(path, "yt-dlp"), `#!/bin/sh\necho run >> ${runs}\necho 2023.03.04\n`, {
        mode: 0o755
      })
      symlinkSync(path, join(opt, "linked"))
      process.env["PATH"] = `${path}:${join(opt, "linked")}`
      const found = yield* find("yt-dlp").pipe(Effect.provide(tools()))
      assert.deepInclude(found, { path: join(path, "yt-dlp"), version: "2023.03.04" })
      assert.strictEqual(readFileSync(runs, "utf8"), "run\n")
    })
  )

  it.scopedLive("is not taken from a folder that depends on where the router was started", () =>
    Effect.gen(function* () {
      const { path, tools } = yield* machine
      const here = join(process.cwd(), "node_modules", ".bin")
      assert.isTrue(existsSync(join(here, "vitest")))
      process.env["PATH"] = `node_modules/.bin:${path}`
      const need = Effect.flatMap(MediaTools, ({ need }) => need("yt-dlp"))
      const failure = yield* Effect.flip(need).pipe(Effect.provide(tools({ YTDLP_PATH: "vitest" })))
      assert.match(failure.detail ?? "", /^vitest is no program/)
    })
  )

  it.scopedLive.skipIf(!hasBundle)("comes with the router where there is no other", () =>
    Effect.gen(function* () {
      const { tools } = yield* machine
      yield* Effect.gen(function* () {
        const [ffmpeg, ffprobe] = [yield* find("ffmpeg"), yield* find("ffprobe")]
        assert.deepInclude(ffmpeg, { from: "bundled", version: "n7.0-7-gd38bf5e08e-20240407" })
        assert.deepInclude(ffprobe, { from: "bundled" })
        assert.notStrictEqual(ffprobe?.version, "unknown")
        assert.strictEqual(statSync(ffprobe?.path ?? "").mode & 0o100, 0o100)
      }).pipe(Effect.provide(tools()))
    })
  )

  it.scopedLive("may be installed while the router runs", () =>
    Effect.gen(function* () {
      const { bin, tools } = yield* machine
      yield* Effect.gen(function* () {
        assert.isUndefined(yield* find("yt-dlp"))
        put(bin, "yt-dlp", "2026.07.04")
        assert.strictEqual((yield* find("yt-dlp"))?.version, "2026.07.04")
      }).pipe(Effect.provide(tools()))
    })
  )

  it.scopedLive("is looked up once, and for all, even if the first to ask does not wait", () =>
    Effect.gen(function* () {
      const { path, tools } = yield* machine
      const [runs, go] = [join(path, "runs"), join(path, "go")]
      const script = `#!/bin/sh\necho run >> ${runs}\nwhile [ ! -e ${go} ]; do :; done\necho "version 1.2.3"\n`
      writeFileSync(join(path, "whisper-cli"), script, { mode: 0o755 })
      yield* Effect.gen(function* () {
        const { find, need } = yield* MediaTools
        const first = yield* Effect.fork(find("whisper-cli"))
        yield* eventually(
          Effect.sync(() => existsSync(runs)),
          (is) => is
        )
        const others = yield* Effect.fork(
          Effect.all([find("whisper-cli"), need("whisper-cli")], { concurrency: 2 })
        )
        yield* Fiber.interrupt(first)
        writeFileSync(go, "")
        const [found, needed] = yield* Fiber.join(others)
        assert.strictEqual(found?.version, "1.2.3")
        assert.strictEqual(needed, found)
        assert.strictEqual(yield* find("whisper-cli"), found)
        assert.strictEqual(readFileSync(runs, "utf8"), "run\n")
      }).pipe(Effect.provide(tools()))
    })
  )
})

describe("the doctor's list", () => {
  it.scopedLive("names every tool with what it is or what is wrong, and how to get it", () =>
    Effect.gen(function* () {
      const { path, bin, tools } = yield* machine
      put(path, "ffmpeg", "6.1")
      put(path, "ffprobe", "6.1")
      writeFileSync(join(path, "whisper-cli"), "#!/bin/sh\necho usage: whisper-cli\n", { mode: 0o755 })
      const list = yield* Effect.flatMap(MediaTools, ({ all }) => all).pipe(Effect.provide(tools()))
      assert.deepStrictEqual(
        list.map(({ name, tool }) => [name, tool?.version]),
        [
          ["ffmpeg", "6.1"],
          ["ffprobe", "6.1"],
          ["whisper-cli", "unknown"],
          ["yt-dlp", undefined]
        ]
      )
      for (const { install, problem, tool } of list) {
        assert.isAbove(install.length, 10)
        assert.strictEqual(problem === undefined, tool !== undefined)
      }
      assert.strictEqual(list[3]?.problem, `yt-dlp is neither on PATH nor in ${bin}.`)
    })
  )
})
