import type { CheckAttributes } from "../../domain/request/attributes.ts";
import { evaluationTimeMs } from "../../domain/request/context-keys.ts";
import type { ResolvedRequest } from "../../domain/request/resolve.ts";
import type { Decision } from "../../iam/decision.ts";
import { evaluate } from "../../iam/evaluation/evaluate.ts";
import type { KeyFault, RequestContext } from "../../iam/request-context.ts";
import type { Caller, Reads } from "./caller.ts";
import type { FrontedService } from "./fronted-service.ts";
import type { AttestedKeys, RequestKeys } from "./request-keys.ts";

/** Everything that one decision is made from; borrowed for the time of the Check. */
export interface DecisionInput {
  readonly attributes: CheckAttributes;
  readonly service: FrontedService;
  readonly caller: Caller;
  readonly attested: readonly AttestedKeys[];
  readonly nowMs: number;
  readonly keys: RequestKeys;
}

/** One evaluation as it was made; borrowed like its input. */
export interface Evaluation {
  readonly decision: Decision;
  readonly context: RequestContext;
  readonly reads: Reads;
  readonly request: ResolvedRequest;
  readonly input: DecisionInput;
}

/** Told of each evaluation while its keys are still bound. */
export type DecisionObserver = (evaluation: Evaluation) => void;

/**
 * Returns the decision about `request`; of a request with an override method the first denial of the
 * two, since both methods must be allowed (envoy-ext-authz 4.1).
 */
export function decide(
  request: ResolvedRequest,
  input: DecisionInput,
  observe: DecisionObserver,
): Decision {
  const decision = decideOne(request, input, observe);
  if (decision.decision !== "allowed" || request.second === null) return decision;
  return decideOne(request.second, input, observe);
}

function decideOne(
  request: ResolvedRequest,
  input: DecisionInput,
  observe: DecisionObserver,
): Decision {
  const { attributes, service, caller, keys } = input;
  const { principal, policies } = caller.mapped;
  const question = caller.question(service, request.implied !== null);
  const reads = question.reads(request.action, service);
  keys.bind(attributes, request, caller.mapped, service.keys, input.attested, input.nowMs);
  const context: RequestContext = {
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
    faults: faultsAmong(reads, keys),
    nowMs: evaluationTimeMs(attributes, input.nowMs),
  };
  const decision = evaluate(context, question.layers);
  observe({ decision, context, reads, request, input });
  return decision;
}

/** Faults are looked for before the evaluation, so that no order of statements decides what is met. */
function faultsAmong(reads: Reads, keys: RequestKeys): ReadonlyMap<string, KeyFault> | null {
  let faults: Map<string, KeyFault> | null = null;
  for (const key of reads.faultable) {
    const value = keys.read(key);
    if (typeof value !== "string") continue;
    faults ??= new Map();
    faults.set(key, value);
  }
  return faults;
}
