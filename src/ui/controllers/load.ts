import { draw } from "../drawing.ts"

/** Loads one thing: the last answer stays until the next is there, and only the last question counts. */
export class Load<A> {
  value: A | undefined
  error: Error | undefined
  pending = false
  #current: AbortController | undefined

  /** Asks anew; true once the answer is there and still wanted. */
  async run(ask: (signal: AbortSignal) => Promise<A>): Promise<boolean> {
    const own = new AbortController()
    this.#stop()
    this.#current = own
    this.pending = true
    draw()
    let { value } = this
    let error: Error | undefined
    try {
      value = await ask(own.signal)
    } catch (cause) {
      if (cause instanceof Error) error = cause
    }
    if (this.#current !== own) return false
    this.pending = false
    this.error = error
    this.set(value)
    return !error
  }

  /** Puts something else in place of the answer. */
  set(value: A | undefined): void {
    this.value = value
    draw()
  }

  /** As if nothing had ever been asked. */
  forget(): void {
    this.#stop()
    this.error = undefined
    this.set(undefined)
  }

  #stop(): void {
    this.#current?.abort()
    this.#current = undefined
    this.pending = false
  }
}
