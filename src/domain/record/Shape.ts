import type { RequestRecord } from "../RequestRecord.ts"

/** What rows are picked and counted by, in the order of the table's columns; empty where a request has none. */
export const SHAPE_COLUMNS = [
  "kind",
  "state",
  "endpoint",
  "model_requested",
  "model_routed",
  "provider",
  "key_id",
  "status",
  "error_source",
  "media",
  "streaming",
  "cost_source"
] as const

export type Shape = { readonly [Column in (typeof SHAPE_COLUMNS)[number]]: string }

/** How one request looks to those who count: many share a shape. */
export const shapeOf = (row: RequestRecord): Shape => ({
  kind: row.kind,
  state: row.state,
  endpoint: short(row.endpoint_called),
  model_requested: short(row.model_requested_by_client),
  model_routed: short(row.model_routed_to_openrouter),
  provider: short(row.provider),
  key_id: short(row.key_id),
  status: row.status_code_returned_to_client === null ? "" : String(row.status_code_returned_to_client),
  error_source: row.error_source ?? "",
  media: short(row.media_type_processed),
  streaming: String(row.is_streaming),
  cost_source: row.cost_source ?? ""
})

/** Where clients think up ever new names, these no longer get a shape each. */
export const withoutNames = (shape: Shape): Shape => ({
  ...shape,
  endpoint: shape.provider === "" ? OTHER : shape.endpoint,
  model_requested: shape.model_requested === "" ? "" : OTHER,
  model_routed: shape.model_routed === "" ? "" : OTHER
})

/** Tells shapes apart. */
export const nameOf = (shape: Shape): string => SHAPE_COLUMNS.map((column) => shape[column]).join("\0")

/** The same without making a shape first; long names are not yet shortened, so that a shape may have several. */
export const rowName = (row: RequestRecord): string => {
  const { endpoint_called, error_source, is_streaming, key_id, kind, provider, state } = row
  const models = `${row.model_requested_by_client ?? ""}\0${row.model_routed_to_openrouter ?? ""}`
  const ending = `${row.status_code_returned_to_client ?? ""}\0${error_source ?? ""}`
  const rest = `${row.media_type_processed ?? ""}\0${is_streaming}\0${row.cost_source ?? ""}`
  return `${kind}\0${state}\0${endpoint_called}\0${models}\0${provider ?? ""}\0${key_id ?? ""}\0${ending}\0${rest}`
}

/** An index of Postgres takes no more than 2,704 bytes for all columns, and texts without NUL and half signs. */
const short = (text: string | null): string =>
  text === null ? "" : text.slice(0, LONGEST).replace(UNSTORABLE, "\uFFFD")

const LONGEST = 120
const UNSTORABLE = /\0|\p{Surrogate}/gu

export const OTHER = "(other)"
