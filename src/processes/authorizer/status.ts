import type { AuthorizerConfig } from "../../adapters/config/schema.ts";
import type { BundleSource } from "../../adapters/distribution/source.ts";
import type { KeyCache } from "../../adapters/keys/key-cache.ts";
import type { Recorder } from "./recorder.ts";
import type { Sync } from "./sync.ts";
import type { TokenCache } from "./token-cache.ts";

export interface StatusParts {
  readonly config: AuthorizerConfig;
  readonly build: { readonly version: string; readonly commit: string };
  readonly sync: Sync;
  readonly source: BundleSource;
  readonly keyCache: KeyCache;
  readonly tokens: TokenCache;
  readonly recorder: Recorder;
  readonly isReady: () => boolean;
}

/**
 * Returns what `/status` shows: what is in force and how old, what it fronts, what was refused last,
 * and how each subsystem fares. For people and `doctor`; no secret and no policy text in it.
 */
export function createStatus(parts: StatusParts): () => unknown {
  const { config, build, sync, source, keyCache, tokens, recorder } = parts;
  return () => {
    const { snapshot } = sync;
    const {
      source: kind,
      address,
      fresh,
      ageMs,
      lastRefusal,
      activeSource,
      connected,
      ...rest
    } = source.status();
    return {
      version: build.version,
      ready: parts.isReady(),
      bundle: {
        source: { type: kind, address, active: activeSource, connected },
        epoch: snapshot?.position.epoch ?? null,
        revision: snapshot?.position.revision ?? null,
        coveredRevision: snapshot?.position.coveredRevision ?? null,
        digest: rest.active?.manifestDigest ?? null,
        ageSeconds: ageMs === null ? null : Math.round(ageMs / 1000),
        fresh,
        keySet: rest.keySet,
        acceptedStale: rest.acceptedStale,
        sizeBytes: rest.sizeBytes,
        unusablePolicies: [...(snapshot?.compiler.unusable ?? [])],
        poisoned: snapshot?.lookup.directory.poison ?? [],
        lastRefusal,
        cache: rest.cache,
      },
      services: (snapshot?.services.entries ?? []).map(({ definition, shadow }) => ({
        name: definition.name,
        account: definition.account,
        mode: shadow ? "shadow" : "enforce",
        hosts: definition.hosts,
        routes: definition.routes.length,
      })),
      dryRun: config.dryRun,
      keySets: keyCache.status,
      tokenCache: { entries: tokens.size, maxEntries: config.tokenCache.capacity },
      decisionCache: {
        enabled: config.decisionCache.enabled,
        entries: snapshot?.decisions?.entries ?? 0,
        maxEntries: config.decisionCache.maxEntries,
      },
      selfCheck: { sampleRate: config.selfCheck.sampleRate, ...recorder.selfCheck },
    };
  };
}
