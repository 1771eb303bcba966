import type { Denied } from "./denied.ts";
import type { RequestOptions } from "./options.ts";
import { decodeSegment } from "./percent-decoding.ts";
import { reject } from "./rejection.ts";

/** A path in canonical form: decoded segments, and the text that resource names are made from. */
export interface CanonicalPath {
  readonly path: string;
  readonly segments: readonly string[];
  /** True where `path` ends with a slash that is part of the resource; never for the root. */
  readonly trailingSlash: boolean;
}

/**
 * Returns the canonical form of a raw path that begins with `/` and holds only the characters of a
 * path, or its refusal. Linear in the path. Source: envoy-ext-authz 4.2, step 5.
 *
 * A path without `%` takes `plainPath`, which must agree with `escapedPath` byte for byte.
 */
export function canonicalPath(rawPath: string, options: RequestOptions): CanonicalPath | Denied {
  return rawPath.includes("%") ? escapedPath(rawPath, options) : plainPath(rawPath, options);
}

/** The algorithm as the specification writes it: for any path, and the twin of `plainPath` in tests. */
export function escapedPath(rawPath: string, options: RequestOptions): CanonicalPath | Denied {
  const work = options.encodedSlash === "separator" ? rawPath.replace(/%2f/gi, "/") : rawPath;
  const parts = work.slice(1).split("/", options.maxSegments + 1);
  if (parts.length > options.maxSegments) return reject("too-many-segments");
  const segments: string[] = [];
  let trailing = false;
  for (const [i, part] of parts.entries()) {
    if (part === "") {
      if (i === parts.length - 1) trailing = true;
      else if (!options.mergeSlashes) return reject("empty-segment");
      continue;
    }
    const text = segmentText(part, options);
    if (typeof text !== "string") return text;
    segments.push(text);
  }
  const trailingSlash = trailing && segments.length > 0 && options.trailingSlash === "distinct";
  return { path: joined(segments, trailingSlash), segments, trailingSlash };
}

function segmentText(part: string, options: RequestOptions): string | Denied {
  let text = part;
  const semicolon = part.indexOf(";");
  if (semicolon >= 0) {
    if (options.parameters === "deny") return reject("path-parameter");
    if (options.parameters === "strip") text = part.slice(0, semicolon);
    if (text === "") return reject("empty-segment");
  }
  // Refused, never resolved: what the upstream makes of it is not ours to guess.
  if (text === "." || text === "..") return reject("dot-segment");
  return decodeSegment(text, options);
}

function joined(segments: readonly string[], trailingSlash: boolean): string {
  return `/${segments.join("/")}${trailingSlash ? "/" : ""}`;
}

/**
 * The fast path, for a path without `%`: nothing is decoded, the segments are slices of the path, and
 * the canonical text is the path itself wherever nothing was cut out of it.
 */
export function plainPath(rawPath: string, options: RequestOptions): CanonicalPath | Denied {
  if (hasMoreParts(rawPath, options.maxSegments)) return reject("too-many-segments");
  // ASCII throughout, so that `toLowerCase` folds A-Z and nothing else.
  const work = options.caseInsensitive ? rawPath.toLowerCase() : rawPath;
  const segments: string[] = [];
  let trailing = false;
  let unchanged = true;
  for (let from = 1; from <= work.length; ) {
    const slash = work.indexOf("/", from);
    const end = slash < 0 ? work.length : slash;
    if (end === from) {
      if (slash < 0) trailing = true;
      else if (!options.mergeSlashes) return reject("empty-segment");
      else unchanged = false;
    } else {
      const part = work.slice(from, end);
      const text = plainText(part, options);
      if (typeof text !== "string") return text;
      unchanged &&= text.length === part.length;
      segments.push(text);
    }
    from = end + 1;
  }
  const trailingSlash = trailing && segments.length > 0 && options.trailingSlash === "distinct";
  unchanged &&= trailing === trailingSlash;
  return { path: unchanged ? work : joined(segments, trailingSlash), segments, trailingSlash };
}

function plainText(part: string, options: RequestOptions): string | Denied {
  // The cheap tests of the common case; whatever they cannot clear goes the long way.
  if (part.charCodeAt(0) !== 0x2e && !part.includes(";")) return part;
  return segmentText(part, options);
}

function hasMoreParts(rawPath: string, maxParts: number): boolean {
  // A path of n characters has at most n parts: most paths need no count.
  if (rawPath.length <= maxParts) return false;
  let parts = 0;
  for (let at = 0; at >= 0; at = rawPath.indexOf("/", at + 1)) {
    if (++parts > maxParts) return true;
  }
  return false;
}
