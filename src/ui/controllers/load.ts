import type { Controller, Host } from "../element.ts"

/** Loads one thing for an element: the last answer stays until the next is there, and only the last question counts. */
export class Load<A> implements Controller {
  value: A | undefined
  error: Error | undefined
  pending = false
  private readonly host: Host
  private current: AbortController | undefined

  constructor(host: Host) {
    this.host = host
    host.addController(this)
  }

  /** Asks anew; true once the answer is there and still wanted. */
  async run(ask: (signal: AbortSignal) => Promise<A>): Promise<boolean> {
    const own = new AbortController()
    this.hostDisconnected()
    this.current = own
    this.pending = true
    this.host.requestUpdate()
    let value = this.value
    let error: Error | undefined
    try {
      value = await ask(own.signal)
    } catch (cause) {
      error = cause instanceof Error ? cause : new Error(String(cause))
    }
    if (this.current !== own) return false
    this.pending = false
    this.error = error
    this.set(value)
    return error === undefined
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
