/**
 * Schema 1 for PostgreSQL. Keys are COLLATE "C": an index must not depend on the C library's
 * collation, which changes with the system. Docs are JSON, not JSONB, so that they stay byte for byte.
 */
export const postgres0001: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS mi_schema (
  id BIGINT PRIMARY KEY CHECK (id = 1), version BIGINT NOT NULL, min_binary BIGINT NOT NULL)`,

  `CREATE TABLE IF NOT EXISTS mi_org (
  org TEXT COLLATE "C" PRIMARY KEY, epoch BIGINT NOT NULL, rev BIGINT NOT NULL, at BIGINT NOT NULL,
  chain BYTEA NOT NULL, compacted_rev BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('active', 'frozen')), created_at BIGINT NOT NULL)`,

  // Current state. References are checked at each statement; an import defers that to its end.
  `CREATE TABLE IF NOT EXISTS mi_object (
  org TEXT COLLATE "C" NOT NULL REFERENCES mi_org, id TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL, account TEXT COLLATE "C" NOT NULL,
  name_key TEXT COLLATE "C" NOT NULL, doc JSON NOT NULL,
  create_rev BIGINT NOT NULL, mod_rev BIGINT NOT NULL,
  PRIMARY KEY (org, id), UNIQUE (org, kind, account, name_key))`,

  `CREATE TABLE IF NOT EXISTS mi_ref (
  org TEXT COLLATE "C" NOT NULL, from_id TEXT COLLATE "C" NOT NULL, rel TEXT COLLATE "C" NOT NULL,
  to_id TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (org, from_id, rel, to_id),
  FOREIGN KEY (org, from_id) REFERENCES mi_object DEFERRABLE,
  FOREIGN KEY (org, to_id) REFERENCES mi_object DEFERRABLE)`,
  "CREATE INDEX IF NOT EXISTS mi_ref_to ON mi_ref (org, to_id, rel)",

  // One row a commit: order, actor, audit of mutations, hash chain.
  `CREATE TABLE IF NOT EXISTS mi_rev (
  org TEXT COLLATE "C" NOT NULL, rev BIGINT NOT NULL, epoch BIGINT NOT NULL, commit_id TEXT NOT NULL,
  at BIGINT NOT NULL, actor TEXT NOT NULL, audit BYTEA NOT NULL, changes_digest BYTEA NOT NULL,
  chain BYTEA NOT NULL, PRIMARY KEY (org, rev))`,

  // One row a changed object; doc NULL: removed.
  `CREATE TABLE IF NOT EXISTS mi_change (
  org TEXT COLLATE "C" NOT NULL, rev BIGINT NOT NULL, seq BIGINT NOT NULL, id TEXT NOT NULL,
  kind TEXT NOT NULL, account TEXT NOT NULL, name_key TEXT NOT NULL, doc JSON,
  create_rev BIGINT NOT NULL, PRIMARY KEY (org, rev, seq))`,

  `CREATE TABLE IF NOT EXISTS mi_idempotency (
  org TEXT COLLATE "C" NOT NULL, key TEXT COLLATE "C" NOT NULL, rev BIGINT NOT NULL, at BIGINT NOT NULL,
  request_digest BYTEA NOT NULL, response BYTEA NOT NULL, PRIMARY KEY (org, key))`,

  `CREATE TABLE IF NOT EXISTS mi_lease (
  name TEXT COLLATE "C" PRIMARY KEY, holder TEXT NOT NULL, token BIGINT NOT NULL,
  expires_at BIGINT NOT NULL)`,

  // Events that change nothing: one chain a stream.
  `CREATE TABLE IF NOT EXISTS mi_audit (
  org TEXT COLLATE "C" NOT NULL, stream TEXT COLLATE "C" NOT NULL, seq BIGINT NOT NULL,
  at BIGINT NOT NULL, record BYTEA NOT NULL, chain BYTEA NOT NULL, PRIMARY KEY (org, stream, seq))`,
  "CREATE INDEX IF NOT EXISTS mi_audit_at ON mi_audit (org, at)",

  `CREATE TABLE IF NOT EXISTS mi_last_access (
  org TEXT COLLATE "C" NOT NULL, principal TEXT COLLATE "C" NOT NULL, service TEXT COLLATE "C" NOT NULL,
  action TEXT COLLATE "C" NOT NULL, last_hour BIGINT NOT NULL,
  PRIMARY KEY (org, principal, service, action))`,

  `CREATE TABLE IF NOT EXISTS mi_fleet (
  org TEXT COLLATE "C" NOT NULL, reporter TEXT COLLATE "C" NOT NULL, slice TEXT COLLATE "C" NOT NULL,
  rev BIGINT NOT NULL, sidecars BIGINT NOT NULL, nacks JSON NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (org, reporter, slice, rev))`,
];
