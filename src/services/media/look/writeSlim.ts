import { Effect } from "effect"
import { closeSync, openSync, readSync, writeSync } from "node:fs"
import { setImmediate } from "node:timers/promises"
import { MediaFailure } from "../../../domain/Errors.ts"
import { noRoom } from "./ownFolder.ts"
import type { SlimPicture, VideoIndex } from "../../../domain/media/VideoIndex.ts"

/** Writes a slim file of some pictures of a whole one; gives the delay its decoder will report them with. */
export const writeSlim = (
  index: VideoIndex,
  pictures: ReadonlyArray<SlimPicture>,
  from: string,
  to: string
): Effect.Effect<number, MediaFailure> =>
  Effect.tryPromise({
    try: async (signal) => {
      const { delay, pieces } = index.slim(pictures)
      const numbers = pictures.map(({ picture }) => picture).toSorted((one, other) => one - other)
      const places = index.offsets(numbers)
      const offsets = new Map(numbers.map((picture, at) => [picture, places[at] ?? 0]))
      const source = openSync(from, "r")
      const target = openSync(to, "wx", 0o600)
      try {
        let written = 0
        for (const piece of pieces) {
          const bytes =
            "picture" in piece
              ? readAt(source, offsets.get(piece.picture) ?? 0, index.sizes[piece.picture] ?? 0)
              : piece
          written += bytes.length
          writeSync(target, bytes)
          if (written > PAUSE) {
            written = 0
            await setImmediate(undefined, { signal })
          }
        }
      } finally {
        closeSync(source)
        closeSync(target)
      }
      return delay
    },
    catch: (error) =>
      /ENOSPC|EDQUOT|EROFS/.test(String(error))
        ? noRoom(error)
        : new MediaFailure({
            code: "broken",
            message: "The pictures could not be read.",
            detail: String(error)
          })
  })

const readAt = (descriptor: number, offset: number, length: number): Uint8Array => {
  const bytes = Buffer.allocUnsafe(length)
  return bytes.subarray(0, readSync(descriptor, bytes, 0, length, offset))
}

/** Bytes after which others have their turn. */
const PAUSE = 4 * 1024 * 1024
