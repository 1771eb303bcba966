import type {
  ActiveBundle,
  BundleListener,
  BundleSource,
  HeadFacts,
  RefusedBundle,
} from "../../adapters/distribution/source.ts";
import type { Log } from "../../adapters/telemetry/log.ts";
import type { Metrics } from "../../adapters/telemetry/metrics.ts";
import { formatDocumentProblem } from "../../domain/directory/document-problem.ts";
import type { Directory } from "../../domain/directory/model.ts";
import type { IssuerTable } from "../issuers/issuer-table.ts";
import { createSnapshot, type Snapshot, type SnapshotSettings } from "./snapshot.ts";
import type { TokenCache } from "./token-cache.ts";

export interface SyncParts {
  readonly settings: SnapshotSettings;
  /** `bootstrap.acceptStale`: shown for as long as it is on. */
  readonly acceptsStale: boolean;
  readonly issuers: IssuerTable;
  readonly tokens: TokenCache;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
  /** Given the first snapshot before it is in force, once its issuers are. */
  readonly warmUp?: (snapshot: Snapshot, directory: Directory) => void;
  /** Told of each activation, when it is in force. */
  readonly activated?: () => void;
}

/**
 * Follows the bundle source: makes the snapshot of what was verified and puts it in force by one
 * assignment. What cannot be made ready is refused, and the last good snapshot goes on (BUN-4).
 */
export class Sync implements BundleListener {
  readonly #parts: SyncParts;
  #snapshot: Snapshot | null = null;
  #head: HeadFacts | null = null;
  #source: BundleSource | null = null;

  constructor(parts: SyncParts) {
    this.#parts = parts;
  }

  /** Starts the source; its status is read for metrics from then on. */
  async follow(source: BundleSource): Promise<void> {
    this.#source = source;
    await source.start(this);
  }

  /** The snapshot in force; null before the first activation. */
  get snapshot(): Snapshot | null {
    return this.#snapshot;
  }

  /** Age of the last head that named the manifest in force (BUN-11); Infinity without one. */
  get ageMs(): number {
    const head = this.#head;
    if (head === null) return Number.POSITIVE_INFINITY;
    return head.ageAtReceiptMs + this.#parts.monotonicMs() - head.receivedAtMonotonicMs;
  }

  async activated(bundle: ActiveBundle): Promise<void> {
    const { settings, issuers, tokens, metrics, monotonicMs } = this.#parts;
    const { epoch, revision, coveredRevision } = bundle;
    const startMs = monotonicMs();
    const snapshot = createSnapshot(
      bundle.directory,
      { epoch, revision, coveredRevision },
      settings,
    );
    const compiledMs = monotonicMs();
    await issuers.follow(bundle.directory);
    if (this.#snapshot === null) this.#warmUp(snapshot, bundle.directory);
    // INVARIANT: nothing is awaited from here on, so that no Check meets one without the other.
    tokens.issuers = issuers.issuers;
    const former = this.#snapshot;
    this.#snapshot = snapshot;
    this.#head = bundle;
    metrics.decisionCacheEviction("revision", former?.decisions?.entries ?? 0);
    metrics.bundleCompiled((compiledMs - startMs) * 1e6);
    metrics.bundlePull("applied", (monotonicMs() - startMs) * 1e6);
    metrics.setServices(snapshot.services.entries.map(({ definition }) => definition));
    this.#showBundle(bundle);
    this.#logBundle(bundle, snapshot);
    this.#parts.activated?.();
  }

  /** A bundle that cannot be warmed up is as good as any. */
  #warmUp(snapshot: Snapshot, directory: Directory): void {
    try {
      this.#parts.warmUp?.(snapshot, directory);
    } catch (err) {
      this.#parts.log.warn("warm-up-failed", "the first Checks will be slow", { err });
    }
  }

  refreshed(head: HeadFacts): void {
    this.#head = head;
    const { metrics, nowMs } = this.#parts;
    metrics.bundlePull("unchanged", 0);
    metrics.setBundleFreshness({
      headExpiresAtMs: head.expiresAtMs,
      lastSuccessMs: nowMs(),
      createdMs: head.issuedAtMs,
    });
  }

  refused(refusal: RefusedBundle): void {
    this.#parts.metrics.bundlePull(refusal.result, 0);
    if (refusal.repeated) return;
    this.#parts.log.error(
      "bundle-refused",
      this.#head === null
        ? "a bundle was refused; none is in force yet, so every request is denied"
        : "a bundle was refused; the last good one stays in force",
      {
        code: refusal.code,
        result: refusal.result,
        part: refusal.partId,
        detail: refusal.detail,
        ...(refusal.cause === null ? {} : { err: refusal.cause }),
      },
    );
  }

  #logBundle(bundle: ActiveBundle, { services }: Snapshot): void {
    const { log } = this.#parts;
    const { epoch, revision, source, manifestDigest, directory } = bundle;
    log.info("bundle-activated", "a bundle is in force", {
      epoch,
      revision,
      source,
      digest: manifestDigest,
      services: services.entries.map(
        ({ definition }) => `${definition.account}/${definition.name}`,
      ),
    });
    if (directory.poison.length > 0) {
      log.error("bundle-poisoned", "objects cannot be used; whatever they touch is denied", {
        objects: directory.poison.map(({ objectId, reason }) => ({ objectId, reason })),
      });
    }
    for (const finding of this.#source?.status().findings ?? []) {
      const { severity, code } = finding;
      const detail = formatDocumentProblem(finding);
      log.warn("document-finding", "a document is accepted with a finding", {
        severity,
        code,
        detail,
      });
    }
  }

  #showBundle(bundle: ActiveBundle): void {
    const { metrics, nowMs, acceptsStale } = this.#parts;
    const { directory } = bundle;
    const status = this.#source?.status();
    metrics.setBundle({
      ready: true,
      epoch: bundle.epoch,
      revision: bundle.revision,
      coveredRevision: bundle.coveredRevision,
      headExpiresAtMs: bundle.expiresAtMs,
      keySetExpiresAtMs: status?.keySet?.expiresAtMs ?? 0,
      poisonedObjects: directory.poison.length,
      acceptStale: acceptsStale,
      lastSuccessMs: nowMs(),
      createdMs: bundle.issuedAtMs,
      sizeBytes: bundle.sizeBytes,
      objects: {
        policies: directory.managedPolicies.length,
        principals: directory.users.length + directory.workloads.length,
        roles: directory.roles.length,
        resources: directory.services.length,
      },
    });
  }
}
