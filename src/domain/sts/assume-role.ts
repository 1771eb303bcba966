import { parseArn } from "../../iam/arn.ts";
import { denied } from "../../iam/decision.ts";
import { principalKeys } from "../../iam/derived-keys.ts";
import { accessDeniedSentence } from "../../iam/evaluation/sentence.ts";
import type { AssumedRolePrincipal } from "../../iam/principal.ts";
import type { ContextValue, RequestContext, RequestResource } from "../../iam/request-context.ts";
import { policiesOfRole, trustPoliciesOfRole } from "../directory/apply.ts";
import type { DirectoryLookup } from "../directory/lookup.ts";
import type { Role } from "../directory/model.ts";
import type { AppliedPolicy } from "../directory/policies.ts";
import { type AssumeRoleCall, type AssumeRoleRequest, readAssumeRole } from "./assume-role-call.ts";
import { assumeRoleKeys, type Circumstances } from "./assume-role-keys.ts";
import { isFixedKey, withoutFixed } from "./fixed-keys.ts";
import { refuseCall, type StsRefusal } from "./refusal.ts";
import type { PolicyEvaluator, RoleSession, SessionChain, StsCaller } from "./session.ts";
import { refuseSessionPolicies, sessionPoliciesOf } from "./session-policies.ts";
import { sessionPrincipal } from "./session-principal.ts";
import { sessionTagsOf } from "./tag-chain.ts";

/**
 * Returns the session that AssumeRole gives `caller`, or why it gives none (iam-semantics 7.2).
 *
 * First what is wrong with any role (`readAssumeRole`, session policies), then trust: the engine is
 * asked for `sts:AssumeRole` and for each permission-only action that the session needs (STS-2), with
 * the trust policy and RCPs of the role's side and everything that binds the caller, boundary and session
 * policies included (EXC-1). A role that is disabled or not there is `access-denied` in the very words of
 * one that does not trust the caller. Only a trusted caller learns the role's longest session
 * (`duration-range`) and whether a policy of its account exists (`session-policy`).
 *
 * Pure: no clock, no token. Any principal may be the caller; who may not call AssumeRole at all is the
 * engine's to say (EXC-9). `evaluation-error`: the question could not be decided, which is no answer.
 */
export function assumeRole(
  request: AssumeRoleRequest,
  caller: StsCaller,
  circumstances: Circumstances,
  lookup: DirectoryLookup,
  evaluate: PolicyEvaluator,
): { readonly ok: true; readonly value: RoleSession } | StsRefusal {
  const read = readAssumeRole(request, caller);
  if (!read.ok) return read;
  const call = read.value;
  const policyRefusal = refuseSessionPolicies(request);
  if (policyRefusal !== null) return policyRefusal;

  const role = activeRole(request.roleArn, lookup);
  if (role === null) return refuseAccess(request.roleArn, caller, assumeAction, null);
  const refusal = refuseUntrusted(request, call, caller, circumstances, role, lookup, evaluate);
  if (refusal !== null) return refusal;

  if (call.durationSeconds > role.maxSessionSeconds) {
    const message = `expected at most ${role.maxSessionSeconds} seconds for this role`;
    return refuseCall("duration-range", `${message}, got ${call.durationSeconds}`);
  }
  const tags = sessionTagsOf(role.tags, call.tags.passed, caller.chain.transitiveTags);
  const { partition } = lookup.directory;
  const principal = sessionPrincipal(role, request.roleSessionName, tags, partition);
  const policies = sessionPoliciesOf(request, principal.arn, role.account, lookup);
  if (!policies.ok) return policies;
  return { ok: true, value: sessionOf(principal, policies.value, call, caller, role, lookup) };
}

const assumeAction = "sts:AssumeRole";

function activeRole(arn: string, lookup: DirectoryLookup): Role | null {
  const role = lookup.roleByArn(arn);
  if (role === null || role.state === "disabled") return null;
  return lookup.accountById(role.account)?.state === "disabled" ? null : role;
}

/** Returns the refusal of the first action that is not allowed, or null. */
function refuseUntrusted(
  { roleArn, roleSessionName }: AssumeRoleRequest,
  call: AssumeRoleCall,
  caller: StsCaller,
  circumstances: Circumstances,
  role: Role,
  lookup: DirectoryLookup,
  evaluate: PolicyEvaluator,
): StsRefusal | null {
  const target = trustPoliciesOfRole(lookup, role);
  const arn = parseArn(role.arn);
  const resource: RequestResource = {
    arn: arn.ok ? arn.value : null,
    account: role.account,
    class: target.class,
  };
  const { principal, policies } = caller;
  const question: Omit<RequestContext, "action"> = {
    principal,
    resource,
    principalOrganization: policies.organization,
    resourceOrganization: target.organization,
    keys: assumeRoleKeys(call, roleSessionName, caller, circumstances, role, resource, target),
    faults: withoutFixed(circumstances.faults, isFixedKey),
    nowMs: circumstances.nowMs,
  };
  for (const action of actionsOf(call, caller)) {
    const decision = evaluate({ ...question, action }, policies, target);
    if (decision.decision !== "allowed") return refuseAccess(roleArn, caller, action, decision);
  }
  return null;
}

/** STS-2: what is passed or inherited has to be permitted on its own. */
function actionsOf({ tags, sourceIdentity }: AssumeRoleCall, { chain }: StsCaller): string[] {
  const actions = [assumeAction];
  if (tags.passed.size > 0 || chain.transitiveTags.size > 0) actions.push("sts:TagSession");
  if (sourceIdentity !== null) actions.push("sts:SetSourceIdentity");
  return actions;
}

function refuseAccess(
  roleArn: string,
  { principal }: StsCaller,
  action: string,
  decision: StsRefusal["decision"],
): StsRefusal {
  const failed = decision !== null && decision.errors.length > 0;
  // without the clause that would tell which policy was missing
  const message = accessDeniedSentence(denied("implicit-deny"), principal, action, roleArn);
  return {
    ok: false,
    code: failed ? "evaluation-error" : "access-denied",
    message,
    action,
    decision,
  };
}

function sessionOf(
  principal: AssumedRolePrincipal,
  session: readonly AppliedPolicy[] | null,
  { tags, sourceIdentity, durationSeconds }: AssumeRoleCall,
  { chain }: StsCaller,
  role: Role,
  lookup: DirectoryLookup,
): RoleSession {
  const policies = { ...policiesOfRole(lookup, role), session };
  const { federatedProvider } = chain;
  const carried: SessionChain = {
    transitiveTags: tags.transitive,
    sourceIdentity,
    federatedProvider,
  };
  const keys = new Map<string, ContextValue>(principalKeys(principal, policies.organization));
  const set = (key: string, text: string | null): void => {
    if (text !== null) keys.set(key, { multivalued: false, values: [text] });
  };
  set("aws:sourceidentity", sourceIdentity);
  set("aws:federatedprovider", federatedProvider);
  return Object.freeze({ principal, policies, keys, chain: carried, durationSeconds });
}
