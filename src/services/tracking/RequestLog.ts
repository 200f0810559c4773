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
    /** Lines that were never written, because too many waited for a disk that said no. */
    readonly dropped: () => number
  }
>() {
  static layerFile = Layer.scoped(
    RequestLog,
    Effect.gen(function* () {
      const { logFile, logMaxFiles, logMaxMb } = yield* AppConfig
      const append = makeLogFile(logFile, logMaxMb * 1024 * 1024, logMaxFiles)
      const scope = yield* Effect.scope
      /** What the file has not taken yet, the oldest first. */
      let waiting: Array<string> = []
      let characters = 0
      let isBusy = false
      let failing = false
      let lost = 0

      const attempt = Effect.suspend(() => {
        const given = waiting
        let written = 0
        const settle = () => {
          isBusy = false
          for (const line of given.slice(0, written)) characters -= line.length
          waiting = waiting.slice(written)
        }
        isBusy = true
        return Effect.tryPromise(() => append(given, (lines) => (written += lines))).pipe(
          Effect.ensuring(Effect.sync(settle))
        )
      })

      const flush = (lines: ReadonlyArray<string>): Effect.Effect<void> =>
        Effect.suspend(() => {
          const isTime = !isBusy && (!failing || lines.includes(AGAIN))
          for (const line of lines) if (line !== AGAIN) waiting.push(line)
          return isTime && waiting.length > 0
            ? Effect.matchEffect(attempt, { onSuccess: recovered, onFailure: ({ cause }) => troubled(cause) })
            : Effect.void
        }).pipe(Effect.uninterruptible)

      const recovered = (): Effect.Effect<void> => {
        if (!failing) return Effect.void
        failing = false
        return Effect.logInfo(`The request log ${logFile} is written again.`)
      }

      const troubled = (cause: unknown): Effect.Effect<void> => {
        const text = `The request log ${logFile} cannot be written; lines wait in memory: ${String(cause)}`
        const told = failing ? Effect.void : Effect.logWarning(text)
        failing = true
        const later = Effect.delay(
          Effect.sync(() => queue.add(AGAIN)),
          RETRY
        )
        return Effect.zipLeft(told, Effect.forkIn(Effect.interruptible(later), scope))
      }

      yield* Effect.addFinalizer(() =>
        Effect.suspend(() => {
          lost += waiting.length
          return waiting.length === 0
            ? Effect.void
            : Effect.logWarning(`${waiting.length} lines of the request log are lost.`)
        })
      )
      const queue = yield* makeBatch<string>({ every: "5 millis", bound: Infinity, flush })
      // One last attempt, also where no new line has come.
      yield* Effect.addFinalizer(() => Effect.sync(() => queue.add(AGAIN)))

      const write = (line: string): void => {
        if (characters + line.length > MOST_WAITING) lost++
        else {
          characters += line.length
          queue.add(line)
        }
      }

      return { write, failing: () => failing, dropped: () => lost }
    })
  )

  /** With `ENABLE_LOGGING=false` there is no log. */
  static layerOff = Layer.succeed(RequestLog, { write: () => {}, failing: () => false, dropped: () => 0 })
}

/** In place of a line: what waits is to be tried again. */
const AGAIN = ""

/** What is between two attempts at a file that cannot be written. */
const RETRY = "500 millis"

/** Characters; enough for a busy second, little enough to survive a stuck disk. */
const MOST_WAITING = 64 * 1024 * 1024
