import { Effect, Exit } from "effect"
import { availableParallelism } from "node:os"
import { MediaFailure } from "../../domain/Errors.ts"
import { AppConfig } from "../AppConfig.ts"

/**
 * So many media are worked on at once, so many may wait, and none for ever. Images have a lane of their own, for
 * they take a moment and should not stand behind an hour of video.
 */
export class MediaQueue extends Effect.Service<MediaQueue>()("percept/MediaQueue", {
  effect: Effect.gen(function* () {
    const { mediaJobs, mediaQueue } = yield* AppConfig
    const jobs = mediaJobs ?? availableParallelism()
    const long = yield* makeLane(jobs, mediaQueue)
    const short = yield* makeLane(jobs * IMAGES_PER_JOB, mediaQueue)

    return {
      jobs,
      inTurn: long.inTurn,
      /** For work that takes a moment. */
      inShortTurn: short.inTurn,
      waiting: () => long.waiting() + short.waiting(),
      working: () => long.working() + short.working()
    }
  })
}) {}

const makeLane = (jobs: number, queue: number) =>
  Effect.gen(function* () {
    const { mediaQueueTimeout } = yield* AppConfig
    const places = yield* Effect.makeSemaphore(jobs)
    let working = 0
    let waiting = 0

    /** Does the work when it is its turn; who leaves the queue leaves no trace. */
    const inTurn = <A, E>(work: Effect.Effect<A, E>): Effect.Effect<A, E | MediaFailure> =>
      Effect.suspend(() =>
        working + waiting < jobs ? inPlace(work) : Effect.flatMap(waitingSpan, (over) => inPlace(work, over))
      )

    const inPlace = <A, E>(work: Effect.Effect<A, E>, waited = () => {}) =>
      Effect.suspend((): Effect.Effect<A, E | MediaFailure> => {
        if (working + waiting >= jobs + queue) return Effect.fail(busy())
        let begun = false
        waiting++
        const turn = places.withPermits(1)(
          Effect.suspend(() => {
            begun = true
            waiting--
            working++
            waited()
            return Effect.ensuring(
              work,
              Effect.sync(() => working--)
            )
          })
        )
        const patience = Effect.flatMap(Effect.sleep(mediaQueueTimeout), () =>
          begun ? Effect.never : Effect.fail(busy())
        )
        return Effect.ensuring(
          Effect.raceFirst(turn, patience),
          Effect.sync(() => {
            if (begun) return
            waiting--
            waited()
          })
        )
      })

    return { inTurn, waiting: () => waiting, working: () => working }
  })

/** Shows those who watch how long it takes; what it gives ends it. */
const waitingSpan = Effect.zipWith(
  Effect.makeSpan("MediaQueue.wait"),
  Effect.clock,
  (span, clock) => () => span.end(clock.unsafeCurrentTimeNanos(), Exit.void)
)

const busy = () =>
  new MediaFailure({
    code: "busy",
    message: "Too many media are being worked on; please try again in a moment.",
    detail: "the media queue is full, or a place in it took too long to come"
  })

/** Images worked on at once, for each medium of the longer kind. */
const IMAGES_PER_JOB = 4
