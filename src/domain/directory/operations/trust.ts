import { parseArn } from "../../../iam/arn.ts";
import { parsePolicyDocument } from "../../../iam/policy/parse.ts";
import { quote } from "../../../iam/problem.ts";
import { countWithoutWhiteSpace } from "../policy-size.ts";
import type { TrustedPrincipal } from "../state/entity.ts";
import { namedArns, principalByArn, trustedPrincipals } from "../state/trusted-principals.ts";
import type { OperationContext } from "./operation.ts";
import { type Refusal, refuse } from "./refusal.ts";

const field = "assumeRolePolicyDocument";

/**
 * Returns whom a trust policy names, each with its unique id (PRIN-3), or the refusal: `LimitExceeded`
 * for one that is too long, `MalformedPolicyDocument` for a user or role that should be in an account of
 * the organization and is not there, as at AWS. A SPIFFE identity exists without being stored.
 */
export function resolveTrust(
  { state, quotas }: OperationContext,
  text: string,
): readonly TrustedPrincipal[] | Refusal {
  const characters = countWithoutWhiteSpace(text);
  const max = quotas.trustPolicyCharacters;
  if (characters > max) {
    const message = `expected at most ${max} characters, got ${characters}`;
    return refuse("LimitExceeded", message, { field });
  }
  const loaded = parsePolicyDocument(text, "trust");
  if (!loaded.ok) {
    const [problem] = loaded.problems;
    return refuse("MalformedPolicyDocument", problem?.message ?? "expected a policy", { field });
  }
  for (const arn of namedArns(loaded.value)) {
    if (arn.includes(":workload/") || principalByArn(state, arn) !== null) continue;
    const parsed = parseArn(arn);
    const account = parsed.ok ? parsed.value.account : "";
    if (state.named("account", "", account) === undefined) continue;
    const message = `invalid principal in policy: no ${quote(arn)}`;
    return refuse("MalformedPolicyDocument", message, { field, resource: arn });
  }
  return trustedPrincipals(state, loaded.value);
}
