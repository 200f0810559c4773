import { Data, DateTime, Duration, Effect, Schedule, Stream } from "effect"
import type { UpstreamFailure } from "../../domain/Errors.ts"
import type { Usage } from "../../domain/Usage.ts"
import { isPassing } from "../Database.ts"
import type { Owing } from "../tracking/completeRow.ts"
import { ReadDatabase } from "../tracking/ReadDatabase.ts"
import { TrackingRepo } from "../tracking/TrackingRepo.ts"
import { Providers } from "./Provider.ts"

/** The provider has not yet put together what a request has used. */
class NotYet extends Data.TaggedError("NotYet")<{}> {}

/**
 * Completes the rows of answers that were cut before their usage came: the provider still charges, and tells how
 * much a while later. What an earlier run did not get to is taken up again, if it is not older than a day.
 */
export class Generations extends Effect.Service<Generations>()("percept/Generations", {
  scoped: Effect.gen(function* () {
    const providers = yield* Providers
    const reader = yield* ReadDatabase
    const repo = yield* TrackingRepo
    const calls = yield* Effect.makeSemaphore(CALLS_AT_ONCE)
    // The connections to the database are there for those who wait for an answer.
    const writes = yield* Effect.makeSemaphore(1)
    const sources = new Map<string, Figures>()
    for (const { figures, name } of providers) if (figures !== undefined) sources.set(name, figures)
    const waiting = new Set<string>()
    let completed = 0

    const ask = (figures: Figures, generation: string): Effect.Effect<Usage, NotYet | UpstreamFailure> =>
      figures(generation).pipe(
        calls.withPermits(1),
        Effect.flatMap((usage) => (usage === undefined ? Effect.fail(new NotYet()) : Effect.succeed(usage))),
        Effect.retry({ schedule: PATIENCE, while: mayCome }),
        Effect.delay(FIRST_LOOK)
      )

    const complete = Effect.fn("Generations.complete")(function* ({ generation, id, provider }: Owing) {
      const figures = sources.get(provider)
      if (figures === undefined || !ID.test(generation)) return
      const usage = yield* ask(figures, generation)
      const isNew = yield* repo
        .complete(id, usage)
        .pipe(
          writes.withPermits(1),
          Effect.retry({ schedule: Schedule.spaced("2 seconds"), while: isPassing })
        )
      if (isNew) completed++
    })

    const settle = (owing: Owing) =>
      Effect.suspend(() => {
        // A row that ends twice, as one that is taken up and ended late, is told twice.
        if (waiting.has(owing.id)) return Effect.void
        waiting.add(owing.id)
        return complete(owing).pipe(
          Effect.catchAllCause((cause) =>
            Effect.logDebug(`What ${owing.provider} charged for ${owing.id} stays unknown.`, cause)
          ),
          Effect.ensuring(Effect.sync(() => waiting.delete(owing.id)))
        )
      })

    // What came later is told by who wrote it; asked for twice, it would be waited for twice as long.
    const started = yield* DateTime.now
    const takeUp = Effect.gen(function* () {
      const yesterday = DateTime.subtract(started, { days: 1 })
      const [from, to] = [DateTime.formatIso(yesterday), DateTime.formatIso(started)]
      repo.note(yield* reader.rows(repo.owedBetween(from, to, Array.from(sources.keys()))))
    })

    if (sources.size > 0) {
      yield* Effect.forkScoped(Effect.delay(Effect.ignoreLogged(takeUp), AT_THE_START))
      yield* Stream.fromQueue(repo.owing).pipe(
        Stream.mapEffect(settle, { concurrency: MOST_WAITING, unordered: true }),
        Stream.runDrain,
        Effect.forkScoped
      )
    }

    return { completed: () => completed }
  })
}) {}

type Figures = (generation: string) => Effect.Effect<Usage | undefined, UpstreamFailure>

/** What is not known yet is not found, or has no cost. */
const mayCome = (failure: NotYet | UpstreamFailure): boolean =>
  failure._tag === "NotYet" || failure.status === 404 || failure.retryable

/** Only what looks like a number of OpenRouter's goes into an address of its. */
const ID = /^gen-[\w-]{1,190}$/

/** A start has enough to do. */
const AT_THE_START = Duration.seconds(3)

const FIRST_LOOK = Duration.seconds(1)

/** A quarter of an hour in all. */
const PATIENCE = Schedule.exponential("2 seconds").pipe(
  Schedule.union(Schedule.spaced("5 minutes")),
  Schedule.intersect(Schedule.recurs(9))
)

const CALLS_AT_ONCE = 4

/** Beyond it the queue fills up, and beyond that, answers wait for the next start. */
const MOST_WAITING = 1000
