import { type Authentication, authenticate } from "../../domain/credentials/authenticate.ts";
import { isDenied } from "../../domain/request/denied.ts";
import type { ResolvedRequest } from "../../domain/request/resolve.ts";
import type { Decision } from "../../iam/decision.ts";
import type { AskedCheck } from "./asked-check.ts";
import {
  type CachedDecision,
  cachedDecision,
  hasSameValues,
  isBypassed,
  isCacheable,
  isSameRequest,
} from "./cached-decision.ts";
import { type DecisionInput, questionOf } from "./decide.ts";
import type { Identification } from "./identify.ts";
import type { RequestKeys } from "./request-keys.ts";
import type { Snapshot } from "./snapshot.ts";
import type { TokenCache } from "./token-cache.ts";

/** A decision that was made before, for this very question. */
export interface Remembered {
  readonly answer: CachedDecision;
  readonly input: DecisionInput;
  readonly authentication: Authentication;
}

/** What the memory did with a Check: `stale` if the answer it had no longer held. */
export type CacheUse = "hit" | "miss" | "stale" | "bypass";

/**
 * The short way of a Check: a known credential, a known caller, an answered question. Whatever is not
 * known leads to the long way, which alone refuses anything; this one only ever finds or does not.
 */
export class Memory {
  readonly #tokens: TokenCache;
  readonly #identification: Identification;
  readonly #keys: RequestKeys;

  constructor(tokens: TokenCache, identification: Identification, keys: RequestKeys) {
    this.#tokens = tokens;
    this.#identification = identification;
    this.#keys = keys;
  }

  /**
   * Returns the decision of an equal question of this revision, or null. The keys of the process are
   * then bound to the request at hand.
   */
  recall(snapshot: Snapshot, asked: AskedCheck): Remembered | null {
    const { decisions } = snapshot;
    const { service, attributes, nowMs, asOfMs } = asked;
    if (decisions === null || isBypassed(service, attributes)) return null;
    const tokens = this.#tokens;
    const known = authenticate(
      attributes,
      service.definition,
      tokens.issuers,
      nowMs,
      tokens.recall,
      tokens.recallHeader,
    );
    if (isDenied(known)) return null;
    const identity = this.#identification.recall(snapshot, known);
    if (identity === null) return null;
    const { caller, attested } = identity;
    const keys = this.#keys;
    for (const answer of decisions.answersFor(caller, attributes.target)) {
      if (!isSameRequest(answer, service, attributes, asOfMs)) continue;
      keys.bind(asked, answer.request, caller.mapped, attested);
      if (!hasSameValues(answer, keys)) continue;
      if (known.token !== null) tokens.countHit();
      return { answer, input: { asked, caller, attested, keys }, authentication: known };
    }
    return null;
  }

  /** Keeps a decision that was just made, if it may be kept, while its keys are still bound. */
  keep(
    { decisions }: Snapshot,
    input: DecisionInput,
    request: ResolvedRequest,
    decision: Decision,
  ): Exclude<CacheUse, "hit"> {
    const { asked, caller, keys } = input;
    const { service, attributes, asOfMs } = asked;
    if (decisions === null || caller.trust !== null || isBypassed(service, attributes)) {
      return "bypass";
    }
    if (!isCacheable(decision, request, asOfMs)) return "bypass";
    if (!decisions.wants(caller, attributes.target)) return "miss";
    const reads = questionOf(request, input).reads(request.action);
    const answer = cachedDecision(service, attributes, request, reads, keys, decision, asOfMs);
    if (answer === null) return "bypass";
    switch (decisions.store(caller, answer)) {
      case "added":
        return "miss";
      case "replaced":
        return "stale";
      case "refused":
        return "bypass";
    }
  }
}
