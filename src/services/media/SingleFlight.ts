import {
  Cause,
  Clock,
  Deferred,
  Duration,
  Effect,
  ExecutionStrategy,
  Exit,
  FiberId,
  Option,
  Scope
} from "effect"
import type { Fiber } from "effect"
import type { MediaFailure, MediaProblem } from "../../domain/Errors.ts"

/** What is being done, and how much of it is done, from 0 to 1. */
export type Listen = (line: string, share: number) => void

type Work<A> = (progress: Listen) => Effect.Effect<A, MediaFailure>

/**
 * Lets all who want the same thing at the same time wait for one work on it. The work belongs to none of them:
 * it goes on as long as anybody waits, and after that only if it is nearly done.
 */
export class SingleFlight extends Effect.Service<SingleFlight>()("percept/SingleFlight", {
  scoped: Effect.gen(function* () {
    // All works end together, not one after the other.
    const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.parallel)
    const flights = new Map<string, Flight>()
    const failures = makeFailureMemory()

    /** What the work of the first who asked gives; a failure is the same for all, its `param` too. */
    const share = Effect.fn("SingleFlight.share")(function* <A>(key: string, work: Work<A>, listen?: Listen) {
      const failed = failures.recall(key, yield* Clock.currentTimeMillis)
      if (failed !== undefined) return yield* failed
      return yield* Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const current = flights.get(key)
          const joined = current === undefined || current.abandoned ? undefined : current
          const flight = joined ?? new Flight(yield* Deferred.make<unknown, MediaFailure>())
          const seat = flight.board(listen)
          if (joined === undefined) yield* start(key, flight, work, current)
          // A key stands for one kind of work, so what lands is an `A`.
          const landed = Deferred.await(flight.landed) as Effect.Effect<A, MediaFailure>
          const waited = joined === undefined ? landed : Effect.withSpan(landed, "SingleFlight.wait")
          return yield* Effect.ensuring(restore(waited), leave(flight, seat))
        })
      )
    })

    /** A work that was given up has cleaned up before the next one begins. */
    const start = (key: string, flight: Flight, work: Work<unknown>, before: Flight | undefined) => {
      flights.set(key, flight)
      return (before?.fiber?.await ?? Effect.void).pipe(
        Effect.zipRight(Effect.interruptible(Effect.suspend(() => work(flight.tell)))),
        Effect.onExit((exit) => land(key, flight, exit)),
        Effect.forkIn(scope),
        Effect.map((fiber) => {
          flight.fiber = fiber
        })
      )
    }

    const land = (key: string, flight: Flight, exit: Exit.Exit<unknown, MediaFailure>) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        if (flights.get(key) === flight) flights.delete(key)
        if (Exit.isFailure(exit))
          Option.map(Cause.failureOption(exit.cause), (failure) => failures.keep(key, failure, now))
        flight.close()
        return Deferred.done(flight.landed, exit)
      })

    const leave = (flight: Flight, seat: Seat) =>
      Effect.suspend(() => {
        flight.seats.delete(seat)
        if (!flight.isIdle()) return Effect.void
        const abandon = Effect.sync(() => flight.abandon())
        if (flight.share < NEARLY_DONE) return abandon
        return abandon.pipe(
          Effect.delay(GRACE),
          Effect.interruptible,
          Effect.forkIn(scope),
          Effect.map((timer) => {
            flight.grace = timer
          })
        )
      })

    return { share }
  })
}) {}

/** One of those who wait. */
interface Seat {
  readonly listen: Listen | undefined
}

/** A work under way, and who waits for it. */
class Flight {
  readonly landed: Deferred.Deferred<unknown, MediaFailure>
  readonly seats = new Set<Seat>()
  fiber: Fiber.RuntimeFiber<unknown, MediaFailure> | undefined
  /** Ends the work a while after the last one left. */
  grace: Fiber.RuntimeFiber<void> | undefined
  share = 0
  abandoned = false
  private line: string | undefined
  private over = false

  constructor(landed: Deferred.Deferred<unknown, MediaFailure>) {
    this.landed = landed
  }

  readonly tell: Listen = (line, share) => {
    this.line = line
    this.share = share
    for (const seat of this.seats) inform(seat, line, share)
  }

  board(listen: Listen | undefined): Seat {
    const seat = { listen }
    this.seats.add(seat)
    this.endGrace()
    if (this.line !== undefined) inform(seat, this.line, this.share)
    return seat
  }

  isIdle(): boolean {
    return this.seats.size === 0 && !this.over
  }

  abandon(): void {
    if (!this.isIdle()) return
    this.abandoned = true
    this.fiber?.unsafeInterruptAsFork(FiberId.none)
  }

  close(): void {
    this.over = true
    this.endGrace()
  }

  private endGrace(): void {
    this.grace?.unsafeInterruptAsFork(FiberId.none)
    this.grace = undefined
  }
}

/** Who listens badly must not end what others wait for. */
const inform = ({ listen }: Seat, line: string, share: number): void => {
  try {
    listen?.(line, share)
  } catch {}
}

/** What failed a moment ago would fail again: nobody has to wait for that twice. */
const makeFailureMemory = () => {
  const kept = new Map<string, { readonly failure: MediaFailure; readonly until: number }>()

  const recall = (key: string, now: number): MediaFailure | undefined => {
    const found = kept.get(key)
    return found !== undefined && now < found.until ? found.failure : undefined
  }

  const keep = (key: string, failure: MediaFailure, now: number): void => {
    if (!LASTING.has(failure.code)) return
    kept.delete(key)
    for (const [oldest, { until }] of kept) {
      if (now < until && kept.size < MOST_FAILURES) break
      kept.delete(oldest)
    }
    kept.set(key, { failure, until: now + REMEMBERED })
  }

  return { recall, keep }
}

/** What was wrong with the medium; not what was wrong with us. */
const LASTING = new Set<MediaProblem>([
  "unreachable",
  "not_media",
  "too_large",
  "too_long",
  "unsupported",
  "broken"
])

const NEARLY_DONE = 0.8

const GRACE = Duration.seconds(10)

/** Milliseconds. */
const REMEMBERED = 15_000

const MOST_FAILURES = 1000
