import * as Money from "../../domain/Money.ts"
import type { Failure } from "../../domain/Errors.ts"
import type { RequestBodies, RequestRecord } from "../../domain/RequestRecord.ts"

/** One line of JSON about a request that has ended; the bodies are JSON texts already. */
export const logLine = (
  row: RequestRecord,
  bodies: RequestBodies,
  failure: Failure | undefined,
  scrub: (text: string) => string
): string => {
  const head = JSON.stringify({
    time: row.timestamp,
    id: row.internal_request_id,
    kind: row.kind,
    parent: row.parent_request_id,
    endpoint: row.endpoint_called,
    client: row.client_ip,
    key: row.key_id,
    model: row.model_requested_by_client,
    routed_model: row.model_routed_to_openrouter,
    provider: row.provider,
    provider_id: row.openrouter_request_id,
    rule: row.route_rule,
    state: row.state,
    status: row.status_code_returned_to_client,
    stream: row.is_streaming === 1,
    duration_ms: row.processing_duration_ms,
    upstream_ms: row.openrouter_latency_ms,
    first_token_ms: row.time_to_first_token_ms,
    media: row.media_type_processed,
    media_ms: row.media_ms,
    media_remembered: row.cache_hits,
    prompt_tokens: row.prompt_tokens,
    completion_tokens: row.completion_tokens,
    total_tokens: row.total_tokens,
    cached_tokens: row.cached_tokens,
    reasoning_tokens: row.reasoning_tokens,
    cost_usd: row.cost_nano_usd === null ? null : Money.toDollars(row.cost_nano_usd),
    cost_source: row.cost_source,
    trace: row.trace_id,
    error: row.error_message === null ? null : errorOf(row, failure, scrub)
  })
  return `${head.slice(0, -1)},"request":${bodies.request_body ?? "null"},"response":${bodies.response_body ?? "null"}}`
}

/** What the client was told, and what is behind it. */
const errorOf = (row: RequestRecord, failure: Failure | undefined, scrub: (text: string) => string) => ({
  source: row.error_source,
  type: failure?.type ?? null,
  code: failure?.code ?? null,
  message: row.error_message,
  cause: failure?.detail === undefined ? null : scrub(failure.detail).slice(0, LONGEST_CAUSE)
})

/** Characters; a whole stack is longer than its cause. */
const LONGEST_CAUSE = 4096
