import { lookup } from "node:dns"
import type { LookupAddress } from "node:dns"

export type Resolve = (
  name: string,
  callback: (error: NodeJS.ErrnoException | null, answers: ReadonlyArray<LookupAddress>) => void
) => void

/**
 * Every address of a name, as the system knows it. The system works on few threads, and a name whose server keeps
 * silent holds one for long: users' names never get the last of them, which the providers' names need. Who has waited
 * for longer than this many milliseconds is not asked for any more.
 */
export const resolver = (patience: number): Resolve => {
  const waiting: Array<{ readonly start: () => void; readonly expire: () => void; readonly until: number }> =
    []
  let busy = 0
  const go = (): void => {
    const job = busy < TURNS ? waiting.shift() : undefined
    if (job === undefined) return
    if (performance.now() > job.until) job.expire()
    else job.start()
    go()
  }
  return (name, callback) => {
    const start = () => {
      busy++
      lookup(name, { all: true }, (error, answers) => {
        busy--
        callback(error, answers ?? [])
        go()
      })
    }
    const expire = () => callback(Object.assign(new Error("no turn in time"), { code: "ETIMEOUT" }), [])
    waiting.push({ start, expire, until: performance.now() + patience })
    go()
  }
}

/** Lookups may have half of the threads, which are four if nobody said otherwise. */
const THREADS = Number(process.env["UV_THREADPOOL_SIZE"] ?? "") || 4
const TURNS = Math.max(1, Math.floor((THREADS + 1) / 2) - 1)
