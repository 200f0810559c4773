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

/** What the list can be narrowed by: a parameter's name, its label where that is another, other words for some values, and values that nobody counts. */
export const GROUPS = [
  ["status", "Status", { "(none)": "no answer" }],
  ["model"],
  ["routed", "Routed to"],
  ["media"],
  ["cache", "Media memory", { hit: "remembered", miss: "new" }, ["hit", "miss"]],
  ["source", "Error source", { "(none)": "no error" }],
  ["state", "Outcome"],
  ["endpoint"],
  ["provider"],
  ["key"],
  ["stream", "Streaming", { true: "streamed", false: "in one piece" }],
  ["kind", "Kind", { main: "requests" }, ["main", "describe", "transcribe"]],
  ["ip", "Client address", {}, []]
] as const
export type FilterName = (typeof GROUPS)[number][0]
export const FILTERS = GROUPS.map(([name]) => name)

/** The spans a range may go back, the shortest first. */
export const RANGES = ["15m", "1h", "6h", "24h", "7d", "30d", "all"] as const

/** Whether an address is one of the page. */
export const isOfPage = (pathname: string): boolean => `${pathname}/`.startsWith(`${ROOT}/`)

/** Reads an address; whatever is no part of it, or none that could be meant, is as if it were not there. */
export const parse = (pathname: string, search: string): Query => {
  const parameters = new URLSearchParams(search)
  const one = (name: string) => parameters.get(name) || undefined
  const range = one("range") ?? ((one("from") ?? one("to")) ? "custom" : USUAL_RANGE)
  const isCustom = range === "custom"
  const id = decoded(pathname.split(`${ROOT}/`)[1] ?? "")
  const filters = FILTERS.flatMap((name) => {
    const values = Array.from(new Set(parameters.getAll(name).filter(Boolean)))
    // It can only be one or the other.
    return values[0] ? [[name, name === "cache" ? [values[0]] : values]] : []
  })
  return {
    view: one("view") === "media" ? "media" : "requests",
    range: isCustom || RANGES.some((name) => name === range) ? range : USUAL_RANGE,
    from: isCustom ? one("from") : undefined,
    to: isCustom ? one("to") : undefined,
    search: one("q") ?? "",
    filters: Object.fromEntries(filters),
    sort: one("sort") ?? "timestamp",
    order: one("order") === "asc" ? "asc" : "desc",
    cursor: one("cursor"),
    selected: id || one("sel"),
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
  const { columns, order, range, selected, sort, view } = query
  const isAlone = query.alone && selected !== undefined
  const isCustom = range === "custom"
  const path = isAlone ? `${ROOT}/${encodeURIComponent(selected)}` : ROOT
  const text = parametersOf([
    ["view", view === "media" && view],
    ["range", range !== INITIAL.range && range],
    ["from", isCustom && query.from],
    ["to", isCustom && query.to],
    ["q", query.search],
    ...valuesOf(query),
    ["sort", sort !== INITIAL.sort && sort],
    ["order", order === "asc" && order],
    ["cursor", query.cursor],
    ["sel", !isAlone && selected],
    ["medium", query.medium],
    ["tail", query.tail && "1"],
    ["cols", columns?.join()],
    ["rows", query.dense && "dense"],
    ["tz", query.utc && "utc"]
  ])
  return text.size === 0 ? path : `${path}?${text}`
}

/** Which requests, in the words of the server; the same for the list, its figures and its files. */
export const filterParameters = (query: Query): URLSearchParams =>
  parametersOf([
    ["range", query.range !== "custom" && query.range],
    ["from", query.from],
    ["to", query.to],
    ["q", query.search.trim()],
    ...valuesOf(query)
  ])

/** The same with the order of the list. */
export const listParameters = (query: Query): URLSearchParams =>
  parametersOf([
    ...filterParameters(query),
    ["sort_by", query.sort !== INITIAL.sort && query.sort],
    ["sort_order", query.order === "asc" && query.order]
  ])

/** A query with something changed. Whoever asks for other rows begins at the first page. */
export const changed = (query: Query, change: Partial<Query>): Query => {
  const next = { ...query, ...change }
  const isOtherList = String(listParameters(next)) !== String(listParameters(query))
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

type Parameter = readonly [name: string, value: string | false | null | undefined]

const valuesOf = ({ filters }: Query): ReadonlyArray<Parameter> =>
  FILTERS.flatMap((name) => (filters[name] ?? []).map((value) => [name, value] as const))

/** What has no value is left out. */
export const parametersOf = (parameters: ReadonlyArray<Parameter>): URLSearchParams =>
  new URLSearchParams(parameters.flatMap(([name, value]) => (value ? [[name, value]] : [])))

/** No address can name what is only dots. */
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text).replace(/^\.\.?$/, "")
  } catch {
    return text
  }
}

const ROOT = "/ui/tracking"
const USUAL_RANGE = "24h"

/** What the page shows when nobody has asked for anything. */
export const INITIAL = parse(ROOT, "")
