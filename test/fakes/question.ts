import { parseArn } from "../../src/iam/arn.ts";
import { type CompiledPolicy, compilePolicy } from "../../src/iam/compile/compile.ts";
import { compileLayers, type EngineLayers } from "../../src/iam/compile/layers.ts";
import { parsePolicyDocument } from "../../src/iam/policy/parse.ts";
import type { DocumentType } from "../../src/iam/policy/policy-type.ts";
import type {
  AssumedRolePrincipal,
  FederatedUserPrincipal,
  Principal,
  UserPrincipal,
} from "../../src/iam/principal.ts";
import type { ContextValue, RequestContext } from "../../src/iam/request-context.ts";

/** Questions to the engine with the fixtures of iam-semantics 12. */

export const accountA = "111111111111";
export const accountB = "222222222222";
export const objectArn = "arn:aws:s3:::bkt/a/b.txt";
export const userArn = `arn:aws:iam::${accountA}:user/bob`;
export const roleArn = `arn:aws:iam::${accountA}:role/app`;
export const sessionArn = `arn:aws:sts::${accountA}:assumed-role/app/sess1`;
export const federatedArn = `arn:aws:sts::${accountA}:federated-user/bob`;
export const rootArn = `arn:aws:iam::${accountA}:root`;

const tags: ReadonlyMap<string, string> = new Map();

export const user: UserPrincipal = {
  type: "user",
  account: accountA,
  arn: userArn,
  name: "bob",
  id: null,
  tags,
};

export const session: AssumedRolePrincipal = {
  type: "assumed-role",
  account: accountA,
  arn: sessionArn,
  roleArn,
  roleName: "app",
  sessionName: "sess1",
  id: null,
  serviceLinked: false,
  tags,
};

export const federated: FederatedUserPrincipal = {
  type: "federated-user",
  account: accountA,
  arn: federatedArn,
  name: "bob",
  userArn,
  userId: null,
  tags,
};

export const workload: Principal = {
  type: "workload",
  account: accountA,
  arn: `arn:aws:iam::${accountA}:workload/td/ns/x/sa/y`,
  id: null,
  tags,
};

export const root: Principal = { type: "root", account: accountA, arn: rootArn };
export const anonymous: Principal = { type: "anonymous" };
export const service: Principal = { type: "service", name: "sns.amazonaws.com" };
export const webIdentity: Principal = { type: "web-identity", provider: "accounts.google.com" };

/** One value of a condition key; a list makes the key multivalued. */
export function keysOf(
  values: Readonly<Record<string, string | readonly string[]>>,
): ReadonlyMap<string, ContextValue> {
  return new Map(
    Object.entries(values).map(([key, value]) => [
      key,
      typeof value === "string"
        ? { multivalued: false, values: [value] }
        : { multivalued: true, values: value },
    ]),
  );
}

/** The default request with fields replaced: user bob reads the object, both in account A. */
export function question(fields: Partial<RequestContext> = {}): RequestContext {
  return {
    principal: user,
    action: "s3:GetObject",
    resource: resourceOf(objectArn),
    principalOrganization: null,
    resourceOrganization: null,
    keys: new Map(),
    faults: null,
    nowMs: Date.parse("2026-11-24T00:00:00Z"),
    ...fields,
  };
}

export function resourceOf(
  arn: string,
  account: string = accountA,
  resourceClass: RequestContext["resource"]["class"] = "ordinary",
): RequestContext["resource"] {
  const parsed = parseArn(arn);
  if (!parsed.ok) throw new Error(parsed.message);
  return { arn: parsed.value, account, class: resourceClass };
}

export type Elements = Readonly<Record<string, unknown>>;

/** The default statement with elements replaced; undefined removes one. */
export function statement(elements: Elements = {}): Elements {
  return { Effect: "Allow", Action: "s3:GetObject", Resource: "*", ...elements };
}

export const allowAll: Elements = { Effect: "Allow", Action: "*", Resource: "*" };
export const allowOther: Elements = { Effect: "Allow", Action: "sqs:*", Resource: "*" };
export const denyAll: Elements = { Effect: "Deny", Action: "*", Resource: "*" };

/** A compiled policy of these statements; refused documents fail the test. */
export function policy(
  id: string,
  statements: Elements | readonly Elements[],
  type: DocumentType = "identity",
): CompiledPolicy {
  const text = JSON.stringify({ Version: "2012-10-17", Statement: statements });
  const parsed = parsePolicyDocument(text, type);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return compilePolicy(id, parsed.value);
}

export interface LayerStatements {
  readonly identity?: Elements | readonly Elements[];
  readonly resource?: Elements | readonly Elements[];
  readonly trust?: Elements | readonly Elements[];
  readonly permissionsBoundary?: Elements | readonly Elements[];
  readonly session?: Elements | readonly Elements[];
  /** One policy a level. */
  readonly serviceControl?: readonly (Elements | readonly Elements[])[];
  readonly resourceControl?: readonly (Elements | readonly Elements[])[];
}

/** The layers of these statements, one policy each, with the layer's short name as id. */
export function layersOf(statements: LayerStatements): EngineLayers {
  const { identity, resource, trust, permissionsBoundary, session: passed } = statements;
  return compileLayers({
    identity: identity === undefined ? [] : [policy("id", identity)],
    resource:
      trust !== undefined
        ? policy("tp", trust, "trust")
        : resource === undefined
          ? null
          : policy("rp", resource, "resource"),
    permissionsBoundary:
      permissionsBoundary === undefined
        ? null
        : policy("pb", permissionsBoundary, "permissionsBoundary"),
    session: passed === undefined ? null : [policy("sp", passed, "session")],
    serviceControl:
      statements.serviceControl?.map((level, i) => [policy(`scp${i}`, level, "serviceControl")]) ??
      null,
    resourceControl:
      statements.resourceControl?.map((level, i) => [
        policy(`rcp${i}`, level, "resourceControl"),
      ]) ?? null,
  });
}
