-- Version 1. Columns of type BLOB hold text sealed by FieldCodec. Every table has `seq` as its
-- rowid: it orders rows by creation, and salvage relies on it (README.md, "add a migration").

CREATE TABLE conversations (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  title BLOB NOT NULL,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  deleted_ms INTEGER,
  current_leaf TEXT,
  instruction BLOB NOT NULL,
  model TEXT NOT NULL,
  draft BLOB NOT NULL
) STRICT;

CREATE INDEX conversations_by_time ON conversations (updated_ms) WHERE deleted_ms IS NULL;
CREATE INDEX conversations_deleted ON conversations (deleted_ms) WHERE deleted_ms IS NOT NULL;

-- The parent is checked at commit and does not cascade: a chain of messages may be far longer than
-- SQLite's limit of nested deletions.
CREATE TABLE messages (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  parent TEXT REFERENCES messages (id) DEFERRABLE INITIALLY DEFERRED,
  role INTEGER NOT NULL,
  state INTEGER NOT NULL,
  text BLOB NOT NULL,
  reasoning BLOB,
  model TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  token_count INTEGER NOT NULL,
  tokens_per_second REAL NOT NULL,
  first_token_ms INTEGER NOT NULL,
  error_code INTEGER,
  error_subject BLOB,
  error_detail BLOB
) STRICT;

CREATE INDEX messages_by_conversation ON messages (conversation, seq);
CREATE INDEX messages_by_parent ON messages (parent);
CREATE INDEX messages_streaming ON messages (state) WHERE state = 2;

CREATE TABLE settings (
  seq INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  value BLOB NOT NULL
) STRICT;

CREATE TABLE models (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  path TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  added_ms INTEGER NOT NULL,
  last_used_ms INTEGER
) STRICT;
