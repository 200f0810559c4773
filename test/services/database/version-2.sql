-- A record as version 2 of its tables left it.
PRAGMA journal_mode = WAL;
CREATE TABLE effect_sql_migrations (
  migration_id integer PRIMARY KEY NOT NULL,
  created_at datetime NOT NULL DEFAULT current_timestamp,
  name VARCHAR(255) NOT NULL
);
CREATE TABLE openrouter_requests (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      timestamp TEXT NOT NULL,
      internal_request_id TEXT NOT NULL UNIQUE,
      endpoint_called TEXT NOT NULL,
      client_ip TEXT,
      model_requested_by_client TEXT,
      model_routed_to_openrouter TEXT,
      openrouter_request_id TEXT,
      prompt_tokens INTEGER,
      completion_tokens INTEGER,
      total_tokens INTEGER,
      cost_usd REAL GENERATED ALWAYS AS (cost_nano_usd / 1000000000.0) VIRTUAL,
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
      cached_tokens INTEGER,
      reasoning_tokens INTEGER,
      cost_nano_usd INTEGER,
      cost_source TEXT,
      time_to_first_token_ms INTEGER,
      media_ms INTEGER,
      cache_hits INTEGER,
      trace_id TEXT,
      instance_id TEXT NOT NULL
    );
CREATE INDEX openrouter_requests_timestamp ON openrouter_requests (timestamp);
CREATE INDEX openrouter_requests_running ON openrouter_requests (instance_id) WHERE state = 'running';
CREATE TABLE request_bodies (
      internal_request_id TEXT NOT NULL PRIMARY KEY,
      request_body TEXT,
      response_body TEXT
    );
CREATE TABLE instances (
      id TEXT NOT NULL PRIMARY KEY,
      host TEXT NOT NULL,
      pid INTEGER NOT NULL,
      process_start TEXT NOT NULL,
      heartbeat_at INTEGER NOT NULL
    );
CREATE TABLE media_entries (
      id TEXT NOT NULL PRIMARY KEY,
      bytes BIGINT NOT NULL,
      created_at BIGINT NOT NULL,
      used_at BIGINT NOT NULL,
      value TEXT NOT NULL
    );
CREATE INDEX media_entries_used_at ON media_entries (used_at, id);
CREATE TABLE media_blobs (
      sha256 TEXT NOT NULL,
      part INTEGER NOT NULL,
      mime TEXT NOT NULL,
      size BIGINT NOT NULL,
      bytes BLOB NOT NULL,
      PRIMARY KEY (sha256, part)
    );
CREATE TABLE media_entry_blobs (
      entry TEXT NOT NULL,
      sha256 TEXT NOT NULL,
      PRIMARY KEY (entry, sha256)
    );
CREATE INDEX media_entry_blobs_sha256 ON media_entry_blobs (sha256);
CREATE TABLE media_links (
      key TEXT NOT NULL PRIMARY KEY,
      target TEXT NOT NULL,
      checked_at BIGINT NOT NULL,
      value TEXT NOT NULL
    );
CREATE INDEX media_links_checked_at ON media_links (checked_at, key);
CREATE TABLE media_room (bytes BIGINT NOT NULL);
CREATE TABLE installation (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO effect_sql_migrations (migration_id, created_at, name) VALUES (1, '2026-11-17 09:00:00', 'requests');
INSERT INTO effect_sql_migrations (migration_id, created_at, name) VALUES (2, '2026-11-18 09:00:00', 'media');
INSERT INTO openrouter_requests (id, timestamp, internal_request_id, endpoint_called, client_ip, model_requested_by_client, model_routed_to_openrouter, prompt_tokens, completion_tokens, total_tokens, is_multimodal, processing_duration_ms, status_code_returned_to_client, is_streaming, state, kind, provider, cost_nano_usd, cost_source, time_to_first_token_ms, instance_id) VALUES (1, '2026-11-17T10:59:59.999Z', 'req_1', '/v1/chat/completions', '127.0.0.1', 'fast', 'vendor/fast', 10, 20, 30, 0, 350, 200, 1, 'done', 'main', 'openrouter', 12345, 'provider', 90, 'i1');
INSERT INTO openrouter_requests (id, timestamp, internal_request_id, endpoint_called, client_ip, model_requested_by_client, model_routed_to_openrouter, prompt_tokens, completion_tokens, total_tokens, is_multimodal, processing_duration_ms, status_code_returned_to_client, is_streaming, state, kind, provider, cost_nano_usd, cost_source, instance_id) VALUES (2, '2026-11-17T10:00:00.000Z', 'req_2', '/v1/chat/completions', '127.0.0.1', 'fast', 'vendor/fast', 1, 2, 3, 0, 4, 200, 1, 'done', 'main', 'openrouter', 5, 'provider', 'i1');
INSERT INTO openrouter_requests (id, timestamp, internal_request_id, endpoint_called, client_ip, model_requested_by_client, is_multimodal, processing_duration_ms, status_code_returned_to_client, error_source, error_message, is_streaming, state, kind, instance_id) VALUES (3, '2026-11-17T11:00:00.000Z', 'req_3', '/v1/chat/completions', '127.0.0.1', 'nobody', 0, 2, 404, 'client', 'There is no model ''nobody''.', 0, 'failed', 'main', 'i1');
INSERT INTO openrouter_requests (id, timestamp, internal_request_id, endpoint_called, client_ip, model_requested_by_client, model_routed_to_openrouter, is_multimodal, is_streaming, state, kind, provider, instance_id) VALUES (4, '2026-11-17T11:00:01.000Z', 'req_4', '/v1/chat/completions', '127.0.0.1', 'fast', 'vendor/fast', 0, 1, 'running', 'main', 'openrouter', 'i1');
INSERT INTO request_bodies (internal_request_id, request_body, response_body) VALUES ('req_1', '{"model":"fast"}', '{"said":"žluťoučký"}');
INSERT INTO instances (id, host, pid, process_start, heartbeat_at) VALUES ('i1', 'elsewhere', 1, 'then', 5);
INSERT INTO media_entries (id, bytes, created_at, used_at, value) VALUES ('a', 512, 1, 1, '{}');
INSERT INTO media_room (bytes) VALUES (0);
INSERT INTO installation (name, value) VALUES ('secret', '00ff');
