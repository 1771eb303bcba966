import { foldAscii } from "../../iam/ascii.ts";
import type { ContextValue, KeyFault } from "../../iam/request-context.ts";
import type { Claims, ClaimValue } from "./credential.ts";

/** Condition keys by lower-cased name, and the names whose value cannot be given. */
export interface ClaimKeys {
  readonly keys: ReadonlyMap<string, ContextValue>;
  /** Null (nearly always) means none. */
  readonly faults: ReadonlyMap<string, KeyFault> | null;
}

/**
 * Returns the claims of a token as condition keys `<prefix><claim>`, by lower-cased name
 * (iam-semantics 8.3, `mesh:JwtClaim/*`; STS-5 for the issuer's prefix).
 *
 * `multivalued` names the claims of arity M. Objects are not exposed. A claim whose shape does not fit
 * its arity, and two claims that differ only in case, are faults: `evaluation-error` for whoever can
 * read the key (KEY-9). Linear in the claims; allocates one value a claim.
 */
export function claimKeys(
  prefix: string,
  claims: Claims,
  multivalued: ReadonlySet<string>,
): ClaimKeys {
  const keys = new Map<string, ContextValue>();
  const seen = new Set<string>();
  let faults: Map<string, KeyFault> | null = null;
  for (const [name, claim] of claims) {
    const key = foldAscii(prefix + name);
    const isRepeated = seen.has(key);
    seen.add(key);
    const isMultivalued = multivalued.has(name);
    const values = claimValues(name, claim, isMultivalued);
    if (isRepeated || (values !== null && !isMultivalued && values.length !== 1)) {
      faults ??= new Map();
      faults.set(key, "evaluation-error");
      keys.delete(key);
    } else if (values !== null) {
      keys.set(key, { multivalued: isMultivalued, values });
    }
  }
  return { keys, faults };
}

/**
 * Returns the values of a claim as texts, numbers by their source text: one of a scalar, all of a list,
 * those between the spaces of a multivalued `scope`; null of an object, which is no value.
 */
export function claimValues(
  name: string,
  claim: ClaimValue,
  isMultivalued: boolean,
): readonly string[] | null {
  switch (claim.type) {
    case "list":
      return claim.items;
    case "object":
      return null;
    default:
      return isMultivalued && name === "scope"
        ? claim.text.split(" ").filter(Boolean)
        : [claim.text];
  }
}
