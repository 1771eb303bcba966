import type { AppliedPolicy } from "../../domain/directory/policies.ts";
import type { Decision } from "../../iam/decision.ts";
import { evaluateReference, type ReferencePolicy } from "../../iam/evaluation/reference.ts";
import type { DocumentType } from "../../iam/policy/policy-type.ts";
import type { ContextValue, PolicyLayers, RequestContext } from "../../iam/request-context.ts";
import type { Caller } from "./caller.ts";
import { type FrontedService, impliedAllow } from "./fronted-service.ts";
import type { PolicyCompiler } from "./policy-compiler.ts";

/** A policy as the reference evaluator and a written scenario take it. */
export interface KeptPolicy extends ReferencePolicy {
  readonly text: string | null;
}

/** A question with everything that its answer may depend on, free of the request it came from. */
export interface KeptQuestion {
  readonly context: RequestContext;
  readonly keys: ReadonlyMap<string, ContextValue>;
  readonly layers: PolicyLayers<KeptPolicy>;
}

export interface Mismatch {
  readonly question: KeptQuestion;
  readonly engine: Decision;
  readonly reference: Decision;
}

/**
 * Returns a copy of the question at hand that outlives its Check: the keys that a candidate can read,
 * filled now, and the policies as documents.
 */
export function keepQuestion(
  context: RequestContext,
  readable: readonly string[],
  caller: Caller,
  service: FrontedService,
  implied: boolean,
  compiler: PolicyCompiler,
): KeptQuestion {
  const values = new Map<string, ContextValue>();
  for (const key of readable) {
    const value = context.keys.get(key);
    if (value !== undefined) values.set(key, value);
  }
  return {
    context: { ...context, keys: values },
    keys: values,
    layers: documentLayers(caller, service, implied, compiler),
  };
}

/** Returns the layers of a question as documents. */
function documentLayers(
  caller: Caller,
  service: FrontedService,
  implied: boolean,
  compiler: PolicyCompiler,
): PolicyLayers<KeptPolicy> {
  const read = (policy: AppliedPolicy, type: DocumentType): KeptPolicy =>
    compiler.policy(policy, type);
  const levels = (all: readonly (readonly AppliedPolicy[])[] | null, type: DocumentType) =>
    all === null ? null : all.map((level) => level.map((policy) => read(policy, type)));

  const own = caller.mapped.policies;
  const resources = [
    ...(implied ? [impliedAllow] : []),
    ...(service.policies.resource === null ? [] : [service.policies.resource]),
  ].map((policy) => read(policy, "resource"));
  return {
    identity: own.identity.map((policy) => read(policy, "identity")),
    resource: oneDocument(resources),
    permissionsBoundary:
      own.permissionsBoundary === null
        ? null
        : read(own.permissionsBoundary, "permissionsBoundary"),
    session: own.session === null ? null : own.session.map((policy) => read(policy, "session")),
    serviceControl: levels(own.serviceControl, "serviceControl"),
    resourceControl: levels(service.policies.resourceControl, "resourceControl"),
  };
}

/** Several resource policies are evaluated as one document that holds all their statements (TYPE-2). */
function oneDocument(policies: readonly KeptPolicy[]): KeptPolicy | null {
  const [first, ...rest] = policies;
  if (first === undefined || rest.length === 0) return first ?? null;
  const documents = policies.map((policy) => policy.document);
  if (documents.includes(null)) return { id: first.id, text: null, document: null };
  const statements = documents.flatMap((document) => document?.statements ?? []);
  // The implied statement reads alike under every version; the service's own document decides.
  const version = documents.at(-1)?.version ?? "2012-10-17";
  // A scenario has one document a resource; the service's own text is the one worth replaying.
  const text = rest.at(-1)?.text ?? null;
  return { id: first.id, text, document: { version, statements } };
}

export interface SelfCheckOptions {
  /** Share of decisions that is decided again, 0 to 1. */
  readonly sampleRate: number;
  readonly random: () => number;
  /** Runs work after the Check was answered. */
  readonly later: (work: () => void) => void;
  readonly checked: (agrees: boolean) => void;
  readonly mismatch: (mismatch: Mismatch) => void;
}

/** Questions that wait to be decided again; beyond it samples are skipped, never Checks delayed. */
const maxWaiting = 64;

/**
 * Returns what decides a sampled share of live decisions again by the reference evaluator, off the
 * request path (DESIGN 5, rule 2). `keep` is called only for a sampled decision.
 */
export function createSelfCheck(
  options: SelfCheckOptions,
): (decision: Decision, keep: () => KeptQuestion) => void {
  let waiting = 0;
  return (decision, keep) => {
    if (options.sampleRate === 0 || options.random() >= options.sampleRate) return;
    if (waiting >= maxWaiting) return;
    const question = keep();
    waiting++;
    options.later(() => {
      waiting--;
      const reference = evaluateReference(question.context, question.layers);
      const agrees = areAlike(decision, reference);
      options.checked(agrees);
      if (!agrees) options.mismatch({ question, engine: decision, reference });
    });
  };
}

/** What two evaluators agree on (DEC-8). */
export function areAlike(a: Decision, b: Decision): boolean {
  return (
    a.decision === b.decision &&
    a.deniedBy === b.deniedBy &&
    a.deniedLevel === b.deniedLevel &&
    a.errors.length === b.errors.length &&
    a.errors.every((error, i) => error === b.errors[i])
  );
}
