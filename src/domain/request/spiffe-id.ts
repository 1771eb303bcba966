import { type Parsed, quote } from "../../iam/problem.ts";

/** A SPIFFE id in its parts; `path` begins with `/` (SPIFFE-ID specification, 2). */
export interface SpiffeId {
  readonly text: string;
  readonly trustDomain: string;
  readonly path: string;
  /** Namespace and service account of `/ns/<ns>/sa/<sa>`, else null. */
  readonly namespace: string | null;
  readonly serviceAccount: string | null;
}

const scheme = "spiffe://";
const maxBytes = 2048;
const maxTrustDomainBytes = 255;

/**
 * Returns the SPIFFE id that `text` spells, frozen, or why it is none.
 *
 * Strict (SPIFFE-ID specification, 2; envoy-ext-authz 9): the scheme in lower case, a trust domain of
 * `[a-z0-9._-]`, then at least one path segment of `[A-Za-z0-9._-]`. Port, user, query, fragment,
 * percent sign, control bytes, empty and dot segments and a trailing slash do not fit this grammar, so
 * two texts never mean one identity. A bare trust domain names no workload and is refused too.
 * Refusals: `spiffe-length`, `spiffe-scheme`, `spiffe-trust-domain`, `spiffe-path`.
 * Linear in the text, which may be untrusted and of any length.
 */
export function parseSpiffeId(text: string): Parsed<SpiffeId> {
  // Every accepted character is one byte, so counting characters counts bytes.
  if (text.length > maxBytes) {
    return refuse("spiffe-length", `expected at most ${maxBytes} bytes, got ${text.length}`);
  }
  if (!text.startsWith(scheme)) {
    return refuse("spiffe-scheme", `expected \`${scheme}\` first, got ${quote(text)}`);
  }
  const slash = text.indexOf("/", scheme.length);
  const trustDomain = text.slice(scheme.length, slash < 0 ? text.length : slash);
  if (!isTrustDomainName(trustDomain)) {
    return refuse(
      "spiffe-trust-domain",
      `expected a trust domain of lower-case letters, digits, \`.\`, \`-\` and \`_\`, got ${quote(trustDomain)}`,
    );
  }
  const path = slash < 0 ? "" : text.slice(slash);
  if (!isPath(path)) {
    return refuse(
      "spiffe-path",
      `expected non-empty path segments of letters, digits, \`.\`, \`-\` and \`_\`, got ${quote(path)}`,
    );
  }
  const [, ns, namespace, sa, serviceAccount, ...more] = path.split("/");
  const isMesh = ns === "ns" && sa === "sa" && serviceAccount !== undefined && more.length === 0;
  return {
    ok: true,
    value: Object.freeze({
      text,
      trustDomain,
      path,
      namespace: isMesh ? (namespace ?? null) : null,
      serviceAccount: isMesh ? serviceAccount : null,
    }),
  };
}

/** True for the name of a trust domain: 1 to 255 of `[a-z0-9._-]`. */
export function isTrustDomainName(text: string): boolean {
  return (
    text.length > 0 &&
    text.length <= maxTrustDomainBytes &&
    every(text, (char) => isDigit(char) || isLower(char) || isMark(char))
  );
}

/**
 * Returns the namespace that the account table of a trust domain is searched with: the segment after a
 * leading `/ns/`, whatever follows it, since the table's key is a path prefix (PRIN-9, longest match).
 */
export function tableNamespaceOf(id: SpiffeId): string | null {
  if (id.namespace !== null) return id.namespace;
  if (!id.path.startsWith("/ns/")) return null;
  const end = id.path.indexOf("/", 4);
  return id.path.slice(4, end < 0 ? undefined : end);
}

function isPath(path: string): boolean {
  if (path.length < 2) return false;
  for (let start = 1; start <= path.length; ) {
    const slash = path.indexOf("/", start);
    const end = slash < 0 ? path.length : slash;
    const segment = path.slice(start, end);
    if (segment === "" || segment === "." || segment === "..") return false;
    if (!every(segment, (char) => isDigit(char) || isLower(char | 0x20) || isMark(char))) {
      return false;
    }
    start = end + 1;
  }
  return !path.endsWith("/");
}

function every(text: string, test: (char: number) => boolean): boolean {
  for (let i = 0; i < text.length; i++) if (!test(text.charCodeAt(i))) return false;
  return true;
}

function isDigit(char: number): boolean {
  return char >= 0x30 && char <= 0x39;
}

function isLower(char: number): boolean {
  return char >= 0x61 && char <= 0x7a;
}

/** `.`, `-` and `_`. */
function isMark(char: number): boolean {
  return char === 0x2e || char === 0x2d || char === 0x5f;
}

function refuse(code: string, message: string): Parsed<SpiffeId> {
  return { ok: false, code, message };
}
