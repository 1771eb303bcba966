import type { FailedPull } from "../../domain/bundle/refusal.ts";
import type { DocumentProblem } from "../../domain/directory/document-problem.ts";
import type { Directory } from "../../domain/directory/model.ts";
import type { MeshIamError } from "../../iam/error.ts";
import type { ErrorCode } from "../../iam/reason.ts";
import type { CacheStatus } from "./bundle-cache.ts";

/** `result` of `bundle_pulls_total`: one attempt to advance, whatever the carrier. */
export type PullResult = "applied" | "unchanged" | FailedPull;

/** What a verified head says, and when it was received. Immutable. */
export interface HeadFacts {
  readonly org: string;
  readonly slice: string;
  readonly epoch: number;
  readonly revision: number;
  readonly coveredRevision: number;
  /** The store's hash chain at `coveredRevision`, lower-case hex; empty without a store. */
  readonly chain: string;
  /** Lower-case hex. */
  readonly manifestDigest: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  /** Age at receipt, never negative; it goes on by the monotonic clock (BUN-11). */
  readonly ageAtReceiptMs: number;
  readonly receivedAtMonotonicMs: number;
  /** Whether it proved freshness when it was received (BUN-31). */
  readonly fresh: boolean;
}

/** A bundle in force: all of it verified. Immutable. */
export interface ActiveBundle extends HeadFacts {
  readonly directory: Directory;
  /** `documents`, `folder`, …, or `cache` after a start from the own cache. */
  readonly source: string;
  /** Manifest and parts, uncompressed. */
  readonly sizeBytes: number;
}

/** An attempt that came to nothing; the last good bundle stays. */
export interface RefusedBundle {
  readonly code: ErrorCode;
  /** The label it is counted under. */
  readonly result: FailedPull;
  /** One line, or one a problem for documents. No secret, no policy text. */
  readonly detail: string;
  /** The part at fault, null when it is the head, a key set or a document. */
  readonly partId: string | null;
  /** What the listener threw at an activation, for the log; else null. */
  readonly cause: MeshIamError | null;
  readonly atMs: number;
  /** True when the attempt before was refused with the very same words. */
  readonly repeated: boolean;
}

/** Who is told. Calls come one at a time and in order. */
export interface BundleListener {
  /**
   * A new bundle is in force from the moment this returns (or resolves). To throw refuses it: the
   * last good one stays, nothing about it is remembered, and it is tried again.
   */
  activated(bundle: ActiveBundle): void | Promise<void>;
  /**
   * A newer head over the manifest in force: freshness and `coveredRevision` moved, no content. What
   * this or `refused` throws is lost.
   */
  refreshed(head: HeadFacts): void;
  refused(refusal: RefusedBundle): void;
}

/** What a source is doing, for `/status` and the metrics of a scrape. */
export interface SourceStatus {
  /** `documents`, `folder`, … */
  readonly source: string;
  /** The path or address. */
  readonly address: string;
  /** Null before the first activation: the process is then not ready. */
  readonly active: HeadFacts | null;
  /** `cache` until the carrier has confirmed or replaced what the cache held. */
  readonly activeSource: string | null;
  /** Whether what is active is proven to be current now. */
  readonly fresh: boolean;
  /** Age of the last head that named the active manifest; null without one. */
  readonly ageMs: number | null;
  readonly keySet: { readonly number: number; readonly expiresAtMs: number } | null;
  /** True while the active bundle was accepted only because of `bootstrap.acceptStale`. */
  readonly acceptedStale: boolean;
  readonly pulls: Readonly<Record<PullResult, number>>;
  /** Wall clock of the last activation, renewal or confirmation; null before. */
  readonly lastSuccessAtMs: number | null;
  readonly lastRefusal: RefusedBundle | null;
  readonly sizeBytes: number;
  /** Null for a source that keeps nothing. */
  readonly cache: CacheStatus | null;
  /** Whether the carrier answers; null for a source that reads files. */
  readonly connected: boolean | null;
  /** Findings about documents that were accepted. */
  readonly findings: readonly DocumentProblem[];
}

/**
 * Where a sidecar's bundles come from. Arity: exactly one a process. Each kind passes
 * `test/conformance/bundle-source.ts`.
 */
export interface BundleSource {
  /**
   * Resolves when what is at hand has been tried: afterwards a bundle is active, or why not has been
   * told and is tried again by itself. A carrier that does not answer is waited for ten seconds at most,
   * one with a bundle from the cache in force. Throws `MeshIamError` for what only an operator can mend
   * (documents that are invalid at start, a cache that another process holds). Called once.
   */
  start(listener: BundleListener): Promise<void>;
  status(): SourceStatus;
  /** Stops timers and watches and waits for what is under way; no call of the listener follows. */
  close(): Promise<void>;
}
