import { parseArn } from "../../iam/arn.ts";
import { quote } from "../../iam/problem.ts";
import { refuseCall, type StsRefusal } from "./refusal.ts";
import type { StsCaller } from "./session.ts";
import { isSessionName } from "./session-name.ts";
import { chainTags, type TagChain } from "./tag-chain.ts";

/** A call of AssumeRole as received: untrusted texts of any length, lists of any number. */
export interface AssumeRoleRequest {
  readonly roleArn: string;
  readonly roleSessionName: string;
  /** Seconds; null: 3600. */
  readonly durationSeconds: number | null;
  readonly externalId: string | null;
  readonly sourceIdentity: string | null;
  readonly tags: readonly (readonly [key: string, value: string])[];
  readonly transitiveTagKeys: readonly string[];
  /** The inline session policy, JSON; null: none. */
  readonly policy: string | null;
  /** ARNs of managed policies of the role's account, as session policies. */
  readonly policyArns: readonly string[];
  /**
   * Seconds since the second factor of this call was verified, which is not done here: 0 for a code that
   * came with the call (MFA-2). Null: none came.
   */
  readonly multiFactorAuthAgeSeconds: number | null;
}

/** A call whose parameters are in order; whether the role trusts the caller is not asked yet. */
export interface AssumeRoleCall {
  readonly durationSeconds: number;
  readonly externalId: string | null;
  /** Set or inherited; null: none. */
  readonly sourceIdentity: string | null;
  readonly tags: TagChain;
  readonly multiFactorAuthAgeSeconds: number | null;
}

export const defaultDurationSeconds = 3600;
const minDurationSeconds = 900;
/** The most that a role can allow; its own maximum is looked at once it trusts the caller. */
const maxDurationSeconds = 43_200;
/** From the credentials of a role: role chaining (7.1). */
const maxChainedSeconds = 3600;

const maxArnLength = 2048;
const externalIdText = /^[A-Za-z0-9_+=,.@:/-]{2,1224}$/;

/**
 * Returns the parameters of a call that hold whatever the role is, or their refusal: `role-arn`,
 * `session-name`, `duration-range` (900 to 43,200 whole seconds; to 3600 from the credentials of a role,
 * where more is an error and not clamped), `external-id`, `source-identity` for one that is malformed or
 * differs from the inherited one (TAG-6), `session-tags` (TAG-2), `multi-factor-auth`.
 *
 * Source: STS API Reference, AssumeRole; iam-semantics 7.1 to 7.3. Linear in the tags.
 */
export function readAssumeRole(
  request: AssumeRoleRequest,
  caller: StsCaller,
): { readonly ok: true; readonly value: AssumeRoleCall } | StsRefusal {
  const { roleArn, roleSessionName, externalId, sourceIdentity } = request;
  if (roleArn.length > maxArnLength || !parseArn(roleArn).ok) {
    return refuseCall("role-arn", `expected the ARN of a role, got ${quote(roleArn)}`);
  }
  if (!isSessionName(roleSessionName)) {
    return refuseCall("session-name", `expected ${nameWords}, got ${quote(roleSessionName)}`);
  }
  const durationSeconds = request.durationSeconds ?? defaultDurationSeconds;
  const most = caller.principal.type === "assumed-role" ? maxChainedSeconds : maxDurationSeconds;
  if (!isWholeBetween(durationSeconds, minDurationSeconds, most)) {
    const range = `${minDurationSeconds} to ${most} whole seconds`;
    return refuseCall("duration-range", `expected ${range}, got ${quote(String(durationSeconds))}`);
  }
  if (externalId !== null && !externalIdText.test(externalId)) {
    return refuseCall("external-id", "expected 2 to 1224 of `A-Z a-z 0-9 _ + = , . @ : / -`");
  }
  if (sourceIdentity !== null && !isSessionName(sourceIdentity)) {
    return refuseCall("source-identity", `expected ${nameWords}, got ${quote(sourceIdentity)}`);
  }
  const inherited = caller.chain.sourceIdentity;
  if (inherited !== null && sourceIdentity !== null && sourceIdentity !== inherited) {
    return refuseCall("source-identity", "a source identity is set once and stays for the chain");
  }
  const tags = chainTags(caller.chain.transitiveTags, request.tags, request.transitiveTagKeys);
  if (!tags.ok) return refuseCall("session-tags", tags.message);
  const age = request.multiFactorAuthAgeSeconds;
  if (age !== null && !isWholeBetween(age, 0, Number.MAX_SAFE_INTEGER)) {
    return refuseCall("multi-factor-auth", "expected the age of the second factor in seconds");
  }
  const value: AssumeRoleCall = {
    durationSeconds,
    externalId,
    sourceIdentity: inherited ?? sourceIdentity,
    tags: tags.value,
    multiFactorAuthAgeSeconds: age,
  };
  return { ok: true, value };
}

const nameWords = "2 to 64 of `A-Z a-z 0-9 _ + = , . @ -`";

function isWholeBetween(value: number, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= min && value <= max;
}
