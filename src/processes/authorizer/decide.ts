import type { ResolvedRequest } from "../../domain/request/resolve.ts";
import type { Decision } from "../../iam/decision.ts";
import { evaluate } from "../../iam/evaluation/evaluate.ts";
import type { KeyFault, RequestContext } from "../../iam/request-context.ts";
import type { AskedCheck } from "./asked-check.ts";
import type { AttestedKeys } from "./attested-keys.ts";
import type { Caller } from "./caller.ts";
import type { Question } from "./question.ts";
import type { RequestKeys } from "./request-keys.ts";

/** Everything that one decision is made from. */
export interface DecisionInput {
  readonly asked: AskedCheck;
  readonly caller: Caller;
  /** Facts of the token and of the peer, whichever gave the principal (KEY-12). */
  readonly attested: readonly AttestedKeys[];
  readonly keys: RequestKeys;
}

/** A decision, and which request of a Check decided it. */
export interface Decided {
  readonly request: ResolvedRequest;
  readonly decision: Decision;
}

/**
 * Returns the decision about `request`; of a request with an override method the first denial of the
 * two, since both methods must be allowed (envoy-ext-authz 4.1). The keys stay bound to what decided.
 */
export function decide(request: ResolvedRequest, input: DecisionInput): Decided {
  const decision = evaluate(contextOf(request, input), questionOf(request, input).layers);
  if (decision.decision !== "allowed" || request.second === null) return { request, decision };
  return decide(request.second, input);
}

/** Returns the layers of the question that `request` is. */
export function questionOf(request: ResolvedRequest, { asked, caller }: DecisionInput): Question {
  return caller.rights.question(asked.service, request.implied !== null);
}

/** Returns the question as the engine takes it, and binds the keys of the process to it. */
export function contextOf(request: ResolvedRequest, input: DecisionInput): RequestContext {
  const { asked, caller, attested, keys } = input;
  const { service, asOfMs } = asked;
  const { principal, policies } = caller.mapped;
  keys.bind(asked, request, caller.mapped, attested);
  const { faultable } = questionOf(request, input).reads(request.action);
  return {
    principal,
    action: request.action,
    resource: {
      arn: request.resource,
      account: service.policies.account,
      class: service.policies.class,
    },
    principalOrganization: policies.organization,
    resourceOrganization: service.policies.organization,
    keys,
    faults: faultsAmong(faultable, keys),
    nowMs: asOfMs,
  };
}

/** Faults are looked for before the evaluation, so that no order of statements decides what is met. */
export function faultsAmong(
  faultable: Iterable<string>,
  keys: RequestKeys,
): ReadonlyMap<string, KeyFault> | null {
  let faults: Map<string, KeyFault> | null = null;
  for (const key of faultable) {
    const value = keys.read(key);
    if (typeof value !== "string") continue;
    faults ??= new Map();
    faults.set(key, value);
  }
  return faults;
}
