import { expect, test } from "vitest";
import { errorCodeOf } from "./error-code.ts";

test.each([
  ["ambiguous-path", 400, "ValidationException"],
  ["unauthenticated", 401, "MissingAuthenticationToken"],
  ["client-certificate-required", 401, "MissingAuthenticationToken"],
  ["token-expired", 401, "ExpiredToken"],
  ["token-signature", 401, "SignatureDoesNotMatch"],
  ["token-audience", 401, "InvalidIdentityToken"],
  ["principal-not-mapped", 401, "AccessDeniedException"],
  ["explicit-deny", 403, "AccessDeniedException"],
  ["route-not-found", 404, "ResourceNotFoundException"],
  ["throttled", 429, "ThrottlingException"],
  ["internal", 503, "ServiceUnavailable"],
] as const)("%s with %i is AWS's %s", (reason, status, want) => {
  expect(errorCodeOf(reason, status)).toBe(want);
});
