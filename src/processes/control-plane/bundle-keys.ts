import { join } from "node:path";
import type { ControlPlaneConfig } from "../../adapters/config/control-plane-schema.ts";
import { readKeySets } from "../../adapters/distribution/bundle-folder.ts";
import { bundleKeyName, readSigner } from "../../adapters/distribution/key-files.ts";
import { nodeDisk } from "../../adapters/distribution/node-disk.ts";
import type { Log } from "../../adapters/telemetry/log.ts";
import type { Signer } from "../../domain/bundle/ed25519.ts";
import { defaultBundleLimits } from "../../domain/bundle/limits.ts";

/** What an organization signs its heads with, and the key sets that say so. */
export interface BundleKeys {
  readonly signer: Signer;
  readonly keySets: ReadonlyMap<number, Uint8Array>;
}

/** Returns where the keys of an organization are. */
export function keyFolder({ bundle }: Pick<ControlPlaneConfig, "bundle">, org: string): string {
  return join(bundle.keys, org);
}

/** Returns the keys in `folder`; null, and a warning, where they cannot be had: nothing is published. */
export async function readBundleKeys(
  folder: string,
  org: string,
  log: Log,
): Promise<BundleKeys | null> {
  const signer = await readSigner(nodeDisk, join(folder, bundleKeyName));
  const keySets = await readKeySets(nodeDisk, folder, 0, defaultBundleLimits);
  if (signer.ok && keySets.size > 0) return { signer: signer.value, keySets };
  log.warn("bundle-keys-missing", "no bundle is published: there are no keys", {
    organization: org,
    folder,
    reason: signer.ok ? "no key set" : signer.message,
  });
  return null;
}
