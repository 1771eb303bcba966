import type { CheckAttributes } from "../../domain/request/attributes.ts";
import type { ResolvedRequest } from "../../domain/request/resolve.ts";
import type { Decision } from "../../iam/decision.ts";
import type { ContextValue, KeyFault } from "../../iam/request-context.ts";
import type { FrontedService } from "./fronted-service.ts";
import type { Reads } from "./question.ts";

/** An answer that was given, and every input that it depended on, to be compared part by part. */
export interface CachedDecision {
  readonly service: FrontedService;
  readonly rawHeaders: boolean;
  readonly method: string;
  readonly host: string;
  readonly target: string;
  readonly rawPath: string | null;
  readonly contentType: string | undefined;
  readonly region: string | undefined;
  readonly partition: string | undefined;
  readonly request: ResolvedRequest;
  readonly reads: Reads;
  /** The values of `reads.varying`, in its order. */
  readonly values: readonly (ContextValue | undefined)[];
  readonly decision: Decision;
  /** The evaluation time it was made for: what reads the clock may have answered otherwise before. */
  readonly asOfMs: number;
  /** What the cache reckons for it; an estimate from above. */
  readonly bytes: number;
}

/** Reads keys of the request at hand, seen as the stored one was resolved. */
export interface KeyReader {
  read(keyLower: string): ContextValue | KeyFault | undefined;
}

/** Longer targets are not kept: whoever sends them would fill the cache (POL-068). */
const maxTargetChars = 512;

/** Record, resolved request, decision, list and map slots; measured. */
const entryBytes = 1_600;

/**
 * True for a request that is neither answered from the cache nor kept in it: one with a long target, or
 * one that is read from more than a stored answer compares, which are override headers, since they may
 * add a second method, and the headers of a preflight (`headersReadByResolve`).
 */
export function isBypassed(service: FrontedService, attributes: CheckAttributes): boolean {
  const { cors, request } = service.definition;
  return (
    !attributes.hasRequest ||
    attributes.target.length > maxTargetChars ||
    request.methodOverride !== "ignore" ||
    (cors && attributes.method === "OPTIONS")
  );
}

/** True when the decision may be kept: it holds for a while, no error, nobody's exemption. */
export function isCacheable(decision: Decision, request: ResolvedRequest, asOfMs: number): boolean {
  return (
    decision.errors.length === 0 &&
    decision.validUntilMs > asOfMs &&
    request.implied === null &&
    request.second === null
  );
}

/**
 * Returns the answer with every input that it depended on, or null where an input cannot be told: a
 * faulty key that no candidate of this very request reads proves nothing for others.
 */
export function cachedDecision(
  service: FrontedService,
  attributes: CheckAttributes,
  request: ResolvedRequest,
  reads: Reads,
  keys: KeyReader,
  decision: Decision,
  asOfMs: number,
): CachedDecision | null {
  const { target, host } = attributes;
  const values: (ContextValue | undefined)[] = [];
  let bytes = entryBytes + 4 * target.length + 2 * host.length;
  for (const key of reads.varying) {
    const value = keys.read(key);
    if (typeof value === "string") return null;
    values.push(value);
    for (const text of value?.values ?? []) bytes += 32 + 2 * text.length;
  }
  return {
    service,
    rawHeaders: attributes.rawHeaders,
    method: attributes.method,
    host,
    target,
    rawPath: attributes.rawPath,
    contentType: attributes.header("content-type")?.value,
    region: attributes.contextExtension("mesh-iam-region"),
    partition: attributes.contextExtension("mesh-iam-partition"),
    request,
    reads,
    values,
    decision,
    asOfMs,
    bytes,
  };
}

/**
 * True if the request at hand is read as the stored one was, and the answer holds at `asOfMs`; the keys
 * that vary are compared by `hasSameValues`. A clock that stepped back is before the answer, where a
 * statement that reads it may have said something else.
 */
export function isSameRequest(
  stored: CachedDecision,
  service: FrontedService,
  attributes: CheckAttributes,
  asOfMs: number,
): boolean {
  return (
    asOfMs < stored.decision.validUntilMs &&
    (asOfMs >= stored.asOfMs || !stored.reads.moveWithClock) &&
    stored.service === service &&
    stored.rawHeaders === attributes.rawHeaders &&
    stored.method === attributes.method &&
    stored.host === attributes.host &&
    stored.target === attributes.target &&
    stored.rawPath === attributes.rawPath &&
    attributes.rawPathCount <= 1 &&
    stored.contentType === attributes.header("content-type")?.value &&
    stored.region === attributes.contextExtension("mesh-iam-region") &&
    stored.partition === attributes.contextExtension("mesh-iam-partition")
  );
}

/** True if every key that varies has the stored value now; a fault among them is no value. */
export function hasSameValues({ reads, values }: CachedDecision, keys: KeyReader): boolean {
  const { varying } = reads;
  for (let i = 0; i < varying.length; i++) {
    const value = keys.read(varying[i] as string);
    if (typeof value === "string" || !sameValue(values[i], value)) return false;
  }
  return true;
}

/** True if both answer one question, whenever it was asked: the later answer takes the other's place. */
export function isSameQuestion(a: CachedDecision, b: CachedDecision): boolean {
  return (
    a.service === b.service &&
    a.rawHeaders === b.rawHeaders &&
    a.method === b.method &&
    a.host === b.host &&
    a.target === b.target &&
    a.rawPath === b.rawPath &&
    a.contentType === b.contentType &&
    a.region === b.region &&
    a.partition === b.partition &&
    a.reads === b.reads &&
    a.values.every((value, i) => sameValue(value, b.values[i]))
  );
}

/** Absent and empty differ; so do a list of one and a single value. */
function sameValue(a: ContextValue | undefined, b: ContextValue | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a.multivalued !== b.multivalued) return false;
  if (a.values.length !== b.values.length) return false;
  return a.values.every((value, i) => value === b.values[i]);
}
