import { Effect, Exit } from "effect"
import type { Scope } from "effect"
import { createHash, randomUUID } from "node:crypto"
import { open, unlink } from "node:fs/promises"
import { join } from "node:path"
import { MediaFailure } from "../../domain/Errors.ts"
import type { MediaFile, MediaType } from "../../domain/media/Media.ts"

/** A file that is being written: its name is ours, and nobody else may read it. */
export interface KeptFile {
  readonly bytes: () => number
  readonly write: (piece: Uint8Array) => Effect.Effect<void, MediaFailure>
  readonly finish: (type: MediaType) => MediaFile
}

/** Closed with its scope, and removed at once if the scope ends badly. */
export const keepFile = (folder: string): Effect.Effect<KeptFile, MediaFailure, Scope.Scope> =>
  Effect.gen(function* () {
    const path = join(folder, `media-${randomUUID()}`)
    const handle = yield* Effect.acquireRelease(
      disk(() => open(path, "wx", 0o600)),
      (handle, exit) =>
        Effect.ignore(
          Effect.promise(async () => {
            await handle.close()
            if (Exit.isFailure(exit)) await unlink(path)
          })
        )
    )
    const hash = createHash("sha256")
    let bytes = 0
    return {
      bytes: () => bytes,
      write: (piece) =>
        Effect.suspend(() => {
          hash.update(piece)
          bytes += piece.length
          return Effect.asVoid(disk(() => handle.writeFile(piece)))
        }),
      finish: (type) => ({ path, bytes, sha256: hash.digest("hex"), type })
    }
  })

const disk = <A>(work: () => Promise<A>) =>
  Effect.tryPromise({
    try: work,
    catch: (error) =>
      new MediaFailure({
        code: "no_space",
        message: "There is no room to keep the file.",
        detail: error instanceof Error ? error.message : String(error)
      })
  })
