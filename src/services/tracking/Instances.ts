import { Duration, Effect, Schedule } from "effect"
import { randomUUID } from "node:crypto"
import { readlinkSync } from "node:fs"
import { hostname } from "node:os"
import { isPassing, whileLocked } from "../Database.ts"
import { startOf } from "../ProcessStart.ts"
import { TrackingRepo } from "./TrackingRepo.ts"
import type { Instance, Silence } from "./TrackingRepo.ts"

/** This process among those that write rows: it shows that it lives, and buries those that died. */
export class Instances extends Effect.Service<Instances>()("percept/Instances", {
  scoped: Effect.gen(function* () {
    const repo = yield* TrackingRepo
    const id = randomUUID()
    const self = { id, host: hereabouts(), pid: process.pid, process_start: startOf(process.pid) ?? "" }

    const tend = Effect.gen(function* () {
      yield* repo.beat(self)
      const others = yield* repo.instances()
      yield* repo.bury(
        others.filter((other) => other.id !== id && !isAlive(other, self.host)).map((other) => other.id)
      )
    })

    yield* Effect.orDie(Effect.retry(tend, { ...whileLocked, while: isPassing }))
    yield* Effect.forkScoped(
      Effect.repeat(Effect.ignoreLogged(tend), Schedule.spaced(BEAT)).pipe(Effect.delay(BEAT))
    )
    yield* Effect.addFinalizer(() => Effect.ignoreLogged(repo.leave(id)))

    return { id }
  })
}) {}

/** Where pids are ours to look up: the processes itself are the proof; elsewhere their heartbeats are. */
const isAlive = (instance: Instance & Silence, host: string): boolean =>
  instance.host === host
    ? startOf(instance.pid) === instance.process_start
    : instance.silent_ms < Duration.toMillis(BEAT) * 4

/** Two containers may bear one name, and do not see each other's processes. */
const hereabouts = (): string => {
  try {
    return `${hostname()} ${readlinkSync("/proc/self/ns/pid")}`
  } catch {
    return hostname()
  }
}

const BEAT = Duration.seconds(15)
