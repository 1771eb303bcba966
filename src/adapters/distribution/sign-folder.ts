import { dirname, join } from "node:path";
import { decodeHead, type Head } from "../../domain/bundle/head.ts";
import { extendKeySets, type KeySetChain } from "../../domain/bundle/key-set-chain.ts";
import { type BundleLimits, defaultBundleLimits } from "../../domain/bundle/limits.ts";
import { addHeadSignature, type Envelope, openEnvelope } from "../../domain/bundle/signed.ts";
import { verifyHead } from "../../domain/bundle/verify-head.ts";
import { quote } from "../../iam/problem.ts";
import { type Attempt, fail, failWith } from "./attempt.ts";
import { headName, keySetPath, keySetsName, readInside, readKeySets } from "./bundle-folder.ts";
import { type Disk, errorCodeOf } from "./disk.ts";
import { replaceFile, replaceFileDurably } from "./durable-file.ts";
import { maxFutureMs } from "./freshness.ts";
import { readSigner } from "./key-files.ts";

export interface SignFolderOptions {
  /** A folder that `buildFolder` wrote. */
  readonly folder: string;
  /** The bundle key, PKCS#8 PEM. */
  readonly keyFile: string;
  /** The folder with `keysets/<n>`; null: beside the key, where `generateKeys` puts them. */
  readonly keySetsFolder: string | null;
  readonly nowMs: number;
  readonly limits?: BundleLimits;
}

export interface SignedFolder {
  readonly head: Head;
  readonly keyId: string;
  /** Number of the newest key set that was added. */
  readonly keySet: number;
}

/**
 * Adds the key sets and the signature of one bundle key to a built folder. Signatures of other keys
 * stay, one of the same key is replaced; the head is written last.
 *
 * Whatever a sidecar would refuse about it is refused here: a key that the newest key set does not
 * list or whose window is over, another organization, an expired head. Refusals: `key-invalid` and
 * those of `verifyHead` and `extendKeySets`.
 */
export async function signFolder(
  disk: Disk,
  options: SignFolderOptions,
): Promise<Attempt<SignedFolder>> {
  const { folder, keyFile } = options;
  const limits = options.limits ?? defaultBundleLimits;
  const signer = await readSigner(disk, keyFile);
  if (!signer.ok) return signer;

  const bytes = await readInside(disk, folder, join(folder, headName), limits.maxHeadBytes);
  if (bytes === null) return fail("bundle-unreadable", `${quote(folder)} has no head`);
  const opened = openEnvelope(bytes, limits.maxHeadBytes, limits, "head");
  if (!opened.ok) return failWith(opened);
  const decoded = decodeHead(opened.envelope.payload);
  if (!decoded.ok) return failWith(decoded);

  const chain = await readChain(disk, options.keySetsFolder ?? dirname(keyFile), limits);
  if (!chain.ok) return chain;
  // Signatures of other keys stay, so that the verification below says nothing about this one.
  if (!chain.value.current.bundleKeyObjects.has(signer.value.keyId)) {
    const message = `key set ${chain.value.current.number} does not list ${quote(keyFile)} as a bundle key`;
    return fail("bundle-signature", message);
  }
  const sealed = addHeadSignature(opened.envelope, signer.value);
  const verified = verifyHead(sealed, chain.value, {
    slice: null,
    nowMs: options.nowMs,
    floor: null,
    origin: "carrier",
    acceptStale: false,
    maxFutureMs,
    limits,
  });
  if (!verified.ok) return failWith(verified);

  try {
    await disk.makeFolder(join(folder, keySetsName), 0o755);
    for (const [number, keySet] of chain.value.sealed) {
      await replaceFile(disk, keySetPath(folder, number), keySet, 0o644);
    }
    await disk.sync(join(folder, keySetsName));
    await replaceFileDurably(disk, join(folder, headName), sealed, 0o644);
  } catch (error) {
    return fail("bundle-unreadable", `${quote(folder)} cannot be written: ${errorCodeOf(error)}`);
  }
  const { keyId } = signer.value;
  return { ok: true, value: { head: decoded.head, keyId, keySet: chain.value.current.number } };
}

/** The signer's own key sets: their first one says whose they are, the others have to follow from it. */
async function readChain(
  disk: Disk,
  folder: string,
  limits: BundleLimits,
): Promise<Attempt<KeySetChain>> {
  const keySets = await readKeySets(disk, folder, 0, limits).catch(errorCodeOf);
  if (typeof keySets === "string") {
    return fail("bundle-unreadable", `the key sets in ${quote(folder)} cannot be read: ${keySets}`);
  }
  const first = openEnvelope(
    keySets.get(1) ?? new Uint8Array(),
    limits.maxKeySetBytes,
    limits,
    "key set 1",
  );
  const rootFingerprints = first.ok ? signerIds(first.envelope) : [];
  const anchors = { rootFingerprints, org: null };
  const { chain, refusal } = extendKeySets(null, keySets, anchors, limits);
  if (refusal !== null) return failWith(refusal);
  // INVARIANT: without a refusal there is a chain.
  return { ok: true, value: chain as KeySetChain };
}

function signerIds(envelope: Envelope): readonly string[] {
  return envelope.signatures.map(({ keyId }) => keyId);
}
