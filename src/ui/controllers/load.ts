import type { ReactiveController, ReactiveControllerHost } from "lit"

/** Loads one thing for an element: the last answer stays until the next is there, and only the last question counts. */
export class Load<A> implements ReactiveController {
  value: A | undefined
  error: Error | undefined
  pending = false
  private readonly host: ReactiveControllerHost
  private current: AbortController | undefined

  constructor(host: ReactiveControllerHost) {
    this.host = host
    host.addController(this)
  }

  /** Asks anew; true once the answer is there and still wanted. */
  async run(ask: (signal: AbortSignal) => Promise<A>): Promise<boolean> {
    this.current?.abort()
    const own = new AbortController()
    this.current = own
    this.pending = true
    this.host.requestUpdate()
    try {
      const value = await ask(own.signal)
      if (this.current !== own) return false
      this.value = value
      this.error = undefined
    } catch (cause) {
      if (this.current !== own || own.signal.aborted) return false
      this.error = cause instanceof Error ? cause : new Error(String(cause))
    }
    this.pending = false
    this.host.requestUpdate()
    return this.error === undefined
  }

  /** Puts something else in place of the answer. */
  set(value: A | undefined): void {
    this.value = value
    this.host.requestUpdate()
  }

  /** As if nothing had ever been asked. */
  forget(): void {
    this.hostDisconnected()
    this.error = undefined
    this.set(undefined)
  }

  hostDisconnected(): void {
    this.current?.abort()
    this.current = undefined
    this.pending = false
  }
}
