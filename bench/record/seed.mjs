/**
 * Fills a record that has just been made with rows that look like months of use, always the same ones: seeded chance,
 * counted from the moment the record is to end. `node bench/record/seed.mjs <file> [--rows 1000000] [--days 60]`.
 */
import path from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { sqlite } from "../../scripts/sqlite.mjs"

/** Model, who serves it, its weight, dollars per million tokens in and out (nano-dollars per thousand), milliseconds. */
const MODELS = [
  ["anthropic/claude-sonnet-4.5", "openrouter", 20, 3000, 15_000, 4200],
  ["openai/gpt-5-mini", "openrouter", 17, 250, 2000, 2600],
  ["google/gemini-2.5-flash", "openrouter", 13, 300, 2500, 1500],
  ["deepseek/deepseek-v3.2", "openrouter", 11, 270, 400, 5200],
  ["qwen/qwen3-235b-a22b", "openrouter", 8, 130, 600, 3900],
  ["openai:gpt-5", "openai", 6, 1250, 10_000, 7800],
  ["openai:gpt-4.1-mini", "openai", 5, 400, 1600, 1900],
  ["llama3.1:8b", "ollama", 5, 0, 0, 900],
  ["qwen2.5-vl:7b", "ollama", 3, 0, 0, 2300],
  ["mistralai/mistral-small-3.2", "openrouter", 3, 75, 200, 1700],
  ["x-ai/grok-4-fast", "openrouter", 2, 200, 500, 2100],
  ["meta-llama/llama-3.3-70b", "huggingface", 2, 600, 600, 3300],
  ["moonshotai/kimi-k2", "openrouter", 1.5, 550, 2200, 4800],
  ["z-ai/glm-4.6", "openrouter", 1.2, 500, 1900, 4100],
  ["minimax/minimax-m2", "openrouter", 0.8, 300, 1200, 3600],
  ["nous/hermes-4", "huggingface", 0.5, 900, 900, 6100]
]

/** Whoever has a key uses a few models in one way: its share, its models by number, its endpoint, how often it streams. */
const KEYS = [
  [null, 10, [0, 1, 2, 7], "/v1/chat/completions", 0.6],
  ["env:0a1b2c3d", 22, [0, 1, 3, 4, 9], "/v1/chat/completions", 0.95],
  ["key_alice", 12, [0, 2, 5], "/v1/chat/completions", 1],
  ["key_bob", 10, [1, 3, 12, 13], "/v1/chat/completions", 0.97],
  ["key_ci", 9, [1, 6, 10], "/v1/chat/completions", 0],
  ["key_batch", 14, [2, 3, 4, 11], "/v1/chat/completions", 0.02],
  ["key_mobile", 8, [2, 9, 14], "/v1/chat/completions", 1],
  ["key_home", 6, [7, 8], "/api/chat", 0.9],
  ["key_notes", 4, [7, 15], "/api/generate", 0.5],
  ["key_old", 3, [6, 9], "/v1/completions", 0.1],
  ["key_team", 2, [0, 1, 2, 3, 4, 5, 6, 10, 11, 12], "/v1/chat/completions", 0.7]
]
const MEDIA = [
  [null, 82],
  ["image", 11],
  ["video", 4],
  ["audio", 2],
  ["image,video", 1]
]
const FAILURES = [
  [429, "upstream", "The provider is overloaded: rate limit reached for this model."],
  [502, "upstream", "The provider failed before its answer began."],
  [504, "upstream", "The provider did not answer in time."],
  [400, "client", "'messages' must be a list."],
  [404, "client", "There is no such model."],
  [500, "router", "A bug of the router."]
]
const WORDS =
  "summarise the quarterly report in three plain sentences please explain why this function returns nothing when list is empty translate into German keep tone friendly what does sign at minute two of video say write a haiku about rivers and winter light compare both pictures name differences plan a trip to Lisbon with children refactor code so that tests pass again draft an answer for angry customer who waits since Monday".split(
    " "
  )
const RARE = ["zephyr", "quasar", "obsidian", "marzipan", "fjord", "lighthouse", "velvet", "tungsten"]

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
    Array.from({ length: 32 }, (_, at) => [
      `b${at}`,
      [
        ...(at === 0 ? [] : [`processing_duration_ms > ${Math.floor(4 * 1.5 ** (at - 1))}`]),
        ...(at === 31 ? [] : [`processing_duration_ms <= ${Math.floor(4 * 1.5 ** at)}`])
      ].join(" AND ")
    ])
  )
}

const ROW = [
  ...["id", "timestamp", "internal_request_id", "endpoint_called", "client_ip", "model_requested_by_client"],
  ...["model_routed_to_openrouter", "openrouter_request_id", "prompt_tokens", "completion_tokens"],
  ...["total_tokens", "is_multimodal", "media_type_processed", "input_char_length", "output_char_length"],
  ...["processing_duration_ms", "openrouter_latency_ms", "status_code_returned_to_client", "error_source"],
  ...["error_message", "is_streaming", "state", "kind", "parent_request_id", "provider", "key_id"],
  ...["cached_tokens", "reasoning_tokens", "cost_nano_usd", "cost_source", "time_to_first_token_ms"],
  ...["media_ms", "cache_hits", "instance_id", "shape_id", "preview"]
]
const SHAPE = [
  ...["kind", "state", "endpoint", "model_requested", "model_routed", "provider", "key_id", "status"],
  ...["error_source", "media", "streaming", "cost_source"]
]

/** Fills `file`, which must have the tables and no rows. */
export const seed = (file, { rows = 1_000_000, days = 60, until = Date.now(), log = () => {} } = {}) => {
  const Database = sqlite()
  const database = new Database(file, { fileMustExist: true })
  const began = performance.now()
  const step = (name) => log(`${((performance.now() - began) / 1000).toFixed(1)} s: ${name}`)
  try {
    if (database.prepare("SELECT count(*) FROM openrouter_requests").pluck().get() > 0)
      throw new Error(`${file} has rows already`)
    for (const pragma of ["journal_mode = WAL", "synchronous = OFF", "cache_size = -262144"])
      database.pragma(pragma)
    const indexes = database
      .prepare(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'openrouter_requests' AND sql IS NOT NULL"
      )
      .all()
    database.transaction(() => {
      for (const { name } of indexes) database.exec(`DROP INDEX ${name}`)
      insertRows(database, rows, days * 86_400_000, until)
      step(`${rows} rows`)
      for (const { sql } of indexes) database.exec(sql)
      step("indexes")
      database.exec(HOURS)
      database.exec(DAYS)
      step("sums")
      if (fillSearch(database, rows)) step("search index")
    })()
    database.pragma("wal_checkpoint(TRUNCATE)")
    step("done")
  } finally {
    database.close()
  }
}

const HOURS = `
  INSERT INTO request_rollups (span, start, shape_id, ${Object.keys(SUMS).join(", ")})
  SELECT 3600, unixepoch(timestamp) / 3600 * 3600 AS began, shape_id,
    ${Object.values(SUMS)
      .map((sum) => `coalesce(sum(${sum}), 0)`)
      .join(", ")}
  FROM openrouter_requests WHERE shape_id IS NOT NULL GROUP BY began, shape_id`

const DAYS = `
  INSERT INTO request_rollups (span, start, shape_id, ${Object.keys(SUMS).join(", ")})
  SELECT 86400, start / 86400 * 86400 AS began, shape_id, ${Object.keys(SUMS)
    .map((name) => `sum(${name})`)
    .join(", ")}
  FROM request_rollups WHERE span = 3600 GROUP BY began, shape_id`

const insertRows = (database, rows, length, until) => {
  const chance = mulberry32(20_261_120)
  const insert = database.prepare(
    `INSERT INTO openrouter_requests (${ROW.join(", ")}) VALUES (${ROW.map(() => "?").join(", ")})`
  )
  const insertShape = database.prepare(
    `INSERT INTO request_shapes (id, ${SHAPE.join(", ")}) VALUES (?, ${SHAPE.map(() => "?").join(", ")})`
  )
  const shapes = new Map()
  const shapeOf = (values) => {
    const name = values.join("\0")
    const known = shapes.get(name)
    if (known !== undefined) return known
    shapes.set(name, shapes.size + 1)
    insertShape.run(shapes.size, ...values)
    return shapes.size
  }
  let parent = null
  for (let id = 1; id <= rows; id++) {
    const row = rowOf(chance, id, until - length * (1 - id / rows) - 1000, parent)
    parent = row.kind === "main" && row.is_multimodal === 1 ? row : null
    row.shape_id = shapeOf([
      ...[row.kind, row.state, row.endpoint_called, row.model_requested_by_client ?? ""],
      ...[row.model_routed_to_openrouter ?? "", row.provider ?? "", row.key_id ?? ""],
      ...[String(row.status_code_returned_to_client ?? ""), row.error_source ?? ""],
      ...[row.media_type_processed ?? "", String(row.is_streaming), row.cost_source ?? ""]
    ])
    insert.run(ROW.map((column) => row[column] ?? null))
  }
}

const rowOf = (chance, id, at, parent) => {
  const isSide = parent !== null && chance() < 0.5
  const [key, , models, endpoint, streams] = isSide
    ? [parent.key_id, 0, [8], parent.endpoint_called, 0]
    : weighted(KEYS, (entry) => entry[1], chance)
  const [model, provider, , inPrice, outPrice, usual] = weighted(
    models.map((number) => MODELS[number]),
    (entry) => entry[2],
    chance
  )
  const [media] = isSide ? [null] : weighted(MEDIA, (entry) => entry[1], chance)
  const luck = chance()
  const state = luck < 0.955 ? "done" : luck < 0.985 ? "failed" : luck < 0.999 ? "cancelled" : "interrupted"
  const failure = state === "failed" ? FAILURES[Math.floor(chance() ** 2 * FAILURES.length)] : undefined
  const duration = Math.round(usual * Math.exp((chance() + chance() + chance() - 1.5) * 1.4))
  const prompt = Math.round(200 + 6000 * chance() ** 3)
  const completion = Math.round(20 + 1500 * chance() ** 2)
  const isStreaming = chance() < streams ? 1 : 0
  const isKnown = state === "done" || (state === "cancelled" && chance() < 0.5)
  return {
    id,
    timestamp: new Date(Math.floor(at)).toISOString(),
    internal_request_id: `req_${id.toString(16).padStart(8, "0")}${hex(chance)}${hex(chance)}`,
    endpoint_called: endpoint,
    client_ip: `10.0.${Math.floor(chance() ** 2 * 12)}.${Math.floor(chance() * 20)}`,
    model_requested_by_client: chance() < 0.2 && !isSide ? "default" : model,
    model_routed_to_openrouter: failure?.[1] === "client" ? null : model,
    openrouter_request_id: isKnown && provider === "openrouter" ? `gen-${id}-${hex(chance)}` : null,
    prompt_tokens: isKnown ? prompt : null,
    completion_tokens: isKnown ? completion : null,
    total_tokens: isKnown ? prompt + completion : null,
    is_multimodal: media === null ? 0 : 1,
    media_type_processed: media,
    input_char_length: prompt * 4,
    output_char_length: isKnown ? completion * 4 : 0,
    processing_duration_ms: duration,
    openrouter_latency_ms: Math.round(duration * 0.3),
    status_code_returned_to_client: failure?.[0] ?? (state === "interrupted" ? null : 200),
    error_source:
      failure?.[1] ?? (state === "interrupted" ? "router" : state === "cancelled" ? "client" : null),
    error_message: failure?.[2] ?? null,
    is_streaming: isStreaming,
    state,
    kind: isSide ? "describe" : "main",
    parent_request_id: isSide ? parent.internal_request_id : null,
    provider: failure?.[1] === "client" ? null : provider,
    key_id: key,
    cached_tokens: isKnown && chance() < 0.3 ? Math.floor(prompt * 0.6) : null,
    reasoning_tokens: isKnown && chance() < 0.2 ? Math.floor(completion * 0.4) : null,
    cost_nano_usd: isKnown ? prompt * inPrice + completion * outPrice : null,
    cost_source: isKnown ? (provider === "openai" ? "estimated" : "provider") : null,
    time_to_first_token_ms: isKnown && isStreaming === 1 ? Math.round(duration * 0.25) : null,
    media_ms: media === null ? null : Math.round(1000 * chance()),
    cache_hits: media === null ? null : chance() < 0.6 ? 1 : 0,
    instance_id: "seed",
    preview: previewOf(chance)
  }
}

const previewOf = (chance) => {
  const words = Array.from({ length: 10 }, () => WORDS[Math.floor(chance() * WORDS.length)])
  if (chance() < 0.002) words[5] = RARE[Math.floor(chance() * RARE.length)]
  return words.join(" ")
}

/** Beside ids, names and errors the beginning of what was asked; without the index there is nothing to do. */
const fillSearch = (database, rows) => {
  const has = (table) =>
    database.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").get(table) !== undefined
  if (!has("request_search")) return false
  // Few large pieces instead of many small ones that must be merged.
  const hashSize = (megabytes) =>
    database.exec(`INSERT INTO request_search (request_search, rank) VALUES ('hashsize', ${megabytes << 20})`)
  hashSize(128)
  database.exec(`
    INSERT INTO request_search (rowid, document)
    SELECT id, lower(concat_ws(char(10), internal_request_id, openrouter_request_id, model_requested_by_client,
      model_routed_to_openrouter, error_message, preview))
    FROM openrouter_requests`)
  hashSize(1)
  // Else the first few rows that come have to pay for it.
  database.exec("INSERT INTO request_search (request_search) VALUES ('optimize')")
  database.prepare("UPDATE request_search_state SET position = ?").run(rows)
  return true
}

const weighted = (entries, weightOf, chance) => {
  const total = entries.reduce((sum, entry) => sum + weightOf(entry), 0)
  let left = chance() * total
  return entries.find((entry) => (left -= weightOf(entry)) < 0) ?? entries[0]
}

const hex = (chance) =>
  Math.floor(chance() * 0x100000000)
    .toString(16)
    .padStart(8, "0")

/** Small, quick and the same everywhere. */
const mulberry32 = (start) => {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

if (process.argv[1] !== undefined && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { rows: { type: "string" }, days: { type: "string" }, until: { type: "string" } }
  })
  if (positionals.length !== 1) throw new Error("name the file: node bench/record/seed.mjs data/percept.db")
  seed(positionals[0], {
    rows: Number(values.rows ?? 1_000_000),
    days: Number(values.days ?? 60),
    until: values.until === undefined ? Date.now() : Date.parse(values.until),
    log: console.log
  })
}
