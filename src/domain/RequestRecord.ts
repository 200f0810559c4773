import type { ErrorSource } from "./Errors.ts"
import type { NanoDollars } from "./Money.ts"
import type { CostSource } from "./Usage.ts"

/** `running` ends in exactly one of the others; `interrupted` is what a request becomes when its process dies. */
export type RequestState = "running" | "done" | "failed" | "cancelled" | "interrupted"

/** What a row is about: a client's request, or a side call made for one. */
export type RequestKind = "main" | "describe" | "transcribe"

/** One row of `openrouter_requests`; the first nineteen columns keep the names of the first system. */
export interface RequestRecord {
  timestamp: string
  internal_request_id: string
  endpoint_called: string
  client_ip: string | null
  model_requested_by_client: string | null
  model_routed_to_openrouter: string | null
  openrouter_request_id: string | null
  prompt_tokens: number | null
  completion_tokens: number | null
  total_tokens: number | null
  is_multimodal: number
  media_type_processed: string | null
  input_char_length: number | null
  output_char_length: number | null
  processing_duration_ms: number | null
  openrouter_latency_ms: number | null
  status_code_returned_to_client: number | null
  error_source: ErrorSource | null
  error_message: string | null
  is_streaming: number
  state: RequestState
  kind: RequestKind
  parent_request_id: string | null
  provider: string | null
  route_rule: string | null
  key_id: string | null
  cached_tokens: number | null
  reasoning_tokens: number | null
  /** `cost_usd` is this divided by a billion, computed by the database. */
  cost_nano_usd: NanoDollars | null
  cost_source: CostSource | null
  time_to_first_token_ms: number | null
  media_ms: number | null
  cache_hits: number | null
  trace_id: string | null
  instance_id: string
  /** How it is counted; null while it runs. */
  shape_id: number | null
  /** The beginning of what was asked last, on one line. */
  preview: string | null
}

/** What was asked and answered, redacted and shortened; kept apart from the rows so that they stay small. */
export interface RequestBodies {
  readonly internal_request_id: string
  readonly request_body: string | null
  readonly response_body: string | null
}
