/** What a list can be sorted by: the columns of the first system under its names, the others, and a few short ones. */
export const SORT_COLUMNS = {
  internal_request_id: "text",
  endpoint_called: "text",
  client_ip: "text",
  model_requested_by_client: "text",
  model_routed_to_openrouter: "text",
  openrouter_request_id: "text",
  prompt_tokens: "number",
  completion_tokens: "number",
  total_tokens: "number",
  is_multimodal: "number",
  media_type_processed: "text",
  input_char_length: "number",
  output_char_length: "number",
  processing_duration_ms: "number",
  openrouter_latency_ms: "number",
  status_code_returned_to_client: "number",
  error_source: "text",
  error_message: "text",
  is_streaming: "number",
  state: "text",
  kind: "text",
  provider: "text",
  key_id: "text",
  cached_tokens: "number",
  reasoning_tokens: "number",
  cost_nano_usd: "number",
  cost_source: "text",
  time_to_first_token_ms: "number",
  media_ms: "number",
  cache_hits: "number",
  /** By time is in the order they came: two clocks may differ, and one may be set back. */
  id: "number"
} as const

export type SortColumn = keyof typeof SORT_COLUMNS

/** The column of a name that people and earlier systems use; undefined where there is none. */
export const sortColumn = (name: string): SortColumn | undefined =>
  Object.hasOwn(SHORT, name)
    ? SHORT[name]
    : Object.hasOwn(SORT_COLUMNS, name)
      ? COLUMNS.find((column) => column === name)
      : undefined

const COLUMNS = Object.keys(SORT_COLUMNS) as ReadonlyArray<SortColumn>

const SHORT: { readonly [name: string]: SortColumn } = {
  timestamp: "id",
  time: "id",
  cost_usd: "cost_nano_usd",
  cost: "cost_nano_usd",
  duration: "processing_duration_ms",
  ms: "processing_duration_ms",
  latency: "openrouter_latency_ms",
  first_token: "time_to_first_token_ms",
  tokens: "total_tokens",
  model: "model_requested_by_client",
  routed: "model_routed_to_openrouter",
  endpoint: "endpoint_called",
  status: "status_code_returned_to_client",
  ip: "client_ip",
  key: "key_id",
  media: "media_type_processed"
}
