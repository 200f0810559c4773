import { SqlError } from "@effect/sql/SqlError"
import { Cause, Duration, Effect } from "effect"
import type { Trace } from "../../domain/record/Sighting.ts"
import type { RequestBodies, RequestRecord } from "../../domain/RequestRecord.ts"
import { isPassing } from "../Database.ts"
import type { TrackingRepo } from "./TrackingRepo.ts"

/** A row, with what is kept beside it. */
export type Written = readonly [
  row: RequestRecord,
  body?: RequestBodies | undefined,
  trace?: Trace | undefined
]

/**
 * Hands rows to the database, and keeps those that it does not take for now: so many, with so much text. It asks
 * again for as long as it takes, while new rows come.
 */
export const makeRowWriter = Effect.fnUntraced(function* (repo: Pick<TrackingRepo, "save">) {
  const scope = yield* Effect.scope
  let waiting = new Map<string, Kept>()
  let characters = 0
  let failing = false
  let losing = false
  let lost = 0
  let isDraining = false
  /** Rows of the next write. */
  let atOnce = MOST_AT_ONCE

  /** The newer state of a row takes the place of the older one. */
  const add = ([row, body, trace]: Written): void => {
    const id = row.internal_request_id
    if (!waiting.has(id) && waiting.size >= MOST_ROWS) {
      if (row.state !== "running") lost++
      return
    }
    const size = sizeOf(body, trace)
    const fits = characters + size <= MOST_CHARACTERS
    // The row itself is written to by its request until that has ended.
    waiting.set(id, { row: { ...row }, ...(fits ? { body, trace, size } : NOTHING) })
    if (fits) characters += size
  }

  /** The rows that wait the longest; they wait on if that comes to nothing. */
  const write = Effect.suspend(() => {
    const given: Array<readonly [string, Kept]> = []
    for (const one of waiting) if (given.push(one) >= atOnce) break
    // A map that is filled and emptied all the time keeps what was in it until a full collection.
    if (given.length === waiting.size) waiting = new Map()
    else for (const [id] of given) waiting.delete(id)
    const back = () => {
      waiting = new Map([...given, ...waiting])
    }
    const kept = given.map(([, one]) => one)
    const gone = () => {
      for (const { size } of kept) characters -= size
    }
    return Effect.tapBoth(
      Effect.onInterrupt(saved(kept), () => Effect.sync(back)),
      {
        onSuccess: () => {
          failing = losing = false
          atOnce = Math.min(atOnce * 2, MOST_AT_ONCE)
          gone()
          return Effect.void
        },
        onFailure: (error) => {
          // One that is refused must not cost the others their place, nor many at once all of them their time.
          atOnce = Math.ceil(kept.length / 2)
          if (isPassing(error)) {
            const isNew = !failing
            failing = true
            back()
            return isNew ? warn("The record cannot be written; rows wait in memory.", error) : Effect.void
          }
          if (kept.length > 1) {
            back()
            return Effect.void
          }
          const isNew = !losing
          failing = losing = true
          lost += kept.filter(({ row }) => row.state !== "running").length
          gone()
          return isNew ? Effect.logError("Rows of the record are lost to a bug.", error.cause) : Effect.void
        }
      }
    )
  })

  /** A server that has gone may never answer, and what waits for it cannot even be interrupted. */
  const saved = (kept: ReadonlyArray<Kept>) =>
    Effect.suspend(() =>
      repo.save(
        kept.map(({ row }) => row),
        kept.flatMap(({ body }) => body ?? []),
        kept.flatMap(({ trace }) => trace ?? [])
      )
    ).pipe(
      Effect.catchAllDefect((cause) => new SqlError({ cause, message: "Rows cannot be saved" })),
      Effect.disconnect,
      Effect.timeoutFail({ duration: LONGEST_WRITE, onTimeout: () => NO_ANSWER })
    )

  const drain = Effect.gen(function* () {
    for (let pause = SHORTEST_PAUSE; waiting.size > 0;) {
      const done = yield* Effect.either(write)
      if (done._tag === "Right" || !isPassing(done.left)) {
        // Requests that go on come before the rest.
        yield* Effect.yieldNow()
        pause = SHORTEST_PAUSE
        continue
      }
      yield* Effect.sleep(pause)
      pause = Math.min(pause * 2, LONGEST_PAUSE)
    }
    isDraining = false
  })

  const survived = Effect.catchAllDefect(drain, (defect) => {
    isDraining = false
    return Effect.logError("Rows of the record wait because of a bug.", defect)
  })

  /** Nobody waits here for the database: there is a log to be written, too. */
  const save = (rows: ReadonlyArray<Written>) =>
    Effect.suspend(() => {
      rows.forEach(add)
      if (isDraining || waiting.size === 0) return Effect.void
      isDraining = true
      return Effect.asVoid(Effect.forkIn(Effect.interruptible(survived), scope))
    })

  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      yield* drain.pipe(Effect.interruptible, Effect.timeout(LAST_WORDS), Effect.ignore)
      if (waiting.size > 0) yield* Effect.logError(`${waiting.size} rows of the record are lost.`)
    })
  )

  return { save, failing: () => failing, lost: () => lost }
})

interface Kept {
  readonly row: RequestRecord
  readonly body: RequestBodies | undefined
  readonly trace: Trace | undefined
  /** Of the texts. */
  readonly size: number
}

const NOTHING = { body: undefined, trace: undefined, size: 0 }

const NO_ANSWER = new SqlError({
  cause: Object.assign(new Error("The database does not answer."), { code: "ETIMEDOUT" }),
  message: "Rows cannot be saved"
})

const warn = (text: string, error: SqlError) => Effect.logWarning(text, Cause.fail(error.cause))

const sizeOf = (body: RequestBodies | undefined, trace: Trace | undefined): number =>
  (body?.request_body?.length ?? 0) +
  (body?.response_body?.length ?? 0) +
  (trace?.steps?.length ?? 0) +
  (trace?.media.reduce((sum, { label }) => sum + label.length, 0) ?? 0)

/** Rows that wait for the database; beyond it they are lost, and counted. */
const MOST_ROWS = 20_000

/** Of their texts; beyond it rows wait without. */
const MOST_CHARACTERS = 128 * 1024 * 1024

/** Rows in a transaction: a hold-up that is over must not hold up others. */
const MOST_AT_ONCE = 500

/** Milliseconds between two attempts. */
const SHORTEST_PAUSE = 50
const LONGEST_PAUSE = 2000

/** For one write, whoever holds it up. */
const LONGEST_WRITE = Duration.seconds(30)

const LAST_WORDS = Duration.seconds(5)
