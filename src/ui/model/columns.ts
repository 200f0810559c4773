import type { Row } from "../api/rows.ts"
import { count } from "../format/count.ts"
import { duration } from "../format/duration.ts"
import { money } from "../format/money.ts"

/** A column of the list. */
export interface Column {
  readonly name: string
  readonly label: string
  /** What the server sorts by; undefined where it cannot. */
  readonly sort?: string
  readonly isNumber?: boolean
  readonly isUsual?: boolean
  /** What stands in its cells, unless the row draws them itself. */
  readonly text?: (row: Row) => string
}

export const COLUMNS: ReadonlyArray<Column> = [
  { name: "time", label: "Time", sort: "timestamp", isUsual: true },
  { name: "status", label: "Status", sort: "status", isUsual: true },
  { name: "model", label: "Model", sort: "model", isUsual: true },
  { name: "media", label: "Media", sort: "media", isUsual: true },
  { name: "prompt", label: "Prompt", isUsual: true },
  number("in", "In", "prompt_tokens", (row) => count(row.prompt_tokens), true),
  number("out", "Out", "completion_tokens", (row) => count(row.completion_tokens), true),
  number("cost", "Cost", "cost_usd", (row) => money(row.cost), true),
  number("duration", "Duration", "duration", (row) => duration(row.processing_duration_ms), true),
  number("first", "First token", "first_token", (row) => duration(row.time_to_first_token_ms)),
  number("upstream", "Upstream", "latency", (row) => duration(row.openrouter_latency_ms)),
  number("media_ms", "Media time", "media_ms", (row) => duration(row.media_ms)),
  number("cached", "Cached", "cached_tokens", (row) => count(row.cached_tokens)),
  number("reasoning", "Reasoning", "reasoning_tokens", (row) => count(row.reasoning_tokens)),
  text("endpoint", "Endpoint", "endpoint", (row) => row.endpoint_called),
  text("provider", "Provider", "provider", (row) => row.provider ?? ""),
  text("key", "Key", "key", (row) => row.key_id ?? ""),
  text("ip", "Client", "ip", (row) => row.client_ip ?? ""),
  text("stream", "Streamed", "is_streaming", (row) => (row.is_streaming ? "yes" : "no")),
  text("kind", "Kind", "kind", (row) => row.kind),
  text("id", "Id", "internal_request_id", (row) => row.internal_request_id)
]

/** The columns of these names, in their order; the usual ones where none is known. */
export const columnsOf = (names: ReadonlyArray<string> | undefined): ReadonlyArray<Column> => {
  const wanted = (names ?? []).flatMap((name) => COLUMNS.find((column) => column.name === name) ?? [])
  const once = Array.from(new Set(wanted))
  return once.length > 0 ? once : USUAL
}

/** The names with one column in or out; undefined when that leaves the usual ones. */
export const withColumn = (
  names: ReadonlyArray<string> | undefined,
  name: string
): ReadonlyArray<string> | undefined => {
  const shown = columnsOf(names)
  const next = COLUMNS.filter((column) => shown.includes(column) !== (column.name === name))
  return next.length === 0 || (next.length === USUAL.length && next.every((column) => column.isUsual))
    ? undefined
    : next.map((column) => column.name)
}

/** The next order of a list whose header is pressed: one way, the other way, and as usual. */
export const nextOrder = (
  { isNumber, sort = "" }: Column,
  now: { readonly sort: string; readonly order: "asc" | "desc" }
): { readonly sort: string; readonly order: "asc" | "desc" } => {
  const first = isNumber === true || sort === "timestamp" ? "desc" : "asc"
  if (now.sort !== sort) return { sort, order: first }
  if (now.order === first) return { sort, order: first === "asc" ? "desc" : "asc" }
  return { sort: "timestamp", order: "desc" }
}

function number(
  name: string,
  label: string,
  sort: string,
  text: (row: Row) => string,
  isUsual = false
): Column {
  return { name, label, sort, text, isNumber: true, isUsual }
}

function text(name: string, label: string, sort: string, text: (row: Row) => string): Column {
  return { name, label, sort, text }
}

const USUAL = COLUMNS.filter(({ isUsual }) => isUsual)
