import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** Ways into a large record, sums that outlive its rows, and keys that are handed out. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient
  const isPostgres = sql.onDialectOrElse({ pg: () => true, orElse: () => false })
  const integer = isPostgres ? "BIGINT" : "INTEGER"
  const serial = isPostgres ? "BIGSERIAL PRIMARY KEY" : "INTEGER PRIMARY KEY"
  const withoutRowId = isPostgres ? "" : " WITHOUT ROWID"
  const sum = `${integer} NOT NULL DEFAULT 0`

  // What rows are picked by, each combination once: one index of rows by shape serves every filter there is.
  yield* sql.unsafe(`
    CREATE TABLE request_shapes (
      id ${serial},
      kind TEXT NOT NULL,
      state TEXT NOT NULL,
      endpoint TEXT NOT NULL,
      model_requested TEXT NOT NULL,
      model_routed TEXT NOT NULL,
      provider TEXT NOT NULL,
      key_id TEXT NOT NULL,
      status TEXT NOT NULL,
      error_source TEXT NOT NULL,
      media TEXT NOT NULL,
      streaming TEXT NOT NULL,
      cost_source TEXT NOT NULL,
      UNIQUE (kind, state, endpoint, model_requested, model_routed, provider, key_id, status, error_source, media,
        streaming, cost_source)
    )`)
  yield* sql.unsafe(`ALTER TABLE openrouter_requests ADD COLUMN shape_id ${integer}`)
  yield* sql.unsafe(`ALTER TABLE openrouter_requests ADD COLUMN preview TEXT`)
  yield* sql`CREATE INDEX openrouter_requests_shape ON openrouter_requests (shape_id, id)`
  yield* sql`CREATE INDEX openrouter_requests_client_ip ON openrouter_requests (client_ip, id)`
  yield* sql`CREATE INDEX openrouter_requests_cost ON openrouter_requests (cost_nano_usd, id, shape_id)`
  yield* sql`CREATE INDEX openrouter_requests_duration ON openrouter_requests (processing_duration_ms, id, shape_id)`
  yield* sql`CREATE INDEX openrouter_requests_parent ON openrouter_requests (parent_request_id)
    WHERE parent_request_id IS NOT NULL`

  // `span` is an hour or a day, in seconds; `start` is when it begins, in seconds since 1970; `b0` and on count
  // durations.
  yield* sql.unsafe(`
    CREATE TABLE request_rollups (
      span INTEGER NOT NULL,
      start ${integer} NOT NULL,
      shape_id ${integer} NOT NULL,
      requests ${sum},
      prompt_tokens ${sum},
      completion_tokens ${sum},
      cached_tokens ${sum},
      reasoning_tokens ${sum},
      cost_nano_usd ${sum},
      cost_unknown ${sum},
      duration_ms ${sum},
      first_token_ms ${sum},
      first_tokens ${sum},
      media_requests ${sum},
      media_hits ${sum},
      ${Array.from({ length: 32 }, (_, bucket) => `b${bucket} ${sum}`).join(", ")},
      PRIMARY KEY (span, start, shape_id)
    )${withoutRowId}`)

  // What a file of an earlier version has is counted as well; no server has anything yet.
  if (!isPostgres) for (const step of countingKept) yield* sql.unsafe(step)

  // Null where there is no limit; money is in nano-dollars, times in milliseconds since 1970.
  yield* sql.unsafe(`
    CREATE TABLE api_keys (
      id TEXT NOT NULL PRIMARY KEY,
      name TEXT NOT NULL,
      hash TEXT NOT NULL UNIQUE,
      created_at ${integer} NOT NULL,
      expires_at ${integer},
      revoked_at ${integer},
      budget_nano ${integer},
      spent_nano ${integer} NOT NULL DEFAULT 0,
      reserved_nano ${integer} NOT NULL DEFAULT 0,
      rpm INTEGER,
      tpm INTEGER,
      models TEXT
    )`)
  yield* sql`CREATE UNIQUE INDEX api_keys_name ON api_keys (name) WHERE revoked_at IS NULL`
  // What a request may cost at most, taken from its key's budget while it runs; `charged` where it is counted as
  // spent already, because nobody has said what the request did cost.
  yield* sql.unsafe(`
    CREATE TABLE budget_reservations (
      internal_request_id TEXT NOT NULL PRIMARY KEY,
      key_id TEXT NOT NULL,
      nano ${integer} NOT NULL,
      instance_id TEXT NOT NULL,
      held_at ${integer} NOT NULL,
      charged INTEGER NOT NULL DEFAULT 0
    )`)
})

const SHAPE = {
  kind: "kind",
  state: "state",
  endpoint: "substr(endpoint_called, 1, 120)",
  model_requested: "substr(coalesce(model_requested_by_client, ''), 1, 120)",
  model_routed: "substr(coalesce(model_routed_to_openrouter, ''), 1, 120)",
  provider: "coalesce(provider, '')",
  key_id: "coalesce(key_id, '')",
  status: "coalesce(status_code_returned_to_client, '')",
  error_source: "coalesce(error_source, '')",
  media: "coalesce(media_type_processed, '')",
  streaming: "is_streaming",
  cost_source: "coalesce(cost_source, '')"
}

const SUMS = {
  requests: "1",
  prompt_tokens: "prompt_tokens",
  completion_tokens: "completion_tokens",
  cached_tokens: "cached_tokens",
  reasoning_tokens: "reasoning_tokens",
  cost_nano_usd: "cost_nano_usd",
  cost_unknown: "cost_nano_usd IS NULL",
  duration_ms: "processing_duration_ms",
  first_token_ms: "time_to_first_token_ms",
  first_tokens: "time_to_first_token_ms IS NOT NULL",
  media_requests: "is_multimodal",
  media_hits: "cache_hits",
  ...Object.fromEntries(
    Array.from({ length: 32 }, (_, bucket) => {
      const above = bucket === 0 ? "" : `processing_duration_ms > ${4 * 1.5 ** (bucket - 1)}`
      const upTo = bucket === 31 ? "" : `processing_duration_ms <= ${4 * 1.5 ** bucket}`
      return [`b${bucket}`, [above, upTo].filter((half) => half !== "").join(" AND ")]
    })
  )
}

const countingKept = [
  `INSERT INTO request_shapes (${Object.keys(SHAPE).join(", ")})
    SELECT DISTINCT ${Object.values(SHAPE).join(", ")} FROM openrouter_requests WHERE state <> 'running'`,
  `UPDATE openrouter_requests SET shape_id = request_shapes.id FROM request_shapes
    WHERE openrouter_requests.state <> 'running'
    AND ${Object.entries(SHAPE)
      .map(([name, value]) => `request_shapes.${name} = ${ofRow(value)}`)
      .join(" AND ")}`,
  ...[3600, 86_400].map(
    (span) => `
    INSERT INTO request_rollups (span, start, shape_id, ${Object.keys(SUMS).join(", ")})
    SELECT ${span}, unixepoch(timestamp) / ${span} * ${span} AS began, shape_id,
      ${Object.values(SUMS)
        .map((value) => `coalesce(sum(${value}), 0)`)
        .join(", ")}
    FROM openrouter_requests WHERE shape_id IS NOT NULL GROUP BY began, shape_id`
  )
]

/** Columns of both tables bear one name. */
function ofRow(value: string): string {
  return value.replace(/\b(kind|state|provider|key_id|error_source|cost_source)\b/g, "openrouter_requests.$1")
}
