import { Clock, Duration, Effect, Schedule } from "effect"
import { randomUUID } from "node:crypto"
import { readlinkSync } from "node:fs"
import { hostname } from "node:os"
import { isPassing, whileLocked } from "../Database.ts"
import { startOf } from "../ProcessStart.ts"
import { TrackingRepo } from "./TrackingRepo.ts"
import type { Instance, Silence } from "./TrackingRepo.ts"

/**
 * This process among those that write rows: it shows that it lives, and buries those that died. Where their pids are
 * ours to look up, the processes are the proof that they live; elsewhere their heartbeats are.
 */
export class Instances extends Effect.Service<Instances>()("percept/Instances", {
  scoped: Effect.gen(function* () {
    const repo = yield* TrackingRepo
    const id = randomUUID()
    const self = { id, host: hereabouts(), pid: process.pid, process_start: startOf(process.pid) ?? "" }

    let troubled = -Infinity

    const tend = Effect.gen(function* () {
      yield* repo.beat(self)
      const others = yield* repo.instances()
      const now = yield* Clock.currentTimeMillis
      // Who could not reach the database itself cannot tell whether others are silent or were not heard.
      const hears = now - troubled > DEAD_AFTER
      const isAlive = ({ host, pid, process_start, silent_ms }: Instance & Silence) =>
        host === self.host ? startOf(pid) === process_start : !hears || silent_ms < DEAD_AFTER
      yield* repo.bury(others.filter((other) => other.id !== id && !isAlive(other)).map((other) => other.id))
    })
    const noting = <A, E>(tended: Effect.Effect<A, E>) =>
      Effect.tapErrorCause(tended, () =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          troubled = now
        })
      )

    yield* Effect.orDie(Effect.retry(noting(tend), { ...whileLocked, while: isPassing }))
    yield* Effect.forkScoped(
      Effect.repeat(Effect.ignoreLogged(noting(inTime(tend))), Schedule.spaced(BEAT)).pipe(Effect.delay(BEAT))
    )
    yield* Effect.addFinalizer(() => Effect.ignoreLogged(inTime(repo.leave(id))))

    return { id }
  })
}) {}

/** One heartbeat that gets no answer must not be the last. */
const inTime = <A, E>(effect: Effect.Effect<A, E>) =>
  effect.pipe(Effect.disconnect, Effect.interruptible, Effect.timeout(PATIENCE))

/** Two containers may bear one name, and do not see each other's processes. */
const hereabouts = (): string => {
  try {
    return `${hostname()} ${readlinkSync("/proc/self/ns/pid")}`
  } catch {
    return hostname()
  }
}

const BEAT = Duration.seconds(15)
const PATIENCE = Duration.seconds(5)
const DEAD_AFTER = Duration.toMillis(BEAT) * 4
