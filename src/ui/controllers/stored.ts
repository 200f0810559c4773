import type { ReactiveController, ReactiveControllerHost } from "lit"

/** A value that outlives the page, in this browser; other tabs follow. */
export class Stored<A> implements ReactiveController {
  private readonly host: ReactiveControllerHost
  private readonly name: string
  private readonly read: (value: unknown) => A
  private current: A

  constructor(host: ReactiveControllerHost, name: string, read: (value: unknown) => A) {
    this.host = host
    this.name = `percept.${name}`
    this.read = read
    this.current = this.load()
    host.addController(this)
  }

  get value(): A {
    return this.current
  }

  set(value: A): void {
    this.current = value
    try {
      localStorage.setItem(this.name, JSON.stringify(value))
    } catch {
      // Without room, or where a browser keeps nothing, it lasts as long as the page.
    }
    this.host.requestUpdate()
  }

  hostConnected(): void {
    addEventListener("storage", this.follow)
  }

  hostDisconnected(): void {
    removeEventListener("storage", this.follow)
  }

  private readonly follow = ({ key }: StorageEvent) => {
    if (key !== this.name) return
    this.current = this.load()
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
