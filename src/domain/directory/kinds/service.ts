import { quote } from "../../../iam/problem.ts";
import { routeProblems } from "../../request/route-problems.ts";
import { serviceArn } from "../arns.ts";
import { noteAt, refuseAt } from "../document-problem.ts";
import type { Service } from "../model.ts";
import { countCharacters } from "../policy-size.ts";
import { listOf } from "../shape/collections.ts";
import { audience, headerName, hostName, spiffeId } from "../shape/names.ts";
import { policy } from "../shape/policy.ts";
import { record } from "../shape/record.ts";
import { flag, type Placed, placed, text, word } from "../shape/scalars.ts";
import { optional, type Shape } from "../shape/shape.ts";
import { tags } from "../shape/tags.ts";
import { uniqueId } from "../unique-id.ts";
import { defineKind } from "./kind.ts";
import { contextKeys, resolveContextKeys, writeContextKeys } from "./service-context-keys.ts";
import { requestOptions, writeRequestOptions } from "./service-request.ts";
import { authType, routeOf, routes, writeRoute } from "./service-routes.ts";
import { checkSize, policyText } from "./stored-policy.ts";
import type { World } from "./world.ts";
import { unless, unlessEmpty, unlessEmptyMap, writtenJson } from "./written-value.ts";

/**
 * Prefixes with a meaning of their own. A service of such a name could define `aws:SourceIp` as a
 * header, or hide its actions from RCPs (TYPE-1).
 */
const reservedNames = ["aws", "mesh", "iam", "sts", "organizations", "mesh-iam", "saml"];

const anyServiceName = text(
  "a service name of lower-case letters, digits and `-`",
  /^[a-z][a-z0-9-]{0,62}$/,
  63,
);

const serviceName: Shape<string> = {
  ...anyServiceName,
  read: (node, place, report) => {
    const value = anyServiceName.read(node, place, report);
    if (value === undefined || !reservedNames.includes(value)) return value;
    const message = `the name ${quote(value)} is reserved: it would be the prefix of built-in actions or keys`;
    refuseAt(report, place, "RESERVED_NAME", message);
    return undefined;
  },
};

const sources = word("session", "jwt", "jwt-svid", "mtls");
const defaultSources = ["session", "jwt", "jwt-svid", "mtls"] as const;

/** `Service`: how requests become actions on resources, who serves them, what the service says itself. */
export const serviceKind = defineKind({
  kind: "Service",
  summary:
    "A service: how its requests become actions on resources, who serves it, and its resource policy. Its name is the prefix of its actions and the service field of its ARNs.",
  scope: "account",
  name: serviceName,
  hasPath: false,
  spec: record({
    hosts: optional(
      listOf(placed(hostName), { max: 1_000, uniqueBy: ({ value }) => value }),
      [],
      "Hosts by which an authorizer that fronts several services tells them apart: lower-case, no port.",
    ),
    workloads: optional(
      listOf(placed(spiffeId), { max: 1_000, uniqueBy: ({ value }) => value }),
      [],
      "SPIFFE ids of those who serve it, and so may fetch its slice.",
    ),
    gateways: optional(
      listOf(placed(spiffeId), { max: 1_000, uniqueBy: ({ value }) => value }),
      [],
      "SPIFFE ids of those who serve it beside other services.",
    ),
    mode: optional(
      word("enforce", "shadow"),
      "enforce",
      "`shadow`: every request passes; what would have been decided is recorded.",
    ),
    authType: optional(
      placed(authType),
      null,
      "`AWS_IAM` (the default), or `NONE`: nobody is authenticated and the resource policy carries an implied Allow; Deny statements and RCPs still bind.",
    ),
    principalFrom: optional(
      listOf(sources, { min: 1, max: 4, uniqueBy: (one) => one }),
      defaultSources,
      "Kinds of credential in the order in which the principal is taken from them. The first one present decides; a bad one is 401, never the next.",
    ),
    requireCredential: optional(
      listOf(sources, { max: 4, uniqueBy: (one) => one }),
      [],
      "Kinds of credential that must be present and good besides.",
    ),
    audiences: optional(
      listOf(audience, {
        min: 1,
        max: 100,
        uniqueBy: (one) => one,
      }),
      null,
      "Narrows the audiences of the providers. Absent: as they say.",
    ),
    forwardCredential: optional(
      flag(),
      false,
      "Whether a session token is passed on to the application.",
    ),
    cors: optional(flag(), false, "Whether a valid CORS preflight of a declared route is allowed."),
    routes: optional(routes, [], "Which requests are which actions on which resources."),
    contextKeys: optional(contextKeys, [], "Condition keys of the service, taken from requests."),
    request: optional(requestOptions, requestOptions.defaults, "How request targets are read."),
    hideHeaders: optional(
      listOf(headerName, { max: 100, uniqueBy: (one) => one }),
      [],
      "Headers removed on the way to the application.",
    ),
    resourcePolicy: optional(
      policy("resource"),
      null,
      "What the service itself allows and denies.",
    ),
    tags: optional(
      tags,
      new Map<string, string>(),
      "Tags of all its resources: `aws:ResourceTag/*`. A route's come over them.",
    ),
  }),
  resolve: (header, spec, world) => {
    const { account, name } = header;
    const arn = serviceArn(world.partition, account, name);
    const service: Service = {
      id: uniqueId("Service", account, name),
      account,
      name,
      arn,
      hosts: spec.hosts.map(({ value }) => value),
      workloads: spec.workloads.map(({ value }) => value),
      gateways: spec.gateways.map(({ value }) => value),
      mode: spec.mode,
      authType: spec.authType?.value ?? "AWS_IAM",
      principalFrom: spec.principalFrom,
      requireCredential: spec.requireCredential,
      audiences: spec.audiences,
      routes: spec.routes.map(({ value }) => routeOf(value)),
      contextKeys: resolveContextKeys(world, name, spec.contextKeys, spec.routes),
      forwardCredential: spec.forwardCredential,
      cors: spec.cors,
      request: spec.request,
      hideHeaders: spec.hideHeaders,
      resourcePolicy:
        spec.resourcePolicy === null
          ? null
          : policyText(`${arn}/resourcePolicy`, spec.resourcePolicy),
      tags: spec.tags,
    };
    if (spec.resourcePolicy !== null) {
      const max = world.quotas.resourcePolicyCharacters;
      checkSize(world, spec.resourcePolicy, max, countCharacters);
    }
    for (const { index, message } of routeProblems(service.routes, service.request)) {
      const place = spec.routes[index]?.place ?? header.place;
      world.refuse(place, "CONFLICT", message);
    }
    noteAuthTypes(world, spec.authType, spec.routes);
    world.services.push({ service, hosts: spec.hosts, workloads: spec.workloads });
    world.draft.services.push(service);
  },
  write: (directory) => directory.services.map(write),
});

type RouteSpec = { readonly authType: Placed<"AWS_IAM" | "NONE"> | null };

/** Tells of every `authType: NONE` (EXC-10, FILE-23). */
function noteAuthTypes(
  world: World,
  ofService: Placed<"AWS_IAM" | "NONE"> | null,
  ofRoutes: readonly Placed<RouteSpec>[],
): void {
  const all = [ofService, ...ofRoutes.map(({ value }) => value.authType)];
  for (const [index, one] of all.entries()) {
    if (one?.value !== "NONE") continue;
    const what = index === 0 ? "no caller of the service" : "no caller of this route";
    const message = `${what} is authenticated: everybody is allowed but for Deny statements and RCPs`;
    noteAt(world.report, one.place, "AUTHENTICATION_DISABLED", "SECURITY_WARNING", message);
  }
}

function write(service: Service) {
  const { name, account, resourcePolicy } = service;
  return {
    metadata: { name, account },
    spec: {
      hosts: unlessEmpty(service.hosts),
      workloads: unlessEmpty(service.workloads),
      gateways: unlessEmpty(service.gateways),
      mode: unless(service.mode, "enforce"),
      authType: unless(service.authType, "AWS_IAM"),
      principalFrom:
        service.principalFrom.join() === defaultSources.join() ? undefined : service.principalFrom,
      requireCredential: unlessEmpty(service.requireCredential),
      audiences: service.audiences ?? undefined,
      forwardCredential: unless(service.forwardCredential, false),
      cors: unless(service.cors, false),
      routes: unlessEmpty(service.routes.map(writeRoute)),
      contextKeys: unlessEmptyMap(writeContextKeys(service.contextKeys)),
      request: writeRequestOptions(service.request),
      hideHeaders: unlessEmpty(service.hideHeaders),
      resourcePolicy: resourcePolicy === null ? undefined : writtenJson(resourcePolicy.text),
      tags: unlessEmptyMap(service.tags),
    },
  };
}
