import { Effect } from "effect"
import type { Scope } from "effect"
import { Worker } from "node:worker_threads"
import { workerPath } from "../media/workers/workerPath.ts"
import { ReadFailed } from "./ReadFailed.ts"
import type { ReadAnswer, ReaderOptions } from "./workers/readMessages.ts"

interface Options extends ReaderOptions {
  readonly millis: number
  readonly readers: number
}

interface Job {
  readonly text: string
  readonly parameters: ReadonlyArray<unknown>
  readonly done: (result: Effect.Effect<ReadonlyArray<object>, ReadFailed>) => void
  timer: NodeJS.Timeout | undefined
}

interface Reader {
  readonly worker: Worker
  job: Job | undefined
  idle: NodeJS.Timeout | undefined
}

/**
 * Threads that read a file of SQLite. They start with the first question and end when there is none for a while; one
 * that dies is replaced. A question that takes too long loses its thread: nothing else stops a running statement.
 */
export const makeSqliteReader = (options: Options) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new Readers(options)),
      (readers) => readers.close()
    ),
    (readers) => (text: string, parameters: ReadonlyArray<unknown>) => readers.ask(text, parameters)
  ) satisfies Effect.Effect<unknown, never, Scope.Scope>

class Readers {
  private readonly readers = new Set<Reader>()
  private readonly waiting: Array<Job> = []
  /** Threads that were told to end; they count until they have. */
  private ending = 0
  private closed = false
  private readonly options: Options

  constructor(options: Options) {
    this.options = options
  }

  ask(text: string, parameters: ReadonlyArray<unknown>): Effect.Effect<ReadonlyArray<object>, ReadFailed> {
    return Effect.async((resume) => {
      if (this.closed || this.waiting.length >= MOST_WAITING)
        return resume(Effect.fail(new ReadFailed({ code: "record_busy", detail: "too many reads wait" })))
      const done: Job["done"] = (result) => {
        clearTimeout(job.timer)
        resume(result)
      }
      const job: Job = { text, parameters, done, timer: undefined }
      job.timer = setTimeout(() => this.giveUpWaiting(job), this.options.millis)
      this.waiting.push(job)
      this.next()
      return Effect.sync(() => {
        const place = this.waiting.indexOf(job)
        if (place >= 0) this.waiting.splice(place, 1)
        clearTimeout(place >= 0 ? job.timer : undefined)
      })
    })
  }

  close(): Effect.Effect<void> {
    return Effect.promise(async () => {
      this.closed = true
      for (const job of this.waiting.splice(0)) job.done(Effect.fail(unreadable("the router is going down")))
      await Promise.race([
        Promise.all(Array.from(this.readers, (reader) => this.end(reader))),
        new Promise((resolve) => setTimeout(resolve, LAST_WAIT).unref())
      ])
    })
  }

  private next(): void {
    const job = this.waiting[0]
    if (job === undefined) return
    const reader = this.free()
    if (reader === undefined) return
    this.waiting.shift()
    clearTimeout(reader.idle)
    clearTimeout(job.timer)
    reader.job = job
    job.timer = setTimeout(() => this.cutOff(reader, job), this.options.millis)
    reader.worker.postMessage({ text: job.text, parameters: job.parameters }, [])
  }

  private free(): Reader | undefined {
    for (const reader of this.readers) if (reader.job === undefined) return reader
    return this.readers.size + this.ending < this.options.readers ? this.start() : undefined
  }

  private start(): Reader {
    const { characters, file, rows } = this.options
    const worker = new Worker(workerPath("read"), {
      workerData: { file, rows, characters } satisfies ReaderOptions,
      resourceLimits: { maxOldGenerationSizeMb: 256 }
    })
    const reader: Reader = { worker, job: undefined, idle: undefined }
    this.readers.add(reader)
    worker.unref()
    worker.on("message", (answer: ReadAnswer) => this.settle(reader, answer))
    worker.on("error", (error) => this.lose(reader, String(error)))
    worker.on("exit", (code) => this.lose(reader, `the reading thread ended (${code})`))
    return reader
  }

  private settle(reader: Reader, answer: ReadAnswer): void {
    if (!this.readers.has(reader)) return
    const { job } = reader
    reader.job = undefined
    reader.idle = setTimeout(() => void this.end(reader), IDLE).unref()
    this.next()
    if ("rows" in answer) job?.done(Effect.sync(() => answer.rows.map((row) => named(answer.columns, row))))
    else if (answer.tooLarge)
      job?.done(Effect.fail(new ReadFailed({ code: "record_slow", detail: answer.problem })))
    else job?.done(Effect.fail(unreadable(answer.problem)))
  }

  private cutOff(reader: Reader, job: Job): void {
    reader.job = undefined
    void this.end(reader)
    job.done(
      Effect.fail(new ReadFailed({ code: "record_slow", detail: `cut off: ${job.text.slice(0, 500)}` }))
    )
  }

  private giveUpWaiting(job: Job): void {
    const place = this.waiting.indexOf(job)
    if (place < 0) return
    this.waiting.splice(place, 1)
    job.done(Effect.fail(new ReadFailed({ code: "record_busy", detail: "no reader was free in time" })))
  }

  private async end(reader: Reader): Promise<void> {
    if (!this.readers.delete(reader)) return
    clearTimeout(reader.idle)
    this.ending++
    await reader.worker.terminate()
    this.ending--
    this.next()
  }

  /** The thread is gone without being told to. */
  private lose(reader: Reader, why: string): void {
    if (!this.readers.delete(reader)) return
    clearTimeout(reader.idle)
    reader.job?.done(Effect.fail(unreadable(why)))
    this.next()
  }
}

const named = (columns: ReadonlyArray<string>, row: ReadonlyArray<unknown>): object =>
  Object.fromEntries(columns.map((name, place) => [name, row[place]]))

const unreadable = (detail: string) => new ReadFailed({ code: "record_unreadable", detail })

/** Questions; beyond it they are refused. */
const MOST_WAITING = 100

/** Milliseconds without a question after which a thread ends. */
const IDLE = 30_000

/** Milliseconds that an ending waits for threads in the middle of a statement. */
const LAST_WAIT = 2000
