import { listParameters } from "../model/query.ts"
import type { Query } from "../model/query.ts"
import { getJson } from "./client.ts"

/** A request in the list. Rows of the live feed have no `id` yet. */
export interface Row {
  readonly id?: number
  readonly timestamp: string
  readonly internal_request_id: string
  readonly endpoint_called: string
  readonly client_ip: string | null
  readonly model_requested_by_client: string | null
  readonly model_routed_to_openrouter: string | null
  readonly openrouter_request_id: string | null
  readonly prompt_tokens: number | null
  readonly completion_tokens: number | null
  readonly total_tokens: number | null
  readonly is_multimodal: number
  readonly media_type_processed: string | null
  readonly input_char_length: number | null
  readonly output_char_length: number | null
  readonly processing_duration_ms: number | null
  readonly openrouter_latency_ms: number | null
  readonly status_code_returned_to_client: number | null
  readonly error_source: string | null
  readonly error_message: string | null
  readonly is_streaming: number
  readonly state: "running" | "done" | "failed" | "cancelled" | "interrupted"
  readonly kind: "main" | "describe" | "transcribe"
  readonly parent_request_id: string | null
  readonly provider: string | null
  readonly route_rule: string | null
  readonly key_id: string | null
  readonly cached_tokens: number | null
  readonly reasoning_tokens: number | null
  readonly cost_usd: number | null
  readonly cost: string | null
  readonly cost_source: string | null
  readonly time_to_first_token_ms: number | null
  readonly media_ms: number | null
  readonly cache_hits: number | null
  readonly trace_id: string | null
  readonly instance_id: string
  readonly preview: string | null
}

/** A page of the list. */
export interface Rows {
  readonly items: ReadonlyArray<Row>
  readonly total_items: number
  /** There are more than `total_items`. */
  readonly total_is_capped: boolean
  readonly next_cursor: string | null
  readonly prev_cursor: string | null
}

export const PAGE_SIZE = 50

export const readRows = (query: Query, signal: AbortSignal): Promise<Rows> => {
  const parameters = listParameters(query)
  if (query.cursor) parameters.set("cursor", query.cursor)
  return getJson(`${LIST}?${parameters}&page_size=${PAGE_SIZE}`, "items", signal)
}

/** Whether the record has no request at all. */
export const readIsBare = async (signal: AbortSignal): Promise<boolean> =>
  (await getJson<Rows>(`${LIST}?page_size=1&kind=all`, "items", signal)).total_items === 0

const LIST = "/ui/tracking_data"
