import { join } from "node:path";
import type { AuthorizerConfig } from "../../adapters/config/schema.ts";
import type { Clock } from "../../adapters/distribution/clock.ts";
import { createDocumentsSource } from "../../adapters/distribution/documents-source.ts";
import { createFolderSource } from "../../adapters/distribution/folder-source.ts";
import { generateSigner } from "../../adapters/distribution/generate-signer.ts";
import { nodeDisk } from "../../adapters/distribution/node-disk.ts";
import type { BundleSource } from "../../adapters/distribution/source.ts";
import { type BundleLimits, defaultBundleLimits } from "../../domain/bundle/limits.ts";

/** Returns the bundle source that the configuration names: one line a carrier. */
export function createBundleSource(config: AuthorizerConfig, clock: Clock): BundleSource {
  const { source, bundle, bootstrap, services, partition } = config;
  const limits: BundleLimits = {
    ...defaultBundleLimits,
    maxSliceBytes: bundle.maxSliceBytes,
    maxPartBytes: bundle.maxPartBytes,
    maxManifestBytes: bundle.maxManifestBytes,
  };
  switch (source.type) {
    case "documents":
      return createDocumentsSource(
        {
          folder: source.path,
          services: services.length === 0 ? null : services,
          documents: { partition },
          headRenewSeconds: bundle.headRenewSeconds,
          validForSeconds: bundle.headValidSeconds,
          limits,
        },
        nodeDisk,
        clock,
        generateSigner,
      );
    case "folder":
      return createFolderSource(
        {
          folder: source.path,
          rootFingerprints: bundle.rootFingerprints,
          org: null,
          slice: bundle.slice,
          acceptStale: bootstrap.acceptStale,
          cacheFolder: bundle.persist ? join(bundle.stateDir, "bundles", "default") : null,
          limits,
        },
        nodeDisk,
        clock,
      );
  }
}
