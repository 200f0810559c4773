import { Effect, Schedule } from "effect"
import type { Scope } from "effect"
import { createHash, randomUUID } from "node:crypto"
import { createReadStream } from "node:fs"
import { chmod, lstat, mkdtemp, readdir, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { MediaFailure } from "../../domain/Errors.ts"
import { sniff } from "../../domain/media/MagicBytes.ts"
import { TOO_LARGE } from "../../domain/media/SiteProblem.ts"
import type { MediaFile } from "../../domain/media/Media.ts"

/** A folder within a job's own, for one call of a program; it goes with its scope. */
export const siteFolder = (folder: string): Effect.Effect<string, MediaFailure, Scope.Scope> =>
  Effect.acquireRelease(
    disk(() => mkdtemp(join(folder, "site-"))),
    (place) => Effect.promise(() => rm(place, { recursive: true, force: true, maxRetries: 3 }))
  )

/** Never ends well: it fails as soon as there is more in the folder than there may be. */
export const tooMuchIn = (place: string, mostBytes: number): Effect.Effect<never, MediaFailure> =>
  Effect.promise(async () => {
    const names = await readdir(place, { recursive: true }).catch(() => [])
    const sizes = await Promise.all(names.map((name) => sizeOf(join(place, name))))
    // Putting picture and sound together takes the room of both twice.
    return Math.max(0, ...sizes) > mostBytes || sizes.reduce((sum, size) => sum + size, 0) > 2 * mostBytes
  }).pipe(
    Effect.filterOrFail(
      (isTooMuch) => !isTooMuch,
      () => new MediaFailure(TOO_LARGE)
    ),
    Effect.repeat(Schedule.spaced("200 millis")),
    Effect.zipRight(Effect.never)
  )

/** The one complete file a call has left, moved out of its folder; undefined where there is none or more than one. */
export const takeFile = Effect.fn("SiteFolder.takeFile")(function* (
  place: string,
  folder: string,
  mostBytes: number
) {
  const names = (yield* disk(() => readdir(place))).filter((name) => COMPLETE.test(name))
  const [name] = names
  if (name === undefined || names.length > 1) return undefined
  const from = join(place, name)
  const stat = yield* disk(() => lstat(from))
  if (!stat.isFile()) return undefined
  if (stat.size > mostBytes) return yield* new MediaFailure(TOO_LARGE)
  const { head, sha256 } = yield* disk(() => readThrough(from))
  const type = sniff(head)
  if (type === undefined) return yield* NOT_MEDIA
  const path = join(folder, `media-${randomUUID()}`)
  yield* disk(() => chmod(from, 0o600).then(() => rename(from, path)))
  return { path, bytes: stat.size, sha256, type } satisfies MediaFile
})

const readThrough = async (path: string) => {
  const hash = createHash("sha256")
  let head = Buffer.alloc(0)
  for await (const piece of createReadStream(path, { highWaterMark: PIECE })) {
    if (head.length < HEAD) head = Buffer.concat([head, piece]).subarray(0, HEAD)
    hash.update(piece)
  }
  return { head, sha256: hash.digest("hex") }
}

/** Files come and go while they are looked at. */
const sizeOf = (path: string): Promise<number> =>
  lstat(path).then(
    ({ size }) => size,
    () => 0
  )

const disk = <A>(work: () => Promise<A>) =>
  Effect.tryPromise({
    try: work,
    catch: (error) =>
      new MediaFailure({
        code: "no_space",
        message: "There is no room to work on media at the moment.",
        detail: String(error)
      })
  })

const NOT_MEDIA = new MediaFailure({
  code: "not_media",
  message: "What the site handed out is no video or sound."
})

/** While it is being fetched or put together, a file has a longer name. */
const COMPLETE = /^media\.\w{1,16}$/

const HEAD = 4096
const PIECE = 1024 * 1024
