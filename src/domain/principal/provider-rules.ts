import { createGlob, createWork, matchGlob, parseGlob } from "../../iam/glob.ts";
import { claimValues } from "../credentials/claim-keys.ts";
import type { Claims } from "../credentials/credential.ts";
import type { ClaimTest, OidcProvider, ProviderRule, TextOrClaim } from "../directory/model.ts";

/** A pattern and a claim are at most some KiB each, and the match is linear; this only ends a bug. */
const maxGlobSteps = 1_000_000;

/** Returns the first rule of the provider that holds for the claims, or null (FILE-20). */
export function firstRule(provider: OidcProvider, claims: Claims): ProviderRule | null {
  return (
    provider.rules.find((rule) => rule.when === null || holds(rule.when, provider, claims)) ?? null
  );
}

/**
 * Returns the text that a rule means for these claims, null where the claim gives none. A claim counts
 * if it is one text (a list of one is), or a whole number as written: of other numbers and of truth
 * values there are several spellings, and two subjects must never share a name.
 */
export function textFor(source: TextOrClaim, claims: Claims): string | null {
  if (source.type === "text") return source.text;
  const claim = claims.get(source.claim);
  switch (claim?.type) {
    case "string":
      return claim.text;
    case "number":
      return /^(?:0|[1-9][0-9]{0,15})$/.test(claim.text) ? claim.text : null;
    case "list":
      return claim.items.length === 1 ? (claim.items[0] ?? null) : null;
    default:
      return null;
  }
}

/**
 * `equals` compares the claim's only value; `contains` any of several; `matches` any value of a claim
 * declared as a list, else the only one, so that a claim that should be one text and comes as many
 * matches nothing. An object has no values, but it exists.
 */
function holds(test: ClaimTest, provider: OidcProvider, claims: Claims): boolean {
  const claim = claims.get(test.claim);
  if (test.test === "exists") return (claim !== undefined) === (test.value === "true");
  const isList = provider.multivaluedClaims.includes(test.claim);
  const values = claim === undefined ? [] : (claimValues(test.claim, claim, isList) ?? []);
  switch (test.test) {
    case "equals":
      return values.length === 1 && values[0] === test.value;
    case "contains":
      return values.includes(test.value);
    case "matches":
      return (isList || values.length === 1) && values.some((value) => matches(test.value, value));
  }
}

function matches(pattern: string, text: string): boolean {
  const work = createWork(maxGlobSteps);
  return matchGlob(createGlob(parseGlob(pattern)), text, work) && work.steps <= maxGlobSteps;
}
