import type { ServiceDefinition } from "./service-definition.ts";

/** The headers by which an allowed request tells its upstream who calls: the names we ever set. */
export const identityHeaders = [
  "x-mesh-iam-principal",
  "x-mesh-iam-account",
  "x-mesh-iam-session",
  "x-mesh-iam-context",
  "x-mesh-iam-decision-id",
  "x-mesh-iam-revision",
] as const;

/**
 * What is stripped from every allowed request, seen or not: the known names and their underscore twins.
 * A listener may hide a client's header from us and still forward it.
 */
export const identityHeaderFamily: readonly string[] = Object.freeze(
  identityHeaders.flatMap((name) => [name, name.replaceAll("-", "_")]).sort(),
);

const prefix = "x-mesh-iam-";
/** The headers that a credential of any kind travels in. */
const credentialHeaders: readonly string[] = ["authorization", "x-amz-security-token"];

/** Returns `name` as upstreams may fold it: ASCII lower case, `_` read as `-` (R6). */
export function normaliseHeaderName(name: string): string {
  return name.replace(/[A-Z_]/g, (c) => (c === "_" ? "-" : c.toLowerCase()));
}

/** Returns whether `name` belongs to the identity family in any spelling. */
export function isIdentityHeader(name: string): boolean {
  return name.length >= prefix.length && normaliseHeaderName(name).startsWith(prefix);
}

/** What a service hides from its application beyond the family, by how the caller was authenticated. */
export interface HiddenHeaders {
  /** Nobody was authenticated: `authType: NONE`, or a preflight. */
  readonly unauthenticated: readonly string[];
  /** A session token gave the principal. */
  readonly session: readonly string[];
  /** Anything else. */
  readonly other: readonly string[];
}

/** Returns the three lists of a service, sorted, lower-case, frozen. Made once a service. */
export function hiddenHeaders(service: ServiceDefinition): HiddenHeaders {
  const { hideHeaders } = service;
  return Object.freeze({
    unauthenticated: sorted([...hideHeaders, ...credentialHeaders]),
    session: sorted(service.forwardCredential ? hideHeaders : [...hideHeaders, "authorization"]),
    other: sorted(hideHeaders),
  });
}

/**
 * Returns the names that an allowed request must lose, sorted, lower-case, each once: the family, what
 * of it the request carried (`seen`, as received), what the service hides (`hidden`), minus what the
 * same answer sets (`set`, lower-case). Envoy removes after it sets, so a name in both would be lost.
 *
 * The result never names a pseudo-header or `host`, which Envoy would not remove. Source: R6.
 */
export function removals(
  set: readonly string[],
  hidden: readonly string[],
  seen: readonly string[],
): readonly string[] {
  const names = sorted([...identityHeaderFamily, ...hidden, ...seen]);
  return names.filter((name) => !set.includes(name));
}

function sorted(names: readonly string[]): readonly string[] {
  const lower = new Set(names.map((name) => name.toLowerCase()));
  return Object.freeze(
    [...lower].filter((name) => name !== "host" && !name.startsWith(":")).sort(),
  );
}
