import type { CheckAttributes } from "./attributes.ts";
import { canonicalHost } from "./canonical-host.ts";
import { type Denied, deny, isDenied } from "./denied.ts";
import { reject } from "./rejection.ts";
import type { ServiceDefinition } from "./service-definition.ts";

/** Anything that stands for a service: whoever wants to find more with it hangs it on the entry. */
export interface ServiceEntry {
  readonly definition: ServiceDefinition;
}

/** The services that an authorizer fronts, and no others. Frozen. */
export interface ServiceTable<E extends ServiceEntry> {
  readonly entries: readonly E[];
  /** By name: one an account that has a service of this name. */
  readonly byName: ReadonlyMap<string, readonly E[]>;
  /** By canonical host; null where two services claim it, which decides for neither. */
  readonly byHost: ReadonlyMap<string, E | null>;
  /** False: the slice has a service that cannot be read (BUN-5), whose name and hosts nobody knows. */
  readonly isComplete: boolean;
}

/** Returns the table of `entries`. Linear in services and hosts; made once a snapshot. */
export function createServiceTable<E extends ServiceEntry>(
  entries: readonly E[],
  isComplete = true,
): ServiceTable<E> {
  const byName = new Map<string, E[]>();
  const byHost = new Map<string, E | null>();
  for (const entry of entries) {
    const { name, hosts } = entry.definition;
    const sameName = byName.get(name);
    if (sameName === undefined) byName.set(name, [entry]);
    else sameName.push(entry);
    for (const text of hosts) {
      const host = canonicalHost(text)?.host;
      if (host === undefined) continue;
      const claimed = byHost.get(host);
      byHost.set(host, claimed === undefined || claimed === entry ? entry : null);
    }
  }
  return Object.freeze({ entries, byName, byHost, isComplete });
}

const unknownName = Object.freeze(deny("route-not-found", "service-name"));
const unknownHost = Object.freeze(deny("route-not-found", "service-host"));
const noService = Object.freeze(deny("route-not-found", "no-service"));
const poisonedService = Object.freeze(deny("evaluation-error", "service-poisoned"));

/**
 * Returns the service that a request is for: the one that the listener's context extensions name; else
 * the only one, whatever the Host; else the one whose hosts have the canonical Host. Never a service
 * outside the table, whatever Host or extension say. Refusals: `route-not-found`, `ambiguous-host`.
 *
 * In a table that is not complete nothing is the only one, and what is not found may be the service
 * that cannot be read: `evaluation-error`.
 *
 * Allocates nothing but for a Host in unusual spelling. Source: envoy-ext-authz 4.3.
 */
export function selectService<E extends ServiceEntry>(
  table: ServiceTable<E>,
  attributes: CheckAttributes,
): E | Denied {
  const found = findService(table, attributes);
  const isLost = !table.isComplete && isDenied(found) && found.reason === "route-not-found";
  return isLost ? poisonedService : found;
}

function findService<E extends ServiceEntry>(
  table: ServiceTable<E>,
  attributes: CheckAttributes,
): E | Denied {
  const name = attributes.contextExtension("mesh-iam-service");
  if (name !== undefined) {
    return named(table, name, attributes.contextExtension("mesh-iam-account")) ?? unknownName;
  }
  const [first] = table.entries;
  if (first === undefined) return noService;
  if (table.entries.length === 1 && table.isComplete) return first;
  if (!attributes.hasRequest) return unknownHost;
  // A text that is a canonical host stands for itself.
  const exact = table.byHost.get(attributes.host);
  if (exact !== undefined) return exact ?? unknownHost;
  const host = canonicalHost(attributes.host);
  if (host === null) return reject("bad-host");
  return table.byHost.get(host.host) ?? unknownHost;
}

function named<E extends ServiceEntry>(
  table: ServiceTable<E>,
  name: string,
  account: string | undefined,
): E | undefined {
  const candidates = table.byName.get(name) ?? [];
  const matches =
    account === undefined
      ? candidates
      : candidates.filter((entry) => entry.definition.account === account);
  return matches.length === 1 ? matches[0] : undefined;
}
