import { parsePolicyDocument } from "../../iam/policy/parse.ts";
import { quote } from "../../iam/problem.ts";
import { managedPolicy } from "../directory/apply.ts";
import type { DirectoryLookup } from "../directory/lookup.ts";
import type { AppliedPolicy } from "../directory/policies.ts";
import type { AssumeRoleRequest } from "./assume-role-call.ts";
import { refuseCall, type StsRefusal } from "./refusal.ts";

/** iam-semantics 2.5: the inline text as passed and the ARNs together; managed ones by number. */
const maxCharacters = 2048;
const maxManaged = 10;

type Passed = Pick<AssumeRoleRequest, "policy" | "policyArns">;

/**
 * Returns the refusal of session policies that could not be accepted for any role, else null:
 * `session-policy-size` above 2048 characters of text and ARNs together or above ten ARNs,
 * `session-policy` for a document that the loader refuses or an ARN that stands twice.
 */
export function refuseSessionPolicies({ policy, policyArns }: Passed): StsRefusal | null {
  if (policyArns.length > maxManaged) {
    const message = `expected at most ${maxManaged} policy ARNs, got ${policyArns.length}`;
    return refuseCall("session-policy-size", message);
  }
  const characters = [policy ?? "", ...policyArns].reduce((sum, text) => sum + text.length, 0);
  if (characters > maxCharacters) {
    const message = `expected session policies of at most ${maxCharacters} characters, got ${characters}`;
    return refuseCall("session-policy-size", message);
  }
  if (new Set(policyArns).size < policyArns.length) {
    return refuseCall("session-policy", "a policy ARN stands twice");
  }
  if (policy === null) return null;
  const loaded = parsePolicyDocument(policy, "session");
  if (loaded.ok) return null;
  const [problem] = loaded.problems;
  return refuseCall("session-policy", problem?.message ?? "expected a policy document");
}

/**
 * Returns the session policies of a session of `account`, null where none was passed, or the refusal
 * `session-policy` of an ARN that is no managed policy of that account. `refuseSessionPolicies` has let
 * them pass. One pass over the managed policies of the directory where ARNs are passed.
 */
export function sessionPoliciesOf(
  { policy, policyArns }: Passed,
  sessionArn: string,
  account: string,
  lookup: DirectoryLookup,
): { readonly ok: true; readonly value: readonly AppliedPolicy[] | null } | StsRefusal {
  const found = new Map<string, AppliedPolicy>();
  if (policyArns.length > 0) {
    const wanted = new Set(policyArns);
    for (const { arn, id, account: owner } of lookup.directory.managedPolicies) {
      if (owner === account && wanted.has(arn)) found.set(arn, managedPolicy(lookup, id));
    }
  }
  const policies: AppliedPolicy[] = [];
  for (const arn of policyArns) {
    const managed = found.get(arn);
    if (managed === undefined) {
      const expected = "expected the ARN of a managed policy of the role's account";
      return refuseCall("session-policy", `${expected}, got ${quote(arn)}`);
    }
    policies.push(managed);
  }
  if (policy !== null) policies.push({ id: `${sessionArn}/Policy`, text: policy, source: null });
  return { ok: true, value: policies.length === 0 ? null : policies };
}
