import { Effect } from "effect"
import { Worker } from "node:worker_threads"
import { driverFile } from "../database/sqliteDriver.ts"
import { workerPath } from "../media/workers/workerPath.ts"
import { ReadFailed } from "./ReadFailed.ts"
import { READY } from "./workers/readMessages.ts"
import type { ReadAnswer, ReaderOptions, ReadRequest } from "./workers/readMessages.ts"

export interface ThreadOptions extends Omit<ReaderOptions, "driver"> {
  readonly program: "answer" | "read"
  readonly millis: number
  readonly readers: number
}

type Asker = (result: Effect.Effect<ReadAnswer, ReadFailed>) => void

interface Job {
  readonly request: ReadRequest
  /** Whoever waits for the same. */
  readonly askers: Set<Asker>
  readonly name: string | undefined
  timer: NodeJS.Timeout | undefined
}

interface Reader {
  readonly worker: Worker
  isReady: boolean
  job: Job | undefined
  idle: NodeJS.Timeout | undefined
}

/**
 * Threads that read. They start with the first request and end when there is none for a while; one that dies is
 * replaced. A request that takes too long loses its thread: nothing else stops a running statement.
 */
export class ReaderThreads {
  private readonly readers = new Set<Reader>()
  private readonly waiting: Array<Job> = []
  /** Threads that were told to end; they count until they have. */
  private ending = 0
  private closed = false
  private readonly options: ThreadOptions

  constructor(options: ThreadOptions) {
    this.options = options
  }

  /** Who asks for what waits already under the same name gets the same answer. */
  ask(request: ReadRequest, name?: string): Effect.Effect<ReadAnswer, ReadFailed> {
    return Effect.async((resume) => {
      const known = name === undefined ? undefined : this.waiting.find((job) => job.name === name)
      if (known === undefined && (this.closed || this.waiting.length >= MOST_WAITING))
        return resume(Effect.fail(new ReadFailed({ code: "record_busy", detail: "too many reads wait" })))
      const job = known ?? this.enqueue(request, name)
      job.askers.add(resume)
      this.next()
      return Effect.sync(() => {
        job.askers.delete(resume)
        const place = this.waiting.indexOf(job)
        if (job.askers.size > 0 || place < 0) return
        this.waiting.splice(place, 1)
        clearTimeout(job.timer)
      })
    })
  }

  close(): Effect.Effect<void> {
    return Effect.promise(async () => {
      this.closed = true
      for (const job of this.waiting.splice(0)) tell(job, Effect.fail(unreadable("the router is going down")))
      await Promise.race([
        Promise.all(Array.from(this.readers, (reader) => this.end(reader))),
        new Promise((resolve) => setTimeout(resolve, LAST_WAIT).unref())
      ])
    })
  }

  private enqueue(request: ReadRequest, name: string | undefined): Job {
    const job: Job = { request, name, askers: new Set(), timer: undefined }
    job.timer = setTimeout(() => this.giveUpWaiting(job), this.options.millis)
    this.waiting.push(job)
    return job
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
    this.watch(reader, reader.isReady ? 0 : START_LIMIT)
    reader.worker.postMessage(job.request, [])
  }

  private watch(reader: Reader, more: number): void {
    const { job } = reader
    if (job === undefined) return
    clearTimeout(job.timer)
    job.timer = setTimeout(() => this.cutOff(reader, job), this.options.millis + more)
  }

  private free(): Reader | undefined {
    for (const reader of this.readers) if (reader.job === undefined) return reader
    return this.readers.size + this.ending < this.options.readers ? this.start() : undefined
  }

  private start(): Reader {
    const { characters, file, program, rows, searchIndex } = this.options
    const worker = new Worker(workerPath(program), {
      workerData: { driver: driverFile(), file, rows, characters, searchIndex } satisfies ReaderOptions,
      resourceLimits: { maxOldGenerationSizeMb: 256 }
    })
    const reader: Reader = { worker, isReady: false, job: undefined, idle: undefined }
    this.readers.add(reader)
    worker.unref()
    worker.on("message", (answer: ReadAnswer | typeof READY) => {
      if (answer !== READY) return this.settle(reader, answer)
      reader.isReady = true
      this.watch(reader, 0)
    })
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
    if (job !== undefined) tell(job, Effect.succeed(answer))
  }

  private cutOff(reader: Reader, job: Job): void {
    reader.job = undefined
    void this.end(reader)
    const what =
      "text" in job.request ? job.request.text : `${job.request.about} ${job.request.query.question}`
    tell(job, Effect.fail(new ReadFailed({ code: "record_slow", detail: `cut off: ${what.slice(0, 500)}` })))
  }

  private giveUpWaiting(job: Job): void {
    const place = this.waiting.indexOf(job)
    if (place < 0) return
    this.waiting.splice(place, 1)
    tell(job, Effect.fail(new ReadFailed({ code: "record_busy", detail: "no reader was free in time" })))
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
    if (reader.job !== undefined) tell(reader.job, Effect.fail(unreadable(why)))
    this.next()
  }
}

const tell = (job: Job, result: Effect.Effect<ReadAnswer, ReadFailed>): void => {
  clearTimeout(job.timer)
  for (const asker of job.askers) asker(result)
}

const unreadable = (detail: string) => new ReadFailed({ code: "record_unreadable", detail })

/** Requests; beyond it they are refused. */
const MOST_WAITING = 100

/** Milliseconds without a request after which a thread ends, and with it what it remembers. */
const IDLE = 300_000

/** Milliseconds that a thread may take to begin: its first request is not to blame. */
const START_LIMIT = 5000

/** Milliseconds that an ending waits for threads in the middle of a statement. */
const LAST_WAIT = 2000
