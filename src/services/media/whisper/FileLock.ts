import { Effect, Schedule } from "effect"
import type { Cause, Scope } from "effect"
import { link, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises"
import { hostname } from "node:os"
import { startOf } from "../../ProcessStart.ts"

/**
 * Holds a lock that processes share by a file, and waits for it as long as its owner lives. An owner on this host lives
 * while its process does; one elsewhere, as long as it keeps touching the file.
 */
export const lock = (file: string): Effect.Effect<void, Cause.UnknownException, Scope.Scope> =>
  Effect.acquireRelease(wait(file), () => Effect.promise(() => rm(file, { force: true }))).pipe(
    Effect.zipRight(Effect.forkScoped(Effect.schedule(touch(file), Schedule.spaced(TOUCH)))),
    Effect.asVoid
  )

const wait = (file: string): Effect.Effect<void, Cause.UnknownException> =>
  Effect.flatMap(
    Effect.tryPromise(() => take(file)),
    (taken) =>
      // Who waits may leave, who has the lock must give it back.
      taken ? Effect.void : Effect.zipRight(Effect.interruptible(Effect.sleep(POLL)), wait(file))
  )

const take = async (file: string): Promise<boolean> => {
  try {
    await writeFile(file, OWN, { flag: "wx", mode: 0o600 })
    return true
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error
  }
  const [owner, age] = await Promise.all([contentOf(file), ageOf(file)])
  if (owner !== undefined && isAbandoned(owner, age)) await removeIf(file, owner)
  return false
}

/** Someone else may have taken the lock over meanwhile: then what was moved away is theirs, and goes back. */
const removeIf = async (file: string, owner: string): Promise<void> => {
  const aside = `${file}.${process.pid}`
  try {
    await rename(file, aside)
  } catch {
    return
  }
  if ((await contentOf(aside)) !== owner) await link(aside, file).catch(() => {})
  await rm(aside, { force: true })
}

const isAbandoned = (owner: string, age: number): boolean => {
  const [host, pid, start] = owner.split("\n")
  if (pid === undefined) return age > FOREIGN_AGE
  if (host === hostname()) return startOf(Number(pid)) !== start
  return age > FOREIGN_AGE
}

const touch = (file: string) => Effect.ignore(Effect.tryPromise(() => utimes(file, new Date(), new Date())))

const contentOf = (file: string): Promise<string | undefined> => readFile(file, "utf8").catch(() => undefined)

const ageOf = (file: string): Promise<number> =>
  stat(file).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0
  )

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : ""

const OWN = [hostname(), process.pid, startOf(process.pid)].join("\n")
const POLL = "250 millis"
const TOUCH = "10 seconds"
/** Milliseconds. */
const FOREIGN_AGE = 60_000
