import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { AppConfig } from "../../../src/services/AppConfig.ts"
import { Subprocess } from "../../../src/services/media/Subprocess.ts"
import { buildEngine } from "../../../src/services/media/whisper/EngineBuild.ts"
import { Workspace } from "../../../src/services/media/Workspace.ts"
import { temporaryFolder } from "../../support/Router.ts"
import { tarOf } from "../../support/Tar.ts"

/**
 * A machine whose npm and cmake are stand-ins: the package has one source file, and building copies it. The real
 * build takes more than a minute and is done by hand.
 */
const machine = (cmake: string) =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const [path, data] = [join(folder, "path"), join(folder, "data")]
    mkdirSync(path)
    const archive = join(folder, "package.tgz")
    const sources = "package/cpp/whisper.cpp"
    const files = tarOf([
      [`${sources}/CMakeLists.txt`, Buffer.from("project(whisper)")],
      [`${sources}/../../../../escaped.txt`, Buffer.from("out")],
      ["package/index.js", Buffer.from("")]
    ])
    writeFileSync(archive, gzipSync(files))
    const put = (name: string, script: string) =>
      writeFileSync(join(path, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    put("npm", `cp ${archive} nodejs-whisper.tgz && echo nodejs-whisper.tgz`)
    put("g++", "exit 0")
    if (cmake !== "") put("cmake", `echo "$@" >> ${folder}/cmake.log\n${cmake}`)
    const before = process.env["PATH"]
    yield* Effect.acquireRelease(
      Effect.sync(() => (process.env["PATH"] = cmake === "" ? path : `${path}:/usr/bin:/bin`)),
      () => Effect.sync(() => (process.env["PATH"] = before))
    )
    const lines: Array<string> = []
    const built = buildEngine((line) => void lines.push(line)).pipe(
      Effect.provide(Layer.mergeAll(Subprocess.Default, Workspace.Default)),
      Effect.provide(AppConfig.layer({ DATA_DIR: data }))
    )
    return { folder, data, built, lines, log: () => readFileSync(join(folder, "cmake.log"), "utf8") }
  })

const COPIES =
  'if [ "$1" = --build ]; then mkdir -p build/bin && cp sources/CMakeLists.txt build/bin/whisper-cli; fi'

describe("building the engine", () => {
  it.scopedLive("puts whisper-cli where the router looks for it, and leaves nothing else", () =>
    Effect.gen(function* () {
      const { built, data, folder, lines, log } = yield* machine(COPIES)
      const path = yield* built
      assert.strictEqual(path, join(data, "bin", "whisper-cli"))
      assert.strictEqual(readFileSync(path, "utf8"), "project(whisper)")
      assert.strictEqual(statSync(path).mode & 0o777, 0o755)
      assert.deepStrictEqual(readdirSync(join(data, "bin")), ["whisper-cli"])
      assert.deepStrictEqual(readdirSync(join(data, "tmp")), [])
      assert.isFalse(existsSync(join(folder, "escaped.txt")))
      assert.match(
        log(),
        /-DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF[^\n]* -DGGML_NATIVE=OFF\n--build \S+ -j \d+ --target whisper-cli\n/
      )
      assert.strictEqual(lines.at(-1), `Installed ${path}`)
    })
  )

  it.scopedLive("that fails says why, and keeps the engine that was there", () =>
    Effect.gen(function* () {
      const { built, data } = yield* machine("echo no such header >&2; exit 1")
      mkdirSync(join(data, "bin"), { recursive: true })
      writeFileSync(join(data, "bin", "whisper-cli"), "the old one")
      const failure = yield* Effect.flip(built)
      assert.strictEqual(failure.message, "The speech engine could not be built.")
      assert.include("detail" in failure ? failure.detail : "", "no such header")
      assert.strictEqual(readFileSync(join(data, "bin", "whisper-cli"), "utf8"), "the old one")
    })
  )

  it.scopedLive("takes a compiler", () =>
    Effect.gen(function* () {
      const { built } = yield* machine("")
      const failure = yield* Effect.flip(built)
      assert.include("detail" in failure ? failure.detail : "", "apt-get install -y cmake g++")
    })
  )
})
