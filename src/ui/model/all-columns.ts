import type { Row } from "../api/rows.ts"
import { count } from "../format/count.ts"
import { duration } from "../format/duration.ts"
import { column, figure, USUAL } from "./columns.ts"
import type { Column } from "./columns.ts"

/** A column of texts. */
const text = (name: string, field: keyof Row, sort = name, label?: string): Column => ({
  ...column(name, sort, label),
  text: (row) => String(row[field] ?? "")
})

export const COLUMNS: ReadonlyArray<Column> = [
  ...USUAL,
  figure("first", "time_to_first_token_ms", duration, "first_token", "First token"),
  figure("upstream", "openrouter_latency_ms", duration, "latency"),
  figure("media_ms", "media_ms", duration, "media_ms", "Media time"),
  figure("cached", "cached_tokens", count),
  figure("reasoning", "reasoning_tokens", count),
  text("endpoint", "endpoint_called"),
  text("provider", "provider"),
  text("key", "key_id"),
  text("ip", "client_ip", "ip", "Client"),
  { ...column("stream", "is_streaming", "Streamed"), text: (row) => (row.is_streaming ? "yes" : "no") },
  text("kind", "kind"),
  text("id", "internal_request_id", "internal_request_id")
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
