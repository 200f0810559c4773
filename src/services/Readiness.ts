import { Effect } from "effect"
import { Recorder } from "./tracking/Recorder.ts"
import { RequestLog } from "./tracking/RequestLog.ts"

/** Whether the router takes requests, and what is wrong with it if something is. */
export class Readiness extends Effect.Service<Readiness>()("percept/Readiness", {
  effect: Effect.gen(function* () {
    const recorder = yield* Recorder
    const log = yield* RequestLog
    let draining = false
    return {
      drain: () => {
        draining = true
      },
      isDraining: () => draining,
      report: () => ({
        status: draining ? ("draining" as const) : ("ready" as const),
        record: recorder.failing() ? ("failing" as const) : ("ok" as const),
        log: log.failing() ? ("failing" as const) : ("ok" as const),
        rows_lost: recorder.dropped(),
        log_lines_lost: log.dropped()
      })
    }
  })
}) {}
