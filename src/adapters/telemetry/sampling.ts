import type { CheckOutcome } from "../../domain/request/outcome.ts";

export interface SamplingOptions {
  /** Share of the allows that is kept. */
  readonly allowSampleRate: number;
  /** Keeps no allow, whatever the rate says. */
  readonly ignoreAllowAll: boolean;
  /** Actions whose allows are not kept: `orders:Probe`, `orders:Get*`. */
  readonly drop: readonly string[];
}

/**
 * Returns the test which records are kept. Denials, errors and shadow differences always are.
 *
 * Of the allows a share is kept, chosen by the trace id, so that all services of one trace keep or
 * leave it together; without one by the decision id.
 */
export function createSampling(
  options: SamplingOptions,
): (outcome: CheckOutcome, traceId: string | null) => boolean {
  const rate = options.ignoreAllowAll ? 0 : options.allowSampleRate;
  const exact = new Set(options.drop.filter((action) => !action.endsWith("*")));
  const prefixes = options.drop
    .filter((action) => action.endsWith("*"))
    .map((action) => action.slice(0, -1));

  return ({ answer, decision, action, decisionId }, traceId) => {
    if (answer.type !== "allow" || decision.decision !== "allowed") return true;
    if (rate === 0) return false;
    if (action !== null && exact.has(action)) return false;
    if (action !== null && prefixes.some((prefix) => action.startsWith(prefix))) return false;
    return rate === 1 || fraction(traceId ?? decisionId) < rate;
  };
}

/** Returns a number in [0, 1) that follows from the text alone: FNV-1a with murmur's finaliser. */
function fraction(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000;
}
