import type { AppliedPolicy } from "../../src/domain/directory/policies.ts";
import type { ReferencePolicy } from "../../src/iam/evaluation/reference.ts";
import { parsePolicyDocument } from "../../src/iam/policy/parse.ts";
import type { DocumentType } from "../../src/iam/policy/policy-type.ts";

/** Returns a policy as the reference evaluator takes it; without a document where it is not usable. */
export function readApplied(policy: AppliedPolicy, type: DocumentType): ReferencePolicy {
  const loaded = "text" in policy ? parsePolicyDocument(policy.text, type) : null;
  return { id: policy.id, document: loaded?.ok ? loaded.value : null };
}
