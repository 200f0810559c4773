import type { Host } from "../element.ts"

/** A value that outlives the page, in this browser; other tabs follow. */
export class Stored<A> {
  value: A
  private readonly host: Host
  private readonly name: string
  private readonly read: (value: unknown) => A

  constructor(host: Host, name: string, read: (value: unknown) => A) {
    this.host = host
    this.name = `percept.${name}`
    this.read = read
    this.value = this.load()
    addEventListener("storage", () => this.take(this.load()))
  }

  set(value: A): void {
    try {
      localStorage.setItem(this.name, JSON.stringify(value))
    } catch {
      // Without room, or where a browser keeps nothing, it lasts as long as the page.
    }
    this.take(value)
  }

  private take(value: A): void {
    this.value = value
    this.host.requestUpdate()
  }

  private load(): A {
    try {
      return this.read(JSON.parse(localStorage.getItem(this.name) ?? "null"))
    } catch {
      return this.read(null)
    }
  }
}
