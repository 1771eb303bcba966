import type { Reason } from "../../iam/reason.ts";
import type { DenialStatus } from "./outcome.ts";

/**
 * Returns AWS's name for the error that a denial is to its caller: `__type` of the body and
 * `errorCode` of the decision log. A missing, an expired and a forged credential have names of
 * their own (iam-semantics MSG-2); the others follow from the status (envoy-ext-authz R2).
 */
export function errorCodeOf(reason: Reason, status: DenialStatus): string {
  switch (status) {
    case 400:
      return "ValidationException";
    case 401:
      return credentialErrorCode(reason);
    case 403:
      return "AccessDeniedException";
    case 404:
      return "ResourceNotFoundException";
    case 429:
      return "ThrottlingException";
    case 503:
      return "ServiceUnavailable";
  }
}

function credentialErrorCode(reason: Reason): string {
  switch (reason) {
    case "unauthenticated":
    case "client-certificate-required":
      return "MissingAuthenticationToken";
    case "token-expired":
      return "ExpiredToken";
    case "token-signature":
      return "SignatureDoesNotMatch";
    case "principal-not-mapped":
      return "AccessDeniedException";
    default:
      return "InvalidIdentityToken";
  }
}
