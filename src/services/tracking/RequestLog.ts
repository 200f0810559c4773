import { Context, Effect, Layer } from "effect"
import { appendFile, mkdir, rename, rm, stat } from "node:fs/promises"
import { dirname } from "node:path"
import { AppConfig } from "../AppConfig.ts"
import { makeBatch } from "./Batch.ts"

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
      const limit = logMaxMb * 1024 * 1024
      let size: number | undefined
      let failing = false
      let lost = 0

      const append = async (lines: ReadonlyArray<string>) => {
        let text = ""
        const flush = async () => {
          if (text === "") return
          await appendFile(logFile, text, { mode: 0o600 })
          text = ""
        }
        size = await sizeOf(logFile)
        if (size === undefined) {
          await mkdir(dirname(logFile), { recursive: true })
          size = 0
        }
        for (const line of lines) {
          const bytes = Buffer.byteLength(line) + 1
          if (size > 0 && size + bytes > limit) {
            await flush()
            await rotate(logFile, logMaxFiles)
            size = 0
          }
          text += `${line}\n`
          size += bytes
        }
        await flush()
      }

      const queue = yield* makeBatch<string>({
        every: "50 millis",
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

/** `router.log.json` becomes `.1`, `.1` becomes `.2`, and the oldest goes. */
const rotate = async (file: string, files: number) => {
  if (files === 1) return rm(file, { force: true })
  await rm(`${file}.${files - 1}`, { force: true })
  for (let age = files - 2; age >= 1; age--)
    await rename(`${file}.${age}`, `${file}.${age + 1}`).catch(ignoreMissing)
  await rename(file, `${file}.1`).catch(ignoreMissing)
}

const sizeOf = (file: string) =>
  stat(file).then(
    (found) => found.size,
    (error: unknown) => ignoreMissing(error)
  )

const ignoreMissing = (error: unknown): undefined => {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined
  throw error
}

/** Characters; enough for a busy second, little enough to survive a stuck disk. */
const MOST_WAITING = 64 * 1024 * 1024
