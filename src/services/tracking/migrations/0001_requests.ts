import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** The record: rows, their bodies, and the processes that write them. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient
  const isPostgres = sql.onDialectOrElse({ pg: () => true, orElse: () => false })
  const serial = sql.literal(isPostgres ? "BIGSERIAL PRIMARY KEY" : "INTEGER PRIMARY KEY AUTOINCREMENT")
  const integer = sql.literal(isPostgres ? "BIGINT" : "INTEGER")
  const dollars = sql.literal(
    `${isPostgres ? "DOUBLE PRECISION" : "REAL"} GENERATED ALWAYS AS (cost_nano_usd / 1000000000.0) ${isPostgres ? "STORED" : "VIRTUAL"}`
  )
  yield* sql`
    CREATE TABLE openrouter_requests (
      id ${serial},
      timestamp TEXT NOT NULL,
      internal_request_id TEXT NOT NULL UNIQUE,
      endpoint_called TEXT NOT NULL,
      client_ip TEXT,
      model_requested_by_client TEXT,
      model_routed_to_openrouter TEXT,
      openrouter_request_id TEXT,
      prompt_tokens ${integer},
      completion_tokens ${integer},
      total_tokens ${integer},
      cost_usd ${dollars},
      is_multimodal INTEGER NOT NULL DEFAULT 0,
      media_type_processed TEXT,
      input_char_length INTEGER,
      output_char_length INTEGER,
      processing_duration_ms INTEGER,
      openrouter_latency_ms INTEGER,
      status_code_returned_to_client INTEGER,
      error_source TEXT,
      error_message TEXT,
      is_streaming INTEGER NOT NULL DEFAULT 0,
      state TEXT NOT NULL,
      kind TEXT NOT NULL DEFAULT 'main',
      parent_request_id TEXT,
      provider TEXT,
      route_rule TEXT,
      key_id TEXT,
      cached_tokens ${integer},
      reasoning_tokens ${integer},
      cost_nano_usd ${integer},
      cost_source TEXT,
      time_to_first_token_ms INTEGER,
      media_ms INTEGER,
      cache_hits INTEGER,
      trace_id TEXT,
      instance_id TEXT NOT NULL
    )`
  yield* sql`CREATE INDEX openrouter_requests_timestamp ON openrouter_requests (timestamp)`
  yield* sql`CREATE INDEX openrouter_requests_running ON openrouter_requests (instance_id) WHERE state = 'running'`
  yield* sql`
    CREATE TABLE request_bodies (
      internal_request_id TEXT NOT NULL PRIMARY KEY,
      request_body TEXT,
      response_body TEXT
    )`
  yield* sql`
    CREATE TABLE instances (
      id TEXT NOT NULL PRIMARY KEY,
      host TEXT NOT NULL,
      pid INTEGER NOT NULL,
      process_start TEXT NOT NULL,
      heartbeat_at ${integer} NOT NULL
    )`
})
