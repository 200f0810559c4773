-- What version 3 of the tables added to a record of version 2.
ALTER TABLE openrouter_requests ADD COLUMN shape_id INTEGER;
ALTER TABLE openrouter_requests ADD COLUMN preview TEXT;
CREATE TABLE request_shapes (
      id INTEGER PRIMARY KEY,
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
    );
CREATE INDEX openrouter_requests_shape ON openrouter_requests (shape_id, id);
CREATE INDEX openrouter_requests_client_ip ON openrouter_requests (client_ip, id);
CREATE INDEX openrouter_requests_cost ON openrouter_requests (cost_nano_usd, id, shape_id);
CREATE INDEX openrouter_requests_duration ON openrouter_requests (processing_duration_ms, id, shape_id);
CREATE INDEX openrouter_requests_parent ON openrouter_requests (parent_request_id)
    WHERE parent_request_id IS NOT NULL;
CREATE TABLE request_rollups (
      span INTEGER NOT NULL,
      start INTEGER NOT NULL,
      shape_id INTEGER NOT NULL,
      requests INTEGER NOT NULL DEFAULT 0,
      prompt_tokens INTEGER NOT NULL DEFAULT 0,
      completion_tokens INTEGER NOT NULL DEFAULT 0,
      cached_tokens INTEGER NOT NULL DEFAULT 0,
      reasoning_tokens INTEGER NOT NULL DEFAULT 0,
      cost_nano_usd INTEGER NOT NULL DEFAULT 0,
      cost_unknown INTEGER NOT NULL DEFAULT 0,
      duration_ms INTEGER NOT NULL DEFAULT 0,
      first_token_ms INTEGER NOT NULL DEFAULT 0,
      first_tokens INTEGER NOT NULL DEFAULT 0,
      media_requests INTEGER NOT NULL DEFAULT 0,
      media_hits INTEGER NOT NULL DEFAULT 0,
      b0 INTEGER NOT NULL DEFAULT 0, b1 INTEGER NOT NULL DEFAULT 0, b2 INTEGER NOT NULL DEFAULT 0, b3 INTEGER NOT NULL DEFAULT 0, b4 INTEGER NOT NULL DEFAULT 0, b5 INTEGER NOT NULL DEFAULT 0, b6 INTEGER NOT NULL DEFAULT 0, b7 INTEGER NOT NULL DEFAULT 0, b8 INTEGER NOT NULL DEFAULT 0, b9 INTEGER NOT NULL DEFAULT 0, b10 INTEGER NOT NULL DEFAULT 0, b11 INTEGER NOT NULL DEFAULT 0, b12 INTEGER NOT NULL DEFAULT 0, b13 INTEGER NOT NULL DEFAULT 0, b14 INTEGER NOT NULL DEFAULT 0, b15 INTEGER NOT NULL DEFAULT 0, b16 INTEGER NOT NULL DEFAULT 0, b17 INTEGER NOT NULL DEFAULT 0, b18 INTEGER NOT NULL DEFAULT 0, b19 INTEGER NOT NULL DEFAULT 0, b20 INTEGER NOT NULL DEFAULT 0, b21 INTEGER NOT NULL DEFAULT 0, b22 INTEGER NOT NULL DEFAULT 0, b23 INTEGER NOT NULL DEFAULT 0, b24 INTEGER NOT NULL DEFAULT 0, b25 INTEGER NOT NULL DEFAULT 0, b26 INTEGER NOT NULL DEFAULT 0, b27 INTEGER NOT NULL DEFAULT 0, b28 INTEGER NOT NULL DEFAULT 0, b29 INTEGER NOT NULL DEFAULT 0, b30 INTEGER NOT NULL DEFAULT 0, b31 INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (span, start, shape_id)
    ) WITHOUT ROWID;
CREATE TABLE api_keys (
      id TEXT NOT NULL PRIMARY KEY,
      name TEXT NOT NULL,
      hash TEXT NOT NULL UNIQUE,
      created_at INTEGER NOT NULL,
      expires_at INTEGER,
      revoked_at INTEGER,
      budget_nano INTEGER,
      spent_nano INTEGER NOT NULL DEFAULT 0,
      reserved_nano INTEGER NOT NULL DEFAULT 0,
      rpm INTEGER,
      tpm INTEGER,
      models TEXT
    );
CREATE UNIQUE INDEX api_keys_name ON api_keys (name) WHERE revoked_at IS NULL;
CREATE TABLE budget_reservations (
      internal_request_id TEXT NOT NULL PRIMARY KEY,
      key_id TEXT NOT NULL,
      nano INTEGER NOT NULL,
      instance_id TEXT NOT NULL,
      held_at INTEGER NOT NULL,
      charged INTEGER NOT NULL DEFAULT 0
    );
INSERT INTO effect_sql_migrations (migration_id, created_at, name) VALUES (3, '2026-11-19 09:00:00', 'statistics');
UPDATE openrouter_requests SET shape_id = 1 WHERE id = 1;
UPDATE openrouter_requests SET shape_id = 1 WHERE id = 2;
UPDATE openrouter_requests SET shape_id = 2 WHERE id = 3;
INSERT INTO request_shapes (id, kind, state, endpoint, model_requested, model_routed, provider, key_id, status, error_source, media, streaming, cost_source) VALUES (1, 'main', 'done', '/v1/chat/completions', 'fast', 'vendor/fast', 'openrouter', '', '200', '', '', '1', 'provider');
INSERT INTO request_shapes (id, kind, state, endpoint, model_requested, model_routed, provider, key_id, status, error_source, media, streaming, cost_source) VALUES (2, 'main', 'failed', '/v1/chat/completions', 'nobody', '', '', '', '404', 'client', '', '0', '');
INSERT INTO request_rollups (span, start, shape_id, requests, prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, cost_nano_usd, cost_unknown, duration_ms, first_token_ms, first_tokens, media_requests, media_hits, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13, b14, b15, b16, b17, b18, b19, b20, b21, b22, b23, b24, b25, b26, b27, b28, b29, b30, b31) VALUES (3600, 1794909600, 1, 2, 11, 22, 0, 0, 12350, 0, 354, 90, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
INSERT INTO request_rollups (span, start, shape_id, requests, prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, cost_nano_usd, cost_unknown, duration_ms, first_token_ms, first_tokens, media_requests, media_hits, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13, b14, b15, b16, b17, b18, b19, b20, b21, b22, b23, b24, b25, b26, b27, b28, b29, b30, b31) VALUES (3600, 1794913200, 2, 1, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
INSERT INTO request_rollups (span, start, shape_id, requests, prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, cost_nano_usd, cost_unknown, duration_ms, first_token_ms, first_tokens, media_requests, media_hits, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13, b14, b15, b16, b17, b18, b19, b20, b21, b22, b23, b24, b25, b26, b27, b28, b29, b30, b31) VALUES (86400, 1794873600, 1, 2, 11, 22, 0, 0, 12350, 0, 354, 90, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
INSERT INTO request_rollups (span, start, shape_id, requests, prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, cost_nano_usd, cost_unknown, duration_ms, first_token_ms, first_tokens, media_requests, media_hits, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13, b14, b15, b16, b17, b18, b19, b20, b21, b22, b23, b24, b25, b26, b27, b28, b29, b30, b31) VALUES (86400, 1794873600, 2, 1, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
