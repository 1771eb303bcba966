import { parsePolicyDocument } from "../../../../iam/policy/parse.ts";
import type { Role, TextOrClaim } from "../../model.ts";
import type { EntityOf } from "../../state/entity.ts";
import { entitiesOf, type OrganizationState } from "../../state/organization-state.ts";
import { effectiveRole, principalByArn } from "../../state/trusted-principals.ts";
import { providerByArn } from "../identity-sources.ts";
import { isRefused } from "../refusal.ts";

export type Candidate = EntityOf<"user" | "role" | "workload">;

/**
 * Returns whether somebody can become `candidate`: a rule of a provider maps tokens to it, its SPIFFE id
 * is of a trust domain, or a role's trust policy allows a provider or somebody who can be reached
 * himself. What tokens, conditions and identity policies of the way say is not looked at: the answer is
 * "no" only where there is no way at all.
 */
export function canBeReached(
  state: OrganizationState,
  candidate: Candidate,
  seen: ReadonlySet<string> = new Set(),
): boolean {
  const { account, name, state: active } = candidate.record;
  if (active !== "active" || seen.has(candidate.id)) return false;
  if (candidate.kind === "workload") {
    for (const _domain of state.all("trustDomain")) return true;
    return false;
  }
  if (isMapped(state, candidate.kind, account, name)) return true;
  if (candidate.kind === "user") return false;
  const deeper = new Set([...seen, candidate.id]);
  return isTrusted(state, effectiveRole(state, candidate), deeper);
}

/** True when a rule of some provider gives tokens to that user or role. */
function isMapped(
  state: OrganizationState,
  kind: "user" | "role",
  account: string,
  name: string,
): boolean {
  const names = (target: { account: string; name: TextOrClaim } | null) =>
    target !== null &&
    target.account === account &&
    (target.name.type === "claim" || target.name.text === name);
  for (const { record } of entitiesOf(state.all("oidcProvider"), "oidcProvider")) {
    if (record.rules.some((rule) => names(rule[kind]))) return true;
  }
  return false;
}

/** True when an Allow of the trust policy names a provider, or a caller who can be reached. */
function isTrusted(
  state: OrganizationState,
  { trustPolicy }: Role,
  seen: ReadonlySet<string>,
): boolean {
  const loaded = parsePolicyDocument(trustPolicy.text, "trust");
  if (!loaded.ok) return false;
  return loaded.value.statements.some(({ effect, principal }) => {
    if (effect !== "Allow" || principal === null) return false;
    if (principal.negated) return true;
    return principal.entries.some(({ type, text }) => {
      if (type === "Federated") return !isRefused(providerByArn(state, text));
      if (type === "any") return true;
      if (type !== "AWS") return false;
      const named = principalByArn(state, text);
      if (named !== null) return canBeReached(state, named, seen);
      if (/^[0-9]{12}$/.test(text)) return state.named("account", "", text) !== undefined;
      // An account's root, a session, a SPIFFE identity that is not stored; no user or role that is gone.
      return /:(root$|workload\/|assumed-role\/)/.test(text);
    });
  });
}
