import { LRUCache } from "lru-cache";
import type { CheckAttributes } from "../../domain/request/attributes.ts";
import type { ResolvedRequest } from "../../domain/request/resolve.ts";
import type { Decision } from "../../iam/decision.ts";
import type { ContextValue, KeyFault } from "../../iam/request-context.ts";
import type { Caller, Reads } from "./caller.ts";
import type { FrontedService } from "./fronted-service.ts";

export interface DecisionCacheOptions {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly maxTargetsPerPrincipal: number;
  /** Longer targets are not stored. Default 512. */
  readonly maxTargetChars?: number;
}

/** An answer that was given, and every input that it depended on, to be compared part by part. */
export interface CachedDecision {
  readonly service: FrontedService;
  readonly rawHeaders: boolean;
  readonly method: string;
  readonly host: string;
  readonly rawPath: string | null;
  readonly contentType: string | undefined;
  readonly region: string | undefined;
  readonly partition: string | undefined;
  readonly request: ResolvedRequest;
  readonly reads: Reads;
  readonly values: readonly (ContextValue | undefined)[];
  readonly decision: Decision;
}

/** Reads keys of the request at hand, seen as the stored one was resolved. */
export interface KeyReader {
  read(keyLower: string): ContextValue | KeyFault | undefined;
}

interface CallerDecisions {
  /** By raw target; a short list each, since method, host or a varying key may differ. */
  readonly targets: Map<string, CachedDecision[]>;
  bytes: number;
}

const maxPerTarget = 4;
const entryBytes = 400;

/**
 * The decisions of one snapshot (performance 2.11), found by comparing every part of the question in
 * full: no joined key, no fingerprint. It hangs off the caller, so a principal that floods paths turns
 * over only its own entries, and it dies with the snapshot, so an answer never outlives its revision.
 * Never stored: errors, answers that a clock could change at once, requests whose reading depends on
 * more than is compared here.
 */
export class DecisionCache {
  readonly #callers: LRUCache<Caller, CallerDecisions>;
  readonly #options: DecisionCacheOptions;
  readonly #evicted: (entries: number) => void;
  #entries = 0;

  constructor(options: DecisionCacheOptions, evicted: (entries: number) => void) {
    this.#options = options;
    this.#evicted = evicted;
    this.#callers = new LRUCache<Caller, CallerDecisions>({
      maxSize: options.maxBytes,
      sizeCalculation: (decisions) => decisions.bytes,
      noUpdateTTL: true,
      dispose: (decisions, _caller, reason) => {
        if (reason !== "set") this.#forget(decisions);
      },
    });
  }

  get entries(): number {
    return this.#entries;
  }

  /**
   * Returns the stored answer to the same question, or undefined. `bind` gives the reader of the
   * varying keys; a fault among them is no hit.
   */
  find(
    caller: Caller,
    service: FrontedService,
    attributes: CheckAttributes,
    nowMs: number,
    bind: (stored: CachedDecision) => KeyReader,
  ): CachedDecision | undefined {
    const list = this.#callers.get(caller)?.targets.get(attributes.target);
    if (list === undefined) return undefined;
    for (const stored of list) {
      if (
        nowMs < stored.decision.validUntilMs &&
        isSameRequest(stored, service, attributes) &&
        sameValues(stored, bind(stored))
      ) {
        return stored;
      }
    }
    return undefined;
  }

  /** Keeps an answer. The caller has seen to it that it may be kept (`isCacheable`). */
  store(caller: Caller, target: string, answer: CachedDecision): void {
    if (target.length > (this.#options.maxTargetChars ?? 512)) return;
    if (this.#entries >= this.#options.maxEntries) this.#callers.pop();
    const decisions = this.#callers.get(caller) ?? { targets: new Map(), bytes: entryBytes };
    this.#insert(decisions, target, answer);
    // Stored again, so that its size is reckoned anew.
    this.#callers.set(caller, decisions);
  }

  #insert(decisions: CallerDecisions, target: string, answer: CachedDecision): void {
    const { targets } = decisions;
    const size = bytesOf(target, answer);
    const list = targets.get(target);
    if (list !== undefined && list.length < maxPerTarget) {
      list.push(answer);
    } else if (list !== undefined) {
      list.shift();
      list.push(answer);
      this.#entries--;
      decisions.bytes -= size;
    } else {
      if (targets.size >= this.#options.maxTargetsPerPrincipal) this.#dropOldest(decisions);
      targets.set(target, [answer]);
    }
    this.#entries++;
    decisions.bytes += size;
  }

  #dropOldest(decisions: CallerDecisions): void {
    const oldest = decisions.targets.entries().next().value;
    if (oldest === undefined) return;
    const [target, list] = oldest;
    decisions.targets.delete(target);
    this.#entries -= list.length;
    for (const answer of list) decisions.bytes -= bytesOf(target, answer);
    this.#evicted(list.length);
  }

  #forget(decisions: CallerDecisions): void {
    let count = 0;
    for (const list of decisions.targets.values()) count += list.length;
    this.#entries -= count;
    this.#evicted(count);
  }
}

/**
 * True when the request is read from more than a stored answer compares: override headers, which may
 * add a second method, and the headers of a preflight (`headersReadByResolve`). Such a request is
 * neither answered from the cache nor kept in it.
 */
export function isBypassed(service: FrontedService, attributes: CheckAttributes): boolean {
  const { cors, request } = service.definition;
  return (
    !attributes.hasRequest ||
    request.methodOverride !== "ignore" ||
    (cors && attributes.method === "OPTIONS")
  );
}

/** True when the decision may be kept: it holds for a while, no error, nobody's exemption. */
export function isCacheable(decision: Decision, request: ResolvedRequest, nowMs: number): boolean {
  return (
    decision.errors.length === 0 &&
    decision.validUntilMs > nowMs &&
    request.implied === null &&
    request.second === null
  );
}

/** Returns the answer with every input that `isSameRequest` and `sameValues` compare. */
export function cachedDecision(
  service: FrontedService,
  attributes: CheckAttributes,
  request: ResolvedRequest,
  reads: Reads,
  keys: KeyReader,
  decision: Decision,
): CachedDecision | null {
  const values: (ContextValue | undefined)[] = [];
  for (const key of reads.varying) {
    const value = keys.read(key);
    // A faulty key that no candidate of this very request reads: its absence proves nothing for others.
    if (typeof value === "string") return null;
    values.push(value);
  }
  return {
    service,
    rawHeaders: attributes.rawHeaders,
    method: attributes.method,
    host: attributes.host,
    rawPath: attributes.rawPath,
    contentType: attributes.header("content-type")?.value,
    region: attributes.contextExtension("mesh-iam-region"),
    partition: attributes.contextExtension("mesh-iam-partition"),
    request,
    reads,
    values,
    decision,
  };
}

function isSameRequest(
  stored: CachedDecision,
  service: FrontedService,
  attributes: CheckAttributes,
): boolean {
  return (
    stored.service === service &&
    stored.rawHeaders === attributes.rawHeaders &&
    stored.method === attributes.method &&
    stored.host === attributes.host &&
    stored.rawPath === attributes.rawPath &&
    attributes.rawPathCount <= 1 &&
    stored.contentType === attributes.header("content-type")?.value &&
    stored.region === attributes.contextExtension("mesh-iam-region") &&
    stored.partition === attributes.contextExtension("mesh-iam-partition")
  );
}

function sameValues(stored: CachedDecision, keys: KeyReader): boolean {
  const { varying } = stored.reads;
  for (let i = 0; i < varying.length; i++) {
    const value = keys.read(varying[i] as string);
    if (typeof value === "string" || !sameValue(stored.values[i], value)) return false;
  }
  return true;
}

/** Absent and empty differ; so do a list of one and a single value. */
export function sameValue(a: ContextValue | undefined, b: ContextValue | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a.multivalued !== b.multivalued) return false;
  if (a.values.length !== b.values.length) return false;
  return a.values.every((value, i) => value === b.values[i]);
}

function bytesOf(target: string, answer: CachedDecision): number {
  let bytes = entryBytes + target.length * 4;
  for (const value of answer.values) {
    for (const text of value?.values ?? []) bytes += 32 + text.length * 2;
  }
  return bytes;
}
