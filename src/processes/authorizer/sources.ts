import { join } from "node:path";
import type { AuthorizerConfig } from "../../adapters/config/schema.ts";
import type { Clock } from "../../adapters/distribution/clock.ts";
import { createConnectDialer } from "../../adapters/distribution/connect-dialer.ts";
import { createDocumentsSource } from "../../adapters/distribution/documents-source.ts";
import { createFolderSource } from "../../adapters/distribution/folder-source.ts";
import { generateSigner } from "../../adapters/distribution/generate-signer.ts";
import { createHttpSource } from "../../adapters/distribution/http-source.ts";
import { createHttpsCarrier } from "../../adapters/distribution/https-carrier.ts";
import { nodeDisk } from "../../adapters/distribution/node-disk.ts";
import type { BundleSource } from "../../adapters/distribution/source.ts";
import { createWatchSource } from "../../adapters/distribution/watch-source.ts";
import { type BundleLimits, defaultBundleLimits } from "../../domain/bundle/limits.ts";

/**
 * Returns the bundle source that the configuration names, one line a carrier. `instance` tells this
 * process from others of its identity; `random` spreads what a fleet does.
 */
export function createBundleSource(
  config: AuthorizerConfig,
  clock: Clock,
  instance: string,
  random: () => number,
): BundleSource {
  const { source, bundle, bootstrap, services, partition } = config;
  const limits: BundleLimits = {
    ...defaultBundleLimits,
    maxSliceBytes: bundle.maxSliceBytes,
    maxPartBytes: bundle.maxPartBytes,
    maxManifestBytes: bundle.maxManifestBytes,
  };
  const cacheFolder = bundle.persist ? join(bundle.stateDir, "bundles", "default") : null;
  const { rootFingerprints, slice, tokenFile } = bundle;
  const files = { tokenFile, ...bundle.tls };
  // INVARIANT: the reader of the configuration asks a remote source for both.
  const org = bundle.organization ?? "";
  const trust = { rootFingerprints, acceptStale: bootstrap.acceptStale, cacheFolder, limits };
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
        { ...trust, folder: source.path, org: bundle.organization, slice },
        nodeDisk,
        clock,
      );
    case "http":
      return createHttpSource(
        {
          ...trust,
          address: source.url,
          org,
          slice: slice ?? "",
          minPollMs: bundle.polling.minDelaySeconds * 1000,
          maxPollMs: bundle.polling.maxDelaySeconds * 1000,
        },
        createHttpsCarrier({ url: source.url, files }, nodeDisk, clock),
        nodeDisk,
        clock,
        random,
      );
    case "controlPlane":
      return createWatchSource(
        { ...trust, address: source.url, org, slice, instance },
        createConnectDialer({ url: source.url, files }, nodeDisk, clock),
        nodeDisk,
        clock,
        random,
      );
  }
}
