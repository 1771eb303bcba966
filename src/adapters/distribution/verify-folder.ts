import { join } from "node:path";
import { isFingerprint } from "../../domain/bundle/ed25519.ts";
import type { Head } from "../../domain/bundle/head.ts";
import type { ReadableKeySet } from "../../domain/bundle/key-set.ts";
import { extendKeySets, type KeySetChain } from "../../domain/bundle/key-set-chain.ts";
import { type BundleLimits, defaultBundleLimits } from "../../domain/bundle/limits.ts";
import type { PartRef } from "../../domain/bundle/manifest.ts";
import type { Refusal } from "../../domain/bundle/refusal.ts";
import { type VerifiedContent, verifyContent } from "../../domain/bundle/verify-content.ts";
import { verifyHead } from "../../domain/bundle/verify-head.ts";
import type { Directory } from "../../domain/directory/model.ts";
import { quote } from "../../iam/problem.ts";
import { type Attempt, fail, failWith } from "./attempt.ts";
import { headName, objectPath, readInside, readKeySets } from "./bundle-folder.ts";
import { type Disk, errorCodeOf } from "./disk.ts";
import { maxFutureMs } from "./freshness.ts";

export interface VerifyFolderOptions {
  readonly folder: string;
  /** `--root-fingerprint`, at least one. */
  readonly rootFingerprints: readonly string[];
  /** Null: the organization of key set 1. */
  readonly org: string | null;
  /** Null: the slice as it is. */
  readonly slice: string | null;
  readonly nowMs: number;
  readonly limits?: BundleLimits;
}

export interface VerifiedFolder {
  readonly head: Head;
  readonly keySet: ReadableKeySet;
  readonly directory: Directory;
  readonly parts: readonly PartRef[];
  readonly sizeBytes: number;
}

/**
 * Returns what a folder holds, everything about it verified as a sidecar's first boot does, or why it
 * is refused: `key-invalid` for a fingerprint that is none, else the codes of `bundle-…`.
 */
export async function verifyFolder(
  disk: Disk,
  options: VerifyFolderOptions,
): Promise<Attempt<VerifiedFolder>> {
  const { folder, rootFingerprints, org } = options;
  const limits = options.limits ?? defaultBundleLimits;
  const odd = rootFingerprints.find((text) => !isFingerprint(text));
  if (odd !== undefined || rootFingerprints.length === 0) {
    const message = `expected \`sha256:\` and 64 hex digits of a root key, got ${quote(odd ?? "")}`;
    return fail("key-invalid", message);
  }
  const head = await readInside(disk, folder, join(folder, headName), limits.maxHeadBytes);
  if (head === null) return fail("bundle-unreadable", `${quote(folder)} has no head`);
  const keySets = await readKeySets(disk, folder, 0, limits).catch(errorCodeOf);
  if (typeof keySets === "string") {
    return fail("bundle-unreadable", `the key sets cannot be listed: ${keySets}`);
  }
  const { chain, refusal } = extendKeySets(null, keySets, { rootFingerprints, org }, limits);
  if (refusal !== null) return failWith(refusal);
  // INVARIANT: without a refusal there is a chain.
  const { current } = chain as KeySetChain;
  const verified = verifyHead(head, chain as KeySetChain, {
    slice: options.slice,
    nowMs: options.nowMs,
    floor: null,
    origin: "carrier",
    acceptStale: false,
    maxFutureMs,
    limits,
  });
  if (!verified.ok) return failWith(verified);
  const content = await readContent(disk, folder, verified.head, limits);
  if (!content.ok) return failWith(content);
  const { directory, sizeBytes } = content;
  const parts = [...content.parts.values()].map(({ ref }) => ref);
  return { ok: true, value: { head: verified.head, keySet: current, directory, parts, sizeBytes } };
}

/** Returns what `head` leads to inside `folder`: digests, lengths and completeness verified. */
export async function readContent(
  disk: Disk,
  folder: string,
  head: Head,
  limits: BundleLimits,
): Promise<({ readonly ok: true } & VerifiedContent) | Refusal> {
  const steps = verifyContent(head, new Map(), limits);
  let step = steps.next(null);
  while (step.done !== true) {
    const { digest, maxFrameBytes } = step.value;
    step = steps.next(await readInside(disk, folder, objectPath(folder, digest), maxFrameBytes));
  }
  return step.value;
}
