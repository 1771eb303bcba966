import type { Reason } from "../../src/iam/reason.ts";

/** What each reason means to whoever reads a log line. A new reason does not compile without one. */
export const reasonMeanings: Readonly<Record<Reason, string>> = {
  "identity-policy": "an identity policy allows it, and no other layer forbids it",
  "resource-policy": "the resource policy allows it by itself",
  "authentication-not-required":
    "the route or service has `authType: NONE`, or the request is a valid CORS preflight",
  "shadow-mode": "the service is in shadow mode; enforced, this would have been a denial",

  "explicit-deny": "a statement of an identity or resource policy denies it",
  "implicit-deny": "no identity or resource policy allows it",
  scp: "a service control policy denies it, or a level of them does not allow it",
  rcp: "a resource control policy denies it, or a level of them does not allow it",
  "permissions-boundary": "the permissions boundary denies it or does not allow it",
  "session-policy": "a session policy denies it or does not allow it",

  unauthenticated: "nobody was authenticated, or a credential that the service requires is absent",
  "principal-not-mapped":
    "the credential is good, but no rule maps it to a principal, or the role does not trust it",
  "credentials-ambiguous": "more credentials of one kind than one",
  "client-certificate-required": "the service requires a client certificate",
  "token-malformed": "the token is not of the form of its kind",
  "token-too-large": "the token is longer than `limits.maxTokenBytes`",
  "token-algorithm": "the algorithm is not one that the provider pins",
  "token-key": "no key of the provider has the token's key id",
  "token-signature": "the signature does not verify",
  "token-claims": "a claim is missing, of the wrong type, or given twice",
  "token-time": "the token is not valid yet, or longer than its provider may issue",
  "token-expired": "the token has expired",
  "token-issuer": "no provider has this issuer",
  "token-audience": "the token is for somebody else",
  "token-kind": "the token is of a kind that is not accepted here",
  replayed: "the credential was used before and may be used once",
  revoked: "the session or its principal was revoked",

  "ambiguous-path": "the path can be read in two ways; the detail says which rule it breaks",
  "ambiguous-host": "the host can be read in two ways",
  "ambiguous-header": "a header that decides was given more than once",
  "request-too-large": "the Check, the target or a part of it is above its limit",
  "route-not-found": "no service of this authorizer, or no route of the service, maps the request",
  throttled: "the caller took more than its share of signature checks",

  "bundle-missing": "no bundle is active yet",
  "bundle-stale": "the bundle is older than the configured bound",
  malformed: "the proxy's message cannot be read",
  overloaded: "too many new tokens wait to be verified",
  deadline: "the answer would have come too late",
  "evaluation-error": "the question could not be evaluated: a policy or key is unusable",
  internal: "a failure that nobody foresaw; its cause is in the log under the decision id",
};
