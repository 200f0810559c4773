import type { Row } from "../api/rows.ts"
import { count } from "../format/count.ts"
import { duration } from "../format/duration.ts"
import { number, USUAL } from "./columns.ts"
import type { Column } from "./columns.ts"

export const COLUMNS: ReadonlyArray<Column> = [
  ...USUAL,
  number("first", "First token", "first_token", (row) => duration(row.time_to_first_token_ms)),
  number("upstream", "Upstream", "latency", (row) => duration(row.openrouter_latency_ms)),
  number("media_ms", "Media time", "media_ms", (row) => duration(row.media_ms)),
  number("cached", "Cached", "cached_tokens", (row) => count(row.cached_tokens)),
  number("reasoning", "Reasoning", "reasoning_tokens", (row) => count(row.reasoning_tokens)),
  text("endpoint", "Endpoint", "endpoint", (row) => row.endpoint_called),
  text("provider", "Provider", "provider", (row) => row.provider),
  text("key", "Key", "key", (row) => row.key_id),
  text("ip", "Client", "ip", (row) => row.client_ip),
  text("stream", "Streamed", "is_streaming", (row) => (row.is_streaming ? "yes" : "no")),
  text("kind", "Kind", "kind", (row) => row.kind),
  text("id", "Id", "internal_request_id", (row) => row.internal_request_id)
]

/** The columns of these names, in their order; the usual ones where none is known. */
export const columnsOf = (names: ReadonlyArray<string> | undefined): ReadonlyArray<Column> => {
  const wanted = (names ?? []).flatMap((name) => COLUMNS.find((column) => column.name === name) ?? [])
  return wanted.length > 0 ? Array.from(new Set(wanted)) : USUAL
}

/** The names with one column in or out; undefined when that leaves the usual ones. */
export const withColumn = (
  names: ReadonlyArray<string> | undefined,
  name: string
): ReadonlyArray<string> | undefined => {
  const shown = columnsOf(names)
  const next = COLUMNS.filter((column) => shown.includes(column) !== (column.name === name))
  return next.length === 0 || (next.length === USUAL.length && next.every((column) => USUAL.includes(column)))
    ? undefined
    : next.map((column) => column.name)
}

function text(name: string, label: string, sort: string, read: (row: Row) => string | null): Column {
  return { name, label, sort, text: (row) => read(row) ?? "" }
}
