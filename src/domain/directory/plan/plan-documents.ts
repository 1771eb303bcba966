import { identitySteps } from "./identity-steps.ts";
import { organizationSteps } from "./organization-steps.ts";
import { controlPolicySteps, managedPolicySteps } from "./policy-steps.ts";
import { pruneSteps } from "./prune-steps.ts";
import { providerSteps, serviceSteps, trustDomainSteps } from "./source-steps.ts";
import type { PlanContext, Steps } from "./step.ts";

/**
 * Yields the operations that bring a state to what documents say, in an order in which each finds what it
 * needs (FILE-5); nothing where they agree. What bounds everybody, SCPs and RCPs, comes before whom it
 * bounds, so that a run that is broken off has granted nothing too early. Running it again goes on.
 *
 * Not reached by it: descriptions and labels, which no directory has, and permission sets.
 */
export function* planDocuments(context: PlanContext, prune: boolean): Steps {
  yield* organizationSteps(context);
  yield* controlPolicySteps(context);
  yield* managedPolicySteps(context);
  yield* trustDomainSteps(context);
  yield* identitySteps(context);
  yield* providerSteps(context);
  yield* serviceSteps(context);
  if (prune) yield* pruneSteps(context);
}
