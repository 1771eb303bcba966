import { formatArn, parseArn } from "./arn.ts";
import { formatIsoTime } from "./derived-keys.ts";
import type { Principal } from "./principal.ts";
import type {
  ContextValue,
  OrganizationFacts,
  PolicyLayers,
  RequestContext,
} from "./request-context.ts";

/** A policy by its text as the loader accepted it; null for one that cannot be read. */
export interface PolicyAsText {
  readonly id: string;
  readonly text: string | null;
}

/**
 * Returns the scenario that asks exactly this question again, on one line: what a log writes so that
 * a decision can be replayed. `keys` are the condition keys of the context that are to be kept; they
 * are written out and nothing is derived from the rest. Documents stand as their own text.
 * `parseScenario` reads it back to an equal question. Allocates; for logs, not for the request path.
 */
export function formatScenario(
  id: string,
  context: RequestContext,
  keys: ReadonlyMap<string, ContextValue>,
  layers: PolicyLayers<PolicyAsText>,
): string {
  const { resource, resourceOrganization } = context;
  const question = {
    id,
    principal: formatPrincipal(context.principal, context.principalOrganization),
    action: context.action,
    resource: {
      arn: resource.arn === null ? "*" : formatArn(resource.arn),
      ...(resource.arn !== null && { account: resource.account }),
      class: resource.class,
      organization: formatOrganization(resourceOrganization),
    },
    now: formatIsoTime(context.nowMs),
    context: Object.fromEntries(
      [...keys].map(([key, { multivalued, values }]) => [key, multivalued ? values : values[0]]),
    ),
    derive: false,
    ...(context.faults !== null && { faults: Object.fromEntries(context.faults) }),
  };
  return `${JSON.stringify(question).slice(0, -1)},"policies":${formatPolicies(layers)}}`;
}

function formatPrincipal(principal: Principal, organization: OrganizationFacts | null): object {
  const { type } = principal;
  switch (principal.type) {
    case "anonymous":
      return { type };
    case "service":
      return { type, name: principal.name };
    case "web-identity":
    case "saml":
      return { type, provider: principal.provider };
    case "root":
      return { type, arn: principal.arn, organization: formatOrganization(organization) };
    case "user":
    case "workload":
      return {
        type,
        arn: principal.arn,
        ...(principal.id !== null && { id: principal.id }),
        tags: Object.fromEntries(principal.tags),
        organization: formatOrganization(organization),
      };
    case "federated-user":
      return {
        type,
        arn: principal.arn,
        name: resourceOf(principal.userArn).slice("user/".length),
        ...(principal.userId !== null && { id: principal.userId }),
        tags: Object.fromEntries(principal.tags),
        organization: formatOrganization(organization),
      };
    case "assumed-role":
      return {
        type,
        arn: principal.arn,
        path: resourceOf(principal.roleArn).slice("role".length, -principal.roleName.length),
        ...(principal.id !== null && { id: principal.id }),
        serviceLinked: principal.serviceLinked,
        tags: Object.fromEntries(principal.tags),
        organization: formatOrganization(organization),
      };
  }
}

function resourceOf(arn: string): string {
  const parsed = parseArn(arn);
  return parsed.ok ? parsed.value.resource : "";
}

function formatOrganization(facts: OrganizationFacts | null): object | null {
  if (facts === null) return null;
  const { id, managementAccount, path, serviceControlEnabled } = facts;
  return {
    id,
    ...(managementAccount !== null && { managementAccount }),
    ...(path !== null && { path }),
    serviceControlEnabled,
  };
}

function formatPolicies(layers: PolicyLayers<PolicyAsText>): string {
  const { resource, permissionsBoundary, session, serviceControl, resourceControl } = layers;
  const fields = [
    `"identity":${formatList(layers.identity)}`,
    ...(resource === null ? [] : [`"resource":${formatPolicy(resource)}`]),
    ...(permissionsBoundary === null
      ? []
      : [`"permissionsBoundary":${formatPolicy(permissionsBoundary)}`]),
    ...(session === null ? [] : [`"session":${formatList(session)}`]),
    ...(serviceControl === null ? [] : [`"serviceControl":[${serviceControl.map(formatList)}]`]),
    ...(resourceControl === null ? [] : [`"resourceControl":[${resourceControl.map(formatList)}]`]),
  ];
  return `{${fields.join(",")}}`;
}

function formatList(policies: readonly PolicyAsText[]): string {
  return `[${policies.map(formatPolicy).join(",")}]`;
}

/** Line ends of an accepted text stand between its tokens only, so a space is as good. */
function formatPolicy({ id, text }: PolicyAsText): string {
  return `{"id":${JSON.stringify(id)},"document":${text?.replace(/[\r\n]+/g, " ") ?? "null"}}`;
}
