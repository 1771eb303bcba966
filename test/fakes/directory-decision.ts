import {
  policiesOfAccount,
  policiesOfRole,
  policiesOfService,
  policiesOfUser,
  policiesOfWorkload,
} from "../../src/domain/directory/apply.ts";
import type { DirectoryLookup } from "../../src/domain/directory/lookup.ts";
import type { AppliedPolicy, PrincipalPolicies } from "../../src/domain/directory/policies.ts";
import { createArn } from "../../src/iam/arn.ts";
import { type Decision, denied } from "../../src/iam/decision.ts";
import { deriveKeys } from "../../src/iam/derived-keys.ts";
import { evaluateReference, type ReferencePolicy } from "../../src/iam/evaluation/reference.ts";
import { parsePolicyDocument } from "../../src/iam/policy/parse.ts";
import type { DocumentType } from "../../src/iam/policy/policy-type.ts";
import type { Principal } from "../../src/iam/principal.ts";

/** Who asks, as a credential says it: found in the directory or not. */
export type Caller =
  | { readonly type: "anonymous" }
  | { readonly type: "root"; readonly account: string }
  | { readonly type: "user"; readonly account: string; readonly name: string }
  | { readonly type: "role"; readonly account: string; readonly name: string }
  | { readonly type: "workload"; readonly spiffeId: string };

const nobody: PrincipalPolicies = {
  identity: [],
  permissionsBoundary: null,
  session: null,
  serviceControl: null,
  organization: null,
};

/**
 * Decides one request for a service of the directory: the caller is mapped by the lookup, policies
 * come from `apply`, the reference evaluator answers. A user or role that is not there is
 * `principal-not-mapped`, as in a Check.
 */
export function decide(
  lookup: DirectoryLookup,
  caller: Caller,
  service: { readonly account: string; readonly name: string },
  action: string,
  resourceName: string,
): Decision {
  const found = lookup.serviceByName(service.account, service.name);
  if (found === null) return denied("route-not-found");
  const mapped = map(lookup, caller);
  if (mapped === null) return denied("principal-not-mapped");
  const { principal, policies } = mapped;
  const of = policiesOfService(lookup, found);
  const resource = {
    arn: createArn("aws", found.name, "", found.account, resourceName),
    account: found.account,
    class: of.class,
  };
  const keys = deriveKeys(
    principal,
    resource,
    found.tags,
    policies.organization,
    of.organization,
    Date.UTC(2026, 10, 24),
  );
  const identity = read("identity");
  const levels = (all: PrincipalPolicies["serviceControl"], type: DocumentType) =>
    all?.map((level) => level.map(read(type))) ?? null;
  return evaluateReference(
    {
      principal,
      action: `${found.name}:${action}`,
      resource,
      principalOrganization: policies.organization,
      resourceOrganization: of.organization,
      keys,
      faults: null,
      nowMs: Date.UTC(2026, 10, 24),
    },
    {
      identity: policies.identity.map(identity),
      resource: of.resource === null ? null : read("resource")(of.resource),
      permissionsBoundary:
        policies.permissionsBoundary === null ? null : identity(policies.permissionsBoundary),
      session: null,
      serviceControl: levels(policies.serviceControl, "serviceControl"),
      resourceControl: levels(of.resourceControl, "resourceControl"),
    },
  );
}

function map(
  lookup: DirectoryLookup,
  caller: Caller,
): { readonly principal: Principal; readonly policies: PrincipalPolicies } | null {
  switch (caller.type) {
    case "anonymous":
      return { principal: { type: "anonymous" }, policies: nobody };
    case "root": {
      const { account } = caller;
      const arn = `arn:aws:iam::${account}:root`;
      return {
        principal: { type: "root", account, arn },
        policies: policiesOfAccount(lookup, account),
      };
    }
    case "user": {
      const user = lookup.userByName(caller.account, caller.name);
      if (user === null) return null;
      const { account, arn, name, id, tags } = user;
      return {
        principal: { type: "user", account, arn, name, id, tags },
        policies: policiesOfUser(lookup, user),
      };
    }
    case "role": {
      const role = lookup.roleByName(caller.account, caller.name);
      if (role === null) return null;
      const { account, name, id, tags, serviceLinked } = role;
      const arn = `arn:aws:sts::${account}:assumed-role/${name}/session`;
      return {
        principal: {
          type: "assumed-role",
          account,
          arn,
          roleArn: role.arn,
          roleName: name,
          sessionName: "session",
          id,
          serviceLinked,
          tags,
        },
        policies: policiesOfRole(lookup, role),
      };
    }
    case "workload": {
      const [, domain = "", namespace] =
        /^spiffe:\/\/([^/]+)\/ns\/([^/]+)\//.exec(caller.spiffeId) ?? [];
      const account = lookup.accountOfSpiffeId(domain, namespace ?? null);
      if (account === null) return { principal: { type: "anonymous" }, policies: nobody };
      const workload = lookup.workloadBySpiffeId(caller.spiffeId);
      const arn = `arn:aws:iam::${account}:workload/${caller.spiffeId.slice("spiffe://".length)}`;
      const tags = workload?.tags ?? new Map();
      return {
        principal: { type: "workload", account, arn, id: workload?.id ?? null, tags },
        policies: policiesOfWorkload(lookup, workload, account),
      };
    }
  }
}

function read(type: DocumentType): (policy: AppliedPolicy) => ReferencePolicy {
  return (policy) => {
    const loaded = "text" in policy ? parsePolicyDocument(policy.text, type) : null;
    return { id: policy.id, document: loaded?.ok ? loaded.value : null };
  };
}
