import { expect } from "vitest";
import { joinPolicies } from "../../src/domain/directory/layers.ts";
import type {
  AppliedPolicy,
  PrincipalPolicies,
  ResourcePolicies,
} from "../../src/domain/directory/policies.ts";
import { compilePolicy, unusablePolicy } from "../../src/iam/compile/compile.ts";
import { compileLayers } from "../../src/iam/compile/layers.ts";
import type { Decision } from "../../src/iam/decision.ts";
import { evaluate } from "../../src/iam/evaluation/evaluate.ts";
import { evaluateReference } from "../../src/iam/evaluation/reference.ts";
import type { DocumentType } from "../../src/iam/policy/policy-type.ts";
import type { RequestContext } from "../../src/iam/request-context.ts";
import { readApplied } from "./applied-policy.ts";

/** The compiled evaluator's decision, once the reference evaluator has said the same. */
export function evaluateTwice(
  context: RequestContext,
  caller: PrincipalPolicies,
  target: ResourcePolicies,
): Decision {
  const decision = evaluate(context, compileLayers(joinPolicies(caller, target, compiled)));
  const reference = evaluateReference(context, joinPolicies(caller, target, readApplied));
  const agreed = ({ decision: word, deniedBy, deniedLevel, errors }: Decision) => ({
    word,
    deniedBy,
    deniedLevel,
    errors,
  });
  expect(agreed(decision), "both evaluators agree").toEqual(agreed(reference));
  return decision;
}

function compiled(policy: AppliedPolicy, type: DocumentType) {
  const { id, document } = readApplied(policy, type);
  return document === null ? unusablePolicy(id) : compilePolicy(id, document);
}
