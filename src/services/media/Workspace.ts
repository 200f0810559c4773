import { Effect } from "effect"
import { createHash } from "node:crypto"
import { rmSync } from "node:fs"
import { chmod, lstat, mkdir, mkdtemp, readdir, rm, stat, statfs } from "node:fs/promises"
import { hostname } from "node:os"
import { join } from "node:path"
import { MediaFailure } from "../../domain/Errors.ts"
import { AppConfig } from "../AppConfig.ts"
import { startOf } from "../ProcessStart.ts"

/** Private folders for media under work: bounded in size, and gone with their use, whatever ends it. */
export class Workspace extends Effect.Service<Workspace>()("percept/Workspace", {
  scoped: Effect.gen(function* () {
    const { mediaMinFreeMb, mediaTmpDir: root, mediaTmpMb } = yield* AppConfig
    const alive = new Set<string>()

    const removeAll = () => alive.forEach((folder) => rmSync(folder, REMOVAL))
    yield* Effect.acquireRelease(
      Effect.sync(() => process.on("exit", removeAll)),
      () => Effect.sync(() => process.off("exit", removeAll))
    )

    // A root that cannot be had is no reason not to answer about text.
    yield* Effect.tryPromise(() => openRoot(root).then(() => sweep(root))).pipe(
      Effect.catchAll(({ error }) => Effect.logWarning(`Media cannot be worked on: ${String(error)}`))
    )

    const make = Effect.gen(function* () {
      const { free, used } = yield* attempt(() => openRoot(root).then(() => room(root)))
      if (used >= mediaTmpMb) return yield* full(`MEDIA_TMP_MB is used up: ${Math.round(used)} MB`)
      if (free < mediaMinFreeMb)
        return yield* full(`less than MEDIA_MIN_FREE_MB is free: ${Math.round(free)} MB`)
      const folder = yield* attempt(() => mkdtemp(join(root, `${OWN}-`)))
      alive.add(folder)
      return folder
    })

    const remove = (folder: string) =>
      Effect.promise(() => rm(folder, REMOVAL)).pipe(
        Effect.catchAllDefect((error) => Effect.logWarning(`A media folder stays behind: ${String(error)}`)),
        Effect.ensuring(Effect.sync(() => alive.delete(folder)))
      )

    return { root, folder: Effect.acquireRelease(make, remove) }
  })
}) {}

const full = (detail: string) =>
  new MediaFailure({
    code: "no_space",
    message: "There is no room to work on media at the moment.",
    detail
  })

const attempt = <A>(work: () => Promise<A>) =>
  Effect.tryPromise({ try: work, catch: (error) => full(String(error)) })

/** A root that others have things in, such as /tmp, keeps its mode; the folders in it are private anyway. */
const openRoot = async (root: string): Promise<void> => {
  await mkdir(root, { recursive: true, mode: 0o700 })
  const { mode } = await stat(root)
  if ((mode & 0o077) === 0) return
  const names = await readdir(root)
  if (names.every((name) => OWNED.test(name))) await chmod(root, 0o700)
}

/** What dead routers left behind goes. A link goes too, never what it points to. */
const sweep = async (root: string): Promise<void> => {
  for (const name of await readdir(root)) {
    const path = join(root, name)
    if (await isAbandoned(path, OWNED.exec(name)?.groups)) await rm(path, REMOVAL)
  }
}

/** A process of this host speaks for itself; folders of others, on shared storage, speak by their age. */
const isAbandoned = async (path: string, owner: Record<string, string> | undefined): Promise<boolean> => {
  if (owner === undefined) return false
  if (owner["host"] === HOST) return short(startOf(Number(owner["pid"]))) !== owner["start"]
  const { mtimeMs } = await lstat(path)
  return Date.now() - mtimeMs > FOREIGN_AGE
}

const room = async (root: string): Promise<{ readonly used: number; readonly free: number }> => {
  const [used, { bavail, bsize }] = await Promise.all([sizeOf(root), statfs(root)])
  return { used: used / MB, free: (bavail * bsize) / MB }
}

/** What everything below takes on disk; what vanishes meanwhile takes nothing, and links are not followed. */
const sizeOf = async (folder: string): Promise<number> => {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const sizes = entries.map((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sizeOf(path)
    return lstat(path).then(
      ({ blocks }) => blocks * 512,
      () => 0
    )
  })
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

const short = (text: string | undefined): string =>
  text === undefined ? "" : createHash("sha256").update(text).digest("hex").slice(0, 12)

const REMOVAL = { recursive: true, force: true, maxRetries: 3 } as const
const HOST = short(hostname())
const OWN = `percept-${HOST}-${process.pid}-${short(startOf(process.pid))}`
const OWNED = /^percept-(?<host>[0-9a-f]{12})-(?<pid>\d+)-(?<start>[0-9a-f]{12})-\w{6}$/
const FOREIGN_AGE = 24 * 60 * 60 * 1000
const MB = 1024 * 1024
