import { Effect } from "effect"
import { open } from "node:fs/promises"
import type { FileHandle } from "node:fs/promises"
import type { IncomingMessage } from "node:http"
import { join } from "node:path"
import { BodyTimeout, MediaFailure, UnsupportedMediaType } from "../domain/Errors.ts"
import type { BodyFailure } from "../domain/Exchange.ts"
import { boundaryIn, MultipartReader } from "./Multipart.ts"
import { encodedRefusal } from "./RequestBody.ts"
import { broken, MOST_BESIDES, tooLarge, UploadForm } from "./UploadForm.ts"
import type { Upload } from "./UploadForm.ts"

export interface UploadLimits {
  readonly fileBytes: number
  /** For the whole of it. */
  readonly millis: number
}

/** Why an upload was not taken; a lack of space is the only one that is not the client's fault. */
export type UploadFailure = BodyFailure | MediaFailure

/**
 * Takes a form off the wire into an empty folder: its file goes straight to disk, at the pace of the disk, and
 * ends with its limit.
 */
export const receive = Effect.fn("Upload.receive")(function* (
  request: IncomingMessage,
  folder: string,
  limits: UploadLimits
): Effect.fn.Return<Upload, UploadFailure> {
  const type = request.headers["content-type"] ?? ""
  const refusal = refusalOf(request, type, limits)
  if (refusal !== undefined) return yield* refusal
  const boundary = boundaryIn(type)
  if (boundary === undefined) return yield* broken("its content-type names no boundary")
  const path = join(folder, "upload")
  const form = new UploadForm(limits.fileBytes)
  yield* Effect.acquireUseRelease(
    onDisk(() => open(path, "wx", 0o600)),
    (file) => collected(request, new MultipartReader(boundary), form, file, limits.millis),
    (file) => Effect.promise(() => file.close())
  )
  return yield* form.finish(path)
})

const refusalOf = (request: IncomingMessage, type: string, limits: UploadLimits): BodyFailure | undefined => {
  const encoded = encodedRefusal(request)
  if (encoded !== undefined) return encoded
  if (!/^multipart\/form-data\s*(;|$)/i.test(type))
    return new UnsupportedMediaType({
      message: "Send the file as multipart/form-data, as a part named 'file'."
    })
  return Number(request.headers["content-length"] ?? 0) > limits.fileBytes + MOST_BESIDES
    ? tooLarge(limits.fileBytes)
    : undefined
}

/** Done when the last byte is on disk. Who goes away meanwhile is interrupted elsewhere. */
const collected = (
  request: IncomingMessage,
  reader: MultipartReader,
  form: UploadForm,
  file: FileHandle,
  millis: number
): Effect.Effect<void, UploadFailure> =>
  Effect.async((resume) => {
    const settle = (result: Effect.Effect<void, UploadFailure>) => {
      stop()
      resume(result)
    }
    const stop = () => {
      clearTimeout(clock)
      request.off("data", onData).off("end", onEnd)
    }
    const onData = (chunk: Buffer) => {
      const failure = form.take(chunk.length, reader.push(chunk))
      if (failure !== undefined) return settle(Effect.fail(failure))
      const pieces = form.toWrite.splice(0)
      if (pieces.length === 0) return
      request.pause()
      write(file, pieces).then(
        () => request.resume(),
        (error: unknown) => settle(diskTrouble(error))
      )
    }
    const onEnd = () => settle(Effect.void)
    const late = new BodyTimeout({ message: "The request body did not arrive in time." })
    const clock = setTimeout(() => settle(Effect.fail(late)), millis)
    request.on("data", onData).on("end", onEnd)
    return Effect.sync(stop)
  })

const write = async (file: FileHandle, pieces: ReadonlyArray<Buffer>): Promise<void> => {
  for (const piece of pieces) await file.appendFile(piece)
}

const onDisk = <A>(action: () => Promise<A>): Effect.Effect<A, MediaFailure> =>
  Effect.catchAll(Effect.tryPromise({ try: action, catch: (error) => error }), diskTrouble)

const diskTrouble = (error: unknown): Effect.Effect<never, MediaFailure> =>
  error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT")
    ? Effect.fail(
        new MediaFailure({
          code: "no_space",
          message: "There is no room to work on media at the moment.",
          detail: error.message
        })
      )
    : Effect.die(error)
