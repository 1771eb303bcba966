import type { JsonValue } from "../../iam/policy/json.ts";
import type { Claims, ClaimValue } from "./credential.ts";
import type { JsonObject } from "./json-object.ts";

/**
 * Returns the top-level claims of a token, or null if a name or value holds a lone surrogate, which no
 * UTF-8 can spell and which would change on its way to a log or a header.
 *
 * A null is no claim. A list of strings, numbers and booleans becomes a list of texts; a list that
 * holds anything else is kept like an object, as its JSON, and is no value of a condition key
 * (iam-semantics 8.3). The result owns nothing of the token but texts; linear in it.
 */
export function claimsOf(payload: JsonObject): Claims | null {
  const claims = new Map<string, ClaimValue>();
  for (const [name, value] of payload.members) {
    const claim = claimOf(value, payload.text);
    if (!name.isWellFormed() || (claim !== null && !isWellFormed(claim))) return null;
    if (claim !== null) claims.set(name, claim);
  }
  return claims;
}

/** Returns the text of a claim that is a JSON string, else null. */
export function claimText(claims: Claims, name: string): string | null {
  const claim = claims.get(name);
  return claim?.type === "string" ? claim.text : null;
}

/** Returns the texts of a claim that is a string or a list, else none. */
export function claimTexts(claims: Claims, name: string): readonly string[] {
  const claim = claims.get(name);
  if (claim?.type === "list") return claim.items;
  return claim?.type === "string" ? [claim.text] : [];
}

function claimOf(value: JsonValue, source: string): ClaimValue | null {
  switch (value.type) {
    case "null":
      return null;
    case "array": {
      const items = value.items.map(scalarText).filter((item) => item !== null);
      if (items.length === value.items.length) return { type: "list", items };
      break;
    }
    case "object":
      break;
    default:
      return { type: value.type, text: scalarText(value) ?? "" };
  }
  return { type: "object", json: source.slice(value.position.offset, value.end) };
}

function scalarText(value: JsonValue): string | null {
  switch (value.type) {
    case "string":
      return value.value;
    case "number":
      return value.text;
    case "boolean":
      return String(value.value);
    default:
      return null;
  }
}

function isWellFormed(claim: ClaimValue): boolean {
  switch (claim.type) {
    case "list":
      return claim.items.every((item) => item.isWellFormed());
    case "object":
      return claim.json.isWellFormed();
    default:
      return claim.text.isWellFormed();
  }
}
