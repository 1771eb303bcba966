import { join } from "node:path";
import { decodeHead, type Head } from "../../domain/bundle/head.ts";
import { decodeKeySet, type KeySet } from "../../domain/bundle/key-set.ts";
import { type BundleLimits, defaultBundleLimits } from "../../domain/bundle/limits.ts";
import type { PartRef } from "../../domain/bundle/manifest.ts";
import type { Refusal } from "../../domain/bundle/refusal.ts";
import { openEnvelope } from "../../domain/bundle/signed.ts";
import type { Directory } from "../../domain/directory/model.ts";
import { quote } from "../../iam/problem.ts";
import { type Attempt, fail } from "./attempt.ts";
import { headName, readInside, readKeySets } from "./bundle-folder.ts";
import { type Disk, errorCodeOf } from "./disk.ts";
import { readContent } from "./verify-folder.ts";

/** What a bundle says about itself: NOTHING here has been checked against a key. */
export interface InspectedFolder {
  readonly head: Head;
  /** Key ids that the head claims to be signed by; empty: not signed yet. */
  readonly signedBy: readonly string[];
  readonly keySets: readonly {
    readonly signedBy: readonly string[];
    readonly keySet: KeySet;
  }[];
  /** Null where the objects are missing or damaged; `problem` says which. */
  readonly content: {
    readonly directory: Directory;
    readonly parts: readonly PartRef[];
    readonly sizeBytes: number;
  } | null;
  /** Why content or a key set cannot be read, null when all can. */
  readonly problem: Refusal | null;
}

/**
 * Returns what a folder says, for a person to look at, signed or not. Needs no key and proves nothing:
 * `verifyFolder` does. Refusals: `bundle-unreadable`, or the code of a head that cannot be read.
 */
export async function inspectFolder(
  disk: Disk,
  folder: string,
  limits: BundleLimits = defaultBundleLimits,
): Promise<Attempt<InspectedFolder>> {
  const bytes = await readInside(disk, folder, join(folder, headName), limits.maxHeadBytes);
  if (bytes === null) return fail("bundle-unreadable", `${quote(folder)} has no head`);
  const opened = openEnvelope(bytes, limits.maxHeadBytes, limits, "head");
  if (!opened.ok) return fail(opened.code, opened.detail);
  const decoded = decodeHead(opened.envelope.payload);
  if (!decoded.ok) return fail(decoded.code, decoded.detail);
  const { head } = decoded;

  const sealed = await readKeySets(disk, folder, 0, limits).catch(errorCodeOf);
  if (typeof sealed === "string") {
    return fail("bundle-unreadable", `the key sets cannot be listed: ${sealed}`);
  }
  let problem: Refusal | null = null;
  const keySets: InspectedFolder["keySets"][number][] = [];
  for (const [number, keySetBytes] of sealed) {
    const envelope = openEnvelope(keySetBytes, limits.maxKeySetBytes, limits, `key set ${number}`);
    const read = envelope.ok ? decodeKeySet(envelope.envelope.payload) : envelope;
    if (!read.ok) problem ??= read;
    else if (envelope.ok) {
      const signedBy = envelope.envelope.signatures.map(({ keyId }) => keyId);
      keySets.push({ signedBy, keySet: read.keySet });
    }
  }

  const content = await readContent(disk, folder, head, limits);
  if (!content.ok) problem = content;
  const value: InspectedFolder = {
    head,
    signedBy: opened.envelope.signatures.map(({ keyId }) => keyId),
    keySets,
    content: content.ok
      ? {
          directory: content.directory,
          parts: [...content.parts.values()].map(({ ref }) => ref),
          sizeBytes: content.sizeBytes,
        }
      : null,
    problem,
  };
  return { ok: true, value };
}
