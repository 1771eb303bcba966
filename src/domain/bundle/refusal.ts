import type { ErrorCode } from "../../iam/reason.ts";

/** The codes of the catalogue with which a bundle, or something it is made of, is refused. */
export type RefusalCode = Extract<ErrorCode, `bundle-${string}`>;

/** `result` of `bundle_pulls_total` (kubernetes-and-observability 5.2) for an attempt that failed. */
export type FailedPull =
  | "network"
  | "auth"
  | "signature"
  | "digest"
  | "expired"
  | "parse"
  | "rollback";

/**
 * Why bytes are not accepted. `partId` names the manifest or part at fault, null when it is the head,
 * a key set or the whole. Holds no byte of what was refused beyond short, quoted names.
 */
export interface Refusal {
  readonly ok: false;
  readonly code: RefusalCode;
  readonly detail: string;
  readonly partId: string | null;
}

/** Returns a refusal; `partId` is null unless one part is at fault. */
export function refuse(code: RefusalCode, detail: string, partId: string | null = null): Refusal {
  return { ok: false, code, detail, partId };
}

const results: Readonly<Record<RefusalCode, FailedPull>> = {
  "bundle-unreadable": "network",
  "bundle-signature": "signature",
  "bundle-mismatch": "signature",
  "bundle-digest": "digest",
  "bundle-expired": "expired",
  "bundle-rollback": "rollback",
  "bundle-parse": "parse",
  "bundle-incomplete": "parse",
  "bundle-too-large": "parse",
};

/** Returns the metric label under which a refusal with `code` is counted. */
export function pullResultOf(code: RefusalCode): FailedPull {
  return results[code];
}
