import type { AppliedPolicy } from "../../domain/directory/policies.ts";
import type { TrustEvaluator } from "../../domain/sts/web-identity-trust.ts";
import type { EngineLayers } from "../../iam/compile/layers.ts";
import { evaluate } from "../../iam/evaluation/evaluate.ts";
import type { PolicyCompiler } from "./policy-compiler.ts";

/**
 * Returns the engine as role trust asks it: the trust policy and the RCPs of the role's account, and a
 * caller that has no policies yet (iam-semantics 7.2). Belongs to the snapshot of `compiler`, which
 * has compiled the RCPs already.
 */
export function createTrustEvaluator(compiler: PolicyCompiler): TrustEvaluator {
  const nothing = compiler.set([], "identity");
  return {
    evaluate(context, policies) {
      const layers: EngineLayers = {
        identity: nothing,
        resource: policies.resource === null ? null : compiler.set([policies.resource], "trust"),
        permissionsBoundary: null,
        session: null,
        serviceControl: null,
        resourceControl: compiler.levels(policies.resourceControl, "resourceControl"),
      };
      return evaluate(context, layers);
    },
    readsOf: (policy: AppliedPolicy) =>
      compiler.policy(policy, "trust").compiled.statements.flatMap((statement) => statement.reads),
  };
}
