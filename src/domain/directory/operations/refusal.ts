/** AWS's error codes, as far as an operation on the directory ends in one (API-1). */
export type RefusalCode =
  | "NoSuchEntity"
  | "EntityAlreadyExists"
  | "DeleteConflict"
  | "LimitExceeded"
  | "MalformedPolicyDocument"
  | "ValidationError"
  | "ConcurrentModification"
  | "UnmodifiableEntity"
  | "ServiceFailure";

/** Why an operation does nothing: an outcome, not an exception. */
export interface Refusal {
  readonly refused: true;
  readonly code: RefusalCode;
  readonly message: string;
  /** ARN or id of what it is about; null where that is the input itself. */
  readonly resource: string | null;
  /** Member of the input: `policyDocument.Statement[0]`. */
  readonly field: string | null;
}

/** Returns a refusal. */
export function refuse(
  code: RefusalCode,
  message: string,
  where: { readonly resource?: string; readonly field?: string } = {},
): Refusal {
  const { resource = null, field = null } = where;
  return { refused: true, code, message, resource, field };
}

/** True of a refusal, false of whatever else a step of an operation returns. */
export function isRefused(value: unknown): value is Refusal {
  return typeof value === "object" && value !== null && "refused" in value;
}
