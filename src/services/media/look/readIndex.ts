import { Effect } from "effect"
import { closeSync, openSync, readSync } from "node:fs"
import { setImmediate } from "node:timers/promises"
import type { MediaFile } from "../../../domain/media/Media.ts"
import { readMatroska } from "../../../domain/media/MatroskaIndex.ts"
import { readMp4File } from "../../../domain/media/Mp4File.ts"
import { withinFile } from "../../../domain/media/VideoIndex.ts"
import type { VideoIndex } from "../../../domain/media/VideoIndex.ts"
import type { Walk } from "../../../domain/media/Walk.ts"

/** What a file's own tables say of its pictures; undefined where there are none, or none that are plain. */
export const readIndex = ({ bytes, path, type }: MediaFile): Effect.Effect<VideoIndex | undefined> => {
  const walk = WALKS[type.container]
  if (walk === undefined) return Effect.succeed(undefined)
  return Effect.tryPromise(async (signal) => {
    const descriptor = openSync(path, "r")
    try {
      const index = await drive(walk(bytes), descriptor, signal)
      return index && withinFile(index, bytes)
    } finally {
      closeSync(descriptor)
    }
  }).pipe(
    Effect.catchAll((error) =>
      Effect.as(Effect.logDebug("A video's tables could not be read.", error), undefined)
    )
  )
}

/**
 * A walk is made of many small reads of a file that has just been written: handed to other threads one by one
 * they would cost more than they take. So they are done at once, with pauses in which others have their turn.
 */
const drive = async <A>(walk: Walk<A>, descriptor: number, signal: AbortSignal): Promise<A> => {
  let step = walk.next()
  for (let reads = 1; !step.done; reads++) {
    const { at, length } = step.value
    const buffer = Buffer.allocUnsafe(Math.min(length, LONGEST_READ))
    step = walk.next(buffer.subarray(0, readSync(descriptor, buffer, 0, buffer.length, at)))
    if (reads % 100 === 0) await setImmediate(undefined, { signal })
  }
  return step.value
}

const WALKS: Readonly<Record<string, (size: number) => Walk<VideoIndex | undefined>>> = {
  mp4: readMp4File,
  webm: (size) => readMatroska(size)
}

const LONGEST_READ = 64 * 1024 * 1024
