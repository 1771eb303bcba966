import type { Decision } from "../../iam/decision.ts";

/** Why STS gives no session. Each is one of AWS's errors: see `stsErrorCodes`. */
export type StsRefusalCode =
  | "role-arn"
  | "session-name"
  | "duration-range"
  | "external-id"
  | "source-identity"
  | "session-tags"
  | "multi-factor-auth"
  | "session-policy"
  | "session-policy-size"
  | "access-denied"
  | "evaluation-error";

/** AWS's word for each refusal (STS API Reference, AssumeRole, Errors). */
export const stsErrorCodes: Readonly<Record<StsRefusalCode, string>> = {
  "role-arn": "ValidationError",
  "session-name": "ValidationError",
  "duration-range": "ValidationError",
  "external-id": "ValidationError",
  "source-identity": "ValidationError",
  "session-tags": "ValidationError",
  "multi-factor-auth": "ValidationError",
  "session-policy": "MalformedPolicyDocument",
  "session-policy-size": "PackedPolicyTooLarge",
  "access-denied": "AccessDenied",
  "evaluation-error": "ServiceFailure",
};

/**
 * A refusal as a value. `message` may be told to the caller: it says nothing about a role that does not
 * trust him, not even whether there is one.
 */
export interface StsRefusal {
  readonly ok: false;
  readonly code: StsRefusalCode;
  readonly message: string;
  /** The action that policies did not allow; null where they were not asked. */
  readonly action: string | null;
  /** Why not, for the log alone (MSG-1). Null where policies were not asked. */
  readonly decision: Decision | null;
}

/** Returns the refusal of something the caller passed. */
export function refuseCall(code: StsRefusalCode, message: string): StsRefusal {
  return { ok: false, code, message, action: null, decision: null };
}
