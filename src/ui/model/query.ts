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
  /** The request has the page to itself. */
  readonly alone: boolean
  /** The medium that is open in the media view. */
  readonly medium: string | undefined
  /** New rows come in by themselves. */
  readonly tail: boolean
  /** The list's columns by their names; undefined are the usual ones. */
  readonly columns: ReadonlyArray<string> | undefined
  readonly dense: boolean
  readonly utc: boolean
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

/** The spans a range may go back, the shortest first. */
export const RANGES = ["15m", "1h", "6h", "24h", "7d", "30d", "all"] as const

export const INITIAL: Query = {
  view: "requests",
  range: "24h",
  from: undefined,
  to: undefined,
  search: "",
  filters: {},
  sort: "timestamp",
  order: "desc",
  cursor: undefined,
  selected: undefined,
  alone: false,
  medium: undefined,
  tail: false,
  columns: undefined,
  dense: false,
  utc: false
}

/** Whether an address is one of the page. */
export const isOfPage = (pathname: string): boolean => pathname === ROOT || pathname.startsWith(`${ROOT}/`)

/** Reads an address; whatever is no part of it, or none that could be meant, is as if it were not there. */
export const parse = (pathname: string, search: string): Query => {
  const parameters = new URLSearchParams(search)
  const one = (name: string) => parameters.get(name) || undefined
  const range = one("range") ?? (one("from") || one("to") ? "custom" : INITIAL.range)
  const isCustom = range === "custom"
  const id = pathname.startsWith(`${ROOT}/`) ? decoded(pathname.slice(ROOT.length + 1)) : ""
  const filters: { [Name in FilterName]?: ReadonlyArray<string> } = {}
  for (const name of FILTERS) {
    const values = Array.from(new Set(parameters.getAll(name).filter((value) => value !== "")))
    // It can only be one or the other.
    if (values.length > 0) filters[name] = name === "cache" ? values.slice(0, 1) : values
  }
  return {
    view: one("view") === "media" ? "media" : "requests",
    range: isCustom || isRange(range) ? range : INITIAL.range,
    from: isCustom ? one("from") : undefined,
    to: isCustom ? one("to") : undefined,
    search: parameters.get("q") ?? "",
    filters,
    sort: one("sort") ?? INITIAL.sort,
    order: one("order") === "asc" ? "asc" : "desc",
    cursor: one("cursor"),
    selected: id === "" ? one("sel") : id,
    alone: id !== "",
    medium: one("medium"),
    tail: one("tail") === "1",
    columns: one("cols")?.split(","),
    dense: one("rows") === "dense",
    utc: one("tz") === "utc"
  }
}

/** The address of a query; what is as usual is left out. */
export const addressOf = (query: Query): string => {
  const parameters = new URLSearchParams()
  const set = (name: string, value: string | undefined | false) => {
    if (value) parameters.set(name, value)
  }
  const isAlone = query.alone && query.selected !== undefined
  set("view", query.view === "media" && "media")
  if (query.range !== INITIAL.range) set("range", query.range)
  if (query.range === "custom") {
    set("from", query.from)
    set("to", query.to)
  }
  set("q", query.search)
  appendFilters(parameters, query.filters)
  if (query.sort !== INITIAL.sort) set("sort", query.sort)
  set("order", query.order === "asc" && "asc")
  set("cursor", query.cursor)
  set("sel", !isAlone && query.selected)
  set("medium", query.medium)
  set("tail", query.tail && "1")
  set("cols", query.columns?.join(","))
  set("rows", query.dense && "dense")
  set("tz", query.utc && "utc")
  const text = parameters.toString()
  const path = isAlone ? `${ROOT}/${encodeURIComponent(query.selected ?? "")}` : ROOT
  return text === "" ? path : `${path}?${text}`
}

/** Which requests, in the words of the server; the same for the list, its figures and its files. */
export const filterParameters = (query: Query): URLSearchParams => {
  const parameters = new URLSearchParams()
  if (query.range !== "custom") parameters.set("range", query.range)
  if (query.from !== undefined) parameters.set("from", query.from)
  if (query.to !== undefined) parameters.set("to", query.to)
  const search = query.search.trim()
  if (search !== "") parameters.set("q", search)
  appendFilters(parameters, query.filters)
  return parameters
}

/** The same with the order of the list. */
export const listParameters = (query: Query): URLSearchParams => {
  const parameters = filterParameters(query)
  if (query.sort !== INITIAL.sort) parameters.set("sort_by", query.sort)
  if (query.order === "asc") parameters.set("sort_order", "asc")
  return parameters
}

/** A query with something changed. Whoever asks for other rows begins at the first page. */
export const changed = (query: Query, change: Partial<Query>): Query => {
  const next = { ...query, ...change }
  const isOtherList = LIST.some((name) => name in change && change[name] !== query[name])
  return {
    ...next,
    cursor: isOtherList && !("cursor" in change) ? undefined : next.cursor,
    alone: next.alone && next.selected !== undefined
  }
}

/** The filters with one value in or out. */
export const toggled = (filters: Filters, name: FilterName, value: string): Filters => {
  const chosen = filters[name] ?? []
  const left = chosen.includes(value)
    ? chosen.filter((other) => other !== value)
    : [...(name === "cache" ? [] : chosen), value]
  const { [name]: _, ...others } = filters
  return left.length === 0 ? others : { ...others, [name]: left }
}

/** Whether it narrows the list beyond its time. */
export const isNarrowed = ({ filters, search }: Query): boolean =>
  search.trim() !== "" || Object.keys(filters).length > 0

const appendFilters = (parameters: URLSearchParams, filters: Filters): void => {
  for (const name of FILTERS) for (const value of filters[name] ?? []) parameters.append(name, value)
}

const isRange = (name: string): boolean => RANGES.some((range) => range === name)

/** No address can name what is only dots. */
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text).replace(/^\.\.?$/, "")
  } catch {
    return text
  }
}

const ROOT = "/ui/tracking"

/** What decides which rows there are, and in which order. */
const LIST = ["range", "from", "to", "search", "filters", "sort", "order"] as const
