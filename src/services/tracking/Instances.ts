import { Duration, Effect, Schedule } from "effect"
import { randomUUID } from "node:crypto"
import { hostname } from "node:os"
import { whileLocked } from "../Database.ts"
import { startOf } from "../ProcessStart.ts"
import { TrackingRepo } from "./TrackingRepo.ts"
import type { Instance } from "./TrackingRepo.ts"

/** This process among those that write rows: it shows that it lives, and buries those that died. */
export class Instances extends Effect.Service<Instances>()("percept/Instances", {
  scoped: Effect.gen(function* () {
    const repo = yield* TrackingRepo
    const id = randomUUID()
    const self = { id, host: hostname(), pid: process.pid, process_start: startOf(process.pid) ?? "" }

    const tend = Effect.gen(function* () {
      yield* repo.beat({ ...self, heartbeat_at: Date.now() })
      const others = yield* repo.instances()
      yield* repo.bury(
        others.filter((other) => other.id !== id && !isAlive(other, self.host)).map((other) => other.id)
      )
    })

    yield* Effect.orDie(Effect.retry(tend, whileLocked))
    yield* Effect.forkScoped(
      Effect.repeat(Effect.ignoreLogged(tend), Schedule.spaced(BEAT)).pipe(Effect.delay(BEAT))
    )
    yield* Effect.addFinalizer(() => Effect.ignoreLogged(repo.leave(id)))

    return { id }
  })
}) {}

/** On this machine the process itself is the proof; elsewhere its heartbeat is. */
const isAlive = (instance: Instance, host: string): boolean =>
  instance.host === host
    ? startOf(instance.pid) === instance.process_start
    : Date.now() - instance.heartbeat_at < Duration.toMillis(BEAT) * 4

const BEAT = Duration.seconds(15)
