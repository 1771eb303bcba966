import { apiVersion, labels, metadataMembers } from "./envelope.ts";
import type { DocumentKind } from "./kinds/kind.ts";
import { documentKinds } from "./kinds/registry.ts";
import { accountId, path } from "./shape/names.ts";
import type { JsonSchema } from "./shape/shape.ts";

/**
 * Returns the JSON Schema (draft 2020-12) of one document, for editors: one alternative a kind, made
 * from the member tables that the reader itself reads by. What needs other documents, and the inside of
 * policies beyond their outline, is the reader's alone to judge.
 */
export function documentSchema(): JsonSchema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "mesh-iam document",
    type: "object",
    required: ["apiVersion", "kind", "metadata"],
    oneOf: documentKinds.map(({ kind }) => ({ $ref: `#/$defs/${kind}` })),
    $defs: {
      ...Object.fromEntries(documentKinds.map((kind) => [kind.kind, kindSchema(kind)])),
      policyDocument: policyDocumentSchema,
    },
  };
}

function kindSchema(kind: DocumentKind): JsonSchema {
  const specRequired = Object.values(kind.spec.members).some((member) => member.required);
  return {
    description: kind.summary,
    type: "object",
    properties: {
      apiVersion: { const: apiVersion },
      kind: { const: kind.kind },
      metadata: metadataSchema(kind),
      spec: kind.spec.schema,
      status: { description: "What `get` prints; not read." },
    },
    required: ["apiVersion", "kind", "metadata", ...(specRequired ? ["spec"] : [])],
    additionalProperties: false,
  };
}

function metadataSchema(kind: DocumentKind): JsonSchema {
  const all: Readonly<Record<string, JsonSchema>> = {
    name: { description: "The name.", ...kind.name.schema },
    account: { description: "The account, 12 digits, quoted.", ...accountId.schema },
    path: { description: "The path, part of the ARN.", ...path.schema },
    labels: { description: "Select documents; they are no tags.", ...labels.schema },
  };
  const names = metadataMembers(kind);
  return {
    type: "object",
    properties: Object.fromEntries(names.map((name) => [name, all[name] ?? {}])),
    required: names.filter((name) => name === "name" || name === "account"),
    additionalProperties: false,
  };
}

const texts = { anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }] };
const scalar = { type: ["string", "number", "boolean"] };
const principal = {
  anyOf: [
    { const: "*" },
    {
      type: "object",
      properties: { AWS: texts, Service: texts, Federated: texts, CanonicalUser: texts },
      additionalProperties: false,
    },
  ],
};

const statement = {
  type: "object",
  properties: {
    Sid: { type: "string" },
    Effect: { enum: ["Allow", "Deny"] },
    Principal: principal,
    NotPrincipal: principal,
    Action: texts,
    NotAction: texts,
    Resource: texts,
    NotResource: texts,
    Condition: {
      type: "object",
      additionalProperties: {
        type: "object",
        additionalProperties: { anyOf: [scalar, { type: "array", items: scalar }] },
      },
    },
  },
  required: ["Effect"],
  additionalProperties: false,
};

/** The outline of AWS's grammar (IAM User Guide, Grammar of the IAM JSON policy language). */
export const policyDocumentSchema: JsonSchema = {
  description: "A policy in AWS's language, as a mapping or as JSON text.",
  anyOf: [
    {
      type: "object",
      properties: {
        Version: { enum: ["2012-10-17", "2008-10-17"] },
        Id: { type: "string" },
        Statement: { anyOf: [statement, { type: "array", items: statement, minItems: 1 }] },
      },
      required: ["Statement"],
      additionalProperties: false,
    },
    { type: "string" },
  ],
};
