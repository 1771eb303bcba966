import type { TrustEvaluator } from "../../src/domain/sts/web-identity-trust.ts";
import { evaluateReference } from "../../src/iam/evaluation/reference.ts";
import { conditionKeys } from "../../src/iam/evaluation/reference-condition.ts";
import { readApplied } from "./applied-policy.ts";

/** Trust questions by the second evaluator, with a count of them. */
export function createReferenceTrust(): TrustEvaluator & { asked: number } {
  return {
    asked: 0,
    evaluate(context, { resource, resourceControl }) {
      this.asked++;
      return evaluateReference(context, {
        identity: [],
        resource: resource && readApplied(resource, "trust"),
        permissionsBoundary: null,
        session: null,
        serviceControl: null,
        resourceControl:
          resourceControl?.map((level) =>
            level.map((one) => readApplied(one, "resourceControl")),
          ) ?? null,
      });
    },
    *readsOf(policy) {
      const type = policy.id.includes(":role/") ? "trust" : "resourceControl";
      const { document } = readApplied(policy, type);
      for (const statement of document?.statements ?? []) {
        yield* conditionKeys(statement, document?.version ?? "2012-10-17");
      }
    },
  };
}
