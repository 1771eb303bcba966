import { foldAscii } from "../ascii.ts";
import type { CompiledStatement } from "../compile/compile.ts";
import type { EngineLayers } from "../compile/layers.ts";
import { levels } from "../compile/principal-matcher.ts";
import { type Decision, denied, type MatchedStatement } from "../decision.ts";
import { createWork } from "../glob.ts";
import type { PolicyType } from "../policy/policy-type.ts";
import { accountOf } from "../principal.ts";
import type { Reason } from "../reason.ts";
import type { KeyFault, RequestContext } from "../request-context.ts";
import { mayCallOnRole } from "./applicability.ts";
import { firstMissing, type GrantFacts, grant } from "./grant.ts";
import { type Layer, layersThatApply } from "./layer.ts";
import { findMatches, isCandidate, type QuestionScope } from "./match.ts";
import { EveryMatch, StrongestMatch } from "./takers.ts";
import { validUntilMs } from "./validity.ts";

/** Steps one decision may take, some milliseconds of work (IMP-6). Beyond it the answer is ERROR. */
export const maxSteps = 1_000_000;

/**
 * Returns the decision of one question: the order of policy types of iam-semantics 6.2. Pure and
 * synchronous; borrows `context` for the time of the call. Never throws, and never skips a policy:
 * what cannot be evaluated ends in an `implicitDeny` with `errors`. Cost: a look-up a layer, and the
 * statements whose action and resource prefix fit; nothing is allocated for a statement that does
 * not decide.
 */
export function evaluate(context: RequestContext, layers: EngineLayers): Decision {
  // DEC-0, EXC-4
  if (isGetCallerIdentity(context)) return callerIdentity;

  const applicable = layersThatApply(context, layers);
  const scope = createScope(context, applicable);
  const decision = decide(applicable, scope);
  return scope.work.steps > scope.work.limit ? exhausted : decision;
}

function decide(applicable: readonly Layer[], scope: QuestionScope): Decision {
  // DEC-6: looked for first; missing data never means "no policy"
  const error = findError(applicable, scope);
  if (error !== null) return error;

  // EXC-9
  if (!mayAskAtAll(scope.context)) return implicitlyDenied("resource", null, forever);

  // DEC-1: every Deny before any Allow counts; the first layer that has one decides (DEC-8)
  for (const layer of applicable) {
    const denies = findDenies(layer, scope);
    if (denies.length > 0) return explicitlyDenied(layer, denies, validUntilMs(applicable, scope));
  }

  // DEC-3: every SCP level has to allow. Of RCPs, RCPFullAWSAccess is the Allow side (DEC-2)
  const allows: MatchedStatement[] = [];
  for (const layer of applicable) {
    if (layer.policyType === "serviceControl" && !findAllow(layer, scope, allows)) {
      return implicitlyDenied("serviceControl", layer.level, validUntilMs(applicable, scope));
    }
  }

  // DEC-4: the resource policy alone may do; otherwise the caller's side is asked
  const alone = resourceFacts(applicable, scope, allows);
  if (grant(alone)) return allowed("resource-policy", allows, validUntilMs(applicable, scope));
  const facts = callerFacts(alone, applicable, scope, allows);

  // DEC-5
  const until = validUntilMs(applicable, scope);
  if (!grant(facts)) return implicitlyDenied(firstMissing(facts), null, until);
  const byResource = grant(withoutIdentity(facts));
  return allowed(byResource ? "resource-policy" : "identity-policy", allows, until);
}

/** Returns the scope of a question. The boundary that counts for NotPrincipal is among the layers. */
export function createScope(
  context: RequestContext,
  applicable: readonly Layer[],
  limit: number = maxSteps,
): QuestionScope {
  const hasBoundary = applicable.some(isBoundary);
  return { context, keys: context.keys, work: createWork(limit), hasBoundary };
}

/** Returns what decides the grant (DEC-4), whether or not a Deny or an SCP decided before it. */
export function factsOf(applicable: readonly Layer[], scope: QuestionScope): GrantFacts {
  const allows: MatchedStatement[] = [];
  return callerFacts(resourceFacts(applicable, scope, allows), applicable, scope, allows);
}

function isBoundary(layer: Layer): boolean {
  return layer.policyType === "permissionsBoundary";
}

const getCallerIdentity = "sts:getcalleridentity";

function isGetCallerIdentity({ action, principal }: RequestContext): boolean {
  if (action.length !== getCallerIdentity.length || principal.type === "anonymous") return false;
  return foldAscii(action) === getCallerIdentity;
}

// A policy that cannot be used, or a key that a candidate can read and nobody can give (KEY-3).
function findError(applicable: readonly Layer[], scope: QuestionScope): Decision | null {
  for (const layer of applicable) if (!layer.set.usable) return unusable;
  const { faults } = scope.context;
  if (faults === null || faults.size === 0) return null;
  let found: KeyFault | null = null;
  for (const [key, fault] of faults) {
    if (found !== null && fault !== "evaluation-error") continue;
    if (applicable.some((layer) => canRead(layer, key, scope))) found = fault;
  }
  return found && faulty[found];
}

function canRead({ candidates, namesCaller }: Layer, key: string, scope: QuestionScope): boolean {
  if (!candidates.reads.has(key)) return false;
  return candidates.statements.some(
    (statement) => statement.reads.includes(key) && isCandidate(statement, namesCaller, scope),
  );
}

/** Returns whether the caller may call the operation on such a resource at all (EXC-9). */
export function mayAskAtAll({ principal, resource, action }: RequestContext): boolean {
  return resource.class !== "role-trust" || mayCallOnRole(principal.type, action);
}

const none: readonly never[] = Object.freeze([]);

function findDenies(layer: Layer, scope: QuestionScope): readonly CompiledStatement[] {
  const { denies } = layer.candidates;
  if (denies.statements.length === 0) return none;
  const every = new EveryMatch();
  findMatches(denies, layer.namesCaller, scope, every);
  const { statements } = every;
  if (statements === null) return none;
  // the index finds by resource, a denial is told in document order
  return denies.statements.filter((statement) => statements.has(statement));
}

// Whether some Allow of the layer applies; it is added to `allows`.
function findAllow(layer: Layer, scope: QuestionScope, allows: MatchedStatement[]): boolean {
  return strongestAllow(layer, scope, allows).statement !== null;
}

function strongestAllow(
  layer: Layer,
  scope: QuestionScope,
  allows: MatchedStatement[],
): StrongestMatch {
  const strongest = new StrongestMatch();
  findMatches(layer.candidates.allows, layer.namesCaller, scope, strongest);
  if (strongest.statement !== null) allows.push(matched(strongest.statement, layer.policyType));
  return strongest;
}

// What the resource policy says, the caller's side being silent.
function resourceFacts(
  applicable: readonly Layer[],
  scope: QuestionScope,
  allows: MatchedStatement[],
): GrantFacts {
  const { principal, resource } = scope.context;
  const account = accountOf(principal);
  const layer = applicable.find((each) => each.policyType === "resource");
  return {
    type: principal.type,
    same: account !== null && account === resource.account,
    class: resource.class,
    resource: layer === undefined ? levels.none : strongestAllow(layer, scope, allows).level,
    identity: false,
    boundary: false,
    session: false,
  };
}

function callerFacts(
  alone: GrantFacts,
  applicable: readonly Layer[],
  scope: QuestionScope,
  allows: MatchedStatement[],
): GrantFacts {
  let identity = alone.type === "root"; // EXC-7
  let boundary = true;
  let session = alone.type !== "federated-user"; // GetFederationToken without a policy grants nothing
  for (const layer of applicable) {
    switch (layer.policyType) {
      case "identity":
        identity = findAllow(layer, scope, allows);
        break;
      case "permissionsBoundary":
        boundary = findAllow(layer, scope, allows);
        break;
      case "session":
        session = findAllow(layer, scope, allows);
        break;
      case "serviceControl":
      case "resourceControl":
      case "resource":
        break;
    }
  }
  const { type, same, resource } = alone;
  return { type, same, class: alone.class, resource, identity, boundary, session };
}

function withoutIdentity(facts: GrantFacts): GrantFacts {
  const { type, same, resource, boundary, session } = facts;
  return { type, same, class: facts.class, resource, identity: false, boundary, session };
}

const forever = Number.POSITIVE_INFINITY;
const exhausted = denied("evaluation-error", Object.freeze(["step-bound" as const]));
const unusable = denied("evaluation-error", Object.freeze(["policy-unusable" as const]));
const faulty: Readonly<Record<KeyFault, Decision>> = {
  "evaluation-error": denied("evaluation-error", Object.freeze(["key-unavailable" as const])),
  "ambiguous-header": denied("ambiguous-header"),
};
const callerIdentity = allowed("identity-policy", [], forever);

function allowed(reason: Reason, statements: MatchedStatement[], until: number): Decision {
  return Object.freeze({
    decision: "allowed",
    reason,
    deniedBy: null,
    deniedLevel: null,
    matchedStatements: Object.freeze(statements),
    errors: none,
    validUntilMs: until,
  });
}

function explicitlyDenied(
  { policyType, level }: Layer,
  statements: readonly CompiledStatement[],
  until: number,
): Decision {
  return Object.freeze({
    decision: "explicitDeny",
    reason: reasonOf(policyType, "explicit-deny"),
    deniedBy: policyType,
    deniedLevel: level,
    matchedStatements: Object.freeze(statements.map((each) => matched(each, policyType))),
    errors: none,
    validUntilMs: until,
  });
}

function implicitlyDenied(policyType: PolicyType, level: number | null, until: number): Decision {
  return Object.freeze({
    decision: "implicitDeny",
    reason: reasonOf(policyType, "implicit-deny"),
    deniedBy: policyType,
    deniedLevel: level,
    matchedStatements: none,
    errors: none,
    validUntilMs: until,
  });
}

function reasonOf(policyType: PolicyType, otherwise: Reason): Reason {
  switch (policyType) {
    case "serviceControl":
      return "scp";
    case "resourceControl":
      return "rcp";
    case "permissionsBoundary":
      return "permissions-boundary";
    case "session":
      return "session-policy";
    case "identity":
    case "resource":
      return otherwise;
  }
}

function matched(statement: CompiledStatement, policyType: PolicyType): MatchedStatement {
  const { policyId, sid, index, effect } = statement;
  return Object.freeze({ policyType, policyId, sid, index, effect });
}
