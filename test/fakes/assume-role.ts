import {
  policiesOfAccount,
  policiesOfRole,
  policiesOfUser,
  policiesOfWorkload,
} from "../../src/domain/directory/apply.ts";
import type { DirectoryLookup } from "../../src/domain/directory/lookup.ts";
import type { PrincipalPolicies } from "../../src/domain/directory/policies.ts";
import { assumeRole } from "../../src/domain/sts/assume-role.ts";
import type { AssumeRoleRequest } from "../../src/domain/sts/assume-role-call.ts";
import type { Circumstances } from "../../src/domain/sts/assume-role-keys.ts";
import { noChain, type RoleSession, type StsCaller } from "../../src/domain/sts/session.ts";
import { principalKeys } from "../../src/iam/derived-keys.ts";
import type { Principal } from "../../src/iam/principal.ts";
import { evaluateTwice } from "./both-evaluators.ts";
import { document, lookupOf } from "./principals.ts";

export const A = "111111111111";
export const B = "222222222222";
export const userArn = `arn:aws:iam::${A}:user/bob`;
export const roleArn = `arn:aws:iam::${A}:role/app`;
export const sessionArn = `arn:aws:sts::${A}:assumed-role/app/sess1`;
export const spiffeId = "spiffe://mesh.example/ns/shop/sa/web";

type Statement = Readonly<Record<string, unknown>>;

export const allowAll: Statement = { Effect: "Allow", Action: "*", Resource: "*" };
export const allowOther: Statement = { Effect: "Allow", Action: "sqs:*", Resource: "*" };

export function policyOf(...statements: readonly Statement[]): object {
  return { Version: "2012-10-17", Statement: statements };
}

/** A statement of a trust policy that allows AWS principals; `rest` adds or replaces elements. */
export function trusts(principal: unknown, rest: Statement = {}): Statement {
  return {
    Effect: "Allow",
    Principal: principal === "*" ? "*" : { AWS: principal },
    Action: "sts:AssumeRole",
    ...rest,
  };
}

export const everything = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"];

/** A role of account A (or another) with these trust statements; `spec` adds members. */
export function role(
  name: string,
  trust: readonly Statement[],
  spec: object = {},
  account = A,
): object {
  return document("Role", name, { assumeRolePolicyDocument: policyOf(...trust), ...spec }, account);
}

export function identity(...statements: readonly Statement[]): object {
  return { policies: [{ policyName: "own", policyDocument: policyOf(...statements) }] };
}

/** Bob with these members, and whatever else there is. */
export function world(bob: object, ...documents: readonly object[]): DirectoryLookup {
  return lookupOf(
    document("User", "bob", bob, A),
    document("User", "al", {}, A),
    document("ManagedPolicy", "other", { policyDocument: policyOf(allowOther) }, A),
    document("ManagedPolicy", "foreign", { policyDocument: policyOf(allowAll) }, B),
    ...documents,
  );
}

const nobody: PrincipalPolicies = {
  identity: [],
  permissionsBoundary: null,
  session: null,
  serviceControl: null,
  organization: null,
};

function callerOf(principal: Principal, policies: PrincipalPolicies): StsCaller {
  const keys = principalKeys(principal, policies.organization);
  return { principal, policies, keys, chain: noChain };
}

export function user(lookup: DirectoryLookup, name = "bob"): StsCaller {
  const found = lookup.userByName(A, name);
  if (found === null) throw new Error(`no user ${name}`);
  const { account, arn, id, tags } = found;
  return callerOf({ type: "user", account, arn, name, id, tags }, policiesOfUser(lookup, found));
}

/** A session of the role, with session policies as passed at its making. */
export function session(
  lookup: DirectoryLookup,
  roleName = "app",
  sessionPolicy: object | null = null,
): StsCaller {
  const found = lookup.roleByName(A, roleName);
  if (found === null) throw new Error(`no role ${roleName}`);
  const { account, name, id, serviceLinked, tags } = found;
  const arn = `arn:aws:sts::${account}:assumed-role/${name}/sess1`;
  const principal: Principal = {
    type: "assumed-role",
    account,
    arn,
    roleArn: found.arn,
    roleName: name,
    sessionName: "sess1",
    id,
    serviceLinked,
    tags,
  };
  const passed =
    sessionPolicy === null
      ? null
      : [{ id: `${arn}/Policy`, text: JSON.stringify(sessionPolicy), source: null }];
  return callerOf(principal, { ...policiesOfRole(lookup, found), session: passed });
}

export function workload(lookup: DirectoryLookup): StsCaller {
  const found = lookup.workloadBySpiffeId(spiffeId);
  const arn = `arn:aws:iam::${A}:workload/${spiffeId.slice("spiffe://".length)}`;
  const tags = found?.tags ?? new Map<string, string>();
  return callerOf(
    { type: "workload", account: A, arn, id: found?.id ?? null, tags },
    policiesOfWorkload(lookup, found, A),
  );
}

export function root(lookup: DirectoryLookup): StsCaller {
  const principal: Principal = { type: "root", account: A, arn: `arn:aws:iam::${A}:root` };
  return callerOf(principal, policiesOfAccount(lookup, A));
}

export const anonymous: StsCaller = callerOf({ type: "anonymous" }, nobody);

export const service = (name: string): StsCaller => callerOf({ type: "service", name }, nobody);

export function federatedUser(lookup: DirectoryLookup): StsCaller {
  const { policies } = user(lookup);
  const arn = `arn:aws:sts::${A}:federated-user/bob`;
  const principal: Principal = {
    type: "federated-user",
    account: A,
    arn,
    name: "bob",
    userArn,
    userId: null,
    tags: new Map(),
  };
  return callerOf(principal, policies);
}

export const now: Circumstances = { keys: new Map(), faults: null, nowMs: Date.UTC(2026, 10, 24) };

const plainCall: AssumeRoleRequest = {
  roleArn,
  roleSessionName: "sess1",
  durationSeconds: null,
  externalId: null,
  sourceIdentity: null,
  tags: [],
  transitiveTagKeys: [],
  policy: null,
  policyArns: [],
  multiFactorAuthAgeSeconds: null,
};

/** The answer to a call that both evaluators gave. */
export function assume(
  lookup: DirectoryLookup,
  caller: StsCaller,
  call: Partial<AssumeRoleRequest> = {},
  circumstances: Circumstances = now,
): ReturnType<typeof assumeRole> {
  return assumeRole({ ...plainCall, ...call }, caller, circumstances, lookup, evaluateTwice);
}

/** The answer in one word: `allowed`, the refusal's code, or the layer that did not allow. */
export function outcome(answer: ReturnType<typeof assumeRole>): string {
  if (answer.ok) return "allowed";
  const { code, decision, action } = answer;
  if (code !== "access-denied" || decision === null) return code;
  return `${decision.decision} ${decision.deniedBy} ${action}`;
}

/** The session of a call that is allowed. */
export function sessionOf(answer: ReturnType<typeof assumeRole>): RoleSession {
  if (!answer.ok) throw new Error(`${answer.code}: ${answer.message}`);
  return answer.value;
}
