import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";
import type { Commit, Position, TransactRequest } from "./store.ts";

/** What the store accepts (STO-2, STO-72). Bytes are those of UTF-8. */
export const storeLimits = {
  docBytes: 256 * 1024,
  commitChanges: 500,
  commitReferences: 10_000,
  transactionBytes: 4 * 1024 * 1024,
  transactionCommits: 64,
  keys: 64,
  nameBytes: 512,
  actorBytes: 2048,
  /** Revisions of a page of changes, and how far a replica may be behind when it asks for the lock. */
  records: 1000,
  pageObjects: 1000,
} as const;

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Returns the error of an input above its bounds. */
export function overLimit(message: string): MeshIamError {
  return new MeshIamError("store-limit", message);
}

/**
 * Throws `store-limit` unless `text` is short and comes back as it went in: a lone surrogate is
 * replaced on its way into UTF-8, and PostgreSQL has no NUL.
 */
export function checkText(
  what: string,
  text: string,
  maxBytes: number = storeLimits.nameBytes,
): void {
  if (text.includes("\0") || !text.isWellFormed()) {
    throw overLimit(`expected ${what} without NUL and lone surrogates, got ${quote(text)}`);
  }
  if (Buffer.byteLength(text) > maxBytes) {
    throw overLimit(`expected ${what} of at most ${maxBytes} bytes, got ${quote(text)}`);
  }
}

/** Throws `store-limit` for anything but a whole number from `least` to `most`. */
export function checkInteger(what: string, value: number, least: number, most?: number): void {
  const max = most ?? Number.MAX_SAFE_INTEGER;
  if (Number.isSafeInteger(value) && value >= least && value <= max) return;
  throw overLimit(`expected ${what} from ${least} to ${max}, got ${value}`);
}

export function checkPosition({ epoch, revision, chain }: Position): void {
  checkInteger("an epoch", epoch, 0);
  checkInteger("a revision", revision, 0);
  if (chain.length !== 32) throw overLimit(`expected a chain of 32 bytes, got ${chain.length}`);
}

export function checkRequest({ since, idempotencyKeys, fences }: TransactRequest): void {
  checkPosition(since);
  if (idempotencyKeys.length > storeLimits.keys || fences.length > storeLimits.keys) {
    throw overLimit(`expected at most ${storeLimits.keys} idempotency keys and as many fences`);
  }
  for (const key of idempotencyKeys) checkText("an idempotency key", key);
  for (const { name } of fences) checkText("a lease's name", name);
}

/** Throws `store-limit` for commits that do not fit one transaction. */
export function checkCommits(commits: readonly Commit[]): void {
  if (commits.length > storeLimits.transactionCommits) {
    throw overLimit(
      `expected at most ${storeLimits.transactionCommits} commits in a transaction, got ${commits.length}`,
    );
  }
  let bytes = 0;
  for (const commit of commits) bytes += checkCommit(commit);
  if (bytes > storeLimits.transactionBytes) {
    throw overLimit(
      `expected at most ${storeLimits.transactionBytes} bytes in a transaction, got ${bytes}`,
    );
  }
}

/** Returns the bytes that a commit counts for. */
function checkCommit(commit: Commit): number {
  if (!uuid.test(commit.id)) throw overLimit(`expected a UUID, got ${quote(commit.id)}`);
  checkText("an actor", commit.actor, storeLimits.actorBytes);
  if (commit.changes.length > storeLimits.commitChanges) {
    throw overLimit(
      `expected at most ${storeLimits.commitChanges} changes in a commit, got ${commit.changes.length}`,
    );
  }
  let bytes = commit.audit.length;
  if (commit.idempotency !== undefined) {
    checkText("an idempotency key", commit.idempotency.key);
    bytes += commit.idempotency.requestDigest.length + commit.idempotency.response.length;
  }
  const seen = new Set<string>();
  let references = 0;
  for (const change of commit.changes) {
    const id = change.type === "put" ? change.object.id : change.id;
    if (seen.has(id))
      throw overLimit(`expected each object once in a commit, got ${quote(id)} twice`);
    seen.add(id);
    checkText("an id", id);
    if (change.type === "remove") continue;
    const { kind, account, nameKey, doc } = change.object;
    if (kind === "") throw overLimit(`expected a kind of ${quote(id)}, got none`);
    checkText("a kind", kind);
    checkText("an account", account);
    checkText("a name key", nameKey);
    checkText(`the doc of ${quote(id)}`, doc, storeLimits.docBytes);
    for (const { rel, to } of change.references) {
      checkText("a relation", rel);
      checkText("an id", to);
    }
    references += change.references.length;
    bytes += Buffer.byteLength(doc);
  }
  if (references > storeLimits.commitReferences) {
    throw overLimit(
      `expected at most ${storeLimits.commitReferences} references in a commit, got ${references}`,
    );
  }
  return bytes;
}
