import { type Authentication, authenticate } from "../../domain/credentials/authenticate.ts";
import type { CheckAttributes } from "../../domain/request/attributes.ts";
import { isDenied } from "../../domain/request/denied.ts";
import type { ResolvedRequest } from "../../domain/request/resolve.ts";
import type { Decision } from "../../iam/decision.ts";
import type { Caller } from "./caller.ts";
import { type CachedDecision, cachedDecision, isBypassed, isCacheable } from "./decision-cache.ts";
import type { FrontedService } from "./fronted-service.ts";
import type { Identification } from "./identify.ts";
import type { RequestKeys } from "./request-keys.ts";
import type { Snapshot } from "./snapshot.ts";
import type { TokenCache } from "./token-cache.ts";

/** A decision that was made before, for this very question. */
export interface Remembered {
  readonly answer: CachedDecision;
  readonly caller: Caller;
  readonly authentication: Authentication;
}

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

  /** Returns the decision of an equal question of this revision, or null. */
  recall(
    snapshot: Snapshot,
    service: FrontedService,
    attributes: CheckAttributes,
    nowMs: number,
  ): Remembered | null {
    const { decisions } = snapshot;
    if (decisions === null || isBypassed(service, attributes)) return null;
    const tokens = this.#tokens;
    const known = authenticate(
      attributes,
      service.definition,
      tokens.issuers,
      nowMs,
      tokens.recall,
    );
    if (isDenied(known)) return null;
    const identity = this.#identification.recall(snapshot, known);
    if (identity === null) return null;
    const { caller, attested } = identity;
    const keys = this.#keys;
    const answer = decisions.find(caller, service, attributes, nowMs, (stored) => {
      keys.bind(attributes, stored.request, caller.mapped, service.keys, attested, nowMs);
      return keys;
    });
    return answer === undefined ? null : { answer, caller, authentication: known };
  }

  /**
   * Keeps a decision that was just made, while its keys are still bound. Returns whether the question
   * is one that is kept at all.
   */
  keep(
    snapshot: Snapshot,
    service: FrontedService,
    caller: Caller,
    attributes: CheckAttributes,
    request: ResolvedRequest,
    decision: Decision,
    nowMs: number,
  ): boolean {
    const { decisions } = snapshot;
    if (decisions === null || caller.trust !== null || isBypassed(service, attributes))
      return false;
    if (!isCacheable(decision, request, nowMs)) return false;
    const reads = caller.question(service, false).reads(request.action, service);
    const answer = cachedDecision(service, attributes, request, reads, this.#keys, decision);
    if (answer === null) return false;
    decisions.store(caller, attributes.target, answer);
    return true;
  }
}
