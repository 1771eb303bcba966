/** Schema 1 for SQLite: STRICT tables, whose integers are INTEGER and whose JSON is checked text. */
export const sqlite0001: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS mi_schema (
  id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL, min_binary INTEGER NOT NULL) STRICT`,

  `CREATE TABLE IF NOT EXISTS mi_org (
  org TEXT PRIMARY KEY NOT NULL, epoch INTEGER NOT NULL, rev INTEGER NOT NULL, at INTEGER NOT NULL,
  chain BLOB NOT NULL, compacted_rev INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('active', 'frozen')), created_at INTEGER NOT NULL) STRICT`,

  // Current state.
  `CREATE TABLE IF NOT EXISTS mi_object (
  org TEXT NOT NULL REFERENCES mi_org, id TEXT NOT NULL, kind TEXT NOT NULL, account TEXT NOT NULL,
  name_key TEXT NOT NULL, doc TEXT NOT NULL CHECK (json_valid(doc)),
  create_rev INTEGER NOT NULL, mod_rev INTEGER NOT NULL,
  PRIMARY KEY (org, id), UNIQUE (org, kind, account, name_key)) STRICT`,

  `CREATE TABLE IF NOT EXISTS mi_ref (
  org TEXT NOT NULL, from_id TEXT NOT NULL, rel TEXT NOT NULL, to_id TEXT NOT NULL,
  PRIMARY KEY (org, from_id, rel, to_id),
  FOREIGN KEY (org, from_id) REFERENCES mi_object, FOREIGN KEY (org, to_id) REFERENCES mi_object) STRICT`,
  "CREATE INDEX IF NOT EXISTS mi_ref_to ON mi_ref (org, to_id, rel)",

  // One row a commit: order, actor, audit of mutations, hash chain.
  `CREATE TABLE IF NOT EXISTS mi_rev (
  org TEXT NOT NULL, rev INTEGER NOT NULL, epoch INTEGER NOT NULL, commit_id TEXT NOT NULL,
  at INTEGER NOT NULL, actor TEXT NOT NULL, audit BLOB NOT NULL, changes_digest BLOB NOT NULL,
  chain BLOB NOT NULL, PRIMARY KEY (org, rev)) STRICT`,

  // One row a changed object; doc NULL: removed.
  `CREATE TABLE IF NOT EXISTS mi_change (
  org TEXT NOT NULL, rev INTEGER NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL,
  kind TEXT NOT NULL, account TEXT NOT NULL, name_key TEXT NOT NULL,
  doc TEXT CHECK (doc IS NULL OR json_valid(doc)),
  create_rev INTEGER NOT NULL, PRIMARY KEY (org, rev, seq)) STRICT`,

  `CREATE TABLE IF NOT EXISTS mi_idempotency (
  org TEXT NOT NULL, key TEXT NOT NULL, rev INTEGER NOT NULL, at INTEGER NOT NULL,
  request_digest BLOB NOT NULL, response BLOB NOT NULL, PRIMARY KEY (org, key)) STRICT`,

  `CREATE TABLE IF NOT EXISTS mi_lease (
  name TEXT PRIMARY KEY NOT NULL, holder TEXT NOT NULL, token INTEGER NOT NULL,
  expires_at INTEGER NOT NULL) STRICT`,

  // Events that change nothing: one chain a stream.
  `CREATE TABLE IF NOT EXISTS mi_audit (
  org TEXT NOT NULL, stream TEXT NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL,
  record BLOB NOT NULL, chain BLOB NOT NULL, PRIMARY KEY (org, stream, seq)) STRICT`,
  "CREATE INDEX IF NOT EXISTS mi_audit_at ON mi_audit (org, at)",
];

/** The second file: what may be lost, and what is written too often to stand in the way of commits. */
export const sqliteUsage0001: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS mi_last_access (
  org TEXT NOT NULL, principal TEXT NOT NULL, service TEXT NOT NULL, action TEXT NOT NULL,
  last_hour INTEGER NOT NULL, PRIMARY KEY (org, principal, service, action)) STRICT`,

  `CREATE TABLE IF NOT EXISTS mi_fleet (
  org TEXT NOT NULL, reporter TEXT NOT NULL, slice TEXT NOT NULL, rev INTEGER NOT NULL,
  sidecars INTEGER NOT NULL, nacks TEXT NOT NULL CHECK (json_valid(nacks)), at INTEGER NOT NULL,
  PRIMARY KEY (org, reporter, slice, rev)) STRICT`,
];
