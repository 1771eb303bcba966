import { randomBytes } from "node:crypto";
import type { AuthorizerConfig } from "../../adapters/config/schema.ts";
import { systemClock } from "../../adapters/distribution/system-clock.ts";
import { createDecoder } from "../../adapters/envoy/decode.ts";
import { createEncoder } from "../../adapters/envoy/encode.ts";
import type { Listener } from "../../adapters/envoy/listener.ts";
import { createListener, type ListenerKind } from "../../adapters/envoy/server.ts";
import { WatchedCertificate } from "../../adapters/keys/certificates.ts";
import { KeyCache } from "../../adapters/keys/key-cache.ts";
import { createKeyEnvironment } from "../../adapters/keys/key-environment.ts";
import type { DecisionLog } from "../../adapters/telemetry/decision-log.ts";
import { createDiagnostics } from "../../adapters/telemetry/diagnostics.ts";
import type { Log } from "../../adapters/telemetry/log.ts";
import { createMetrics } from "../../adapters/telemetry/metrics.ts";
import type { CheckOutcome } from "../../domain/request/outcome.ts";
import { createCheck } from "./check.ts";
import type { Progress } from "./conclude.ts";
import { createDecisionIds } from "./decision-id.ts";
import { Identification } from "./identify.ts";
import { IssuerTable } from "./issuer-table.ts";
import { keyListener } from "./key-listener.ts";
import { Memory } from "./memory.ts";
import { createRecorder } from "./recorder.ts";
import { RequestKeys } from "./request-keys.ts";
import { createBundleSource } from "./sources.ts";
import { createStatus } from "./status.ts";
import { Sync } from "./sync.ts";
import { TokenCache } from "./token-cache.ts";
import { createVerificationBudget, defaultBudget } from "./verification-budget.ts";

export interface AuthorizerParts {
  readonly log: Log;
  readonly decisionLog: DecisionLog;
  readonly build: { readonly version: string; readonly commit: string };
  /** Told of every outcome, after metrics and log: what the quickstart shows. */
  readonly onOutcome?: (outcome: CheckOutcome) => void;
  /** Which server answers Checks; absent: the default (`docs/decisions/0002-check-listener.md`). */
  readonly listener?: ListenerKind;
}

/** A running authorizer. */
export interface Authorizer {
  /** Where Checks are answered. */
  readonly address: string;
  readonly diagnostics: { readonly host: string; readonly port: number };
  /** What `/status` shows. */
  status(): unknown;
  /** Ends without losing a Check: `drainSeconds` of serving on, then everything closes. */
  drain(): Promise<void>;
  /** Ends now. */
  close(): Promise<void>;
}

/**
 * Returns the sidecar that `config` describes, running: bundle followed, Checks answered, diagnostics
 * served. It is ready when a first bundle is in force; without one it answers `bundle-missing`.
 *
 * Throws `document-invalid` or `document-unreadable` for documents that are wrong at start,
 * `config-invalid` for a service that the slice does not have, `address-in-use`, `certificate-invalid`.
 * Whatever was opened is closed again before it throws.
 */
export async function startAuthorizer(
  config: AuthorizerConfig,
  parts: AuthorizerParts,
): Promise<Authorizer> {
  const opened: (() => void | Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of opened.splice(0).reverse()) await close();
  };
  try {
    return await open(config, parts, opened, closeAll);
  } catch (failure) {
    await closeAll();
    throw failure;
  }
}

async function open(
  config: AuthorizerConfig,
  parts: AuthorizerParts,
  opened: (() => void | Promise<void>)[],
  closeAll: () => Promise<void>,
): Promise<Authorizer> {
  const { log, decisionLog, build } = parts;
  const { nowMs, monotonicMs } = systemClock;
  const metrics = createMetrics({
    level: config.metrics.level,
    build: { component: "authorizer", ...build },
  });

  const keyCache = new KeyCache(
    createKeyEnvironment({
      listener: keyListener(metrics, log.component("keys")),
      timeoutMs: config.jwks.timeoutMs,
      allowPrivateHosts: config.jwks.allowPrivateHosts,
      refreshSeconds: config.jwks.refreshIntervalSeconds,
      unknownKeySeconds: config.jwks.refreshMinIntervalSeconds,
      maxStaleSeconds: config.jwks.maxStaleSeconds,
    }),
  );
  opened.push(() => keyCache.close());
  const issuers = new IssuerTable(
    keyCache,
    { embeddedKey: (member) => metrics.embeddedKey(member) },
    config.limits.maxTokenBytes,
  );
  const tokens = new TokenCache(
    {
      options: {
        capacity: config.tokenCache.capacity,
        maxBytes: config.tokenCache.maxBytes,
        maxTtlMs: config.tokenCache.maxTtlSeconds * 1000,
      },
      budget: createVerificationBudget({
        ...defaultBudget,
        share: config.limits.verificationShare,
      }),
      monotonicMs,
      count: (result) => metrics.tokenCache(result),
    },
    issuers.issuers,
  );

  const { decisionCache } = config;
  const sync = new Sync({
    settings: {
      services: config.services,
      partition: config.partition,
      region: config.region,
      dryRun: config.dryRun,
      maxCallers: config.tokenCache.capacity,
      decisionCache: decisionCache.enabled ? decisionCache : null,
      evicted: (entries) => metrics.decisionCacheEviction("capacity", entries),
    },
    issuers,
    tokens,
    metrics,
    log: log.component("bundle"),
    nowMs,
    monotonicMs,
  });

  const keys = new RequestKeys({ trustedHops: config.trustedHops, region: config.region });
  const identification = new Identification(keys, () => tokens.issuers);
  const recorder = createRecorder({ config, metrics, decisionLog, log, sync });
  const check = createCheck({
    decoder: createDecoder({
      maxMessageBytes: config.limits.maxCheckBytes,
      maxHeaders: config.limits.maxHeaders,
    }),
    tokens,
    identification,
    memory: new Memory(tokens, identification, keys),
    keys,
    snapshot: () => sync.snapshot,
    bundleAgeMs: () => sync.ageMs,
    staleness: config.staleness,
    nowMs,
    monotonicNs: () => monotonicMs() * 1e6,
    nextDecisionId: createDecisionIds(randomBytes),
    verbose: config.verbose,
    evaluated: recorder.evaluated,
    failed: (failure, decisionId) =>
      log.error("check-failed", "a Check failed inside; it was denied", {
        err: failure,
        decisionId,
      }),
    concluded(outcome: CheckOutcome, progress: Progress) {
      recorder.concluded(outcome, progress);
      parts.onOutcome?.(outcome);
    },
  });

  const source = createBundleSource(config, systemClock);
  opened.push(() => source.close());
  await sync.follow(source);
  for (const finding of source.status().findings) {
    log.warn("document-finding", "a document is accepted with a finding", { finding });
  }

  const encoder = createEncoder({ verbose: config.verbose });
  const certificate = await watchCertificate(config, log, () => listener, nowMs);
  if (certificate !== null) opened.push(() => certificate.close());
  const listener: Listener = createListener(
    {
      address: config.addr,
      check: (message) => encoder.encode(check(message)),
      ...(certificate === null ? {} : { tls: tlsOf(certificate) }),
      limits: {
        maxMessageBytes: config.grpcMaxRecvMsgSize,
        maxConcurrentStreams: config.limits.maxConcurrentStreams,
      },
      onCancel: () => metrics.checkCancelled(),
      log: (level, message, cause) => log[level]("listener", message, { err: cause }),
    },
    parts.listener,
  );
  opened.push(() => listener.close());
  metrics.read({
    checksInFlight: () => listener.counters().inFlight,
    connections: () => listener.counters().connections,
    decisionCache: () => ({
      entries: sync.snapshot?.decisions?.entries ?? 0,
      maxEntries: decisionCache.maxEntries,
    }),
    decisionLog: () => ({ queueLength: decisionLog.queueLength, counts: decisionLog.counts() }),
    certificates: () =>
      certificate === null
        ? []
        : [{ certificate: "grpc", expiresAtMs: certificate.current.notAfterMs }],
  });
  const { address } = await listener.start();

  let draining = false;
  const isReady = (): boolean => sync.snapshot !== null && !draining;
  const status = createStatus({ config, build, sync, source, keyCache, tokens, recorder, isReady });
  const diagnostics = createDiagnostics({
    scrape: metrics.scrape,
    live: () => true,
    ready: isReady,
    status,
    onError: (failure) =>
      log.error("diagnostics-failed", "a diagnostics request failed", { err: failure }),
  });
  const bound = await diagnostics.listen(config.diagnosticAddr);
  opened.push(() => diagnostics.close());
  const health = setInterval(() => listener.setServing(isReady()), 100);
  health.unref();
  opened.push(() => clearInterval(health));
  listener.setServing(isReady());
  log.info("authorizer-started", "the authorizer answers Checks", {
    address,
    diagnostics: `${bound.host}:${bound.port}`,
    ready: isReady(),
  });

  return {
    address,
    diagnostics: bound,
    status,
    async drain() {
      draining = true;
      log.info("authorizer-draining", "the authorizer finishes and ends", {
        drainSeconds: config.drainSeconds,
      });
      await listener.drain({ drainSeconds: config.drainSeconds });
      await closeAll();
      await decisionLog.flush();
    },
    async close() {
      draining = true;
      await closeAll();
      await decisionLog.flush();
    },
  };
}

function tlsOf({ current }: WatchedCertificate) {
  return {
    certificate: current.cert,
    privateKey: current.key,
    clientAuthorities: current.clientCa,
  };
}

async function watchCertificate(
  config: AuthorizerConfig,
  log: Log,
  listener: () => Listener,
  nowMs: () => number,
): Promise<WatchedCertificate | null> {
  const { certFile, keyFile, clientCaFile } = config.tls;
  if (certFile === null || keyFile === null) return null;
  const watched: WatchedCertificate = await WatchedCertificate.start({
    files: { certFile, keyFile, clientCaFile },
    listener: {
      reloaded(certificate) {
        listener().updateTls({
          certificate: certificate.cert,
          privateKey: certificate.key,
          clientAuthorities: certificate.clientCa,
        });
        log.info("certificate-reloaded", "a new certificate is in force", {
          fingerprint: certificate.fingerprint,
        });
      },
      refused: (code, message) =>
        log.error("certificate-refused", "new certificate files are not usable", { code, message }),
    },
    nowMs,
    setTimer(run, delayMs) {
      const timer = setTimeout(run, delayMs);
      timer.unref();
      return () => clearTimeout(timer);
    },
  });
  return watched;
}
