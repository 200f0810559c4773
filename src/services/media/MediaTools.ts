import { Duration, Effect, Either, Fiber } from "effect"
import { access, chmod, constants, realpath, stat } from "node:fs/promises"
import { createRequire } from "node:module"
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path"
import { MediaFailure } from "../../domain/Errors.ts"
import { isAtLeast } from "../../domain/media/SiteVersion.ts"
import { AppConfig } from "../AppConfig.ts"
import { installLine } from "./InstallLine.ts"
import type { ToolName } from "./InstallLine.ts"
import { Subprocess } from "./Subprocess.ts"
import { Workspace } from "./Workspace.ts"

export interface Tool {
  readonly name: ToolName
  readonly path: string
  readonly from: "configured" | "PATH" | "data folder" | "bundled"
  readonly version: string
}

/** How it stands with a tool, for the operator. */
export interface ToolCheck {
  readonly name: ToolName
  readonly tool?: Tool
  readonly problem?: string
  /** What installs it on this host. */
  readonly install: string
}

type Place = Omit<Tool, "version">

/** Finds the programs that media are worked on with. Only what has been seen to run is a tool. */
export class MediaTools extends Effect.Service<MediaTools>()("percept/MediaTools", {
  scoped: Effect.gen(function* () {
    const { dataDir, ffmpeg, ffprobe, whisperCli, ytDlp, ytDlpMinVersion } = yield* AppConfig
    const subprocess = yield* Subprocess
    const workspace = yield* Workspace
    const scope = yield* Effect.scope
    const binFolder = join(dataDir, "bin")

    const tryOut = ({ from, name, path }: Place) =>
      Effect.gen(function* () {
        const cwd = yield* workspace.folder
        const question = { command: path, args: ASKING[name], cwd, timeout: Duration.seconds(30) }
        const { stderr, stdout } = yield* subprocess.run(question)
        return { name, path, from, version: versionIn(`${stdout}\n${stderr}`) }
      }).pipe(
        Effect.scoped,
        Effect.mapError(
          (failed) => `${path} does not run. ${"detail" in failed ? failed.detail : failed.message}`
        )
      )

    const lookUp = Effect.fn("MediaTools.lookUp")(function* (name: ToolName, configured: string | undefined) {
      const places: ReadonlyArray<Place> =
        configured === undefined
          ? [
              ...onPath(name).map((path) => ({ name, path, from: "PATH" as const })),
              { name, path: join(binFolder, name), from: "data folder" },
              ...bundled(name).map((path) => ({ name, path, from: "bundled" as const }))
            ]
          : // Whoever names a program means that one and no other.
            pathsOf(configured).map((path) => ({ name, path, from: "configured" }))
      const programs = yield* Effect.promise(() => eachOnce(places))
      const none =
        configured === undefined
          ? `${name} is neither on PATH nor in ${binFolder}.`
          : `${configured} is no program that can be run.`
      let problem = none
      let old: Tool | undefined
      for (const place of programs) {
        const tried = yield* Effect.either(tryOut(place))
        if (Either.isLeft(tried)) problem = tried.left
        // An old one of the host must not stand in the way of the one its operator was told to install.
        else if (name === "yt-dlp" && !isAtLeast(tried.right.version, ytDlpMinVersion)) old ??= tried.right
        else return tried.right
      }
      return old ?? (yield* Effect.fail(problem))
    })

    /** One look is for all who ask meanwhile. What was found stays, what was not may be installed any time. */
    const look = Effect.fnUntraced(function* (name: ToolName, configured: string | undefined) {
      const start = lookUp(name, configured).pipe(Effect.either, Effect.interruptible, Effect.forkIn(scope))
      const [started, forget] = yield* Effect.cachedInvalidateWithTTL(start, Duration.infinity)
      // Not joined: a joined fiber hands on its surroundings, and with them the scope of whoever asked first.
      const outcome = Effect.flatMap(started, (fiber) => Effect.flatten(Fiber.await(fiber)))
      return Effect.tap(outcome, (found) => (Either.isLeft(found) ? forget : Effect.void))
    })

    const found = {
      ffmpeg: yield* look("ffmpeg", ffmpeg),
      ffprobe: yield* look("ffprobe", ffprobe),
      "whisper-cli": yield* look("whisper-cli", whisperCli),
      "yt-dlp": yield* look("yt-dlp", ytDlp)
    }

    const find = Effect.fn("MediaTools.find")(function* (name: ToolName) {
      return Either.getOrUndefined(yield* found[name])
    })

    const need = Effect.fn("MediaTools.need")(function* (name: ToolName) {
      return yield* Either.mapLeft(yield* found[name], (problem) => missing(name, problem, binFolder))
    })

    const check = (name: ToolName): Effect.Effect<ToolCheck> =>
      Effect.map(found[name], (looked) => ({
        name,
        install: installLine(name, binFolder),
        ...Either.match(looked, { onLeft: (problem) => ({ problem }), onRight: (tool) => ({ tool }) })
      }))

    return { find, need, all: Effect.forEach(NAMES, check, { concurrency: NAMES.length }) }
  })
}) {}

const missing = (name: ToolName, problem: string, binFolder: string) =>
  new MediaFailure({
    code: "tool_missing",
    message: `The router cannot work on this here: it has no ${name}.`,
    detail: `${problem} To install it: ${installLine(name, binFolder)}`
  })

/** Those that can be run. A host may have the same program in two folders, and whatever it is, it is that in both. */
const eachOnce = async (places: ReadonlyArray<Place>): Promise<ReadonlyArray<Place>> => {
  const programs = new Map<string, Place>()
  for (const place of places) {
    const file = await programAt(place)
    if (file !== undefined && !programs.has(file)) programs.set(file, place)
  }
  return Array.from(programs.values())
}

/** Where the program of a place really is, if it is one. */
const programAt = async ({ from, path }: Place): Promise<string | undefined> => {
  try {
    if (!(await stat(path)).isFile()) return undefined
    // Packages cannot be relied on to keep the mode of a file.
    if (from === "bundled") await access(path, constants.X_OK).catch(() => chmod(path, 0o755))
    await access(path, constants.X_OK)
    return await realpath(path)
  } catch {
    return undefined
  }
}

/** A relative folder on PATH would mean another one for every working directory. */
const onPath = (name: string): ReadonlyArray<string> =>
  (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter(isAbsolute)
    .map((folder) => join(folder, name))

const pathsOf = (configured: string): ReadonlyArray<string> =>
  configured.includes("/") ? [resolve(configured)] : onPath(configured)

const bundled = (name: ToolName): ReadonlyArray<string> => {
  const package_ = BUNDLES[name]
  if (package_ === undefined) return []
  try {
    const manifest = fromHere.resolve(`${package_}/${process.platform}-${process.arch}/package.json`)
    return [join(dirname(manifest), name)]
  } catch {
    return []
  }
}

/** With a number in it: whisper-cli speaks of versions without having one. */
const versionIn = (said: string): string =>
  /\bversion[: ]+(n?-?\d\S*)/i.exec(said)?.[1] ?? /^\d{4}\.\d\d\.\d\d\S*$/m.exec(said)?.[0] ?? "unknown"

const ASKING: Readonly<Record<ToolName, ReadonlyArray<string>>> = {
  ffmpeg: ["-version"],
  ffprobe: ["-version"],
  "whisper-cli": ["--help"],
  "yt-dlp": ["--ignore-config", "--version"]
}

const BUNDLES: Readonly<Partial<Record<ToolName, string>>> = {
  ffmpeg: "@ffmpeg-binary",
  ffprobe: "@ffprobe-installer"
}

const NAMES: ReadonlyArray<ToolName> = ["ffmpeg", "ffprobe", "whisper-cli", "yt-dlp"]

const fromHere = createRequire(import.meta.url)
