import { type Decision, denied } from "../decision.ts";
import type { Effect, PolicyDocument, Statement } from "../policy/document.ts";
import type { PolicyType } from "../policy/policy-type.ts";
import { accountOf, type Principal, type PrincipalType } from "../principal.ts";
import type { Reason } from "../reason.ts";
import type { KeyFault, PolicyLayers, RequestContext } from "../request-context.ts";
import { conditionKeys, conditionsHold, hasKnownOperators } from "./reference-condition.ts";
import { firstMissing, type GrantFacts, grant } from "./reference-grant.ts";
import {
  type Caller,
  type KnownIds,
  type Level,
  principalLevel,
  stronger,
} from "./reference-principal.ts";
import {
  asciiLower,
  couldMatchResource,
  matchesAction,
  matchesResource,
  variableKeys,
} from "./reference-text.ts";

/**
 * The second evaluator: the decision procedure of iam-semantics 6, clause by clause, slow and
 * obvious. It shares the types with the engine and nothing else: no matcher, value parser, index or
 * cache. The engine agrees with it in decision, `deniedBy`, `deniedLevel` and `errors` (DEC-8).
 */

/** A policy as the reference evaluator takes it; a null document could not be read (DEC-6). */
export interface ReferencePolicy {
  readonly id: string;
  readonly document: PolicyDocument | null;
}

/** One policy type at one place; of SCPs and RCPs one level (iam-semantics 1). */
interface Layer {
  readonly policyType: PolicyType;
  readonly level: number | null;
  readonly policies: readonly ReferencePolicy[];
}

/** A statement and where it stands. */
interface Placed {
  readonly policyType: PolicyType;
  readonly policyId: string;
  readonly version: PolicyDocument["version"];
  readonly index: number;
  readonly statement: Statement;
}

/**
 * Returns the decision of one question (iam-semantics 6.2). Pure; reads every statement of every
 * layer that applies. `known` are the unique ids that principals had when the policies were saved.
 * `validUntilMs` is always Infinity: nothing of the reference is cached.
 */
export function evaluateReference(
  context: RequestContext,
  layers: PolicyLayers<ReferencePolicy>,
  known: KnownIds = {},
): Decision {
  const { principal, resource } = context;
  const action = asciiLower(context.action);

  // DEC-0, EXC-4
  if (action === "sts:getcalleridentity" && principal.type !== "anonymous") {
    return allowed("identity-policy", []);
  }

  // DEC-6: looked for before any statement counts
  const applicable = layersThatApply(context, layers);
  const hasBoundary = applicable.some((layer) => layer.policyType === "permissionsBoundary");
  if (!applicable.every(isUsable)) return denied("evaluation-error", ["policy-unusable"]);
  const caller: Caller = { principal, hasBoundary, known };
  const fault = faultThatIsRead(context, applicable, caller);
  if (fault === "evaluation-error") return denied(fault, ["key-unavailable"]);
  if (fault !== null) return denied(fault);

  // EXC-9
  if (resource.class === "role-trust" && !mayCall(principal.type, action)) {
    return refused("resource", null);
  }

  const level = (placed: Placed): Level => levelOf(placed, context, caller);
  const applies = (placed: Placed): boolean => level(placed) !== "none";

  // DEC-1: every Deny before any Allow counts, in the order of DEC-8
  for (const layer of applicable) {
    const denies = statementsOf(layer, "Deny").filter(applies);
    if (denies.length > 0) return explicitlyDenied(layer, denies);
  }

  // DEC-3; of RCPs RCPFullAWSAccess is the Allow side, at every level (DEC-2)
  for (const layer of applicable) {
    const isSilent = !statementsOf(layer, "Allow").some(applies);
    if (layer.policyType === "serviceControl" && isSilent) {
      return refused("serviceControl", layer.level);
    }
  }

  // DEC-4
  const isThere = (type: PolicyType): boolean => applicable.some((l) => l.policyType === type);
  const allows = (type: PolicyType): boolean =>
    applicable.some((l) => l.policyType === type && statementsOf(l, "Allow").some(applies));
  const sessionPolicyIsDue = principal.type === "federated-user";
  const facts: GrantFacts = {
    type: principal.type,
    same: accountOf(principal) !== null && accountOf(principal) === resource.account,
    class: resource.class,
    resource: applicable
      .filter((layer) => layer.policyType === "resource")
      .flatMap((layer) => statementsOf(layer, "Allow").map(level))
      .reduce(stronger, "none"),
    identity: principal.type === "root" || allows("identity"),
    boundary: !hasBoundary || allows("permissionsBoundary"),
    session: isThere("session") ? allows("session") : !sessionPolicyIsDue,
  };

  // DEC-5
  if (!grant(facts)) return refused(firstMissing(facts), null);
  const deciding = applicable.flatMap((layer) =>
    statementsOf(layer, "Allow").filter(applies).slice(0, 1),
  );
  const resourceAlone = grant({ ...facts, identity: false });
  return allowed(resourceAlone ? "resource-policy" : "identity-policy", deciding);
}

/** The layers of 6.1, in the order in which denials are looked for (DEC-8). */
function layersThatApply(context: RequestContext, layers: PolicyLayers<ReferencePolicy>): Layer[] {
  const { principal } = context;
  const applicable: Layer[] = [];
  const add = (
    policyType: PolicyType,
    level: number | null,
    policies: readonly ReferencePolicy[],
  ): void => {
    applicable.push({ policyType, level, policies });
  };
  if (serviceControlApplies(context)) {
    layers.serviceControl?.forEach((level, index) => {
      add("serviceControl", index, level);
    });
  }
  if (resourceControlApplies(context)) {
    layers.resourceControl?.forEach((level, index) => {
      add("resourceControl", index, level);
    });
  }
  if (layers.resource !== null) add("resource", null, [layers.resource]);
  if (hasIdentitySide(principal)) add("identity", null, layers.identity);
  if (hasIdentitySide(principal) && !isServiceLinked(principal) && layers.permissionsBoundary) {
    add("permissionsBoundary", null, [layers.permissionsBoundary]);
  }
  if (canHaveSessionPolicy(principal) && layers.session !== null) {
    add("session", null, layers.session);
  }
  return applicable;
}

/** Users, workloads and sessions; not root, services, anonymous and federated callers. */
function hasIdentitySide(principal: Principal): boolean {
  switch (principal.type) {
    case "user":
    case "workload":
    case "assumed-role":
    case "federated-user":
      return true;
    default:
      return false;
  }
}

/** Sessions, and root with the task policy of AssumeRoot (EXC-7). */
function canHaveSessionPolicy(principal: Principal): boolean {
  return (
    principal.type === "assumed-role" ||
    principal.type === "federated-user" ||
    principal.type === "root"
  );
}

function isServiceLinked(principal: Principal): boolean {
  return principal.type === "assumed-role" && principal.serviceLinked;
}

function serviceControlApplies({ principal, principalOrganization }: RequestContext): boolean {
  if (principal.type !== "root" && !hasIdentitySide(principal)) return false;
  if (isServiceLinked(principal)) return false; // EXC-5
  if (principalOrganization === null) return true;
  const isManagement = accountOf(principal) === principalOrganization.managementAccount; // EXC-6
  return principalOrganization.serviceControlEnabled && !isManagement; // APP-1
}

function resourceControlApplies(context: RequestContext): boolean {
  const { principal, resource, resourceOrganization } = context;
  const [prefix] = asciiLower(context.action).split(":");
  if (prefix === "iam" || prefix === "organizations" || prefix === "mesh-iam") return false; // TYPE-1
  if (isServiceLinked(principal)) return false; // EXC-5
  const management = resourceOrganization?.managementAccount ?? null;
  return management === null || management !== resource.account; // EXC-6
}

/** DOC-17, LOAD-3: a policy that could not be read or holds an unknown operator is never skipped. */
function isUsable(layer: Layer): boolean {
  return layer.policies.every(({ document }) => document?.statements.every(hasKnownOperators));
}

function statementsOf(layer: Layer, effect: Effect | null): Placed[] {
  const { policyType } = layer;
  return layer.policies.flatMap(({ id, document }) =>
    (document?.statements ?? []).flatMap((statement, index) =>
      effect === null || statement.effect === effect
        ? [
            {
              policyType,
              policyId: id,
              version: document?.version ?? "2008-10-17",
              index,
              statement,
            },
          ]
        : [],
    ),
  );
}

/** Returns how strongly a statement that applies names the caller, `none` if it does not apply. */
function levelOf(placed: Placed, context: RequestContext, caller: Caller): Level {
  const { statement, version } = placed;
  return matchesAction(statement, context.action) &&
    matchesResource(statement, version, context.resource.arn, context.keys) &&
    conditionsHold(statement, version, context.keys)
    ? namedLevel(placed, caller)
    : "none";
}

/** Only the documents of a resource carry a Principal; the others belong to the caller. */
function namedLevel(placed: Placed, caller: Caller): Level {
  const { policyType, statement } = placed;
  if (policyType !== "resource" && policyType !== "resourceControl") return "direct";
  return principalLevel(statement.principal, caller, statement.effect);
}

/** KEY-3, KEY-8, KEY-9: a faulty key counts if a candidate statement can read it. */
function faultThatIsRead(
  context: RequestContext,
  applicable: readonly Layer[],
  caller: Caller,
): KeyFault | null {
  const { action, resource, faults } = context;
  const read = applicable
    .flatMap((layer) => statementsOf(layer, null))
    .filter(
      (placed) =>
        matchesAction(placed.statement, action) &&
        couldMatchResource(placed.statement, placed.version, resource.arn) &&
        namedLevel(placed, caller) !== "none",
    )
    .flatMap(keysRead)
    .flatMap((key) => faults?.get(key) ?? []);
  return read.find((fault) => fault === "evaluation-error") ?? read[0] ?? null;
}

/** The read-set of a statement (iam-semantics 1). */
function keysRead({ statement, version }: Placed): string[] {
  const inResource = (statement.resource?.entries ?? []).flatMap((entry) =>
    variableKeys(entry.text, version),
  );
  return [...inResource, ...conditionKeys(statement, version)];
}

/** EXC-9; `action` is lower-cased. */
function mayCall(type: PrincipalType, action: string): boolean {
  switch (action) {
    case "sts:assumerole":
      return ["user", "workload", "assumed-role", "service"].includes(type);
    case "sts:assumerolewithwebidentity":
      return type === "web-identity";
    case "sts:assumerolewithsaml":
      return type === "saml";
    default:
      return !["anonymous", "root", "federated-user"].includes(type);
  }
}

/** The reasons of a denial that name the policy type; identity and resource share two (2.8). */
function denialReason(policyType: PolicyType, shared: Reason): Reason {
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
      return shared;
  }
}

function allowed(reason: Reason, deciding: readonly Placed[]): Decision {
  const matchedStatements = deciding.map(matched);
  return Object.freeze({ ...denied(reason), decision: "allowed", matchedStatements });
}

function explicitlyDenied(layer: Layer, denies: readonly Placed[]): Decision {
  return Object.freeze({
    ...denied(denialReason(layer.policyType, "explicit-deny")),
    decision: "explicitDeny",
    deniedBy: layer.policyType,
    deniedLevel: layer.level,
    matchedStatements: denies.map(matched),
  });
}

function refused(policyType: PolicyType, level: number | null): Decision {
  return Object.freeze({
    ...denied(denialReason(policyType, "implicit-deny")),
    deniedBy: policyType,
    deniedLevel: level,
  });
}

function matched({
  policyType,
  policyId,
  index,
  statement,
}: Placed): Decision["matchedStatements"][number] {
  return { policyType, policyId, sid: statement.sid, index, effect: statement.effect };
}
