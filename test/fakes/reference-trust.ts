import type { AppliedPolicy } from "../../src/domain/directory/policies.ts";
import type { TrustEvaluator } from "../../src/domain/sts/web-identity-trust.ts";
import { evaluateReference, type ReferencePolicy } from "../../src/iam/evaluation/reference.ts";
import { conditionKeys } from "../../src/iam/evaluation/reference-condition.ts";
import { parsePolicyDocument } from "../../src/iam/policy/parse.ts";
import type { DocumentType } from "../../src/iam/policy/policy-type.ts";

function read(policy: AppliedPolicy, type: DocumentType): ReferencePolicy {
  const loaded = "text" in policy ? parsePolicyDocument(policy.text, type) : null;
  return { id: policy.id, document: loaded?.ok ? loaded.value : null };
}

/** Trust questions by the second evaluator, with a count of them. */
export function createReferenceTrust(): TrustEvaluator & { asked: number } {
  return {
    asked: 0,
    evaluate(context, { resource, resourceControl }) {
      this.asked++;
      return evaluateReference(context, {
        identity: [],
        resource: resource && read(resource, "trust"),
        permissionsBoundary: null,
        session: null,
        serviceControl: null,
        resourceControl:
          resourceControl?.map((level) => level.map((one) => read(one, "resourceControl"))) ?? null,
      });
    },
    *readsOf(policy) {
      const type = policy.id.includes(":role/") ? "trust" : "resourceControl";
      const { document } = read(policy, type);
      for (const statement of document?.statements ?? []) {
        yield* conditionKeys(statement, document?.version ?? "2012-10-17");
      }
    },
  };
}
