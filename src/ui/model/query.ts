/** What the page shows, all of it in the address: what can be shown can be linked to. */
export interface Query {
  readonly view: View
  /** `15m` and the like, `all`, or `custom`, which goes from `from` to `to`. */
  readonly range: string
  /** ISO 8601; undefined is open. */
  readonly from: string | undefined
  readonly to: string | undefined
  readonly search: string
  /** Values by filter; a filter without values is not there. */
  readonly filters: Filters
  readonly sort: string
  readonly order: "asc" | "desc"
  /** A place in the list, as the server gave it. */
  readonly cursor: string | undefined
  /** The request in the drawer. */
  readonly selected: string | undefined
  /** The medium that is open in the media view. */
  readonly medium: string | undefined
  /** New rows come in by themselves. */
  readonly tail: boolean
}

export type View = "requests" | "media"

export type Filters = Readonly<Partial<Record<FilterName, ReadonlyArray<string>>>>

/** By the names of their parameters. */
export const FILTERS = [
  "model",
  "routed",
  "provider",
  "endpoint",
  "status",
  "source",
  "media",
  "state",
  "kind",
  "key",
  "stream",
  "cache",
  "ip"
] as const
export type FilterName = (typeof FILTERS)[number]
