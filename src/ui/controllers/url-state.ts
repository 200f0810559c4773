import { addressOf, changed, parse } from "../model/query.ts"
import type { Query } from "../model/query.ts"

/** Keeps the query and the address the same, both ways. */
export class UrlState {
  query = here()
  private readonly onChange: (query: Query, former: Query) => void

  constructor(onChange: (query: Query, former: Query) => void) {
    this.onChange = onChange
    addEventListener("popstate", () => this.take(here()))
  }

  /** Goes there; with `replace` nobody can go back to where the page was. */
  change(change: Partial<Query>, replace = false): void {
    const next = changed(this.query, change)
    const address = addressOf(next)
    if (address === addressOf(this.query)) return
    history[replace ? "replaceState" : "pushState"](null, "", address)
    this.take(next)
  }

  private take(next: Query): void {
    const former = this.query
    this.query = next
    this.onChange(next, former)
  }
}

const here = (): Query => parse(location.pathname, location.search)
