import type { AuthMethod, CheckOutcome } from "../../domain/request/outcome.ts";
import { credentialReasons, type Outcome, type Reason } from "../../iam/reason.ts";
import { CheckCounts, type CountedService } from "./check-counts.ts";
import { createExposition, type Scrape } from "./exposition.ts";
import type { MetricKey, MetricsLevel } from "./metric-table.ts";
import {
  authenticationResults,
  authMethods,
  type CertificateName,
  type DecisionCacheResult,
  decisionCacheResults,
  decisionWords,
  type EmbeddedKeyHeader,
  type EvictionReason,
  embeddedKeyHeaders,
  evictionReasons,
  objectKinds,
  outcomes,
  type PullResult,
  pullResults,
  type Rpc,
  rpcCodes,
  rpcs,
  type SinkName,
  type SinkResult,
  type Stage,
  stages,
  type TokenCacheResult,
  tokenCacheResults,
} from "./metric-words.ts";
import {
  ClosedSeries,
  ConfiguredSeries,
  combinations,
  HistogramSeries,
  type Labels,
  ReadSeries,
  type Series,
} from "./series.ts";
import {
  type StoreOperation,
  type StoreResult,
  storeOperations,
  storeResults,
} from "./store-operations.ts";

export interface MetricsOptions {
  /** Default `standard`. */
  readonly level?: MetricsLevel;
  readonly build: { readonly component: string; readonly version: string; readonly commit: string };
}

/** What the bundle in force looks like. Times are Unix milliseconds. */
export interface BundleGauges {
  readonly ready: boolean;
  readonly epoch: number;
  readonly revision: number;
  readonly coveredRevision: number;
  readonly headExpiresAtMs: number;
  readonly keySetExpiresAtMs: number;
  readonly poisonedObjects: number;
  readonly acceptStale: boolean;
  readonly lastSuccessMs: number;
  readonly createdMs: number;
  readonly sizeBytes: number;
  readonly objects: Readonly<Record<(typeof objectKinds)[number], number>>;
}

/** Numbers that live elsewhere and are read when somebody scrapes. */
export interface GaugeReaders {
  readonly checksInFlight?: () => number;
  readonly connections?: () => number;
  /** Whether the control plane, or whoever else brings bundles, answers: 1 or 0. */
  readonly controlPlaneConnected?: () => number;
  readonly decisionCache?: () => { readonly entries: number; readonly maxEntries: number };
  readonly decisionLog?: () => {
    readonly queueLength: number;
    readonly counts: readonly {
      readonly sink: SinkName;
      readonly result: SinkResult;
      readonly count: number;
    }[];
  };
  /** Unix milliseconds at which each certificate in use expires. */
  readonly certificates?: () => readonly {
    readonly certificate: CertificateName;
    readonly expiresAtMs: number;
  }[];
}

/** Counts what happens; shows it to Prometheus. Counting never throws and never waits. */
export interface Metrics {
  /** Two increments and one histogram step; no allocation. */
  recordCheck(outcome: CheckOutcome): void;
  /** For a sample of Checks: each stage costs a clock read. */
  recordStage(stage: Stage, durationNs: number): void;
  checkCancelled(): void;
  selfCheck(agrees: boolean): void;
  decisionCache(result: DecisionCacheResult): void;
  decisionCacheEviction(reason: EvictionReason, entries: number): void;
  tokenCache(result: TokenCacheResult): void;
  embeddedKey(header: EmbeddedKeyHeader): void;
  /** `issuer` is the configured alias; a success also sets the time of the last one. */
  jwksRefresh(issuer: string, result: "ok" | "failed", nowMs: number): void;
  bundlePull(result: PullResult, durationNs: number): void;
  bundleCompiled(durationNs: number): void;
  setBundle(bundle: BundleGauges): void;
  /** A renewed head: only its times move. */
  setBundleFreshness(
    times: Pick<BundleGauges, "headExpiresAtMs" | "lastSuccessMs" | "createdMs">,
  ): void;
  setServices(services: readonly CountedService[]): void;
  storeOperation(op: StoreOperation, result: StoreResult, durationNs: number): void;
  rpcHandled(rpc: Rpc, code: number, durationNs: number): void;
  /** Adds readers; a later one of the same name takes the place of the former. */
  read(readers: GaugeReaders): void;
  /** `accept` is the request's header: OpenMetrics where it is asked for, else text 0.0.4. */
  scrape(accept: string | undefined): Promise<Scrape>;
}

/**
 * Returns the metrics of a process. All counts lie in typed arrays; prom-client is loaded at the
 * first scrape and only formats (performance 2.12).
 */
export function createMetrics(options: MetricsOptions): Metrics {
  const readers: { -readonly [K in keyof GaugeReaders]: GaugeReaders[K] } = {};
  const checks = new CheckCounts();
  const checkDuration = new HistogramSeries(
    "checkDuration",
    combinations({ outcome: outcomes, cache: ["hit", "miss"] }),
  );
  const stageDuration = new HistogramSeries("stageDuration", combinations({ stage: stages }));
  const cancelled = new ClosedSeries("checksCancelled");
  const shadow = new ClosedSeries(
    "shadowDecisions",
    combinations({ enforced: ["allowed"], shadow: decisionWords }),
  );
  const selfCheckSamples = new ClosedSeries("selfCheckSamples");
  const selfCheckMismatches = new ClosedSeries("selfCheckMismatches");
  const decisionCacheRequests = counter("decisionCacheRequests", "result", decisionCacheResults);
  const evictions = counter("decisionCacheEvictions", "reason", evictionReasons);
  const authentications = new ClosedSeries(
    "authentications",
    combinations({ auth_method: authMethods, result: authenticationResults }),
    isJudged,
  );
  const embeddedKeys = counter("tokenEmbeddedKeys", "header", embeddedKeyHeaders);
  const tokenCacheRequests = counter("tokenCacheRequests", "result", tokenCacheResults);
  const jwksRefresh = new ConfiguredSeries("jwksRefresh");
  const jwksLastSuccess = new ConfiguredSeries("jwksLastSuccess");
  const pulls = counter("bundlePulls", "result", pullResults);
  const pullDuration = new HistogramSeries("bundlePullDuration", [{ result: "applied" }]);
  const compileDuration = new HistogramSeries("bundleCompileDuration");
  const bundle = bundleSeries();
  const storeOperation = new HistogramSeries(
    "storeOperationDuration",
    combinations({ op: storeOperations, result: storeResults }),
  );
  const rpcHandled = new ClosedSeries("rpcHandled", rpcLabels(rpcCodes));
  const rpcDuration = new HistogramSeries("rpcDuration", rpcLabels([]));

  const { component, version, commit } = options.build;
  const build = { component, version, commit, node_version: process.versions.node };
  const series: readonly Series[] = [
    new ReadSeries("buildInfo", () => [{ labels: build, value: 1 }]),
    checks,
    checkDuration,
    stageDuration,
    gauge("checksInFlight", () => readers.checksInFlight?.()),
    gauge("connections", () => readers.connections?.()),
    cancelled,
    shadow,
    selfCheckSamples,
    selfCheckMismatches,
    decisionCacheRequests,
    gauge("decisionCacheEntries", () => readers.decisionCache?.().entries),
    gauge("decisionCacheMaxEntries", () => readers.decisionCache?.().maxEntries),
    evictions,
    authentications,
    embeddedKeys,
    tokenCacheRequests,
    jwksRefresh,
    jwksLastSuccess,
    ...Object.values(bundle),
    gauge("controlPlaneConnected", () => readers.controlPlaneConnected?.()),
    pulls,
    pullDuration,
    compileDuration,
    new ReadSeries("decisionLogEvents", () =>
      (readers.decisionLog?.().counts ?? []).map(({ sink, result, count }) => ({
        labels: { sink, result },
        value: count,
      })),
    ),
    gauge("decisionLogQueue", () => readers.decisionLog?.().queueLength),
    new ReadSeries("certificateExpiry", () =>
      (readers.certificates?.() ?? []).map(({ certificate, expiresAtMs }) => ({
        labels: { certificate },
        value: expiresAtMs / 1000,
      })),
    ),
    storeOperation,
    rpcHandled,
    rpcDuration,
  ];
  const scrape = createExposition(
    series.filter(({ spec }) => (spec.component ?? component) === component),
    options.level ?? "standard",
  );

  return {
    recordCheck(outcome) {
      const { answer, decision, service, authMethod } = outcome;
      checks.count(service === null ? null : service.arn, answer.reason, authMethod);
      checkDuration.observe(durationSlot(answer.outcome, outcome.cache), outcome.durationNs);
      const judged = authenticationSlot(outcome.principal !== null, authMethod, decision.reason);
      if (judged >= 0) add(authentications, judged);
      if (outcome.mode === "shadow" && answer.type === "allow") {
        add(shadow, decisionWords.indexOf(decision.decision));
      }
    },
    recordStage: (stage, durationNs) => stageDuration.observe(stages.indexOf(stage), durationNs),
    checkCancelled: () => add(cancelled, 0),
    selfCheck(agrees) {
      add(selfCheckSamples, 0);
      if (!agrees) add(selfCheckMismatches, 0);
    },
    decisionCache: (result) => add(decisionCacheRequests, decisionCacheResults.indexOf(result)),
    decisionCacheEviction: (reason, entries) =>
      add(evictions, evictionReasons.indexOf(reason), entries),
    tokenCache: (result) => add(tokenCacheRequests, tokenCacheResults.indexOf(result)),
    embeddedKey: (header) => add(embeddedKeys, embeddedKeyHeaders.indexOf(header)),
    jwksRefresh(issuer, result, nowMs) {
      // Both results exist from the first fetch on, so that a rate of failures has a zero to rise from.
      jwksRefresh.add({ issuer, result: "ok" }, result === "ok" ? 1 : 0);
      jwksRefresh.add({ issuer, result: "failed" }, result === "failed" ? 1 : 0);
      if (result === "ok") jwksLastSuccess.set({ issuer }, nowMs / 1000);
    },
    bundlePull(result, durationNs) {
      add(pulls, pullResults.indexOf(result));
      if (result === "applied") pullDuration.observe(0, durationNs);
    },
    bundleCompiled: (durationNs) => compileDuration.observe(0, durationNs),
    setBundle(gauges) {
      bundle.ready.values[0] = gauges.ready ? 1 : 0;
      bundle.epoch.values[0] = gauges.epoch;
      bundle.revision.values[0] = gauges.revision;
      bundle.coveredRevision.values[0] = gauges.coveredRevision;
      bundle.keySetExpiry.values[0] = gauges.keySetExpiresAtMs / 1000;
      bundle.poisonedObjects.values[0] = gauges.poisonedObjects;
      bundle.acceptStale.values[0] = gauges.acceptStale ? 1 : 0;
      bundle.size.values[0] = gauges.sizeBytes;
      for (const [at, kind] of objectKinds.entries()) {
        bundle.objects.values[at] = gauges.objects[kind];
      }
      this.setBundleFreshness(gauges);
    },
    setBundleFreshness({ headExpiresAtMs, lastSuccessMs, createdMs }) {
      bundle.headExpiry.values[0] = headExpiresAtMs / 1000;
      bundle.lastSuccess.values[0] = lastSuccessMs / 1000;
      bundle.created.values[0] = createdMs / 1000;
    },
    setServices: (services) => checks.setServices(services),
    storeOperation(op, result, durationNs) {
      const at = storeOperations.indexOf(op) * storeResults.length + storeResults.indexOf(result);
      storeOperation.observe(at, durationNs);
    },
    rpcHandled(rpc, code, durationNs) {
      const at = rpcNames.indexOf(rpc);
      const known = code >= 0 && code < rpcCodes.length ? code : rpcCodes.indexOf("Unknown");
      add(rpcHandled, at * rpcCodes.length + known);
      rpcDuration.observe(at, durationNs);
    },
    read: (more) => void Object.assign(readers, more),
    scrape,
  };
}

const rpcNames = Object.keys(rpcs) as readonly Rpc[];
/** `ok`, then the credential reasons, for each method. */
const resultIndex = new Map<string, number>(
  authenticationResults.map((result, at) => [result, at] as const),
);

/** Nobody is never `ok`; a certificate was judged by Envoy; a refused token is counted under `jwt`. */
function isJudged({ auth_method, result = "" }: Labels): boolean {
  switch (auth_method) {
    case "none":
      return ["unauthenticated", "credentials-ambiguous", "client-certificate-required"].includes(
        result,
      );
    case "mtls":
    case "jwt-svid":
      return ["ok", "unauthenticated", "principal-not-mapped"].includes(result);
    case "session":
    case "sigv4":
      return false;
    default:
      return result !== "replayed" && result !== "revoked";
  }
}

/** Returns where an authentication is counted, -1 where no credential was judged. */
function authenticationSlot(hasPrincipal: boolean, method: AuthMethod, reason: Reason): number {
  const first = authMethods.indexOf(method) * authenticationResults.length;
  if (credentialReasons.has(reason)) return first + (resultIndex.get(reason) ?? 0);
  return hasPrincipal && method !== "none" ? first : -1;
}

function durationSlot(outcome: Outcome, cache: CheckOutcome["cache"]): number {
  return outcomes.indexOf(outcome) * 2 + (cache === "hit" ? 0 : 1);
}

function add(series: ClosedSeries, at: number, amount = 1): void {
  series.values[at] = (series.values[at] as number) + amount;
}

function counter(key: MetricKey, label: string, words: readonly string[]): ClosedSeries {
  return new ClosedSeries(
    key,
    words.map((word) => ({ [label]: word })),
  );
}

/** A gauge without labels; nothing is shown while nobody holds the number. */
function gauge(key: MetricKey, read: () => number | undefined): ReadSeries {
  return new ReadSeries(key, () => {
    const value = read();
    return value === undefined ? [] : [{ labels: {}, value }];
  });
}

function rpcLabels(codes: readonly string[]): Labels[] {
  return rpcNames.flatMap((rpc) => {
    const [grpc_type, grpc_service, grpc_method] = rpcs[rpc];
    const labels = { grpc_type, grpc_service, grpc_method };
    return codes.length === 0 ? [labels] : codes.map((grpc_code) => ({ ...labels, grpc_code }));
  });
}

function bundleSeries() {
  return {
    ready: new ClosedSeries("bundleReady"),
    epoch: new ClosedSeries("bundleEpoch"),
    revision: new ClosedSeries("bundleRevision"),
    coveredRevision: new ClosedSeries("bundleCoveredRevision"),
    headExpiry: new ClosedSeries("bundleHeadExpiry"),
    keySetExpiry: new ClosedSeries("bundleKeySetExpiry"),
    poisonedObjects: new ClosedSeries("bundlePoisonedObjects"),
    acceptStale: new ClosedSeries("bundleAcceptStale"),
    lastSuccess: new ClosedSeries("bundleLastSuccess"),
    created: new ClosedSeries("bundleCreated"),
    size: new ClosedSeries("bundleSize"),
    objects: counter("bundleObjects", "kind", objectKinds),
  };
}
