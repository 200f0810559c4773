import { Cause, Effect, Exit, Fiber } from "effect"

/**
 * Runs a program to its end; what it fails with is told after the opening. The first SIGINT or SIGTERM lets it go
 * down in order, a second one ends it at once; a bug outside every fiber takes it down in order too, since nobody
 * knows what state it left behind.
 */
export const runMain = (program: Effect.Effect<unknown, unknown>, opening = "", isServer = true): void => {
  let asked: number | undefined
  let left = 0
  let bug = false
  const fiber = Effect.runFork(program)
  const keepAlive = setInterval(() => {}, 2 ** 31 - 1)

  const onSignal = (signal: NodeJS.Signals) => {
    // A terminal's Ctrl-C reaches npm and us, and npm hands on its own: that is one wish, not two.
    if (asked !== undefined && performance.now() - asked < 250) return
    const broken = signal === "SIGINT" ? 130 : 143
    if (asked !== undefined) process.exit(broken)
    asked = performance.now()
    // A server that goes when it is told to has done its work; another command has not.
    if (!isServer) left = broken
    Effect.runFork(Fiber.interruptFork(fiber))
  }
  const onBug = (error: unknown) => {
    console.error(`Percept met a bug and goes down: ${error instanceof Error ? error.stack : String(error)}`)
    if (bug) process.exit(1)
    bug = true
    Effect.runFork(Fiber.interruptFork(fiber))
  }

  process.on("SIGINT", onSignal).on("SIGTERM", onSignal)
  process.on("uncaughtException", onBug).on("unhandledRejection", onBug)

  fiber.addObserver((exit) => {
    clearInterval(keepAlive)
    const failed = Exit.isFailure(exit) && !Cause.isInterruptedOnly(exit.cause)
    if (failed) console.error(explain(exit.cause, opening))
    const leave = () => process.exit(failed ? codeOf(exit.cause) : bug ? 1 : left)
    // What was printed may still be on its way into a pipe, which takes 64 kB at a time.
    if (asked === undefined) process.stdout.write("", leave)
    else leave()
  })
}

/** Some failures have a number of their own. */
const codeOf = (cause: Cause.Cause<unknown>): number => {
  const error = Cause.squash(cause)
  return error instanceof Error && "exitCode" in error && typeof error.exitCode === "number"
    ? error.exitCode
    : 1
}

/** What we foresaw is one sentence, what we did not is the whole story. */
const explain = (cause: Cause.Cause<unknown>, opening: string): string => {
  const error = Cause.squash(cause)
  return Cause.isFailure(cause) && error instanceof Error && "_tag" in error
    ? `${opening}${error.message}`
    : Cause.pretty(cause)
}
