import { Effect } from "effect"
import type { Scope } from "effect"
import { spawn } from "node:child_process"
import Database from "better-sqlite3"
import { join } from "node:path"
import { root } from "../../scripts/fresh.mjs"
import { eventually } from "./Router.ts"
import type { Row } from "./Router.ts"

/** The built program as a process of its own, which can be killed. */
export interface Program {
  readonly pid: number
  readonly url: string
  readonly kill: (signal: NodeJS.Signals) => void
  /** Everything it has written so far. */
  readonly output: () => string
  /** How it ended, once it has. */
  readonly ended: Effect.Effect<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
}

export interface Command {
  readonly command?: string
  readonly args?: ReadonlyArray<string>
  readonly cwd?: string
}

/** For one that will meet no media: it need not try out what the host has for them, which is half the work of a start. */
export const WITHOUT_TOOLS = {
  FFMPEG_PATH: "none",
  FFPROBE_PATH: "none",
  WHISPER_CLI_PATH: "none",
  YTDLP_PATH: "none"
}

/** Starts a program and does not wait for it. */
export const launch = (
  env: { readonly [name: string]: string },
  { args = [mainFile], command = process.execPath, cwd }: Command = {}
): Effect.Effect<Omit<Program, "url">, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(command, args, {
        cwd,
        // A group of its own, so that nothing it started outlives the test.
        detached: true,
        env: { PATH: process.env["PATH"], HOME: process.env["HOME"], LISTEN_PORT: "0", ...env }
      })
      let output = ""
      let end: { readonly code: number | null; readonly signal: NodeJS.Signals | null } | undefined
      child.stdout.on("data", (bytes: Buffer) => (output += bytes.toString()))
      child.stderr.on("data", (bytes: Buffer) => (output += bytes.toString()))
      const closed = new Promise<void>((resolve) => {
        child.on("close", (code, signal) => {
          end = { code, signal }
          resolve()
        })
      })
      return {
        pid: child.pid ?? 0,
        kill: (signal: NodeJS.Signals) => void child.kill(signal),
        output: () => output,
        ended: Effect.promise(() => closed.then(() => end ?? { code: null, signal: null }))
      }
    }),
    (program) =>
      Effect.suspend(() => {
        killGroup(program.pid)
        return program.ended
      })
  )

/** Starts a program and waits until it says where it listens. */
export const startProgram = (
  env: { readonly [name: string]: string },
  command: Command = {}
): Effect.Effect<Program, never, Scope.Scope> =>
  Effect.gen(function* () {
    const program = yield* launch(env, command)
    const look = Effect.sync(() => /listening on (http:\S+)/.exec(program.output())?.[1] ?? program.output())
    const url = yield* eventually(look, (said) => said.startsWith("http:"), 120)
    return { ...program, url }
  })

/** The rows in a data folder, read while no program need be running. */
export const rowsIn = (dataDir: string): ReadonlyArray<Row> => {
  const database = new Database(join(dataDir, "percept.db"))
  try {
    return database.prepare<[], Row>("SELECT * FROM openrouter_requests ORDER BY id").all()
  } finally {
    database.close()
  }
}

export const integrityOf = (dataDir: string): unknown => {
  const database = new Database(join(dataDir, "percept.db"))
  try {
    return database.pragma("integrity_check", { simple: true })
  } finally {
    database.close()
  }
}

const killGroup = (pid: number): void => {
  try {
    process.kill(-pid, "SIGKILL")
  } catch {
    // All of it is gone already.
  }
}

const mainFile = join(root, "dist", "main.js")
