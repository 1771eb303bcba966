import type { RefusalCode } from "../../domain/directory/operations/refusal.ts";
import type { StorePosition } from "../../domain/directory/state/entity.ts";
import type { Denied } from "../../domain/request/denied.ts";
import type { Problem } from "../../iam/problem.ts";
import { credentialReasons } from "../../iam/reason.ts";

/** Why a call does nothing, in AWS's words (API-1). */
export type CallErrorCode =
  | RefusalCode
  | "AccessDenied"
  | "ExpiredToken"
  | "IdempotentParameterMismatch"
  | "InvalidAction"
  | "InvalidClientTokenId"
  | "ServiceUnavailable"
  | "Throttling";

export interface CallRefusal {
  readonly ok: false;
  readonly code: CallErrorCode;
  readonly message: string;
  /** ARN or id, null where it is about none. */
  readonly resource: string | null;
  /** Member of the input, null where it is about none. */
  readonly field: string | null;
}

export interface CallSuccess {
  readonly ok: true;
  /** Members in AWS's words. */
  readonly answer: Readonly<Record<string, unknown>>;
  readonly findings: readonly Problem[];
  /** Where the organization stands with what the call changed, or as it was read. */
  readonly position: StorePosition;
}

export type CallResult = CallSuccess | CallRefusal;

/** Returns a refusal. */
export function refusal(
  code: CallErrorCode,
  message: string,
  where: { readonly resource?: string | null; readonly field?: string | null } = {},
): CallRefusal {
  const { resource = null, field = null } = where;
  return { ok: false, code, message, resource, field };
}

/** Returns what a caller who is nobody is told: of a credential no more than that it is not accepted. */
export function refusalOfDenied({ reason }: Denied): CallRefusal {
  if (reason === "token-expired") return refusal("ExpiredToken", "the token has expired");
  if (reason === "throttled") return refusal("Throttling", "too many tokens are being verified");
  if (!credentialReasons.has(reason)) {
    return refusal("ServiceFailure", `the caller cannot be made out: ${reason}`);
  }
  return refusal("InvalidClientTokenId", `the credential is not accepted: ${reason}`);
}
