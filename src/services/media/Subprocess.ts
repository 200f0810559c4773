import * as NodeStream from "@effect/platform-node/NodeStream"
import { Data, Effect, Fiber, Stream } from "effect"
import type { Duration } from "effect"
import { execa } from "execa"
import { access, constants } from "node:fs/promises"
import { processGroup } from "./ProcessGroup.ts"
import type { Ending, ProcessGroup } from "./ProcessGroup.ts"
import { probe } from "./Sandbox.ts"
import type { Limits } from "./Sandbox.ts"

export interface Command {
  /** Absolute path of the program. */
  readonly command: string
  readonly args: ReadonlyArray<string>
  /** A private folder; also HOME and TMPDIR of the program. */
  readonly cwd: string
  /** Of its whole life. */
  readonly timeout: Duration.DurationInput
  /** Besides PATH, HOME, TMPDIR and LANG; nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>>
  /** Programs have no network unless they ask for it, where the host can take it away. */
  readonly network?: boolean
  readonly stdin?: Uint8Array | undefined
  /** Bytes of stdout that `run` keeps; more is a failure. */
  readonly maxOutput?: number
  readonly limits?: Limits
}

/** A program that did not start, did not end well, took too long or said too much. */
export class SubprocessFailed extends Data.TaggedError("SubprocessFailed")<{
  readonly reason: "start" | "timeout" | "exit" | "output"
  readonly exitCode?: number | undefined
  readonly signal?: string | undefined
  /** First and last part of it, for the operator alone. */
  readonly stderr: string
}> {
  override get message() {
    return [WORDS[this.reason], this.signal ?? this.exitCode, this.stderr.trim()].filter(Boolean).join(" ")
  }
}

export interface Finished {
  readonly stdout: Buffer
  readonly stderr: string
}

/** A program that lives as long as its scope, at most. */
export interface Child {
  readonly pid: number
  /** To its stdin; waits until the program's pipe has taken it. */
  readonly send: (bytes: Uint8Array) => Effect.Effect<void, SubprocessFailed>
  /** Its stdout, to be read once; a program whose output nobody reads comes to a halt. */
  readonly output: Stream.Stream<Uint8Array, SubprocessFailed>
  /** Its good end; what it wrote is in `output` alone. */
  readonly exit: Effect.Effect<Finished, SubprocessFailed>
}

/** Starts programs, locked in as far as the host allows, and sees to it that none outlives its use. */
export class Subprocess extends Effect.Service<Subprocess>()("percept/Subprocess", {
  scoped: Effect.gen(function* () {
    const alive = new Set<ProcessGroup>()
    const killAll = () => alive.forEach((group) => group.kill("SIGKILL"))
    yield* Effect.acquireRelease(
      // Before anyone who clears away the folders they work in.
      Effect.sync(() => process.prependListener("exit", killAll)),
      () => Effect.sync(() => process.off("exit", killAll))
    )

    // Found out with the first program, on behalf of all: a router that meets no media need not know.
    const scope = yield* Effect.scope
    const sandbox = yield* probe((argv) => Effect.promise(() => succeeds(argv))).pipe(
      Effect.tap(({ report }) => (report.network === "none" ? Effect.logWarning(WARNING) : Effect.void)),
      Effect.forkIn(scope),
      Effect.cached,
      // Joined, a fiber would hand on its own surroundings, and the scope of whoever came first among them.
      Effect.map(Effect.flatMap((fiber) => Effect.flatten(Fiber.await(fiber))))
    )

    const begin = Effect.fnUntraced(function* (command: Command, stdin: "pipe" | "ignore") {
      const argv = (yield* sandbox).wrap([command.command, ...command.args], command)
      const group = yield* Effect.acquireRelease(
        Effect.tryPromise({
          try: () => launch(argv, command, stdin, alive),
          catch: (error) => new SubprocessFailed({ reason: "start", stderr: String(error) })
        }),
        (group) => Effect.promise(() => group.end())
      )
      const tooLate = Effect.delay(
        Effect.promise(() => group.end("late")),
        command.timeout
      )
      // Whoever starts programs uninterruptibly must not wait for the clock when their scope closes.
      yield* Effect.forkScoped(Effect.interruptible(tooLate))
      return group
    })

    const beginFed = Effect.fnUntraced(function* (command: Command) {
      const group = yield* begin(command, command.stdin === undefined ? "ignore" : "pipe")
      group.stdin?.end(command.stdin)
      return childOf(group)
    })

    const run = Effect.fn("Subprocess.run")(function* (command: Command) {
      const child = yield* beginFed(command)
      const stdout = yield* collect(child, command.maxOutput ?? MAX_OUTPUT)
      return { ...(yield* child.exit), stdout }
    }, Effect.scoped)

    const stream = (command: Command): Stream.Stream<Uint8Array, SubprocessFailed> =>
      Stream.unwrapScoped(
        Effect.map(beginFed(command), ({ exit, output }) => Stream.concat(output, Stream.execute(exit)))
      )

    const open = Effect.fn("Subprocess.open")(function* (command: Command) {
      const child: Child = childOf(yield* begin(command, "pipe"))
      if (command.stdin !== undefined) yield* child.send(command.stdin)
      return child
    })

    return { run, stream, open, sandbox: Effect.map(sandbox, ({ report }) => report) }
  })
}) {}

const launch = async (
  [program = "", ...args]: ReadonlyArray<string>,
  { command, cwd, env }: Command,
  stdin: "pipe" | "ignore",
  alive: Set<ProcessGroup>
): Promise<ProcessGroup> => {
  // Behind the sandbox's programs a missing one would look like one that failed.
  await access(command, constants.X_OK)
  await access(cwd, constants.R_OK | constants.X_OK)
  const child = execa(program, args, {
    ...ALONE,
    cwd,
    env: { PATH: process.env["PATH"], HOME: cwd, TMPDIR: cwd, LANG: "C.UTF-8", ...env },
    stdin
  })
  if (child.pid === undefined) throw new Error((await child).shortMessage)
  return processGroup(child.pid, child, alive)
}

const succeeds = async ([program = "", ...args]: ReadonlyArray<string>): Promise<boolean> => {
  const env = { PATH: process.env["PATH"] }
  return !(await execa(program, args, { ...ALONE, env, stdio: "ignore", timeout: 5000 })).failed
}

const childOf = (group: ProcessGroup) => {
  const failed = (reason: SubprocessFailed["reason"], ending: Partial<Ending> = {}) =>
    new SubprocessFailed({
      reason,
      exitCode: ending.exitCode,
      signal: ending.signal,
      stderr: group.stderr()
    })

  const exit = Effect.flatMap(
    Effect.promise(() => group.ended),
    (ending): Effect.Effect<Finished, SubprocessFailed> =>
      ending.exitCode === 0 && !ending.late
        ? Effect.succeed({ stdout: Buffer.alloc(0), stderr: group.stderr() })
        : Effect.fail(failed(ending.late ? "timeout" : "exit", ending))
  )

  const send = (bytes: Uint8Array) =>
    Effect.async<void, SubprocessFailed>((resume) => {
      const done = (error?: Error | null) => resume(error ? Effect.fail(failed("exit")) : Effect.void)
      if (group.stdin === null) done()
      else group.stdin.write(bytes, done)
    })

  const output: Child["output"] = NodeStream.fromReadable(
    () => group.stdout,
    () => failed("timeout")
  )

  return { pid: group.pid, send, output, exit, failed }
}

const collect = ({ failed, output }: ReturnType<typeof childOf>, most: number) =>
  Effect.suspend(() => {
    const parts: Array<Uint8Array> = []
    let size = 0
    const keep = (bytes: Uint8Array) => {
      size += bytes.length
      parts.push(bytes)
      return size > most ? Effect.fail(failed("output")) : Effect.void
    }
    return Effect.map(Stream.runForEach(output, keep), () => Buffer.concat(parts))
  })

const ALONE = {
  detached: true,
  extendEnv: false,
  buffer: false,
  reject: false,
  cleanup: false
} as const

const WARNING = "This host cannot take the network away from the programs that read media."

const MAX_OUTPUT = 1024 * 1024

const WORDS = {
  start: "The program did not start:",
  timeout: "The program took too long:",
  exit: "The program failed:",
  output: "The program said too much:"
}
