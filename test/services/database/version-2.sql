-- What version 2 of the tables added to a record of version 1.
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
INSERT INTO effect_sql_migrations (migration_id, created_at, name) VALUES (2, '2026-11-18 09:00:00', 'media');
INSERT INTO media_entries (id, bytes, created_at, used_at, value) VALUES ('a', 512, 1, 1, '{}');
INSERT INTO media_room (bytes) VALUES (0);
INSERT INTO installation (name, value) VALUES ('secret', '00ff');
