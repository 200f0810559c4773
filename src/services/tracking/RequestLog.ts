import { Context, Effect, Layer } from "effect"
import { AppConfig } from "../AppConfig.ts"
import { makeBatch } from "./Batch.ts"
import { makeLogFile } from "./LogFile.ts"

/** The JSON log: one line a request, in files of bounded size. Its troubles never become a request's. */
export class RequestLog extends Context.Tag("percept/RequestLog")<
  RequestLog,
  {
    readonly write: (line: string) => void
    readonly failing: () => boolean
    /** Lines that were never written, because the queue was full or the disk said no. */
    readonly dropped: () => number
  }
>() {
  static layerFile = Layer.scoped(
    RequestLog,
    Effect.gen(function* () {
      const { logFile, logMaxFiles, logMaxMb } = yield* AppConfig
      const append = makeLogFile(logFile, logMaxMb * 1024 * 1024, logMaxFiles)
      let failing = false
      let lost = 0

      const queue = yield* makeBatch<string>({
        every: "5 millis",
        bound: MOST_WAITING,
        sizeOf: (line) => line.length,
        flush: (lines) =>
          Effect.tryPromise(() => append(lines)).pipe(
            Effect.tap(() => Effect.sync(() => (failing = false))),
            Effect.catchAll((error) => {
              lost += lines.length
              if (failing) return Effect.void
              failing = true
              return Effect.logWarning(`The request log ${logFile} cannot be written: ${String(error.cause)}`)
            }),
            Effect.uninterruptible
          )
      })

      return { write: queue.add, failing: () => failing, dropped: () => lost + queue.dropped() }
    })
  )

  /** With `ENABLE_LOGGING=false` there is no log. */
  static layerOff = Layer.succeed(RequestLog, { write: () => {}, failing: () => false, dropped: () => 0 })
}

/** Characters; enough for a busy second, little enough to survive a stuck disk. */
const MOST_WAITING = 64 * 1024 * 1024
