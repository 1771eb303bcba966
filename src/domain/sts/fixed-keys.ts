import type { KeyFault } from "../../iam/request-context.ts";

/**
 * What keys about the caller, the session and the role begin with. A trust question fixes them, whether
 * it has them or not: a request at hand, which may know them of somebody else, never fills them.
 */
const fixedPrefixes = [
  "sts:",
  "iam:",
  "saml:",
  "aws:assumedroot",
  "aws:calledvia",
  "aws:federatedprovider",
  "aws:multifactorauth",
  "aws:principal",
  "aws:requesttag/",
  "aws:resource",
  "aws:sourceidentity",
  "aws:tagkeys",
  "aws:tokenissuetime",
  "aws:userid",
  "aws:username",
  "aws:viaawsservice",
] as const;

type Faults = ReadonlyMap<string, KeyFault>;

/** Returns the faults of a request without those of keys that the question fixes; null for none. */
export function withoutFixed(
  faults: Faults | null,
  isFixed: (keyLower: string) => boolean,
): Faults | null {
  if (faults === null) return null;
  const left = [...faults].filter(([key]) => !isFixed(key));
  return left.length === 0 ? null : new Map(left);
}

/** Returns whether a trust question alone says what the key is, by its lower-cased name. */
export function isFixedKey(keyLower: string): boolean {
  return fixedPrefixes.some((prefix) => keyLower.startsWith(prefix));
}

/** What keys about the call itself begin with: neither a request nor a credential fills them. */
const callPrefixes = ["sts:", "iam:", "saml:", "aws:requesttag/", "aws:resource", "aws:tagkeys"];

/** Returns whether the key is about the call of STS and its role, by its lower-cased name. */
export function isCallKey(keyLower: string): boolean {
  return callPrefixes.some((prefix) => keyLower.startsWith(prefix));
}
