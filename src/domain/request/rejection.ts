import type { Denied } from "./denied.ts";

/** Why a request target is refused: the closed enum of envoy-ext-authz 4.2, for logs and tests. */
export const pathDetails = [
  "bad-method",
  "path-mismatch",
  "connect-with-path",
  "bad-host",
  "target-too-long",
  "not-origin-form",
  "bad-character",
  "path-too-long",
  "bad-path-character",
  "too-many-segments",
  "empty-segment",
  "path-parameter",
  "dot-segment",
  "bad-percent-encoding",
  "encoded-control",
  "encoded-slash",
  "encoded-backslash",
  "encoded-dot",
  "encoded-parameter",
  "invalid-utf8",
  "double-encoding",
  "too-many-parameters",
  "bad-query-encoding",
  "method-override",
  "ambiguous-content-type",
  "bad-grpc-path",
  "not-grpc",
] as const;

export type PathDetail = (typeof pathDetails)[number];

const rejections = new Map<PathDetail, Denied>();
for (const detail of pathDetails) {
  const reason = detail === "bad-host" ? "ambiguous-host" : "ambiguous-path";
  rejections.set(detail, Object.freeze({ type: "denied", reason, detail }));
}

/**
 * Returns the refusal of a request target: reason `ambiguous-host` for `bad-host`, `ambiguous-path`
 * for every other detail. One frozen object a detail; allocates nothing.
 */
export function reject(detail: PathDetail): Denied {
  // INVARIANT: the map holds every member of the enum.
  return rejections.get(detail) as Denied;
}
