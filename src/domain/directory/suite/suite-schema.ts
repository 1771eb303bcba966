import type { policyFields } from "../../../iam/scenario-policies.ts";
import { policyDocumentSchema } from "../document-schema.ts";
import type { JsonSchema } from "../shape/shape.ts";
import { expectedWords } from "./read-test.ts";

/**
 * Returns the JSON Schema (draft 2020-12) of a file of policy tests, for editors. What a schema cannot
 * say, such as that a name is one of those above, is the reader's alone to judge.
 */
export function suiteSchema(): JsonSchema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "mesh-iam policy tests",
    ...object(
      {
        name: text("What reports call the file; by default its path."),
        description: text("For readers."),
        documents: text(
          "The folder of documents whose policies are tested, relative to this file.",
        ),
        policies: ref("policies"),
        organization: ref("organization"),
        options: ref("options"),
        principals: named("Callers by the names that tests use.", "principal"),
        resources: named("Resources by the names that tests use.", "resource"),
        tests: { description: "The tests.", type: "array", items: ref("test"), minItems: 1 },
      },
      ["principals", "resources", "tests"],
    ),
    oneOf: [{ required: ["documents"] }, { required: ["policies"] }],
    $defs: {
      test: testSchema,
      expected: expectedSchema,
      options: {
        description: "What holds for the questions of the file, or of one test.",
        ...object({
          now: text(
            "The time of the questions, such as 2026-11-24T00:00:00Z; by default that of the run.",
          ),
        }),
      },
      principal: principalSchema,
      resource: resourceSchema,
      organization: organizationSchema,
      policies: policiesSchema,
      policy: policySchema,
      policyList: { type: "array", items: ref("policy") },
      levels: {
        description: "One list a level, root first.",
        anyOf: [{ type: "null" }, { type: "array", items: ref("policyList"), minItems: 1 }],
      },
      policyDocument: policyDocumentSchema,
      names: oneOrMore({ type: "string" }),
      tags: { type: "object", additionalProperties: { type: "string" } },
      scalar: { type: ["string", "number", "boolean"] },
    },
  };
}

function ref(name: string): JsonSchema {
  return { $ref: `#/$defs/${name}` };
}

function orNone(name: string): JsonSchema {
  return { anyOf: [ref(name), { type: "null" }] };
}

function text(description: string): JsonSchema {
  return { type: "string", description };
}

function object(
  properties: Readonly<Record<string, JsonSchema>>,
  required: string[] = [],
): JsonSchema {
  return {
    type: "object",
    properties,
    additionalProperties: false,
    ...(required.length > 0 && { required }),
  };
}

function named(description: string, what: string): JsonSchema {
  return { type: "object", description, additionalProperties: ref(what) };
}

function oneOrMore(item: JsonSchema): JsonSchema {
  return { anyOf: [item, { type: "array", items: item, minItems: 1, uniqueItems: true }] };
}

function choice(description: string): JsonSchema {
  return { description, ...ref("names") };
}

const testSchema = object(
  {
    name: text("What the test is about, in a few words; unique in the file."),
    principal: choice("Who asks: one of `principals`, or a list of them."),
    action: choice("What for: `orders:GetOrder`, or a list of actions."),
    resource: choice("On what: one of `resources`, or a list of them."),
    context: {
      description:
        "Condition keys in any case. A declared arity wins over the shape; null removes a key that would follow from principal, resource, organization or time.",
      type: "object",
      additionalProperties: {
        anyOf: [ref("scalar"), { type: "array", items: ref("scalar") }, { type: "null" }],
      },
    },
    expected: ref("expected"),
    options: ref("options"),
    skip: { type: "boolean", description: "True: not asked; `skipReason` says why." },
    skipReason: text("Why the test is skipped."),
  },
  ["name", "principal", "action", "resource", "expected"],
);

const expectedSchema: JsonSchema = {
  description: "The answer that every question of the test should have.",
  anyOf: [
    { enum: expectedWords.decisions },
    object({
      decision: { enum: expectedWords.decisions },
      deniedBy: {
        description: "The policy type that decides a denial; null: none does.",
        enum: [...expectedWords.deniedBy, null],
      },
      deniedLevel: {
        description: "The level of the SCP or RCP that decides, root 0; null: none does.",
        type: ["integer", "null"],
        minimum: 0,
      },
      reason: {
        description: "The engine's reason.",
        enum: expectedWords.reasons,
      },
    }),
  ],
};

const principalSchema = object(
  {
    type: {
      description: "What the caller is.",
      enum: [
        "anonymous",
        "root",
        "user",
        "workload",
        "assumed-role",
        "federated-user",
        "service",
        "web-identity",
        "saml",
      ],
    },
    arn: text("The ARN; of a session the session's."),
    name: text("A service's name; of a federated user the user who made the session."),
    provider: text("Of web-identity and saml callers."),
    id: text("The unique id; of documents their own."),
    path: text("Of the role of a session; of documents their own."),
    tags: { description: "Principal tags; with documents session tags alone.", ...ref("tags") },
    serviceLinked: { type: "boolean", description: "Of a session: its role is service-linked." },
    organization: ref("organization"),
  },
  ["type"],
);

const resourceSchema = object(
  {
    arn: text("The ARN, or `*` for actions without a resource."),
    account: {
      description: "The owner; by default the account in the ARN.",
      type: "string",
      pattern: "^[0-9]{12}$",
    },
    tags: {
      description: "Tags of the resource; with documents over those of its service.",
      ...ref("tags"),
    },
    class: {
      description: "By default `role-trust` for a role that is assumed; of documents their own.",
      enum: ["ordinary", "role-trust", "owner-delegates"],
    },
    organization: ref("organization"),
  },
  ["arn"],
);

const organizationSchema: JsonSchema = {
  description:
    "At the top for both sides; at a principal or resource it replaces the one at the top, null meaning none.",
  anyOf: [
    { type: "null" },
    object(
      {
        id: { type: "string" },
        managementAccount: { type: "string" },
        path: text("o-x/r-y/ou-z/"),
        serviceControlEnabled: { type: "boolean" },
      },
      ["id"],
    ),
  ],
};

const layerSchemas: Readonly<Record<(typeof policyFields)[number], JsonSchema>> = {
  identity: orNone("policyList"),
  resource: orNone("policy"),
  permissionsBoundary: orNone("policy"),
  session: orNone("policyList"),
  serviceControl: ref("levels"),
  resourceControl: ref("levels"),
};

const policiesSchema: JsonSchema = {
  description: "The policies that apply, by type; of all principals and resources of the file.",
  ...object(layerSchemas),
};

const policySchema = object(
  {
    id: { type: "string" },
    document: {
      description: "The document, its text, or null for a policy that cannot be read.",
      anyOf: [ref("policyDocument"), { type: "null" }],
    },
  },
  ["id", "document"],
);
