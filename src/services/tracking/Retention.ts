import type { SqlError } from "@effect/sql/SqlError"
import { Clock, Duration, Effect, Layer, Schedule } from "effect"
import { AppConfig } from "../AppConfig.ts"
import { isPassing, whileLocked } from "../Database.ts"
import { makeForgetting } from "./Forgetting.ts"
import type { Place, Step } from "./Forgetting.ts"
import { makeRecordSize } from "./RecordSize.ts"

/** Forgets what is too old, or too much, while the router serves: a little at a time, with pauses. */
export class Retention extends Effect.Service<Retention>()("percept/Retention", {
  effect: Effect.gen(function* () {
    const config = yield* AppConfig
    const forgetting = yield* makeForgetting
    const size = yield* makeRecordSize
    const limit = config.dbMaxMb * 1024 * 1024
    let place = BEGINNING
    let walkedAt = 0

    /** One pass over everything; what it deleted. */
    const sweep = Effect.fn("Retention.sweep")(function* (options: SweepOptions = {}) {
      const { pause = PAUSE } = options
      const now = yield* Clock.currentTimeMillis
      const age = Duration.toMillis(options.olderThan ?? Duration.days(config.maxLogAgeDays))
      const bodyAge = Duration.toMillis(Duration.days(config.bodyMaxAgeDays ?? config.maxLogAgeDays))
      const rollupAge = Duration.toMillis(Duration.days(config.rollupMaxAgeDays))
      const done = { rows: 0, bodies: 0, rollups: 0 }
      const count = (step: Step) => {
        done.rows += step.rows
        done.bodies += step.bodies
        done.rollups += step.rollups
        return step.more
      }
      const walk = (step: Effect.Effect<boolean, SqlError>) => inSteps(Effect.retry(step, whileLocked), pause)

      yield* walk(Effect.map(forgetting.rowsBefore(iso(now - age)), count))
      if (bodyAge < age) {
        yield* walk(
          Effect.suspend(() => forgetting.bodiesBefore(iso(now - bodyAge), place)).pipe(
            Effect.map((step) => {
              place = step.place
              return count(step)
            })
          )
        )
        // Who ended late was not done yet when the walk came by.
        if (Math.abs(now - walkedAt) > WALK_AGAIN) [place, walkedAt] = [BEGINNING, now]
      }
      yield* walk(Effect.map(forgetting.rollupsBefore(Math.floor((now - rollupAge) / 1000)), count))
      if ((yield* makeRoom(walk, count)) || done.rows > MANY) yield* size.settle
      yield* walk(size.giveBack)
      return done
    })

    /** Rows that were written first make room; whether there was too much. */
    const makeRoom = Effect.fnUntraced(function* (
      walk: (step: Effect.Effect<boolean, SqlError>) => Effect.Effect<void, SqlError>,
      count: (step: Step) => boolean
    ) {
      const upTo = limit === 0 ? undefined : yield* size.tooLarge(limit)
      if (upTo === undefined) return false
      const isStill = Effect.map(size.tooLarge(limit), (more) => more !== undefined)
      yield* walk(
        Effect.if(isStill, {
          onTrue: () => Effect.map(forgetting.firstRows(upTo), count),
          onFalse: () => Effect.succeed(false)
        })
      )
      return true
    })

    let failing = false
    const tended = Effect.matchEffect(sweep(), {
      onSuccess: ({ bodies, rollups, rows }) => {
        failing = false
        return rows + bodies + rollups === 0
          ? Effect.void
          : Effect.logDebug(`${rows} requests, ${bodies} texts and ${rollups} sums by the hour were too old.`)
      },
      onFailure: (error) => {
        if (failing) return Effect.void
        failing = true
        const text = "What is too old cannot be deleted from the record"
        return isPassing(error)
          ? Effect.logWarning(`${text} for now.`, error.cause)
          : Effect.logError(`${text}.`, error.cause)
      }
    })

    const tend = Effect.repeat(tended, Schedule.spaced(EVERY)).pipe(Effect.delay(AFTER_START))

    return { sweep, tend }
  })
}) {
  /** For as long as the router serves. */
  static layerTending = Layer.scopedDiscard(
    Effect.flatMap(Retention, ({ tend }) => Effect.forkScoped(tend))
  ).pipe(Layer.provide(Retention.Default))
}

export interface SweepOptions {
  /** In place of `MAX_LOG_AGE_DAYS`. */
  readonly olderThan?: Duration.Duration
  /** Milliseconds between two steps, at least. */
  readonly pause?: number
}

/** One step after the other while there is more to do; most of the time belongs to others. */
const inSteps = (step: Effect.Effect<boolean, SqlError>, pause: number): Effect.Effect<void, SqlError> =>
  Effect.gen(function* () {
    while (true) {
      const from = yield* Clock.currentTimeMillis
      if (!(yield* step)) return
      const taken = (yield* Clock.currentTimeMillis) - from
      // A clock that was set meanwhile says nothing.
      yield* Effect.sleep(Duration.millis(Math.max(pause, Math.min(taken * 4, LONGEST_PAUSE))))
    }
  })

/** As in the rows; a clock far off the mark is still one. */
const iso = (millis: number): string => new Date(Math.max(millis, 0)).toISOString()

const BEGINNING: Place = { timestamp: "", id: 0 }

/** Milliseconds. */
const PAUSE = 20
const LONGEST_PAUSE = 2000
const WALK_AGAIN = 3_600_000

/** Rows; so much deleted is worth a look at what became free. */
const MANY = 10_000

const EVERY = Duration.minutes(1)
const AFTER_START = Duration.seconds(5)
