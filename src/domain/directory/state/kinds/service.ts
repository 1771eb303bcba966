import { defaultRequestOptions } from "../../../request/options.ts";
import type { ContextKeyDefinition, Route } from "../../../request/service-definition.ts";
import {
  type Codec,
  flag,
  listOf,
  may,
  need,
  noTags,
  orNull,
  record,
  shared,
  tags,
  text,
  whole,
  word,
} from "../codec.ts";
import { frameMembers, frameOf, kindCodec } from "./kind-codec.ts";

const authType = word("AWS_IAM", "NONE");
const source = word("session", "jwt", "jwt-svid", "mtls");

const routeDoc = record({
  http: may(orNull(record({ method: need(shared), template: need(text) })), null),
  grpc: may(orNull(record({ service: need(shared), method: need(text) })), null),
  action: need(text),
  resource: need(text),
  accessLevel: need(word("List", "Read", "Write", "Permissions management", "Tagging")),
  authType: may(orNull(authType), null),
  tags: may(tags, noTags),
});

const route: Codec<Route> = {
  read: (json, at, reader) => {
    const { http, grpc, ...rest } = routeDoc.read(json, at, reader);
    const match =
      http === null
        ? ({ type: "grpc", service: grpc?.service ?? "", method: grpc?.method ?? "" } as const)
        : ({ type: "http", ...http } as const);
    return { match, ...rest };
  },
  write: ({ match, ...rest }) => {
    const http = match.type === "http" ? match : null;
    const grpc = match.type === "grpc" ? match : null;
    return routeDoc.write({ http, grpc, ...rest });
  },
  inside: routeDoc.inside,
};

const contextKeyDoc = record({
  key: need(text),
  from: need(word("header", "query", "path")),
  name: need(text),
  valueType: may(word("string", "number", "bool", "date", "ip", "arn"), "string"),
  multivalued: may(flag, false),
});

const contextKey: Codec<ContextKeyDefinition> = {
  read: (json, at, reader) => {
    const { from, name, ...rest } = contextKeyDoc.read(json, at, reader);
    const found =
      from === "path" ? ({ type: from, variable: name } as const) : ({ type: from, name } as const);
    return { ...rest, source: found };
  },
  write: ({ source: from, ...rest }) => {
    const name = from.type === "path" ? from.variable : from.name;
    return contextKeyDoc.write({ from: from.type, name, ...rest });
  },
  inside: contextKeyDoc.inside,
};

const usual = defaultRequestOptions;

/** How targets are read; what is at its default is not written. */
const request = record({
  mergeSlashes: may(flag, usual.mergeSlashes),
  encodedSlash: may(word("deny", "separator", "literal"), usual.encodedSlash),
  parameters: may(word("deny", "strip", "literal"), usual.parameters),
  trailingSlash: may(word("distinct", "ignore"), usual.trailingSlash),
  caseInsensitive: may(flag, usual.caseInsensitive),
  relaxedChars: may(text, usual.relaxedChars),
  protocol: may(word("mixed", "grpc"), usual.protocol),
  methodOverride: may(word("ignore", "deny", "both"), usual.methodOverride),
  maxTargetBytes: may(whole, usual.maxTargetBytes),
  maxPathBytes: may(whole, usual.maxPathBytes),
  maxSegments: may(whole, usual.maxSegments),
  maxQueryParameters: may(whole, usual.maxQueryParameters),
  commaHeaders: may(listOf(shared), usual.commaHeaders),
});

export const service = kindCodec({
  kind: "service",
  doc: record({
    name: need(text),
    arn: need(text),
    hosts: may(listOf(text), []),
    workloads: may(listOf(text), []),
    gateways: may(listOf(text), []),
    mode: may(word("enforce", "shadow"), "enforce"),
    authType: may(authType, "AWS_IAM"),
    principalFrom: need(listOf(source)),
    requireCredential: may(listOf(source), []),
    audiences: may(orNull(listOf(text)), null),
    forwardCredential: may(flag, false),
    cors: may(flag, false),
    routes: may(listOf(route), []),
    contextKeys: may(listOf(contextKey, "key"), []),
    request: need(request),
    hideHeaders: may(listOf(shared), []),
    resourcePolicy: may(orNull(text), null),
    tags: may(tags, noTags),
    ...frameMembers,
  }),
  toEntity: (frame, { manager, createdAtMs, labels, description, resourcePolicy, ...doc }) => ({
    ...frame,
    kind: "service",
    record: {
      id: frame.id,
      account: frame.account,
      ...doc,
      resourcePolicy:
        resourcePolicy === null
          ? null
          : { id: `${doc.arn}/resourcePolicy`, text: resourcePolicy, source: null },
    },
  }),
  toDoc: (entity) => ({
    ...entity.record,
    resourcePolicy: entity.record.resourcePolicy?.text ?? null,
    ...frameOf(entity),
  }),
  nameKey: ({ record: { name } }) => name,
  references: () => [],
});
