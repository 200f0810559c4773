import { Duration, Effect, Fiber } from "effect"
import type { Scope } from "effect"

/** Takes things one by one on a hot path and hands them on together a little later. */
export interface Batch<A> {
  readonly add: (item: A) => void
  readonly dropped: () => number
}

/**
 * A bounded queue with a beat that sleeps until something arrives: an idle router has no timers. What is
 * left when the scope closes is handed on before it closes, if that takes no longer than a few seconds.
 */
export const makeBatch = <A>(options: {
  readonly every: Duration.DurationInput
  /** How much may wait, in what `sizeOf` counts; single items if it is absent. */
  readonly bound: number
  readonly sizeOf?: (item: A) => number
  readonly flush: (items: ReadonlyArray<A>) => Effect.Effect<void>
}): Effect.Effect<Batch<A>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const arrived = yield* Effect.makeLatch(false)
    let items: Array<A> = []
    let waiting = 0
    let dropped = 0

    const handOn = Effect.suspend(() => {
      const batch = items
      items = []
      waiting = 0
      arrived.unsafeClose()
      if (batch.length === 0) return Effect.void
      return Effect.onInterrupt(options.flush(batch), () =>
        Effect.sync(() => {
          items = [...batch, ...items]
        })
      )
    })

    // A flush that dies of a bug takes its batch along, but not the beat.
    const survived = Effect.catchAllDefect(handOn, (defect) =>
      Effect.logError("A batch is lost to a bug.", defect)
    )
    const beat = arrived.await.pipe(Effect.zipRight(Effect.sleep(options.every)), Effect.zipRight(survived))
    const beating = yield* Effect.forkDaemon(Effect.forever(beat))
    // What hangs must not hold the scope, interruptible or not.
    const inTime = (last: Effect.Effect<unknown>) =>
      last.pipe(Effect.disconnect, Effect.interruptible, Effect.timeout(LAST_WORDS), Effect.ignoreLogged)
    yield* Effect.addFinalizer(() => Effect.zipRight(inTime(Fiber.interrupt(beating)), inTime(survived)))

    const add = (item: A): void => {
      const size = options.sizeOf === undefined ? 1 : options.sizeOf(item)
      if (waiting + size > options.bound) dropped++
      else {
        waiting += size
        if (items.push(item) === 1) arrived.unsafeOpen()
      }
    }

    return { add, dropped: () => dropped }
  })

const LAST_WORDS = Duration.seconds(5)
