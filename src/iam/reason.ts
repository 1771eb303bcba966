/**
 * The one catalogue of the words that leave the process: why a Check was answered as it was, and why
 * a program failed. Spelled alike in metric labels, decision log, dynamic metadata and CLI output.
 */

/** What Envoy was told, as the service-level objective counts it. */
export type Outcome = "allow" | "deny" | "error";

const outcomes = {
  "identity-policy": "allow",
  "resource-policy": "allow",
  "authentication-not-required": "allow",
  "shadow-mode": "allow",

  "explicit-deny": "deny",
  "implicit-deny": "deny",
  scp: "deny",
  rcp: "deny",
  "permissions-boundary": "deny",
  "session-policy": "deny",

  unauthenticated: "deny",
  "principal-not-mapped": "deny",
  "credentials-ambiguous": "deny",
  "client-certificate-required": "deny",
  "token-malformed": "deny",
  "token-too-large": "deny",
  "token-algorithm": "deny",
  "token-key": "deny",
  "token-signature": "deny",
  "token-claims": "deny",
  "token-time": "deny",
  "token-expired": "deny",
  "token-issuer": "deny",
  "token-audience": "deny",
  "token-kind": "deny",
  replayed: "deny",
  revoked: "deny",

  "ambiguous-path": "deny",
  "ambiguous-host": "deny",
  "ambiguous-header": "deny",
  "request-too-large": "deny",
  "route-not-found": "deny",
  throttled: "deny",

  "bundle-missing": "error",
  "bundle-stale": "error",
  malformed: "error",
  overloaded: "error",
  deadline: "error",
  "evaluation-error": "error",
  internal: "error",
} as const satisfies Record<string, Outcome>;

/** Why a Check was answered as it was. A reason belongs to exactly one outcome. */
export type Reason = keyof typeof outcomes;

/** Every reason, in catalogue order. */
export const reasons = Object.keys(outcomes) as readonly Reason[];

/** Returns the outcome that `reason` belongs to. */
export function outcomeOf(reason: Reason): Outcome {
  return outcomes[reason];
}

/** The reasons that judge a credential: answered with 401 (envoy-ext-authz, R2). */
export const credentialReasons: ReadonlySet<Reason> = new Set<Reason>([
  "unauthenticated",
  "principal-not-mapped",
  "credentials-ambiguous",
  "client-certificate-required",
  "token-malformed",
  "token-too-large",
  "token-algorithm",
  "token-key",
  "token-signature",
  "token-claims",
  "token-time",
  "token-expired",
  "token-issuer",
  "token-audience",
  "token-kind",
  "replayed",
  "revoked",
]);

const errorMeanings = {
  internal: "a failure that nobody foresaw; the cause is in the log",
  usage: "the command line is not understood",
  "config-invalid": "a configuration key or value is not accepted",
  "config-unreadable": "the configuration file cannot be read",
  "document-invalid": "a document or policy is not accepted",
  "document-unreadable": "a file or folder of documents cannot be read",
  "scenario-invalid": "a scenario is not accepted",
  "address-in-use": "another process listens on the address",
  "address-invalid": "an address is not of a known form",
  "bundle-unreadable": "a bundle file is missing or cannot be read",
  "bundle-signature": "a signature is missing or does not verify",
  "bundle-digest": "an object's bytes do not have the digest or length that names them",
  "bundle-expired": "a head or key set has expired",
  "bundle-rollback": "a head or key set is older than the accepted one",
  "bundle-mismatch": "a head or key set is of another organization or slice",
  "bundle-parse": "verified bytes are not a message this binary reads",
  "bundle-incomplete": "a manifest or index lacks a required part",
  "bundle-too-large": "an object is above its limit",
  "state-locked": "another process writes the state directory",
  "key-invalid": "a key file or key is not accepted",
  "certificate-invalid": "a certificate or its key is not accepted",
  "jwks-unavailable": "a key set cannot be fetched or is not accepted",
  "store-unavailable": "the store cannot be reached or cannot write; reads may go on",
  "store-unusable": "the file or server cannot serve as a store; the message says what would",
  "store-corrupt": "the store's file or history is damaged; `store verify` says where",
  "store-schema-too-new": "the store's schema needs a newer binary",
  "store-schema-too-old": "the store's schema is to be migrated first: `store migrate`",
  "store-org-unknown": "the store has no such organization",
  "store-org-exists": "the store has an organization of that name already",
  "store-frozen": "the organization is frozen: no commit is accepted",
  "store-compacted": "the change log no longer reaches back that far; a snapshot does",
  "store-behind": "too many revisions were not read before the lock was asked for",
  "store-history-diverged": "the store's history is not the one that was followed: it lost commits",
  "store-fence-lost": "the lease of a job went to another instance",
  "store-constraint": "the database refused a taken name or a dangling reference, which is a bug",
  "store-limit": "an input is above the store's bounds",
  "store-export-invalid": "an export file is damaged, cut short or of an unknown format",
  "control-plane-unreachable": "the control plane does not answer, or is none",
  "envoy-missing": "no Envoy binary can be had",
  "quickstart-failed": "the quickstart cannot run, or a row of it is not as expected",
} as const satisfies Record<string, string>;

/** Codes of `MeshIamError`: program errors, never the reason of a Check. */
export type ErrorCode = keyof typeof errorMeanings;

/** Every error code with its meaning, for the generated reference page. */
export const errorCatalogue: Readonly<Record<ErrorCode, string>> = errorMeanings;
