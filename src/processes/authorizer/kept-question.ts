import type { AppliedPolicy } from "../../domain/directory/policies.ts";
import type { ReferencePolicy } from "../../iam/evaluation/reference.ts";
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

/**
 * Returns a copy of the question at hand that outlives its Check: of its keys those that a candidate
 * can read, filled now.
 */
export function keepQuestion(
  context: RequestContext,
  readable: readonly string[],
  layers: PolicyLayers<KeptPolicy>,
): KeptQuestion {
  const keys = new Map<string, ContextValue>();
  for (const key of readable) {
    const value = context.keys.get(key);
    if (value !== undefined) keys.set(key, value);
  }
  return { context: { ...context, keys }, keys, layers };
}

/** Returns the layers of a question as documents; `implied`: behind the Allow of EXC-10. */
export function documentLayers(
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
  const { resource, resourceControl } = service.policies;
  return {
    identity: own.identity.map((policy) => read(policy, "identity")),
    resource: resourceDocument(
      implied ? read(impliedAllow, "resource") : null,
      resource === null ? null : read(resource, "resource"),
    ),
    permissionsBoundary:
      own.permissionsBoundary === null
        ? null
        : read(own.permissionsBoundary, "permissionsBoundary"),
    session: own.session === null ? null : own.session.map((policy) => read(policy, "session")),
    serviceControl: levels(own.serviceControl, "serviceControl"),
    resourceControl: levels(resourceControl, "resourceControl"),
  };
}

/**
 * A resource has one document, so the implied statement is put before the service's own in one
 * (TYPE-2). It reads alike under every version; the service's document keeps its own.
 */
function resourceDocument(implied: KeptPolicy | null, own: KeptPolicy | null): KeptPolicy | null {
  if (implied === null || own === null) return own ?? implied;
  if (implied.document === null || own.document === null || own.text === null) return own;
  const { version } = own.document;
  const statements = [...implied.document.statements, ...own.document.statements];
  return {
    id: own.id,
    text: withStatement(own.text, implied.text ?? ""),
    document: { version, statements },
  };
}

/** Returns the policy `text` with the statements of `other` before its own. */
function withStatement(text: string, other: string): string {
  const policy: { readonly Statement: unknown } = JSON.parse(text);
  const first: { readonly Statement: unknown } = JSON.parse(other);
  return JSON.stringify({ ...policy, Statement: [first.Statement, policy.Statement].flat() });
}
