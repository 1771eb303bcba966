/** What documents need to know of a SPIFFE id. */
export interface SpiffeIdParts {
  readonly trustDomain: string;
  /** Begins with `/`. */
  readonly path: string;
  /** The namespace of `/ns/<namespace>/sa/<service account>`, else null. */
  readonly namespace: string | null;
}

/**
 * The only form in which a SPIFFE id of a workload is written: no port, query, percent sign, upper-case
 * trust domain, empty or dot segment. Source: SPIFFE-ID specification, 2.1 to 2.3; envoy-ext-authz 9.
 */
export const spiffeIdPattern =
  /^spiffe:\/\/[a-z0-9._-]{1,255}(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._-]+)+$/;

export const maxSpiffeIdLength = 2048;

/** Returns the parts of `text`, or null where it is no SPIFFE id of a workload. */
export function splitSpiffeId(text: string): SpiffeIdParts | null {
  if (text.length > maxSpiffeIdLength || !spiffeIdPattern.test(text)) return null;
  const slash = text.indexOf("/", prefix.length);
  const path = text.slice(slash);
  const kubernetes = /^\/ns\/([^/]+)\/sa\/[^/]+$/.exec(path);
  return {
    trustDomain: text.slice(prefix.length, slash),
    path,
    namespace: kubernetes?.[1] ?? null,
  };
}

const prefix = "spiffe://";
