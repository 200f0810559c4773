import type { ReactiveController, ReactiveControllerHost } from "lit"
import { addressOf, changed, parse } from "../model/query.ts"
import type { Query } from "../model/query.ts"

/** Keeps the query and the address the same, both ways. */
export class UrlState implements ReactiveController {
  query: Query
  private readonly host: ReactiveControllerHost
  private readonly onChange: (query: Query, former: Query) => void

  constructor(host: ReactiveControllerHost, onChange: (query: Query, former: Query) => void) {
    this.host = host
    this.onChange = onChange
    this.query = here()
    host.addController(this)
  }

  hostConnected(): void {
    addEventListener("popstate", this.followAddress)
  }

  hostDisconnected(): void {
    removeEventListener("popstate", this.followAddress)
  }

  /** Goes there; with `replace` nobody can go back to where the page was. */
  change(change: Partial<Query>, replace = false): void {
    const next = changed(this.query, change)
    const address = addressOf(next)
    if (address === addressOf(this.query)) return
    if (replace) history.replaceState(null, "", address)
    else history.pushState(null, "", address)
    this.take(next)
  }

  private readonly followAddress = () => this.take(here())

  private take(next: Query): void {
    const former = this.query
    this.query = next
    this.onChange(next, former)
    this.host.requestUpdate()
  }
}

const here = (): Query => parse(location.pathname, location.search)
