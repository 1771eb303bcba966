import type { CheckOutcome } from "../../domain/request/outcome.ts";

export interface SamplingOptions {
  /** Share of the allows that is kept. */
  readonly allowSampleRate: number;
  /** Keeps no allow, whatever the rate says. */
  readonly ignoreAllowAll: boolean;
  /** Actions whose allows are not kept: `orders:Probe`, `orders:Get*`. */
  readonly drop: readonly string[];
}

/** Which records are kept. */
export interface Sampling {
  /** False: the record is left out, whatever its trace. Looks at the outcome alone. */
  mayKeep(outcome: CheckOutcome): boolean;
  /** The last word, for an outcome that `mayKeep` let pass. */
  keeps(outcome: CheckOutcome, traceId: string | null): boolean;
}

/**
 * Returns the test which records are kept. Denials, errors and shadow differences always are.
 *
 * Of the allows a share is kept, chosen by the trace id, so that all services of one trace keep or
 * leave it together; without one by the decision id.
 */
export function createSampling(options: SamplingOptions): Sampling {
  const rate = options.ignoreAllowAll ? 0 : options.allowSampleRate;
  const exact = new Set(options.drop.filter((action) => !action.endsWith("*")));
  const prefixes = options.drop
    .filter((action) => action.endsWith("*"))
    .map((action) => action.slice(0, -1));

  return {
    mayKeep(outcome) {
      if (!isPlainAllow(outcome)) return true;
      if (rate === 0) return false;
      const { action } = outcome;
      if (action === null) return true;
      return !exact.has(action) && !prefixes.some((prefix) => action.startsWith(prefix));
    },
    keeps(outcome, traceId) {
      if (!isPlainAllow(outcome) || rate === 1) return true;
      return fraction(traceId ?? outcome.decisionId) < rate;
    },
  };
}

function isPlainAllow({ answer, decision }: CheckOutcome): boolean {
  return answer.type === "allow" && decision.decision === "allowed";
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
