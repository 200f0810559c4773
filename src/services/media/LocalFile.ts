import { Effect } from "effect"
import { createHash, randomUUID } from "node:crypto"
import { createReadStream } from "node:fs"
import { symlink } from "node:fs/promises"
import { join, resolve } from "node:path"
import { MediaFailure } from "../../domain/Errors.ts"
import { sniff } from "../../domain/media/MagicBytes.ts"
import type { MediaFile } from "../../domain/media/Media.ts"

/**
 * A file of the operator's own, made known in a private folder under a name of ours; it is not copied. Nothing a
 * client says may ever lead here.
 */
export const localFile = Effect.fn("LocalFile.localFile")(function* (path: string, folder: string) {
  const target = resolve(path)
  const { bytes, head, sha256 } = yield* Effect.tryPromise({
    try: () => read(target),
    catch: (error) =>
      new MediaFailure({
        code: "broken",
        message: "The file cannot be read.",
        detail: error instanceof Error ? error.message : String(error)
      })
  })
  const type = sniff(head)
  if (type === undefined)
    return yield* new MediaFailure({
      code: "not_media",
      message: "The file is not a picture, video or sound that can be taken."
    })
  const name = join(folder, `media-${randomUUID()}`)
  yield* Effect.promise(() => symlink(target, name))
  return { path: name, bytes, sha256, type } satisfies MediaFile
})

const read = async (path: string) => {
  const hash = createHash("sha256")
  const start: Array<Buffer> = []
  let bytes = 0
  for await (const piece of createReadStream(path, { highWaterMark: PIECE })) {
    const buffer: Buffer = piece
    if (bytes < HEAD) start.push(buffer)
    hash.update(buffer)
    bytes += buffer.length
  }
  return { bytes, head: Buffer.concat(start).subarray(0, HEAD), sha256: hash.digest("hex") }
}

/** Bytes that tell what a file is. */
const HEAD = 4096
const PIECE = 1024 * 1024
