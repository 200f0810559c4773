import type { Row } from "../api/rows.ts"
import { FILTERS } from "./query.ts"
import type { FilterName, Query } from "./query.ts"

/** Whether a row of the live feed belongs to the list; only the server knows what is found by words. */
export const matches = (row: Row, { filters, from, range, search, to }: Query): "yes" | "no" | "perhaps" => {
  const has = valuesOf(row)
  const isWanted = FILTERS.every((name) => {
    const wanted = filters[name] ?? (name === "kind" ? ["main"] : undefined)
    return !wanted || has[name].some((value) => wanted.includes(value || "(none)"))
  })
  const time = Date.parse(row.timestamp)
  const isInTime = range !== "custom" || !(time < Date.parse(from ?? "") || time >= Date.parse(to ?? ""))
  return !isWanted || !isInTime ? "no" : search.trim() === "" ? "yes" : "perhaps"
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
        .toSorted((one, other) => Date.parse(other.timestamp) - Date.parse(one.timestamp))
        .slice(0, most)
}

/** What a row has, in the words of each filter. */
const valuesOf = (row: Row): Readonly<Record<FilterName, ReadonlyArray<string | null>>> => {
  const status = row.status_code_returned_to_client
  return {
    model: [row.model_requested_by_client],
    routed: [row.model_routed_to_openrouter],
    provider: [row.provider],
    endpoint: [row.endpoint_called],
    status: status === null ? [null] : [`${status}`, `${String(status)[0]}xx`],
    source: [row.error_source],
    media: (row.media_type_processed ?? "").split(","),
    state: [row.state],
    kind: [row.kind, "all"],
    key: [row.key_id],
    stream: [String(Boolean(row.is_streaming))],
    cache: row.cache_hits ? ["hit"] : row.is_multimodal ? ["miss"] : [],
    ip: [row.client_ip]
  }
}
