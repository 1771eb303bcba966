import { randomBytes, randomUUID } from "node:crypto";
import type { ControlPlaneConfig } from "../../adapters/config/control-plane-schema.ts";
import { systemClock } from "../../adapters/distribution/system-clock.ts";
import { WatchedCertificate } from "../../adapters/keys/certificates.ts";
import { KeyCache } from "../../adapters/keys/key-cache.ts";
import { createKeyEnvironment } from "../../adapters/keys/key-environment.ts";
import type { Log } from "../../adapters/telemetry/log.ts";
import { admitLocal, admitNetwork } from "./admission.ts";
import { createApiHandler } from "./api/api-handler.ts";
import { type ApiServer, listenLocal, listenTcp } from "./api/api-server.ts";
import { TokenBuckets } from "./api/token-buckets.ts";
import { ApiIssuers } from "./api-issuers.ts";
import { BundleServing } from "./bundle-serving.ts";
import type { LiveOrganization } from "./live-organization.ts";
import { openConfiguredStore } from "./open-store.ts";
import { Organizations } from "./organizations.ts";

/** A running control plane. */
export interface ControlPlane {
  /** `host:port` of the API. */
  readonly address: string;
  /** Takes no new call, answers those under way, writes what is left of the audit. */
  drain(): Promise<void>;
}

/**
 * Returns the control plane that `config` describes, serving. Throws `config-invalid` for cleartext
 * elsewhere than on loopback, `address-in-use`, `certificate-invalid`, and what opening the store throws.
 * Whatever was opened is closed again before it throws.
 */
export async function startControlPlane(
  config: ControlPlaneConfig,
  log: Log,
): Promise<ControlPlane> {
  const opened: (() => void | Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of opened.splice(0).reverse()) await close();
  };
  try {
    return await open(config, log, opened, closeAll);
  } catch (failure) {
    await closeAll();
    throw failure;
  }
}

async function open(
  config: ControlPlaneConfig,
  log: Log,
  opened: (() => void | Promise<void>)[],
  closeAll: () => Promise<void>,
): Promise<ControlPlane> {
  const instance = randomUUID();
  const random = Math.random;
  const engine = await openConfiguredStore(config.store, { clock: systemClock, random, instance });
  opened.push(() => engine.close());
  for (const warning of engine.warnings) log.warn("store-warning", warning);

  const issuers = new Map<string, ApiIssuers>();
  opened.push(() => {
    for (const one of issuers.values()) one.close();
  });
  const issuersOf = (org: string): ApiIssuers => {
    const known = issuers.get(org);
    if (known !== undefined) return known;
    const made = new ApiIssuers(createKeyCache(config, log), config.api.audiences);
    issuers.set(org, made);
    return made;
  };
  const bundles = new BundleServing({
    config,
    clock: systemClock,
    random,
    log,
    issuersOf: (org) => issuersOf(org).issuers,
  });
  opened.push(() => bundles.close());
  const followed: Promise<void>[] = [];
  let isStarted = false;
  const organizations = new Organizations({
    engine,
    clock: systemClock,
    randomBytes,
    random,
    log,
    instance,
    partition: config.partition,
    onMoved: (organization: LiveOrganization) => {
      const { org, replica } = organization;
      const moved = Promise.all([
        issuersOf(org).follow(replica.state),
        bundles.moved(organization),
      ]).then(() => undefined);
      if (!isStarted) followed.push(moved);
    },
  });
  opened.push(() => organizations.close());
  await organizations.start();
  await Promise.all(followed);
  isStarted = true;

  const buckets = new TokenBuckets(
    { perSecond: config.api.ratePerSecond, burst: config.api.burst },
    systemClock.monotonicMs,
  );
  const { maxBodyBytes, maxDocumentsBytes } = config.api;
  const shared = { buckets, log, maxBodyBytes, maxDocumentsBytes };
  const api = createApiHandler({
    ...shared,
    admit: admitNetwork(organizations, (org) => issuersOf(org).issuers, systemClock.nowMs),
  });
  const certificate = await watchCertificate(config, log, () => network);
  if (certificate !== null) opened.push(() => certificate.close());
  const network: ApiServer = await listenTcp(
    config.addr,
    certificate?.current ?? null,
    async (request, response) => {
      if (isForSidecars(request.url ?? "")) bundles.handle(request, response);
      else await api(request, response);
    },
  );
  const graceMs = config.drainSeconds * 1000;
  const servers = [network];
  opened.push(async () => {
    await Promise.all(servers.map((server) => server.drain(graceMs)));
  });
  if (config.socket !== null) {
    const admit = admitLocal(organizations);
    servers.push(await listenLocal(config.socket, createApiHandler({ ...shared, admit })));
  }
  // Streams end before the listeners wait for them.
  opened.push(() => bundles.close());
  log.info("control-plane-started", "the control plane serves its API", {
    address: network.address,
    socket: config.socket,
    store: engine.engine,
    tls: certificate !== null,
  });
  return { address: network.address, drain: closeAll };
}

function isForSidecars(target: string): boolean {
  return target.startsWith("/v1/") || target.startsWith("/meshiam.bundle.v1.");
}

function createKeyCache({ jwks }: ControlPlaneConfig, log: Log): KeyCache {
  return new KeyCache(
    createKeyEnvironment({
      listener: {
        refreshed: (issuer, result) => {
          if (result.type === "ok") return;
          log.warn("jwks-refresh-failed", "a key set could not be had; known keys serve on", {
            issuer,
            result: result.code,
            reason: result.message,
          });
        },
        keyRefused: (issuer, refused) =>
          log.warn("jwk-refused", "a key of an accepted key set is not used", {
            issuer,
            ...refused,
          }),
        keyReturned: (issuer, keyId) =>
          log.warn("jwk-returned", "a key that had been removed is served again", {
            issuer,
            keyId,
          }),
      },
      timeoutMs: jwks.timeoutMs,
      allowPrivateHosts: jwks.allowPrivateHosts,
      refreshSeconds: jwks.refreshIntervalSeconds,
      unknownKeySeconds: jwks.refreshMinIntervalSeconds,
      maxStaleSeconds: jwks.maxStaleSeconds,
    }),
  );
}

async function watchCertificate(
  { tls }: ControlPlaneConfig,
  log: Log,
  server: () => ApiServer,
): Promise<WatchedCertificate | null> {
  const { certFile, keyFile, clientCaFile } = tls;
  if (certFile === null || keyFile === null) return null;
  return await WatchedCertificate.start({
    files: { certFile, keyFile, clientCaFile },
    listener: {
      reloaded(certificate) {
        server().updateTls(certificate);
        log.info("certificate-reloaded", "a new certificate is in force", {
          fingerprint: certificate.fingerprint,
        });
      },
      refused: (code, message) =>
        log.error("certificate-refused", "new certificate files are not usable", { code, message }),
    },
    nowMs: systemClock.nowMs,
    setTimer(run, delayMs) {
      const timer = setTimeout(run, delayMs).unref();
      return () => clearTimeout(timer);
    },
  });
}
