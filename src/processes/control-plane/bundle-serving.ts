import type { ControlPlaneConfig } from "../../adapters/config/control-plane-schema.ts";
import { BundleServer } from "../../adapters/distribution/bundle-server.ts";
import type { Clock } from "../../adapters/distribution/clock.ts";
import type { Peer } from "../../adapters/distribution/fleet.ts";
import type { Scope } from "../../adapters/distribution/scope.ts";
import { type RequestHandler, serveBundles } from "../../adapters/distribution/serve-bundles.ts";
import type { Log } from "../../adapters/telemetry/log.ts";
import { sealHeadOf } from "../../domain/bundle/build.ts";
import type { Issuers } from "../../domain/credentials/issuers.ts";
import { MeshIamError } from "../../iam/error.ts";
import { provenCaller } from "./api/api-authentication.ts";
import type { ApiRequest } from "./api/api-handler.ts";
import { type BundleKeys, keyFolder, readBundleKeys } from "./bundle-keys.ts";
import { BundlePublisher } from "./bundle-publisher.ts";
import type { ProvenCaller } from "./caller.ts";
import type { LiveOrganization } from "./live-organization.ts";

export interface BundleServingParts {
  readonly config: ControlPlaneConfig;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly issuersOf: (org: string) => Issuers;
}

/** Bundles of all organizations, published and served to whom they are for. */
export class BundleServing {
  readonly #parts: BundleServingParts;
  readonly #publishers = new Map<string, BundlePublisher>();
  readonly #keys = new Map<string, BundleKeys>();
  readonly #opening = new Map<string, Promise<void>>();
  readonly #server: BundleServer;
  readonly handle: RequestHandler;

  constructor(parts: BundleServingParts) {
    this.#parts = parts;
    const { clock, random, log } = parts;
    const onError = (failure: unknown) =>
      log.error("bundle-serving-failed", "a request for bundles failed", {
        err: MeshIamError.from(failure),
      });
    this.#server = new BundleServer({
      clock,
      random,
      scopeOf: (identity) => this.#scopeOf(identity),
      seal: (head) => sealHeadOf(head, this.#keysOf(head.org).signer),
      // Where sidecars stand is not kept yet.
      fleet: { reported: () => undefined },
      wanted: async (scope) => this.#publishers.get(scope.org)?.want(scope),
      onError,
      limits: { validForMs: parts.config.bundle.headValidSeconds * 1000 },
    });
    this.handle = serveBundles(this.#server, {
      clock,
      onError,
      authenticate: (request) => this.#peerOf(request as ApiRequest),
    });
  }

  /** An organization was opened, or its replica has moved. Never rejects. */
  async moved(organization: LiveOrganization): Promise<void> {
    const { org } = organization;
    const known = this.#publishers.get(org);
    if (known !== undefined) {
      known.moved();
      return;
    }
    const opening = this.#opening.get(org) ?? this.#open(organization);
    this.#opening.set(org, opening);
    await opening;
  }

  close(): void {
    for (const publisher of this.#publishers.values()) publisher.close();
    this.#server.close();
  }

  async #open({ org, replica }: LiveOrganization): Promise<void> {
    const { config, clock, log } = this.#parts;
    const keys = await readBundleKeys(keyFolder(config, org), org, log).catch((err: unknown) => {
      log.error("bundle-keys-unreadable", "bundle keys cannot be read", { organization: org, err });
      return null;
    });
    if (keys === null) return;
    this.#keys.set(org, keys);
    for (const [number, sealed] of keys.keySets) this.#server.publishKeySet(org, number, sealed);
    const headValidMs = config.bundle.headValidSeconds * 1000;
    const server = this.#server;
    const publisher = new BundlePublisher({ replica, keys, server, clock, log, headValidMs });
    this.#publishers.set(org, publisher);
  }

  #keysOf(org: string): BundleKeys {
    const keys = this.#keys.get(org);
    if (keys === undefined) throw new MeshIamError("internal", "a head of nobody's");
    return keys;
  }

  /** An identity that two organizations know is neither's: whose words it may read cannot be told. */
  #scopeOf(identity: string): Scope | null {
    const scopes = [...this.#publishers.values()].flatMap((one) => one.scopeOf(identity) ?? []);
    return scopes.length === 1 ? (scopes[0] ?? null) : null;
  }

  /** A sidecar proves itself by a certificate or a JWT-SVID that its organization accepts. */
  #peerOf(request: ApiRequest): Peer | null {
    const { issuersOf, clock } = this.#parts;
    for (const org of this.#publishers.keys()) {
      const caller = provenCaller(request, issuersOf(org), clock.nowMs());
      const identity = "ok" in caller ? null : spiffeIdOf(caller);
      if (identity !== null && this.#scopeOf(identity)?.org === org)
        return { identity, instance: null };
    }
    return null;
  }
}

function spiffeIdOf(caller: ProvenCaller): string | null {
  if (caller.type !== "authenticated") return null;
  const { principalCredential: credential } = caller.authentication;
  if (credential === null || credential.type === "jwt") return null;
  return credential.spiffeId.text;
}
