import type { Directory, PolicyText, Service } from "../../src/domain/directory/model.ts";
import { defaultRequestOptions } from "../../src/domain/request/options.ts";
import type { ContextKeyDefinition } from "../../src/domain/request/service-definition.ts";
import type { Principal } from "../../src/iam/principal.ts";
import type { ContextValue } from "../../src/iam/request-context.ts";
import type { Scenario } from "../../src/iam/scenario.ts";
import { managedPolicy, policyText, role, service, user } from "../fakes/bundle-directory.ts";
import type { Written } from "../fakes/check-request.ts";
import { audience, issuer, organization, shop } from "../fakes/documents.ts";
import { login } from "../fakes/orders.ts";
import { directoryOf, startMs } from "../fakes/pipeline.ts";
import type { Case } from "./cases.ts";

/** A case of the corpus as a sidecar meets it: an organization, and a request. */
export interface AsRequest {
  readonly directory: Directory;
  readonly request: Written;
}

/** Why no request asks what the case asks. */
export type Inexpressible =
  | "the resource's ARN is not of its owner: a service's resources are"
  | "the resource is no service's: a role, a key, or the pseudo-resource"
  | "the name holds characters that no resource of a route has"
  | "the service's name is reserved"
  | "no credential gives this principal"
  | "session policies come with STS"
  | "a faulty key: `faulty-input.test.ts` has requests with one"
  | "an organization: its own cases stand in the directory's tests"
  | "the answer hangs on the account of the resource's ARN";

/** What stays of every organization: who vouches for callers. */
const base = directoryOf(
  organization(login.jwks).filter(({ kind }) => kind === "OidcProvider" || kind === "TrustDomain"),
);
const reserved = new Set(["aws", "mesh", "iam", "sts", "organizations", "saml"]);

interface WrittenPolicy {
  readonly id: string;
  readonly document: unknown;
}

/** Returns the case as an organization and a request, or why that cannot be. */
export function asRequest(given: Case, scenario: Scenario): AsRequest | Inexpressible {
  const { context } = scenario;
  const { arn, account, class: resourceClass } = context.resource;
  if (arn === null || resourceClass !== "ordinary") {
    return "the resource is no service's: a role, a key, or the pseudo-resource";
  }
  if (arn.account === "" || arn.account !== account) {
    return "the resource's ARN is not of its owner: a service's resources are";
  }
  const [name = "", action = ""] = context.action.split(":");
  if (reserved.has(name) || name !== arn.service) return "the service's name is reserved";
  if (!/^[\w./:@-]+$/.test(arn.resource)) {
    return "the name holds characters that no resource of a route has";
  }
  const written = (given.policies ?? {}) as Record<string, unknown>;
  if (context.faults !== null) return "a faulty key: `faulty-input.test.ts` has requests with one";
  if (scenario.layers.session !== null) return "session policies come with STS";
  if (
    scenario.layers.serviceControl !== null ||
    scenario.layers.resourceControl !== null ||
    context.principalOrganization !== null ||
    context.resourceOrganization !== null
  ) {
    return "an organization: its own cases stand in the directory's tests";
  }
  const caller = callerOf(context.principal, written);
  if (caller === null) return "no credential gives this principal";

  const { keys, headers } = ownKeys(name, context.keys);
  const fronted: Service = service(name, {
    account,
    routes: [
      {
        match: { type: "http", method: "GET", template: "/asked" },
        action,
        resource: arn.resource,
        accessLevel: "Read",
        authType: null,
        tags: new Map(),
      },
    ],
    contextKeys: keys,
    request: { ...defaultRequestOptions, commaHeaders: keys.map(headerOf) },
    resourcePolicy: textOf(written.resource as WrittenPolicy | null | undefined),
    workloads: [],
  });
  const sourceAddress = context.keys.get("aws:sourceip")?.values[0];
  const userAgent = context.keys.get("aws:useragent")?.values[0];
  return {
    directory: { ...base, ...caller.directory, services: [fronted] },
    request: {
      path: "/asked",
      requestTimeMs: timeOf(scenario),
      ...(sourceAddress === undefined ? {} : { sourceAddress }),
      ...(caller.sourcePrincipal === null ? {} : { sourcePrincipal: caller.sourcePrincipal }),
      contextExtensions: { "mesh-iam-region": arn.region, "mesh-iam-partition": arn.partition },
      encoding: "header_map",
      headers: {
        ...headers,
        ...(userAgent === undefined ? {} : { "user-agent": userAgent }),
        ...(caller.claims === null
          ? {}
          : { authorization: `Bearer ${login.issue(caller.claims)}` }),
      },
    },
  };
}

/** The case's own time, else that of the tests. */
export function timeOf({ context }: Scenario): number {
  return context.nowMs === 0 ? startMs : context.nowMs;
}

/**
 * Returns the case with the buckets of its ARNs in their owner's account, where a service's resources
 * are: S3's own have none. Whether the answer is still the same is for the caller to see.
 */
export function inOwnersAccount(given: Case): Case {
  const { account } = given.resource as { readonly account?: string };
  const text = JSON.stringify(given);
  return JSON.parse(text.replaceAll("arn:aws:s3:::", `arn:aws:s3::${account ?? ""}:`)) as Case;
}

/** A principal as documents have it, and what it shows for itself. */
interface CallerOfCase {
  readonly directory: Partial<Directory>;
  readonly claims: Readonly<Record<string, unknown>> | null;
  readonly sourcePrincipal: string | null;
}

function callerOf(principal: Principal, policies: Record<string, unknown>): CallerOfCase | null {
  const inlinePolicies = ((policies.identity ?? []) as WrittenPolicy[]).flatMap(
    (policy) => textOf(policy) ?? [],
  );
  const boundary = textOf(policies.permissionsBoundary as WrittenPolicy | null | undefined);
  const bounds = boundary === null ? [] : [{ ...managedPolicy("boundary"), policy: boundary }];
  const permissionsBoundaryId = bounds[0]?.id ?? null;
  const owner = { inlinePolicies, permissionsBoundaryId };
  switch (principal.type) {
    case "anonymous":
      return { directory: {}, claims: null, sourcePrincipal: null };
    case "user": {
      const { account, arn, name, tags } = principal;
      const found = user(name, { ...owner, account, arn, tags });
      return {
        directory: { users: [found], managedPolicies: bounds, oidcProviders: providers(account) },
        claims: { sub: name, preferred_username: name },
        sourcePrincipal: null,
      };
    }
    case "assumed-role": {
      const { account, roleArn, roleName, sessionName, tags, serviceLinked } = principal;
      const trusted = role(roleName, {
        ...owner,
        account,
        arn: roleArn,
        tags,
        serviceLinked,
        trustPolicy,
      });
      return {
        directory: { roles: [trusted], managedPolicies: bounds, oidcProviders: providers(account) },
        claims: { sub: sessionName, role: roleName, email: sessionName },
        sourcePrincipal: null,
      };
    }
    case "root":
    case "workload":
    case "federated-user":
    case "service":
    case "web-identity":
    case "saml":
      return null;
  }
}

const host = issuer.slice("https://".length);
const trustPolicy = policyText(
  "trust",
  JSON.stringify({
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Action: "sts:AssumeRoleWithWebIdentity",
      Principal: { Federated: `arn:aws:iam::${shop}:oidc-provider/${host}` },
      Condition: { StringEquals: { [`${host}:aud`]: audience } },
    },
  }),
);

/** The provider, with rules that lead into the account of the case. */
function providers(account: string): Directory["oidcProviders"] {
  return base.oidcProviders.map((provider) => ({
    ...provider,
    rules: provider.rules.map((rule) => ({
      ...rule,
      user: rule.user && { ...rule.user, account },
      role: rule.role && { ...rule.role, account },
    })),
  }));
}

function textOf(policy: WrittenPolicy | null | undefined): PolicyText | null {
  if (policy === null || policy === undefined) return null;
  const { id, document } = policy;
  return policyText(id, typeof document === "string" ? document : JSON.stringify(document));
}

/** The keys of the case that begin with the service's name, as headers of the request. */
function ownKeys(name: string, values: ReadonlyMap<string, ContextValue>) {
  const keys: ContextKeyDefinition[] = [];
  const headers: Record<string, string> = {};
  for (const [key, { multivalued, values: texts }] of values) {
    if (!key.startsWith(`${name}:`)) continue;
    const header = `x-key-${keys.length}`;
    const source = { type: "header" as const, name: header };
    keys.push({ key, source, valueType: "string", multivalued });
    headers[header] = texts.join(",");
  }
  return { keys, headers };
}

function headerOf({ source }: ContextKeyDefinition): string {
  return source.type === "header" ? source.name : "";
}
