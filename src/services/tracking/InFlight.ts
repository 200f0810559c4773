import { Effect } from "effect"

/** What is going on right now, and the way to end it when the router has to go. */
export interface Ongoing {
  readonly id: string
  /** Ends the request with an error, as politely as its state allows. */
  readonly cutShort: () => void
}

/** The requests under way; who waits for the last one to leave waits here. */
export class InFlight extends Effect.Service<InFlight>()("percept/InFlight", {
  sync: () => {
    const ongoing = new Map<string, Ongoing>()
    let waiting: Array<() => void> = []

    const enter = (request: Ongoing): void => {
      ongoing.set(request.id, request)
    }

    const leave = (id: string): void => {
      ongoing.delete(id)
      if (ongoing.size > 0) return
      const released = waiting
      waiting = []
      for (const resume of released) resume()
    }

    const awaitEmpty = Effect.async<void>((resume) => {
      if (ongoing.size === 0) return resume(Effect.void)
      waiting.push(() => resume(Effect.void))
    })

    const all = (): Iterable<Ongoing> => ongoing.values()

    return { enter, leave, all, awaitEmpty, size: () => ongoing.size }
  }
}) {}
