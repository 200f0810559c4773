import { Effect } from "effect"

/** What is going on right now, and the way to end it when the router has to go. */
export interface Ongoing {
  readonly id: string
  /** Ends the request with an error, as politely as its state allows. */
  readonly cutShort: () => void
  /** What it is at, in a few words. */
  readonly stage: () => string
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
    let waiting: Array<() => void> = []

    /** The place taken, to be given back by `leave`. */
    const enter = (request: Ongoing): number => {
      const place = free.pop() ?? places.length
      places[place] = request
      count++
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

    const awaitEmpty = Effect.async<void>((resume) => {
      if (count === 0) return resume(Effect.void)
      waiting.push(() => resume(Effect.void))
    })

    const all = (): ReadonlyArray<Ongoing> => places.filter((request) => request !== undefined)

    return { enter, leave, all, awaitEmpty }
  }
}) {}
