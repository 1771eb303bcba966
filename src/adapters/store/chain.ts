import { createHash } from "node:crypto";
import type { AuditEvent, Position, RevisionRecord } from "./store.ts";

/** What the chain needs of a revision besides its digests. */
type Link = Pick<RevisionRecord, "id" | "actor" | "audit" | "epoch" | "revision" | "atMs">;

/** A row of the change log: what an object became, or that it is gone (`doc` null). */
export interface LoggedChange {
  readonly id: string;
  readonly kind: string;
  readonly account: string;
  readonly nameKey: string;
  readonly doc: string | null;
  readonly createRevision: number;
}

/** Returns the chain before the first revision; it differs by organization. */
export function firstChain(org: string): Uint8Array {
  return digest("mesh-iam/first-chain/v1", org);
}

/**
 * Returns the digest of a commit's changes: of what is removed the id, of what is put everything, docs by
 * their own digest. References are not in it: they follow from the docs (STO-71), and the log does not
 * keep them.
 */
export function changesDigest(changes: readonly LoggedChange[]): Uint8Array {
  return digest(
    "mesh-iam/changes/v1",
    ...changes.flatMap(({ id, kind, account, nameKey, doc, createRevision }) =>
      doc === null
        ? ["remove", id]
        : ["put", id, kind, account, nameKey, digest(doc), createRevision],
    ),
  );
}

/** Returns the chain at a revision: everything before it, and what it is (STO-8). */
export function nextChain(
  org: string,
  previous: Uint8Array,
  { id, actor, audit, epoch, revision, atMs }: Link,
  changes: Uint8Array,
): Uint8Array {
  const facts = [previous, org, epoch, revision, atMs, id, actor, digest(audit), changes];
  return digest("mesh-iam/chain/v1", ...facts);
}

/** Returns the chain of a stream of audit events after one more. */
export function nextAuditChain(
  org: string,
  stream: string,
  previous: Uint8Array,
  seq: number,
  { atMs, record }: AuditEvent,
): Uint8Array {
  return digest("mesh-iam/audit-chain/v1", previous, org, stream, seq, atMs, digest(record));
}

/** Returns the chain before the first event of a stream. */
export function firstAuditChain(org: string, stream: string): Uint8Array {
  return digest("mesh-iam/first-audit-chain/v1", org, stream);
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Where nothing has happened yet. */
export function firstPosition(org: string): Position {
  return { epoch: 1, revision: 0, chain: firstChain(org) };
}

/** SHA-256 over fields, each behind its length, so that no two lists of fields read alike. */
function digest(...fields: readonly (string | number | Uint8Array)[]): Uint8Array {
  const hash = createHash("sha256");
  const length = Buffer.alloc(8);
  for (const field of fields) {
    const bytes =
      typeof field === "number"
        ? numberBytes(field)
        : typeof field === "string"
          ? Buffer.from(field)
          : field;
    length.writeBigUInt64BE(BigInt(bytes.length));
    hash.update(length).update(bytes);
  }
  return new Uint8Array(hash.digest());
}

function numberBytes(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
