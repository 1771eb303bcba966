import { createArn } from "../../../../iam/arn.ts";
import {
  type CompiledPolicy,
  compilePolicy,
  unusablePolicy,
} from "../../../../iam/compile/compile.ts";
import { compileLayers } from "../../../../iam/compile/layers.ts";
import { type CompileTables, createCompileTables } from "../../../../iam/compile/tables.ts";
import { deriveKeys } from "../../../../iam/derived-keys.ts";
import { evaluate } from "../../../../iam/evaluation/evaluate.ts";
import { parsePolicyDocument } from "../../../../iam/policy/parse.ts";
import type { DocumentType } from "../../../../iam/policy/policy-type.ts";
import type { Principal } from "../../../../iam/principal.ts";
import type { RequestResource } from "../../../../iam/request-context.ts";
import {
  policiesOfResource,
  policiesOfRole,
  policiesOfUser,
  policiesOfWorkload,
} from "../../apply.ts";
import { joinPolicies } from "../../layers.ts";
import type { DirectoryLookup } from "../../lookup.ts";
import type { AppliedPolicy, PrincipalPolicies } from "../../policies.ts";
import { lookupOf } from "../../state/lookup-of.ts";
import { entitiesOf, type OrganizationState } from "../../state/organization-state.ts";
import { effectiveRole } from "../../state/trusted-principals.ts";
import { arnFacts } from "../arn-of.ts";
import { operations } from "../registry.ts";
import { type Candidate, canBeReached } from "./reachable.ts";

/** A principal that may do everything in IAM and Organizations, root aside. */
export interface Administrator {
  readonly id: string;
  readonly arn: string;
}

/** Enough to be sure that one of them outlives what is decided meanwhile. */
const enough = 16;

/**
 * Returns the administrators of `state` (TEN-6), up to `max`: principals of the management account, root
 * aside, whom somebody can become and who may, as the engine decides, run every operation of `iam:` in it
 * and of `organizations:`. The questions are asked as by one who has MFA and comes over TLS; no other
 * fact of a request is given, so who is administrator only from some address is none here.
 *
 * Cost: some fifty evaluations for each principal of the management account; stops at `max`. It is to
 * run outside the lock.
 */
export function administrators(
  state: OrganizationState,
  nowMs: number,
  max: number = enough,
): readonly Administrator[] {
  const asked = createQuestions(state, nowMs);
  const { managementAccount } = arnFacts(state);
  const found: Administrator[] = [];
  for (const kind of ["role", "user", "workload"] as const) {
    for (const candidate of entitiesOf(state.list(kind, managementAccount), kind)) {
      if (!asked.mayDoAll(candidate)) continue;
      found.push({ id: candidate.id, arn: candidate.record.arn });
      if (found.length >= max) return found;
    }
  }
  return found;
}

/**
 * Returns whether `after` locks everybody out: there were administrators, and none of the `known` ones,
 * as they were found outside the lock, is one of `after`. Without known ones nobody can be locked out.
 * Cost: of the known ones only.
 */
export function locksOut(
  known: readonly Administrator[],
  after: OrganizationState,
  nowMs: number,
): boolean {
  if (known.length === 0) return false;
  const asked = createQuestions(after, nowMs);
  return !known.some(({ id }) => {
    const object = after.get(id);
    return (
      (object?.kind === "user" || object?.kind === "role" || object?.kind === "workload") &&
      asked.mayDoAll(object)
    );
  });
}

function createQuestions(state: OrganizationState, nowMs: number) {
  const lookup = lookupOf(state);
  const facts = arnFacts(state);
  const read = createReader();
  const { managementAccount } = facts;
  const probes = probesOf(facts.partition, managementAccount);
  return {
    mayDoAll: (candidate: Candidate): boolean => {
      if (candidate.account !== managementAccount || !canBeReached(state, candidate)) return false;
      const { principal, policies } = callerOf(state, lookup, candidate);
      const target = policiesOfResource(lookup, managementAccount);
      const layers = compileLayers(joinPolicies(policies, target, read));
      const { organization } = policies;
      return probes.every(({ action, resource }) => {
        const keys = deriveKeys(principal, resource, new Map(), organization, organization, nowMs);
        for (const key of ["aws:multifactorauthpresent", "aws:securetransport"]) {
          keys.set(key, { multivalued: false, values: ["true"] });
        }
        const context = {
          principal,
          action,
          resource,
          principalOrganization: organization,
          resourceOrganization: target.organization,
          keys,
          faults: null,
          nowMs,
        };
        return evaluate(context, layers).decision === "allowed";
      });
    },
  };
}

/** Every operation that changes something, on a resource of its sort. */
function probesOf(
  partition: string,
  account: string,
): readonly { readonly action: string; readonly resource: RequestResource }[] {
  const changing = [...operations.values()].filter(
    ({ service, access }) =>
      (service === "iam" || service === "organizations") && access !== "Read" && access !== "List",
  );
  return changing.map(({ service, name }) => ({
    action: `${service}:${name}`,
    resource: {
      arn:
        service === "iam" ? createArn(partition, "iam", "", account, `${sortOf(name)}/any`) : null,
      account,
      class: "ordinary",
    },
  }));
}

function sortOf(operation: string): string {
  if (operation.includes("OpenIDConnectProvider")) return "oidc-provider";
  if (operation.includes("Group")) return "group";
  if (operation.includes("User")) return "user";
  return operation.includes("Role") ? "role" : "policy";
}

function callerOf(
  state: OrganizationState,
  lookup: DirectoryLookup,
  candidate: Candidate,
): { readonly principal: Principal; readonly policies: PrincipalPolicies } {
  const { id, account, arn, name, tags } = candidate.record;
  switch (candidate.kind) {
    case "user":
      return {
        principal: { type: "user", account, arn, name, id, tags },
        policies: policiesOfUser(lookup, candidate.record),
      };
    case "workload":
      return {
        principal: { type: "workload", account, arn, id, tags },
        policies: policiesOfWorkload(lookup, candidate.record, account),
      };
    case "role": {
      const sessionName = "administrator";
      const { partition } = lookup.directory;
      return {
        principal: {
          type: "assumed-role",
          account,
          arn: `arn:${partition}:sts::${account}:assumed-role/${name}/${sessionName}`,
          roleArn: arn,
          roleName: name,
          sessionName,
          id,
          serviceLinked: candidate.record.serviceLinked,
          tags,
        },
        policies: policiesOfRole(lookup, effectiveRole(state, candidate)),
      };
    }
  }
}

/** Compiles each policy once. */
function createReader(): (policy: AppliedPolicy, type: DocumentType) => CompiledPolicy {
  const compiled = new Map<AppliedPolicy, CompiledPolicy>();
  const tables: CompileTables = createCompileTables();
  return (policy, type) => {
    const known = compiled.get(policy);
    if (known !== undefined) return known;
    const loaded = "text" in policy ? parsePolicyDocument(policy.text, type) : null;
    const made = loaded?.ok
      ? compilePolicy(policy.id, loaded.value, { tables })
      : unusablePolicy(policy.id);
    compiled.set(policy, made);
    return made;
  };
}
