import { createHash } from "node:crypto";

/** AWS's prefixes of unique ids, and ours for the kinds AWS does not have (control-plane 3.11). */
const upperCasePrefixes = {
  User: "AIDA",
  Group: "AGPA",
  Role: "AROA",
  Workload: "AWLD",
  ManagedPolicy: "ANPA",
  OidcProvider: "AOIP",
} as const;

const lowerCasePrefixes = {
  Organization: "o-",
  OrganizationalUnit: "ou-",
  ServiceControlPolicy: "p-",
  ResourceControlPolicy: "p-",
  TrustDomain: "td-",
  Service: "svc-",
} as const;

/** Kinds whose objects have a derived unique id; an account's is its 12 digits. */
export type IdentifiedKind = keyof typeof upperCasePrefixes | keyof typeof lowerCasePrefixes;

/** 120 bits: two names of one organization never share an id by chance or by search. */
const length = 24;

/**
 * Returns the unique id of an object that is known by its name alone: prefix and 24 base32 characters
 * of SHA-256 over kind, account and name (FILE-10). The same name gives the same id on every machine.
 *
 * `account` is empty for organization-wide kinds; of an OrganizationalUnit `name` is its path.
 * None of the three may hold a NUL, which separates them. Cost: one digest.
 */
export function uniqueId(kind: IdentifiedKind, account: string, name: string): string {
  const digest = createHash("sha256").update(`${kind}\0${account}\0${name}`, "utf8").digest();
  const text = base32(digest);
  return kind in upperCasePrefixes
    ? upperCasePrefixes[kind as keyof typeof upperCasePrefixes] + text
    : lowerCasePrefixes[kind as keyof typeof lowerCasePrefixes] + text.toLowerCase();
}

/** Returns the id of the root of the organization `organizationId`, where none is stated: `r-…`. */
export function rootIdOf(organizationId: string): string {
  const digest = createHash("sha256").update(`Root\0\0${organizationId}`, "utf8").digest();
  return `r-${base32(digest).slice(0, 8).toLowerCase()}`;
}

/**
 * Returns the id of the OU at `path`, where none is stated: `ou-<root's part>-<24 characters>`, the
 * shape of AWS (Organizations API reference, OrganizationalUnit).
 */
export function organizationalUnitIdOf(rootId: string, path: string): string {
  return `ou-${rootId.slice(2)}-${uniqueId("OrganizationalUnit", "", path).slice(3)}`;
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Returns the first `length` characters of the base32 text of `bytes` (RFC 4648, 6). */
export function base32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5 && text.length < length) {
      bits -= 5;
      text += alphabet[(held >>> bits) & 31] ?? "";
    }
    held &= (1 << bits) - 1;
  }
  return text;
}
