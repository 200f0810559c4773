import type { Row } from "../api/rows.ts"
import type { FilterName, Query } from "./query.ts"

/** Whether a row of the live feed belongs to the list; only the server knows what is found by words. */
export const matches = (row: Row, { filters, from, range, search, to }: Query): "yes" | "no" | "perhaps" => {
  const kinds = filters.kind ?? ["main"]
  if (!kinds.includes("all") && !kinds.includes(row.kind)) return "no"
  for (const [name, read] of READERS) {
    const wanted = filters[name]
    if (wanted === undefined) continue
    const has = read(row)
    if (!wanted.some((value) => has.includes(value))) return "no"
  }
  const time = Date.parse(row.timestamp)
  if (range === "custom" && (time < momentOf(from, -Infinity) || time >= momentOf(to, Infinity))) return "no"
  return search.trim() === "" ? "yes" : "perhaps"
}

/** Rows with newer ones among them, in the order they came; rows that are there already are brought up to date. */
export const merged = (
  rows: ReadonlyArray<Row>,
  news: ReadonlyArray<Row>,
  most: number
): ReadonlyArray<Row> => {
  const byId = new Map(news.map((row) => [row.internal_request_id, row]))
  const updated = rows.map((row) => {
    const fresh = byId.get(row.internal_request_id)
    byId.delete(row.internal_request_id)
    return fresh === undefined ? row : { ...row, ...fresh }
  })
  return byId.size === 0
    ? updated
    : [...updated, ...byId.values()]
        .toSorted((one, other) =>
          one.timestamp < other.timestamp ? 1 : one.timestamp > other.timestamp ? -1 : 0
        )
        .slice(0, most)
}

/** What a row has, in the words of each filter. */
const READERS: ReadonlyArray<readonly [FilterName, (row: Row) => ReadonlyArray<string>]> = [
  ["model", (row) => [orNone(row.model_requested_by_client)]],
  ["routed", (row) => [orNone(row.model_routed_to_openrouter)]],
  ["provider", (row) => [orNone(row.provider)]],
  ["endpoint", (row) => [orNone(row.endpoint_called)]],
  [
    "status",
    ({ status_code_returned_to_client: status }) =>
      status === null ? [NONE] : [String(status), `${String(status)[0] ?? ""}xx`]
  ],
  ["source", (row) => [orNone(row.error_source)]],
  ["media", (row) => orNone(row.media_type_processed).split(",")],
  ["state", (row) => [row.state]],
  ["key", (row) => [orNone(row.key_id)]],
  ["stream", (row) => [String(Boolean(row.is_streaming))]],
  ["cache", (row) => ((row.cache_hits ?? 0) > 0 ? ["hit"] : row.is_multimodal ? ["miss"] : [])],
  ["ip", (row) => [orNone(row.client_ip)]]
]

const orNone = (text: string | null): string => (text === null || text === "" ? NONE : text)

const momentOf = (iso: string | undefined, otherwise: number): number => {
  const millis = iso === undefined ? Number.NaN : Date.parse(iso)
  return Number.isNaN(millis) ? otherwise : millis
}

const NONE = "(none)"
