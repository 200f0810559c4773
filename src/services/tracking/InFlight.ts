import { Effect } from "effect"
import type { RequestRecord } from "../../domain/RequestRecord.ts"

/** What is going on right now, and the way to end it when the router has to go. */
export interface Ongoing {
  readonly id: string
  /** Ends the request with an error, as politely as its state allows. */
  readonly cutShort: () => void
  /** What it is at, in a few words. */
  readonly stage: () => string
  /** Its row as far as it is known by now; texts in it may still hold secrets. */
  readonly row: Readonly<RequestRecord>
  /** Milliseconds since it came. */
  readonly elapsed: () => number
}

/** Everything that has ended since the process started. */
export interface Tally {
  requests: number
  side_calls: number
  done: number
  failed: number
  cancelled: number
  interrupted: number
  prompt_tokens: number
  completion_tokens: number
  cost_nano_usd: number
  /** Requests whose cost is not known. */
  cost_unknown: number
}

/**
 * The requests under way; who waits for the last one to leave waits here. They stand in an array whose places
 * are used again: a Map that is filled and emptied all the time keeps its garbage until a full collection.
 */
export class InFlight extends Effect.Service<InFlight>()("percept/InFlight", {
  sync: () => {
    const places: Array<Ongoing | undefined> = []
    const free: Array<number> = []
    let count = 0
    let entered = 0
    let waiting: Array<() => void> = []
    let watcher: ((row: RequestRecord) => void) | undefined
    const tally: Tally = {
      requests: 0,
      side_calls: 0,
      done: 0,
      failed: 0,
      cancelled: 0,
      interrupted: 0,
      prompt_tokens: 0,
      completion_tokens: 0,
      cost_nano_usd: 0,
      cost_unknown: 0
    }

    /** The place taken, to be given back by `leave`. */
    const enter = (request: Ongoing): number => {
      const place = free.pop() ?? places.length
      places[place] = request
      count++
      entered++
      return place
    }

    const leave = (place: number): void => {
      places[place] = undefined
      free.push(place)
      if (--count > 0) return
      const released = waiting
      waiting = []
      for (const resume of released) resume()
    }

    /** A row has its final state. */
    const ended = (row: RequestRecord): void => {
      if (row.kind === "main") tally.requests++
      else tally.side_calls++
      if (row.state !== "running") tally[row.state]++
      if (row.prompt_tokens !== null) tally.prompt_tokens += row.prompt_tokens
      if (row.completion_tokens !== null) tally.completion_tokens += row.completion_tokens
      if (row.cost_nano_usd === null) tally.cost_unknown++
      else tally.cost_nano_usd += row.cost_nano_usd
      if (watcher !== undefined) watcher(row)
    }

    /** Hears of each ending from now on; there is one that does. */
    const watch = (heard: ((row: RequestRecord) => void) | undefined): void => {
      watcher = heard
    }

    const awaitEmpty = Effect.async<void>((resume) => {
      if (count === 0) return resume(Effect.void)
      waiting.push(() => resume(Effect.void))
    })

    const all = (): ReadonlyArray<Ongoing> => places.filter((request) => request !== undefined)

    return {
      enter,
      leave,
      ended,
      watch,
      tally: (): Readonly<Tally> => tally,
      all,
      count: () => count,
      /** How many there have been. */
      entered: () => entered,
      awaitEmpty
    }
  }
}) {}
