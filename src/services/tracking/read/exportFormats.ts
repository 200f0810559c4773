import * as Csv from "../../../domain/record/Csv.ts"
import * as Money from "../../../domain/Money.ts"
import type { RequestBodies } from "../../../domain/RequestRecord.ts"
import type { Listed } from "./List.ts"

/** What a row becomes in a file. */
export interface ExportFormat {
  readonly contentType: string
  /** What stands before the first row. */
  readonly head: string
  readonly line: (row: Listed, bodies?: RequestBodies) => string
}

const COLUMNS = [
  ...(["id", "timestamp", "internal_request_id", "state", "kind", "parent_request_id"] as const),
  ...(["endpoint_called", "client_ip", "key_id", "model_requested_by_client"] as const),
  ...(["model_routed_to_openrouter", "provider", "route_rule", "openrouter_request_id"] as const),
  ...(["status_code_returned_to_client", "error_source", "error_message", "is_streaming"] as const),
  ...(["prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens", "reasoning_tokens"] as const),
  ...([
    "cost_usd",
    "cost_nano_usd",
    "cost_source",
    "processing_duration_ms",
    "openrouter_latency_ms"
  ] as const),
  ...(["time_to_first_token_ms", "is_multimodal", "media_type_processed", "media_ms", "cache_hits"] as const),
  ...(["input_char_length", "output_char_length", "trace_id", "instance_id", "preview"] as const)
] satisfies ReadonlyArray<keyof Listed>

/** Money is a decimal, to the last nano-dollar: a float would not be. */
const cellOf = (row: Listed, column: (typeof COLUMNS)[number]): Csv.Cell =>
  column !== "cost_usd" ? row[column] : row.cost_nano_usd === null ? null : Money.toDollars(row.cost_nano_usd)

export const csv: ExportFormat = {
  contentType: "text/csv; charset=utf-8; header=present",
  head: Csv.line(COLUMNS),
  line: (row) => Csv.line(COLUMNS.map((column) => cellOf(row, column)))
}

export const jsonl: ExportFormat = {
  contentType: "application/x-ndjson; charset=utf-8",
  head: "",
  line: (row, bodies) => {
    const cells: { [column: string]: Csv.Cell } = {}
    for (const column of COLUMNS) cells[column] = cellOf(row, column)
    return `${JSON.stringify(bodies === undefined ? cells : { ...cells, ...textsOf(bodies) })}\n`
  }
}

/** Texts as they are kept: JSON within strings, so that not a digit of them changes. */
const textsOf = ({ request_body, response_body }: RequestBodies) => ({ request_body, response_body })
