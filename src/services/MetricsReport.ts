import { Effect } from "effect"
import { MediaQueue } from "./media/MediaQueue.ts"
import { Meters } from "./Meters.ts"
import { exposition } from "./metrics/exposition.ts"
import type { Format } from "./metrics/exposition.ts"
import { ASKED } from "./metrics/families.ts"
import { makeProcessGauges, one } from "./metrics/processGauges.ts"
import { makeRecordGauges } from "./metrics/recordGauges.ts"
import type { Collected } from "./metrics/Registry.ts"
import { Readiness } from "./Readiness.ts"
import { Telemetry } from "./Telemetry.ts"
import { InFlight } from "./tracking/InFlight.ts"
import { LiveFeed } from "./tracking/LiveFeed.ts"

/** All that `/metrics` tells, as text: what was counted, and what is asked right then. */
export class MetricsReport extends Effect.Service<MetricsReport>()("percept/MetricsReport", {
  scoped: Effect.gen(function* () {
    const feed = yield* LiveFeed
    const inFlight = yield* InFlight
    const meters = yield* Meters
    const queue = yield* MediaQueue
    const readiness = yield* Readiness
    const record = yield* makeRecordGauges
    const telemetry = yield* Telemetry
    const process = yield* Effect.acquireRelease(Effect.sync(makeProcessGauges), ({ close }) =>
      Effect.sync(close)
    )

    const asked = (): ReadonlyArray<Collected> => {
      const { log, log_lines_lost, record, rows_lost, status } = readiness.report()
      return [
        one(ASKED.inFlight, inFlight.count()),
        one(ASKED.draining, status === "draining" ? 1 : 0),
        one(ASKED.queueWaiting, queue.waiting()),
        one(ASKED.queueWorking, queue.working()),
        one(ASKED.viewers, feed.viewers()),
        one(ASKED.viewersDropped, feed.dropped()),
        one(ASKED.recordFailing, record === "failing" ? 1 : 0),
        one(ASKED.logFailing, log === "failing" ? 1 : 0),
        one(ASKED.rowsLost, rows_lost),
        one(ASKED.linesLost, log_lines_lost),
        one(ASKED.tracesSent, telemetry.sent()),
        one(ASKED.tracesDropped, telemetry.lost())
      ]
    }

    const text = (format: Format): Effect.Effect<string> =>
      Effect.map(record.collect, (kept) =>
        exposition([...meters.collect(), ...asked(), ...kept, ...process.collect()], format)
      )

    return { text }
  })
}) {}
