-- What version 4 of the tables added to a record of version 3.
CREATE VIRTUAL TABLE request_search USING fts5 (
    document, content = '', contentless_delete = 1, tokenize = 'trigram'
  );
CREATE TABLE request_search_state (position INTEGER NOT NULL, removed INTEGER NOT NULL);
CREATE TABLE request_search_waiting (row_id INTEGER NOT NULL PRIMARY KEY);
INSERT INTO effect_sql_migrations (migration_id, created_at, name) VALUES (4, '2026-11-20 09:00:00', 'search');
INSERT INTO request_search_state (position, removed) VALUES (0, 0);
