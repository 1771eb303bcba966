import { createPrivateKey, type KeyObject } from "node:crypto";
import { join } from "node:path";
import { createSigner, type Signer } from "../../domain/bundle/ed25519.ts";
import { encodeKeySet } from "../../domain/bundle/key-set.ts";
import { sealKeySet } from "../../domain/bundle/signed.ts";
import { quote } from "../../iam/problem.ts";
import { type Attempt, fail } from "./attempt.ts";
import { keySetPath, keySetsName } from "./bundle-folder.ts";
import { type Disk, errorCodeOf } from "./disk.ts";
import { replaceFileDurably } from "./durable-file.ts";
import { signerOf } from "./generate-signer.ts";

/** The file names of `mesh-iam keys generate`. */
export const rootKeyName = "root.pem";
export const bundleKeyName = "bundle.pem";

export interface GenerateKeysOptions {
  /** Made if it is absent, for the owner alone. */
  readonly folder: string;
  /** The organization's id, as documents say it; `local` without an Organization. */
  readonly org: string;
  readonly nowMs: number;
  /** How long the key set and its bundle key are good; a year by default. */
  readonly validForMs?: number;
}

export interface GeneratedKeys {
  /** What sidecars are installed with (`bundle.rootFingerprints`). */
  readonly rootFingerprint: string;
  readonly bundleKeyId: string;
  readonly rootKeyFile: string;
  readonly bundleKeyFile: string;
  readonly keySetFile: string;
  readonly expiresAtMs: number;
}

const yearMs = 365 * 86_400_000;
const maxPemBytes = 16_384;

/**
 * Makes a root key, a bundle key (PKCS#8 PEM, mode 0600) and key set 1, and returns where they are and
 * the root's fingerprint (control-plane 2.4, 3). `newKey` brings the randomness. An existing file is
 * never replaced: `key-invalid`. The root key belongs offline afterwards: it signs key sets only.
 */
export async function generateKeys(
  disk: Disk,
  options: GenerateKeysOptions,
  newKey: () => KeyObject,
): Promise<Attempt<GeneratedKeys>> {
  const { folder, org, nowMs } = options;
  const rootKeyFile = join(folder, rootKeyName);
  const bundleKeyFile = join(folder, bundleKeyName);
  const keySetFile = keySetPath(folder, 1);
  const expiresAtMs = nowMs + (options.validForMs ?? yearMs);
  const rootKey = newKey();
  const bundleKey = newKey();
  const root = signerOf(rootKey);
  const bundle = signerOf(bundleKey);
  const payload = encodeKeySet({
    number: 1,
    org,
    minEpoch: 1,
    bundleKeys: [
      {
        kid: bundle.keyId,
        publicKey: bundle.publicKey,
        notBeforeMs: nowMs,
        notAfterMs: expiresAtMs,
      },
    ],
    rootThreshold: 1,
    rootKeys: [root.publicKey],
    issuedAtMs: nowMs,
    expiresAtMs,
  });
  try {
    await disk.makeFolder(join(folder, keySetsName), 0o700);
    for (const path of [rootKeyFile, bundleKeyFile, keySetFile]) {
      if (await exists(disk, path)) return fail("key-invalid", `${quote(path)} exists already`);
    }
    await replaceFileDurably(disk, rootKeyFile, toPem(rootKey), 0o600);
    await replaceFileDurably(disk, bundleKeyFile, toPem(bundleKey), 0o600);
    await replaceFileDurably(disk, keySetFile, sealKeySet(payload, [root]), 0o644);
  } catch (error) {
    return fail("key-invalid", `${quote(folder)} cannot be written: ${errorCodeOf(error)}`);
  }
  const value: GeneratedKeys = {
    rootFingerprint: root.keyId,
    bundleKeyId: bundle.keyId,
    rootKeyFile,
    bundleKeyFile,
    keySetFile,
    expiresAtMs,
  };
  return { ok: true, value };
}

/** Returns the signer of a PEM file, or `key-invalid`. The message never quotes the file. */
export async function readSigner(disk: Disk, path: string): Promise<Attempt<Signer>> {
  let pem: Uint8Array;
  try {
    pem = await disk.read(path, maxPemBytes);
  } catch (error) {
    return fail("key-invalid", `${quote(path)} cannot be read: ${errorCodeOf(error)}`);
  }
  try {
    const signer = createSigner(createPrivateKey(Buffer.from(pem)));
    if (signer !== null) return { ok: true, value: signer };
  } catch {
    // Not PEM, or encrypted: the one message below says what was expected.
  }
  return fail("key-invalid", `${quote(path)}: expected an Ed25519 private key as PKCS#8 PEM`);
}

async function exists(disk: Disk, path: string): Promise<boolean> {
  try {
    await disk.facts(path);
    return true;
  } catch (error) {
    if (errorCodeOf(error) === "ENOENT") return false;
    throw error;
  }
}

function toPem(key: KeyObject): Uint8Array {
  return Buffer.from(key.export({ type: "pkcs8", format: "pem" }));
}
