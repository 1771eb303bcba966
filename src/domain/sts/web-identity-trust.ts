import { parseArn } from "../../iam/arn.ts";
import { foldAscii } from "../../iam/ascii.ts";
import { type Decision, denied } from "../../iam/decision.ts";
import { principalKeys, resourceKeys } from "../../iam/derived-keys.ts";
import type {
  ContextKeys,
  ContextValue,
  KeyFault,
  RequestContext,
  RequestResource,
} from "../../iam/request-context.ts";
import { claimKeys } from "../credentials/claim-keys.ts";
import { claimText, claimTexts } from "../credentials/claims.ts";
import type { JwtCredential } from "../credentials/credential.ts";
import type { OidcProvider, Role } from "../directory/model.ts";
import type { AppliedPolicy, ResourcePolicies } from "../directory/policies.ts";
import { isFixedKey, withoutFixed } from "./fixed-keys.ts";
import type { SessionClaims } from "./session-tags.ts";

/** How policies of the revision in force are evaluated and looked into. */
export interface TrustEvaluator {
  /** Returns the engine's decision on a resource that has these policies and a caller without any. */
  evaluate(context: RequestContext, policies: ResourcePolicies): Decision;
  /** Returns the lower-cased condition keys and variables that statements of the policy can read. */
  readsOf(policy: AppliedPolicy): Iterable<string>;
}

/** A web identity that asks for a session of a role, and all that is fixed about the question. Frozen. */
export interface WebIdentityTrust {
  /** ARN of the provider that verified the token. */
  readonly provider: string;
  /** What the condition keys of its claims begin with, `login.example.com:`. */
  readonly prefix: string;
  readonly resource: RequestResource;
  readonly policies: ResourcePolicies;
  /** `sts:AssumeRoleWithWebIdentity`, and the permission-only actions that the session needs (STS-2). */
  readonly actions: readonly string[];
  readonly keys: ReadonlyMap<string, ContextValue>;
  readonly faults: ReadonlyMap<string, KeyFault> | null;
  /**
   * True: a statement can read something beyond claims, tags and the role, so the question has to be
   * asked on every Check, with that request's keys (STS-9).
   */
  readonly perRequest: boolean;
}

/** What the caller of AssumeRoleWithWebIdentity brings. */
export interface WebIdentityRequest {
  readonly credential: JwtCredential;
  readonly provider: OidcProvider;
  readonly role: Role;
  readonly policies: ResourcePolicies;
  readonly sessionName: string;
  readonly session: SessionClaims;
}

const noKeys: ContextKeys = new Map<string, ContextValue>();

/**
 * Returns the question whether `role` trusts the caller, ready to be asked (iam-semantics 7.2, STS-3):
 * the claims under the issuer's prefix, the provider, the role's tags, name, tags and source identity of
 * the session. Allocates; linear in the claims, tags and in what the policies read.
 */
export function createWebIdentityTrust(
  request: WebIdentityRequest,
  evaluator: TrustEvaluator,
): WebIdentityTrust {
  const { credential, provider, role, policies, sessionName, session } = request;
  const arn = parseArn(role.arn);
  const resource: RequestResource = {
    arn: arn.ok ? arn.value : null,
    account: role.account,
    class: "role-trust",
  };
  const prefix = issuerPrefix(provider.issuer);
  const claims = claimKeys(prefix, credential.claims, new Set(provider.multivaluedClaims));
  const keys = new Map<string, ContextValue>([
    ...claims.keys,
    ...principalKeys({ type: "web-identity", provider: provider.arn }, null),
    ...resourceKeys(resource, role.tags, policies.organization),
  ]);
  setAudience(keys, prefix, credential, provider);
  for (const [key, value] of role.tags)
    keys.set(`iam:resourcetag/${foldAscii(key)}`, single(value));
  keys.set("aws:federatedprovider", single(provider.arn));
  keys.set("sts:rolesessionname", single(sessionName));
  for (const [key, value] of session.tags) {
    keys.set(`aws:requesttag/${foldAscii(key)}`, single(value));
  }
  if (session.tags.size > 0) keys.set("aws:tagkeys", several([...session.tags.keys()]));
  if (session.transitiveTagKeys.length > 0) {
    keys.set("sts:transitivetagkeys", several(session.transitiveTagKeys));
  }
  if (session.sourceIdentity !== null) {
    keys.set("sts:sourceidentity", single(session.sourceIdentity));
  }
  return Object.freeze({
    provider: provider.arn,
    prefix,
    resource,
    policies,
    actions: actionsOf(session),
    keys,
    faults: claims.faults,
    perRequest: readsBeyond(policies, prefix, evaluator),
  });
}

/**
 * Returns the decision of the first action that the role does not allow, or of the last one.
 *
 * `requestKeys` are the keys of the request at hand, facts about the connection and the time among them,
 * and `requestFaults` theirs: they are looked at only where the trust is asked on every Check, and never
 * for keys about the caller or the role. Errors of the evaluation come back as such.
 */
export function evaluateWebIdentityTrust(
  trust: WebIdentityTrust,
  evaluator: TrustEvaluator,
  requestKeys: ContextKeys = noKeys,
  requestFaults: ReadonlyMap<string, KeyFault> | null = null,
  nowMs = 0,
): Decision {
  const keys: ContextKeys = trust.perRequest
    ? { get: (key) => (isFixed(key, trust.prefix) ? trust.keys : requestKeys).get(key) }
    : trust.keys;
  const others = trust.perRequest
    ? withoutFixed(requestFaults, (key) => isFixed(key, trust.prefix))
    : null;
  const faults = others === null ? trust.faults : new Map([...others, ...(trust.faults ?? [])]);
  let decision = denied("implicit-deny");
  for (const action of trust.actions) {
    const context: RequestContext = {
      principal: { type: "web-identity", provider: trust.provider },
      action,
      resource: trust.resource,
      principalOrganization: null,
      resourceOrganization: trust.policies.organization,
      keys,
      faults,
      nowMs,
    };
    decision = evaluator.evaluate(context, trust.policies);
    if (decision.decision !== "allowed") return decision;
  }
  return decision;
}

/** Names that keys of the product begin with; an issuer of such a name would fill them with claims. */
const reservedPrefixes: ReadonlySet<string> = new Set(["aws:", "iam:", "mesh:", "saml:", "sts:"]);

/** The issuer without `https://` (STS-5), in lower case; of a reserved name one that no policy can name. */
function issuerPrefix(issuer: string): string {
  const prefix = `${foldAscii(issuer.replace(/^https:\/\//, ""))}:`;
  return reservedPrefixes.has(prefix) ? `https://${prefix}` : prefix;
}

function actionsOf(session: SessionClaims): readonly string[] {
  const actions = ["sts:AssumeRoleWithWebIdentity"];
  if (session.tags.size > 0) actions.push("sts:TagSession");
  if (session.sourceIdentity !== null) actions.push("sts:SetSourceIdentity");
  return actions;
}

/** `:aud` is multivalued only where there are several; under `google` it is the `azp` (STS-6). */
function setAudience(
  keys: Map<string, ContextValue>,
  prefix: string,
  { claims }: JwtCredential,
  { audienceRule }: OidcProvider,
): void {
  const named = claimTexts(claims, "aud");
  const party = audienceRule === "google" ? claimText(claims, "azp") : null;
  const audience = party === null ? named : [party];
  keys.set(`${prefix}aud`, { multivalued: audience.length > 1, values: audience });
  if (audienceRule === "google") {
    keys.set(`${prefix}oaud`, { multivalued: named.length > 1, values: named });
  } else {
    // A claim of that name is not what AWS means by the key.
    keys.delete(`${prefix}oaud`);
  }
}

function isFixed(key: string, prefix: string): boolean {
  return key.startsWith(prefix) || isFixedKey(key);
}

function readsBeyond(
  { resource, resourceControl }: ResourcePolicies,
  prefix: string,
  evaluator: TrustEvaluator,
): boolean {
  const policies = [resource, ...(resourceControl ?? []).flat()].filter((one) => one !== null);
  for (const policy of policies) {
    for (const key of evaluator.readsOf(policy)) {
      if (!isFixed(key, prefix)) return true;
    }
  }
  return false;
}

function single(text: string): ContextValue {
  return { multivalued: false, values: [text] };
}

function several(values: readonly string[]): ContextValue {
  return { multivalued: true, values };
}
