import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  AccessLevel as AccessLevelNumber,
  AuthType as AuthTypeNumber,
  type ContextKey as ContextKeyMessage,
  type ContextKeySchema,
  ContextValueType,
  PrincipalSource as PrincipalSourceNumber,
  type Route as RouteMessage,
  type RouteSchema,
  type Service as ServiceMessage,
  ServiceMode as ServiceModeNumber,
  ServiceSchema,
} from "../../../gen/meshiam/bundle/v1/service_pb.ts";
import type { Service } from "../../directory/model.ts";
import { routeProblems } from "../../request/route-problems.ts";
import type {
  AccessLevel,
  AuthType,
  ContextKeyDefinition,
  PrincipalSource,
  Route,
  ServiceMode,
} from "../../request/service-definition.ts";
import type { ObjectCheck } from "./object-check.ts";
import { decodeTags, encodePolicy, encodeTags } from "./policies.ts";
import { decodeRequestOptions, encodeRequestOptions } from "./request-options.ts";
import { createWords } from "./words.ts";

const modes = createWords<ServiceMode, ServiceModeNumber>({
  enforce: ServiceModeNumber.ENFORCE,
  shadow: ServiceModeNumber.SHADOW,
});

const authTypes = createWords<AuthType, AuthTypeNumber>({
  AWS_IAM: AuthTypeNumber.AWS_IAM,
  NONE: AuthTypeNumber.NONE,
});

const principalSources = createWords<PrincipalSource, PrincipalSourceNumber>({
  session: PrincipalSourceNumber.SESSION,
  jwt: PrincipalSourceNumber.JWT,
  "jwt-svid": PrincipalSourceNumber.JWT_SVID,
  mtls: PrincipalSourceNumber.MTLS,
});

const accessLevels = createWords<AccessLevel, AccessLevelNumber>({
  List: AccessLevelNumber.LIST,
  Read: AccessLevelNumber.READ,
  Write: AccessLevelNumber.WRITE,
  "Permissions management": AccessLevelNumber.PERMISSIONS_MANAGEMENT,
  Tagging: AccessLevelNumber.TAGGING,
});

const valueTypes = createWords<ContextKeyDefinition["valueType"], ContextValueType>({
  string: ContextValueType.STRING,
  number: ContextValueType.NUMBER,
  bool: ContextValueType.BOOL,
  date: ContextValueType.DATE,
  ip: ContextValueType.IP,
  arn: ContextValueType.ARN,
});

export function encodeService(service: Service): ServiceMessage {
  return create(ServiceSchema, {
    id: service.id,
    account: service.account,
    name: service.name,
    arn: service.arn,
    hosts: [...service.hosts],
    workloads: [...service.workloads],
    gateways: [...service.gateways],
    mode: modes.numberOf(service.mode),
    authType: authTypes.numberOf(service.authType),
    principalFrom: service.principalFrom.map(principalSources.numberOf),
    requireCredential: service.requireCredential.map(principalSources.numberOf),
    ...(service.audiences === null ? {} : { audiences: { values: [...service.audiences] } }),
    forwardCredential: service.forwardCredential,
    cors: service.cors,
    routes: service.routes.map(encodeRoute),
    contextKeys: service.contextKeys.map(encodeContextKey),
    request: encodeRequestOptions(service.request),
    hideHeaders: [...service.hideHeaders],
    tags: encodeTags(service.tags),
    ...(service.resourcePolicy === null
      ? {}
      : { resourcePolicy: encodePolicy(service.resourcePolicy) }),
  });
}

export function decodeService(message: ServiceMessage, check: ObjectCheck): Service {
  const sources = (numbers: readonly number[], field: string) =>
    numbers.map((number) => check.word(principalSources, number, field));
  const routes = message.routes.map((route) => decodeRoute(route, check));
  const request = decodeRequestOptions(message.request, check);
  // Routes that cannot be compiled would otherwise keep the whole bundle from being activated (BUN-5).
  const [problem] = routeProblems(routes, request);
  if (problem !== undefined) check.fail(`route ${problem.index}: ${problem.message}`);
  return Object.freeze({
    id: check.filled(message.id, "id"),
    account: check.filled(message.account, "account"),
    name: check.filled(message.name, "name"),
    arn: check.filled(message.arn, "arn"),
    hosts: message.hosts,
    workloads: message.workloads,
    gateways: message.gateways,
    mode: check.word(modes, message.mode, "mode"),
    authType: check.word(authTypes, message.authType, "authType"),
    principalFrom: sources(message.principalFrom, "principalFrom"),
    requireCredential: sources(message.requireCredential, "requireCredential"),
    audiences: message.audiences === undefined ? null : message.audiences.values,
    forwardCredential: message.forwardCredential,
    cors: message.cors,
    routes,
    contextKeys: message.contextKeys.map((key) => decodeContextKey(key, check)),
    request,
    hideHeaders: message.hideHeaders,
    tags: decodeTags(message.tags, check),
    resourcePolicy:
      message.resourcePolicy === undefined
        ? null
        : check.policy(message.resourcePolicy, "resourcePolicy"),
  });
}

function encodeRoute(route: Route): MessageInitShape<typeof RouteSchema> {
  const { match } = route;
  return {
    match:
      match.type === "http"
        ? { case: "http", value: { method: match.method, template: match.template } }
        : { case: "grpc", value: { service: match.service, method: match.method } },
    action: route.action,
    resource: route.resource,
    accessLevel: accessLevels.numberOf(route.accessLevel),
    authType:
      route.authType === null ? AuthTypeNumber.UNSPECIFIED : authTypes.numberOf(route.authType),
    tags: encodeTags(route.tags),
  };
}

function decodeRoute(message: RouteMessage, check: ObjectCheck): Route {
  return Object.freeze({
    match: decodeMatch(message.match, check),
    action: check.filled(message.action, "action"),
    resource: check.filled(message.resource, "resource"),
    accessLevel: check.word(accessLevels, message.accessLevel, "accessLevel"),
    authType:
      message.authType === AuthTypeNumber.UNSPECIFIED
        ? null
        : check.word(authTypes, message.authType, "authType"),
    tags: decodeTags(message.tags, check),
  });
}

function decodeMatch(match: RouteMessage["match"], check: ObjectCheck): Route["match"] {
  switch (match.case) {
    case "http":
      return {
        type: "http",
        method: check.filled(match.value.method, "method"),
        template: check.filled(match.value.template, "template"),
      };
    case "grpc":
      return {
        type: "grpc",
        service: check.filled(match.value.service, "service"),
        method: check.filled(match.value.method, "method"),
      };
    case undefined:
      check.fail("a route matches nothing that is known");
      return { type: "http", method: "", template: "" };
  }
}

function encodeContextKey(key: ContextKeyDefinition): MessageInitShape<typeof ContextKeySchema> {
  return {
    key: key.key,
    source: encodeSource(key.source),
    valueType: valueTypes.numberOf(key.valueType),
    multivalued: key.multivalued,
  };
}

function encodeSource(source: ContextKeyDefinition["source"]): ContextKeyMessage["source"] {
  switch (source.type) {
    case "header":
      return { case: "header", value: source.name };
    case "query":
      return { case: "query", value: source.name };
    case "path":
      return { case: "path", value: source.variable };
  }
}

function decodeContextKey(message: ContextKeyMessage, check: ObjectCheck): ContextKeyDefinition {
  return Object.freeze({
    key: check.filled(message.key, "key"),
    source: decodeSource(message.source, check),
    valueType: check.word(valueTypes, message.valueType, "valueType"),
    multivalued: message.multivalued,
  });
}

function decodeSource(
  source: ContextKeyMessage["source"],
  check: ObjectCheck,
): ContextKeyDefinition["source"] {
  switch (source.case) {
    case "header":
      return { type: "header", name: check.filled(source.value, "header") };
    case "query":
      return { type: "query", name: check.filled(source.value, "query") };
    case "path":
      return { type: "path", variable: check.filled(source.value, "path") };
    case undefined:
      check.fail("a context key has no source that is known");
      return { type: "header", name: "" };
  }
}
