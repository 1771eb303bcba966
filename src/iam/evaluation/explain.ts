import { matchesAction, parseActionName } from "../compile/action-matcher.ts";
import type { CompiledStatement } from "../compile/compile.ts";
import type { EngineLayers } from "../compile/layers.ts";
import { type Level, levels } from "../compile/principal-matcher.ts";
import { type Condition, isMissing } from "../condition/quantifiers.ts";
import { resolvedText } from "../condition/value-matcher.ts";
import type { Decision } from "../decision.ts";
import { denialOrder, type PolicyType } from "../policy/policy-type.ts";
import type { ContextKeys, RequestContext } from "../request-context.ts";
import { createScope, evaluate, factsOf, mayAskAtAll } from "./evaluate.ts";
import type {
  Block,
  ConditionExplanation,
  Explanation,
  LayerExplanation,
  LevelWord,
  StatementExplanation,
} from "./explanation.ts";
import { firstMissing, type GrantFacts, grant } from "./grant.ts";
import { type Layer, layersThatApply } from "./layer.ts";
import { isCandidate, matchStatement, type QuestionScope, type Recorder } from "./match.ts";

/**
 * Returns the decision of `evaluate` with everything that led to it. The statements are matched by
 * the very functions that decide, told to record and not to stop. Cost: every condition of every
 * statement; meant for people, not for the request path.
 */
export function explain(context: RequestContext, layers: EngineLayers): Explanation {
  const decision = evaluate(context, layers);
  const applicable = layersThatApply(context, layers);
  const scope = createScope(context, applicable, Number.POSITIVE_INFINITY);
  const explained = applicable.map((layer) => explainLayer(layer, scope));
  return {
    decision,
    layers: explained,
    notApplied: notApplied(layers, applicable),
    blockedBy: findBlocks(decision, explained, applicable, scope),
    closestMiss: findClosestMiss(decision, explained),
    missingContextKeys: missingKeys(applicable, scope),
  };
}

function explainLayer(layer: Layer, scope: QuestionScope): LayerExplanation {
  const { policies } = layer.set;
  return {
    policyType: layer.policyType,
    level: layer.level,
    policyIds: policies.map((policy) => policy.id),
    unusablePolicyIds: policies.filter((policy) => !policy.usable).map((policy) => policy.id),
    statements: policies.flatMap((policy) =>
      policy.statements.map((statement) => explainStatement(statement, layer, scope)),
    ),
  };
}

function explainStatement(
  statement: CompiledStatement,
  layer: Layer,
  scope: QuestionScope,
): StatementExplanation {
  const action = parseActionName(scope.context.action);
  const actionMatches = matchesAction(statement.actions, action, scope.work);
  const recorded = new Recording(scope.keys);
  const level = matchStatement(statement, null, layer.namesCaller, scope, recorded);
  return {
    policyId: statement.policyId,
    sid: statement.sid,
    index: statement.index,
    effect: statement.effect,
    applies: actionMatches && level !== levels.none,
    actionMatches,
    resourceMatches: recorded.resourceMatches,
    principal: recorded.level,
    conditions: recorded.conditions,
  };
}

const levelWords: readonly LevelWord[] = ["none", "account", "role", "userOfFederated", "direct"];

class Recording implements Recorder {
  resourceMatches = false;
  level: LevelWord = "none";
  readonly conditions: ConditionExplanation[] = [];
  readonly #keys: ContextKeys;

  constructor(keys: ContextKeys) {
    this.#keys = keys;
  }

  resource(matches: boolean): void {
    this.resourceMatches = matches;
  }

  principal(level: Level): void {
    this.level = levelWords[level] ?? "none";
  }

  condition({ operator, key, keyLower, values }: Condition, holds: boolean): void {
    const found = this.#keys.get(keyLower);
    this.conditions.push({
      operator,
      key,
      wanted: values.map((value) => resolvedText(value, this.#keys)),
      found: found?.values ?? null,
      holds,
      matchedBecauseMissing: holds && isMissing(found),
    });
  }
}

function notApplied(layers: EngineLayers, applicable: readonly Layer[]): readonly PolicyType[] {
  const given = (type: PolicyType): boolean =>
    type === "identity" ? layers.identity.policies.length > 0 : layers[type] !== null;
  const applies = (type: PolicyType): boolean =>
    applicable.some((layer) => layer.policyType === type);
  return denialOrder.filter((type) => given(type) && !applies(type));
}

function findBlocks(
  decision: Decision,
  explained: readonly LayerExplanation[],
  applicable: readonly Layer[],
  scope: QuestionScope,
): readonly Block[] {
  if (decision.decision === "allowed" || decision.errors.length > 0) return [];
  if (!mayAskAtAll(scope.context)) {
    return [{ policyType: "resource", level: null, by: "implicitDeny" }];
  }
  const blocks: Block[] = [];
  for (const { policyType, level, statements } of explained) {
    const has = (effect: string): boolean =>
      statements.some((statement) => statement.applies && statement.effect === effect);
    if (has("Deny")) blocks.push({ policyType, level, by: "explicitDeny" });
    if (policyType === "serviceControl" && !has("Allow")) {
      blocks.push({ policyType, level, by: "implicitDeny" });
    }
  }
  for (const policyType of missingGrants(factsOf(applicable, scope))) {
    blocks.push({ policyType, level: null, by: "implicitDeny" });
  }
  const order = (block: Block): number => denialOrder.indexOf(block.policyType);
  return blocks.sort((a, b) => order(a) - order(b));
}

// Each missing piece is taken as given to find the next one, until the rest would do.
function missingGrants(facts: GrantFacts): readonly PolicyType[] {
  const missing: PolicyType[] = [];
  for (let wished = facts; !grant(wished); ) {
    const type = firstMissing(wished);
    if (missing.includes(type)) break; // a caller whom no policy can grant it
    missing.push(type);
    wished = granting(wished, type);
  }
  return missing;
}

function granting(facts: GrantFacts, type: PolicyType): GrantFacts {
  switch (type) {
    case "resource":
      return { ...facts, resource: levels.direct };
    case "identity":
      return { ...facts, identity: true };
    case "permissionsBoundary":
      return { ...facts, boundary: true };
    case "session":
      return { ...facts, session: true };
    case "serviceControl":
    case "resourceControl":
      return facts;
  }
}

function findClosestMiss(
  decision: Decision,
  explained: readonly LayerExplanation[],
): StatementExplanation | null {
  if (decision.decision !== "implicitDeny") return null;
  const { deniedBy, deniedLevel } = decision;
  const allows = explained
    .filter(({ policyType, level }) => policyType === deniedBy && level === deniedLevel)
    .flatMap((layer) => layer.statements)
    .filter((statement) => statement.effect === "Allow");
  return allows.reduce<StatementExplanation | null>(
    (best, each) => (best === null || distance(each) < distance(best) ? each : best),
    null,
  );
}

// A wrong action is further away than a wrong resource, that than a wrong principal, that than any
// number of conditions that do not hold.
function distance(statement: StatementExplanation): number {
  const failing = statement.conditions.filter((condition) => !condition.holds).length;
  return (
    (statement.actionMatches ? 0 : 4) +
    (statement.resourceMatches ? 0 : 2) +
    (statement.principal === "none" ? 1 : 0) +
    failing / (failing + 1)
  );
}

function missingKeys(applicable: readonly Layer[], scope: QuestionScope): readonly string[] {
  const missing = new Set<string>();
  for (const { candidates, namesCaller } of applicable) {
    for (const statement of candidates.statements) {
      if (!isCandidate(statement, namesCaller, scope)) continue;
      for (const key of statement.reads) if (scope.keys.get(key) === undefined) missing.add(key);
    }
  }
  return [...missing].sort();
}
