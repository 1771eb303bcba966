import type { WorkloadPrincipal } from "../../iam/principal.ts";
import type { JwtSvidCredential, MtlsCredential } from "../credentials/credential.ts";
import { policiesOfWorkload } from "../directory/apply.ts";
import { workloadArn } from "../directory/arns.ts";
import type { DirectoryLookup } from "../directory/lookup.ts";
import { type Denied, deny } from "../request/denied.ts";
import { tableNamespaceOf } from "../request/spiffe-id.ts";
import { fixedKeys, noSessionFacts } from "./keys.ts";
import type { MappedPrincipal } from "./mapped-principal.ts";

/**
 * Returns the workload that a SPIFFE identity is (PRIN-9): of the account that its trust domain's table
 * gives, with the policies and tags of its Workload document where it has one there.
 *
 * Denied as `principal-not-mapped` without a row (of an mTLS identity that is found when the request is
 * authenticated; a JWT-SVID was presented, so it is no caller without a credential), and `revoked`
 * while document or account are disabled (POL-099).
 */
export function mapWorkload(
  credential: MtlsCredential | JwtSvidCredential,
  lookup: DirectoryLookup,
): MappedPrincipal | Denied {
  const { spiffeId } = credential;
  const account = lookup.accountOfSpiffeId(spiffeId.trustDomain, tableNamespaceOf(spiffeId));
  if (account === null) return deny("principal-not-mapped", "no-account");
  const document = lookup.workloadBySpiffeId(spiffeId.text);
  // A document of another account is no document of this identity (FILE-22).
  const workload = document?.account === account ? document : null;
  if (workload?.state === "disabled") return deny("revoked", "workload-disabled");
  if (lookup.accountById(account)?.state === "disabled") return deny("revoked", "account-disabled");

  const { partition } = lookup.directory;
  const principal: WorkloadPrincipal = {
    type: "workload",
    account,
    arn: workloadArn(partition, account, spiffeId.trustDomain, spiffeId.path),
    id: workload?.id ?? null,
    tags: workload?.tags ?? new Map(),
  };
  const policies = policiesOfWorkload(lookup, workload, account);
  const issuedAtMs = credential.type === "jwt-svid" ? credential.issuedAtMs : null;
  const facts = { ...noSessionFacts, issuedAtMs };
  return Object.freeze({
    principal,
    authMethod: credential.type,
    policies,
    keys: fixedKeys(principal, policies.organization, credential.type, facts),
    multiFactorAuthAtMs: null,
    expiresAtMs: credential.type === "jwt-svid" ? credential.expiresAtMs : Number.POSITIVE_INFINITY,
  });
}
