import { quote } from "../../iam/problem.ts";
import { compareText } from "./compare-text.ts";
import { noteAt, type Place } from "./document-problem.ts";
import type { PlacedService, World } from "./kinds/world.ts";
import { formatWhere } from "./kinds/world.ts";
import type { OrganizationPolicy } from "./model.ts";

/** What can only be judged when all documents of a run have been resolved. */
export function checkRun(world: World): void {
  checkHosts(world);
  checkAttachments(world);
}

/**
 * Reports one host in two services that somebody fronts together: he could not tell them apart
 * (FILE-24). Linear in the services of each identity.
 */
function checkHosts(world: World): void {
  const fronted = new Map<string, PlacedService[]>();
  for (const placed of world.services) {
    const { workloads, gateways } = placed.service;
    for (const identity of new Set([...workloads, ...gateways])) {
      const all = fronted.get(identity);
      if (all === undefined) fronted.set(identity, [placed]);
      else all.push(placed);
    }
  }
  const told = new Set<Place>();
  for (const [identity, services] of fronted) {
    const owners = new Map<string, { readonly service: PlacedService; readonly place: Place }>();
    for (const service of services) {
      for (const { value: host, place } of service.hosts) {
        const first = owners.get(host);
        if (first === undefined) owners.set(host, { service, place });
        else if (!told.has(place)) {
          told.add(place);
          const other = `${first.place.subject} at ${formatWhere(first.place)}`;
          const message = `the host ${quote(host)} is that of ${other} too, and ${quote(identity)} serves both`;
          world.refuse(place, "CONFLICT", message);
        }
      }
    }
  }
}

/**
 * Returns the table SPIFFE id → ARN of the service that names it under `workloads`, and tells of an id
 * that two services name: it is in neither's, since a key is never guessed (KEY-3).
 */
export function serviceIdentitiesOf(world: World): ReadonlyMap<string, string> {
  const owners = new Map<string, { readonly arn: string; readonly place: Place }>();
  const ambiguous = new Set<string>();
  for (const { service, workloads } of world.services) {
    for (const { value: identity, place } of workloads) {
      const first = owners.get(identity);
      if (first === undefined) {
        owners.set(identity, { arn: service.arn, place });
        continue;
      }
      ambiguous.add(identity);
      const other = `${first.place.subject} at ${formatWhere(first.place)}`;
      const message = `${quote(identity)} is a workload of ${other} too, so \`mesh:SourceServiceArn\` is absent for it: name it under \`gateways\` of one of them`;
      noteAt(world.report, place, "AMBIGUOUS_WORKLOAD", "WARNING", message);
    }
  }
  const sorted = [...owners]
    .filter(([identity]) => !ambiguous.has(identity))
    .sort(([a], [b]) => compareText(a, b));
  return new Map(sorted.map(([identity, { arn }]) => [identity, arn]));
}

/** Reports targets with more SCPs or RCPs than the quota; the built-in ones count (iam-semantics 2.5). */
function checkAttachments(world: World): void {
  const { serviceControlPolicies, resourceControlPolicies } = world.draft;
  const { quotas } = world;
  const names = new Map([...world.units].map(([path, id]) => [id, path]));
  if (world.organization !== null) names.set(world.organization.rootId, "/");
  const builtIn = serviceControlPolicies.every(({ policy }) => policy !== null) ? 1 : 0;
  const kinds = [
    [
      "ServiceControlPolicy",
      serviceControlPolicies,
      quotas.serviceControlPoliciesPerTarget - builtIn,
    ],
    ["ResourceControlPolicy", resourceControlPolicies, quotas.resourceControlPoliciesPerTarget - 1],
  ] as const;
  for (const [kind, policies, max] of kinds) {
    for (const { target, name } of aboveQuota(policies, max)) {
      const header = world.find(kind, "", name);
      if (header === undefined) continue;
      const message = `expected at most ${max} policies attached to ${quote(names.get(target) ?? target)}, built-in ones not counted`;
      world.refuse(header.place, "QUOTA_EXCEEDED", message);
    }
  }
}

function* aboveQuota(
  policies: readonly OrganizationPolicy[],
  max: number,
): Generator<{ readonly target: string; readonly name: string }> {
  const counts = new Map<string, number>();
  for (const { name, targetIds } of policies) {
    for (const target of targetIds) {
      const count = (counts.get(target) ?? 0) + 1;
      counts.set(target, count);
      if (count === max + 1) yield { target, name };
    }
  }
}
