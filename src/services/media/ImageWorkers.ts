import { Chunk, Effect, RcMap, Schema, Stream } from "effect"
import { availableParallelism } from "node:os"
import { MediaFailure } from "../../domain/Errors.ts"
import { AppConfig } from "../AppConfig.ts"
import { Subprocess } from "./Subprocess.ts"
import type { SubprocessFailed } from "./Subprocess.ts"
import { ImageAnswer } from "./workers/imageMessages.ts"
import type { ImageJob } from "./workers/imageMessages.ts"
import { encodeMessage, MessageReader } from "./workers/messages.ts"
import type { Message } from "./workers/messages.ts"
import { workerPath } from "./workers/workerPath.ts"
import { Workspace } from "./Workspace.ts"

/** A job's answer, and the bytes that came with it. */
export interface Answered {
  readonly answer: ImageAnswer
  readonly body: Buffer
}

interface Worker {
  readonly work: (job: ImageJob, bytes: Uint8Array) => Effect.Effect<Message, MediaFailure>
  readonly isWorn: () => boolean
}

/**
 * Decoders meet hostile bytes in programs of their own, which start with the first image, end when there were none
 * for a while, and are thrown away with any job that does not come to its end.
 */
export const makeImageWorkers = Effect.gen(function* () {
  const { imageMaxMegapixels, mediaJobs = availableParallelism() } = yield* AppConfig
  const subprocess = yield* Subprocess
  const workspace = yield* Workspace
  const scope = yield* Effect.scope
  const most = Math.min(mediaJobs, MOST_WORKERS)
  const seats = yield* Effect.makeSemaphore(most)
  const free = Array.from({ length: most }, (_, seat) => seat)

  const start = Effect.fnUntraced(
    function* (seat: number) {
      const child = yield* subprocess.open({
        command: process.execPath,
        args: ["--max-old-space-size=96", workerPath("image")],
        cwd: yield* workspace.folder,
        timeout: "1 day",
        env: ENVIRONMENT,
        limits: { memoryMb: OWN_MB + imageMaxMegapixels * MB_PER_MEGAPIXEL }
      })
      // One that dies while it has nothing to do must not cost the next image.
      yield* Effect.forkIn(Effect.ensuring(Effect.ignore(child.exit), RcMap.invalidate(workers, seat)), scope)
      const chunks = yield* Stream.toPull(child.output)
      const reader = new MessageReader()
      let jobs = 0

      const gone = Effect.matchEffect(child.exit, {
        onFailure: ({ message }) => broken(message),
        onSuccess: () => broken("The worker ended.")
      })
      const answered: Effect.Effect<Message, MediaFailure> = Effect.orElse(chunks, () => gone).pipe(
        Effect.flatMap((some) => read(reader, some)),
        Effect.flatMap((message) => (message === undefined ? answered : Effect.succeed(message)))
      )
      return {
        isWorn: () => jobs >= MOST_JOBS,
        work: (job: ImageJob, bytes: Uint8Array) =>
          Effect.suspend(() => {
            jobs++
            // A worker that cannot be spoken to any more is about to be gone, which tells more.
            return Effect.zipRight(Effect.ignore(child.send(encodeMessage(job, bytes))), answered)
          })
      }
    },
    Effect.catchTag("SubprocessFailed", unstartable)
  )

  const workers: RcMap.RcMap<number, Worker, MediaFailure> = yield* RcMap.make({
    lookup: start,
    idleTimeToLive: IDLE
  })

  /** A seat is free again when its worker is, or is gone. */
  const inSeat = <A>(use: (seat: number) => Effect.Effect<A, MediaFailure>) =>
    Effect.acquireUseRelease(
      Effect.sync(() => free.pop() ?? 0),
      use,
      (seat) => Effect.sync(() => free.push(seat))
    ).pipe(seats.withPermits(1))

  const ask = (job: ImageJob, bytes: Uint8Array): Effect.Effect<Answered, MediaFailure> =>
    inSeat((seat) =>
      Effect.gen(function* () {
        const { isWorn, work } = yield* RcMap.get(workers, seat)
        const answered = yield* Effect.flatMap(work(job, bytes), understood)
        if (isWorn()) yield* RcMap.invalidate(workers, seat)
        return answered
      }).pipe(
        Effect.timeoutFail({ duration: JOB_TIMEOUT, onTimeout: tooSlow }),
        Effect.onError(() => RcMap.invalidate(workers, seat)),
        Effect.scoped
      )
    )

  return { ask }
})

const read = (reader: MessageReader, chunks: Chunk.Chunk<Uint8Array>) =>
  Effect.try({
    try: () => Chunk.toReadonlyArray(chunks).flatMap((chunk) => reader.push(chunk))[0],
    catch: (error) => brokenBecause(String(error))
  })

const understood = ({ body, header }: Message): Effect.Effect<Answered, MediaFailure> =>
  Schema.decodeUnknown(ImageAnswer)(header).pipe(
    Effect.mapError((error) => brokenBecause(error.message)),
    Effect.map((answer) => ({ answer, body }))
  )

const unstartable = ({ message }: SubprocessFailed) =>
  new MediaFailure({
    code: "tool_missing",
    message: "Images cannot be decoded here at the moment.",
    detail: message
  })

const brokenBecause = (detail: string) =>
  new MediaFailure({ code: "broken", message: "The image could not be decoded.", detail })

const broken = (detail: string) => Effect.fail(brokenBecause(detail))

const tooSlow = () => new MediaFailure({ code: "timeout", message: "The image took too long to decode." })

const MOST_WORKERS = 4
const IDLE = "60 seconds"
const JOB_TIMEOUT = "15 seconds"
/** Decoders leave gaps in their memory: a worker is fresh again after so many jobs. */
const MOST_JOBS = 200

/** Address space the runtime takes for itself, and what the dearest decoder needs per million pixels. */
const OWN_MB = 1024
const MB_PER_MEGAPIXEL = 22

const ENVIRONMENT = { MALLOC_ARENA_MAX: "2", UV_THREADPOOL_SIZE: "2", VIPS_CONCURRENCY: "1" }
