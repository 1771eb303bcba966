import type { WrittenDocument } from "../kinds/kind.ts";
import { oidcProviderKind } from "../kinds/oidc-provider.ts";
import { serviceKind } from "../kinds/service.ts";
import { trustDomainKind } from "../kinds/trust-domain.ts";
import type { Directory, OidcProvider, Service, TrustDomain } from "../model.ts";
import { asKind } from "../state/entity.ts";
import { nameKeyOf } from "../state/stored-form.ts";
import { foreign, type PlanContext, type Steps } from "./step.ts";

/** Yields what makes the trust domains as `desired` has them: workloads stand on them. */
export function* trustDomainSteps({ desired, state, manager }: PlanContext): Steps {
  for (const wanted of desired.trustDomains) {
    const object = `TrustDomain ${wanted.name}`;
    const found = asKind(state.named("trustDomain", "", nameKeyOf(wanted.name)), "trustDomain");
    if (found !== null && isSame(found.record, wanted)) continue;
    const other = found === null ? null : foreign(object, found, manager);
    if (other !== null) yield other;
    const change = found === null ? "create" : "update";
    const input = inputOf(trustDomainKind.write(only(desired, { trustDomains: [wanted] })));
    yield { object, change, operation: "mesh-iam:PutTrustDomain", input };
  }
}

/** Yields what makes the providers as `desired` has them: their rules name users and roles. */
export function* providerSteps({ desired, state, manager }: PlanContext): Steps {
  for (const wanted of desired.oidcProviders) {
    const { account, name, issuer } = wanted;
    const object = `OidcProvider ${account}/${name}`;
    const key = nameKeyOf(issuer.slice("https://".length));
    const found = asKind(state.named("oidcProvider", account, key), "oidcProvider");
    if (found !== null && isSame(found.record, wanted)) continue;
    const other = found === null ? null : foreign(object, found, manager);
    if (other !== null) yield other;
    const input = inputOf(oidcProviderKind.write(only(desired, { oidcProviders: [wanted] })));
    yield found === null
      ? { object, change: "create", operation: "iam:CreateOpenIDConnectProvider", input }
      : { object, change: "update", operation: "iam:UpdateOpenIDConnectProvider", input };
  }
}

/** Yields what makes the services as `desired` has them. */
export function* serviceSteps({ desired, state, manager }: PlanContext): Steps {
  for (const wanted of desired.services) {
    const object = `Service ${wanted.account}/${wanted.name}`;
    const found = asKind(state.named("service", wanted.account, nameKeyOf(wanted.name)), "service");
    if (found !== null && isSame(found.record, wanted)) continue;
    const other = found === null ? null : foreign(object, found, manager);
    if (other !== null) yield other;
    const change = found === null ? "create" : "update";
    const { resourcePolicy } = wanted;
    const { name: serviceName, ...written } = inputOf(
      serviceKind.write(only(desired, { services: [wanted] })),
    );
    // Byte for byte, as it was written (FILE-3).
    const policy = resourcePolicy === null ? {} : { resourcePolicy: resourcePolicy.text };
    const input = { serviceName, ...written, ...policy };
    yield { object, change, operation: "mesh-iam:PutServiceDefinition", input };
  }
}

function only(desired: Directory, part: Partial<Directory>): Directory {
  return { ...desired, services: [], oidcProviders: [], trustDomains: [], ...part };
}

/** A document as the input of the operation that takes its members. */
function inputOf([document]: readonly WrittenDocument[]): Readonly<Record<string, unknown>> {
  if (document === undefined) return {};
  const { metadata, spec } = document;
  return plain({ ...metadata, ...spec }) as Readonly<Record<string, unknown>>;
}

function plain(value: unknown): unknown {
  if (value instanceof Map) return plain(Object.fromEntries(value));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(members.map(([key, one]) => [key, plain(one)]));
}

/** True of records that say the same: ids differ, and where a policy was read from. */
function isSame<R extends OidcProvider | Service | TrustDomain>(found: R, wanted: R): boolean {
  return said(found) === said(wanted);
}

function said(record: object): string {
  return JSON.stringify({ ...record, id: "" }, (key, value: unknown) => {
    if (key === "source" && (value === null || typeof value === "string")) return null;
    if (value instanceof Map) return [...value].sort(([a], [b]) => (a < b ? -1 : 1));
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
