import { LRUCache } from "lru-cache";
import type { Credential } from "../../domain/credentials/credential.ts";
import { policiesOfService } from "../../domain/directory/apply.ts";
import { createLookup, type DirectoryLookup } from "../../domain/directory/lookup.ts";
import type { Directory, Service } from "../../domain/directory/model.ts";
import { createServiceTable, type ServiceTable } from "../../domain/request/service-table.ts";
import type { TrustEvaluator } from "../../domain/sts/web-identity-trust.ts";
import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";
import type { AttestedKeys } from "./attested-keys.ts";
import type { Caller } from "./caller.ts";
import { DecisionCache, type DecisionCacheOptions, type Eviction } from "./decision-cache.ts";
import { frontService } from "./front-service.ts";
import type { FrontedService } from "./fronted-service.ts";
import { PolicyCompiler } from "./policy-compiler.ts";
import { createTrustEvaluator } from "./trust-evaluator.ts";

/** Where a snapshot stands in the history of its organization. */
export interface SnapshotPosition {
  readonly epoch: number;
  readonly revision: number;
  readonly coveredRevision: number;
}

/**
 * The compiled state of one revision: immutable in meaning, filled lazily, replaced as a whole by one
 * assignment. Caches that depend on the revision live in it and die with it (BUN-4).
 */
export interface Snapshot {
  readonly position: SnapshotPosition;
  readonly lookup: DirectoryLookup;
  readonly services: ServiceTable<FrontedService>;
  readonly compiler: PolicyCompiler;
  /** Callers by the credential object that gave them; anonymous callers have one of their own. */
  readonly callers: LRUCache<Credential, Caller>;
  anonymous: Caller | null;
  readonly trust: TrustEvaluator;
  /** Keys of what tokens and peers proved, kept beside the credential that proved it. */
  readonly attested: WeakMap<Credential, AttestedKeys>;
  readonly decisions: DecisionCache | null;
}

export interface SnapshotSettings {
  /** `{account}/{name}` of the services to front; empty: all of the slice. */
  readonly services: readonly string[];
  readonly partition: string;
  readonly region: string;
  readonly dryRun: boolean;
  /** Callers that are remembered, and their bytes. */
  readonly maxCallers: number;
  readonly maxCallerBytes: number;
  /** Null: every Check is evaluated. */
  readonly decisionCache: DecisionCacheOptions | null;
  readonly evicted: (reason: Eviction, entries: number) => void;
}

/**
 * Returns the snapshot of `directory`. Throws `config-invalid` for a service to be fronted that the
 * slice does not have: the sidecar would answer `route-not-found` to everything and look healthy.
 * Routes are compiled here, policies when they are first needed.
 */
export function createSnapshot(
  directory: Directory,
  position: SnapshotPosition,
  settings: SnapshotSettings,
): Snapshot {
  const lookup = createLookup(directory);
  const compiler = new PolicyCompiler();
  // Compiled as what they are before anybody else asks for them as something else.
  for (const { policy } of directory.serviceControlPolicies) {
    if (policy !== null) compiler.policy(policy, "serviceControl");
  }
  for (const { policy } of directory.resourceControlPolicies) {
    if (policy !== null) compiler.policy(policy, "resourceControl");
  }
  const parts = { compiler, ...settings };
  const services = frontedServices(directory, settings.services).map((service) =>
    frontService(service, policiesOfService(lookup, service), parts),
  );
  // services that are named are all there: see `frontedServices`
  const isComplete = settings.services.length > 0 || lookup.poison.ofKind("service").length === 0;
  return {
    position,
    lookup,
    services: createServiceTable(services, isComplete),
    compiler,
    callers: new LRUCache<Credential, Caller>({
      max: settings.maxCallers,
      maxSize: settings.maxCallerBytes,
      sizeCalculation: (_caller, credential) => bytesOfCaller(credential),
    }),
    anonymous: null,
    trust: createTrustEvaluator(compiler),
    attested: new WeakMap(),
    decisions:
      settings.decisionCache === null
        ? null
        : new DecisionCache(settings.decisionCache, settings.evicted),
  };
}

/** Principal and keys of a caller, measured; its credential's claims once more, as condition keys. */
function bytesOfCaller(credential: Credential): number {
  return 3_500 + (credential.type === "mtls" ? 0 : credential.claims.size * 300);
}

function frontedServices(directory: Directory, wanted: readonly string[]): readonly Service[] {
  if (wanted.length === 0) return directory.services;
  const byName = new Map(
    directory.services.map((service) => [`${service.account}/${service.name}`, service]),
  );
  return wanted.map((name) => {
    const service = byName.get(name);
    if (service !== undefined) return service;
    const known = [...byName.keys()].map(quote).join(", ");
    throw new MeshIamError(
      "config-invalid",
      `services: no service ${quote(name)} in this slice, which has ${known === "" ? "none" : known}`,
    );
  });
}
