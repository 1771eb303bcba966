import { randomBytes } from "node:crypto";
import type { AuthorizerConfig } from "../../adapters/config/schema.ts";
import { systemClock } from "../../adapters/distribution/system-clock.ts";
import { createEncoder } from "../../adapters/envoy/encode.ts";
import type { Listener, ListenerLimits } from "../../adapters/envoy/listener.ts";
import { createListener, type ListenerKind } from "../../adapters/envoy/server.ts";
import { WatchedCertificate } from "../../adapters/keys/certificates.ts";
import { KeyCache } from "../../adapters/keys/key-cache.ts";
import { createKeyEnvironment } from "../../adapters/keys/key-environment.ts";
import type { DecisionLog } from "../../adapters/telemetry/decision-log.ts";
import { createDiagnostics } from "../../adapters/telemetry/diagnostics.ts";
import type { Log } from "../../adapters/telemetry/log.ts";
import { createMetrics } from "../../adapters/telemetry/metrics.ts";
import type { CheckOutcome } from "../../domain/request/outcome.ts";
import { keyListener } from "./key-listener.ts";
import { createPipeline } from "./pipeline.ts";
import { createBundleSource } from "./sources.ts";
import { createStatus } from "./status.ts";

export interface AuthorizerParts {
  readonly log: Log;
  readonly decisionLog: DecisionLog;
  readonly build: { readonly version: string; readonly commit: string };
  /** Tells this process from others that share its identity; absent: drawn. */
  readonly instance?: string;
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
 * `config-invalid` where they have not the services that are to be fronted, `address-in-use`, `certificate-invalid`.
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
  const { log, decisionLog, build, onOutcome } = parts;
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
  let draining = false;
  const isReady = (): boolean => sync.snapshot !== null && !draining;
  const { answer, refuse, sync, tokens, recorder } = createPipeline({
    config,
    metrics,
    log,
    decisionLog,
    keyCache,
    nowMs,
    monotonicMs,
    random: Math.random,
    randomBytes,
    later: (work) => void setImmediate(work),
    activated: () => listener.setServing(isReady()),
    ...(onOutcome === undefined ? {} : { onOutcome }),
  });

  const encoder = createEncoder({ verbose: config.verbose });
  const certificate = await watchCertificate(config, log, () => listener, nowMs);
  if (certificate !== null) opened.push(() => certificate.close());
  const listener: Listener = createListener(
    {
      address: config.addr,
      check: (message) => answer(message, encoder.encode),
      deny: (reason) => encoder.encode(refuse(reason)),
      ...(certificate === null ? {} : { tls: tlsOf(certificate) }),
      limits: listenerLimits(config),
      onCancel: () => metrics.checkCancelled(),
      ...(config.metrics.level === "full"
        ? { onRpc: { monotonicMs, handled: metrics.rpcHandled } }
        : {}),
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
      maxEntries: config.decisionCache.maxEntries,
    }),
    decisionLog: () => ({ queueLength: decisionLog.queueLength, counts: decisionLog.counts() }),
    certificates: () =>
      certificate === null
        ? []
        : [{ certificate: "grpc", expiresAtMs: certificate.current.notAfterMs }],
  });

  const instance = parts.instance ?? randomBytes(6).toString("hex");
  const source = createBundleSource(config, systemClock, instance, Math.random);
  opened.push(() => source.close());
  metrics.read({ controlPlaneConnected: () => (source.status().connected === true ? 1 : 0) });
  await sync.follow(source);
  const { address } = await listener.start();

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

/** Returns the bounds of the Check listener that are settings; the others have their defaults. */
export function listenerLimits({
  grpcMaxRecvMsgSize,
  limits,
}: Pick<AuthorizerConfig, "grpcMaxRecvMsgSize" | "limits">): Partial<ListenerLimits> {
  return {
    maxMessageBytes: grpcMaxRecvMsgSize,
    maxConcurrentStreams: limits.maxConcurrentStreams,
    pendingTimeoutMs: limits.checkTimeoutMs,
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
