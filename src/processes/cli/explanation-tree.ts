import { printable } from "../../domain/directory/document-problem.ts";
import type {
  Block,
  ConditionExplanation,
  Explanation,
  LayerExplanation,
  StatementExplanation,
} from "../../iam/evaluation/explanation.ts";
import type { PolicyType } from "../../iam/policy/policy-type.ts";
import type { Paint } from "./paint.ts";
import { type Branch, leaf, treeLines } from "./tree.ts";

const layerNames: Readonly<Record<PolicyType, string>> = {
  serviceControl: "service control policies",
  resourceControl: "resource control policies",
  resource: "resource policy",
  identity: "identity policies",
  permissionsBoundary: "permissions boundary",
  session: "session policies",
};

/** Statements that are listed under a layer in which none allows what is asked. */
const maxCandidates = 5;

/** The ids of the policies that AWS attaches by itself, which allow everything. */
const fullAccess = /\/p-(?:RCP)?FullAWSAccess$/;

/**
 * Returns why a question was answered as it was, as a tree for people: a branch a layer, a branch a
 * statement, a leaf a condition. Layers that stand in the way show every statement that could have
 * mattered; of the others only what is about the action is shown, and levels that allow are one line.
 */
export function formatExplanation(
  explanation: Explanation,
  question: string,
  paint: Paint,
): string {
  const { decision, notApplied, missingContextKeys } = explanation;
  const word =
    decision.decision === "allowed" ? paint.good("allowed") : paint.bad(decision.decision);
  const by = decision.deniedBy === null ? "" : ` by the ${layerNames[decision.deniedBy]}`;
  const lines = [
    printable(question),
    `${word}${by} (${decision.reason})`,
    ...treeLines(layerBranches(explanation, paint)),
  ];
  if (notApplied.length > 0) {
    const names = notApplied.map((type) => layerNames[type]).join(", ");
    lines.push(paint.dim(`does not count for this caller or resource: ${names}`));
  }
  if (decision.errors.length > 0) lines.push(paint.bad(`errors: ${decision.errors.join(", ")}`));
  if (missingContextKeys.length > 0) {
    lines.push(
      printable(`absent context keys that statements look at: ${missingContextKeys.join(", ")}`),
    );
  }
  return lines.join("\n");
}

/** The layers in order, the levels of one policy type that let pass as one branch. */
function layerBranches(explanation: Explanation, paint: Paint): readonly Branch[] {
  const { layers } = explanation;
  const branches: Branch[] = [];
  for (let at = 0; at < layers.length; ) {
    const layer = layers[at] as LayerExplanation;
    const levels = levelsFrom(layers, at);
    at += levels.length;
    const passing = levels.filter((level) => blocksOf(level, explanation).length === 0);
    for (const level of levels) {
      const blocks = blocksOf(level, explanation);
      if (blocks.length > 0) branches.push(blockedBranch(level, blocks, explanation, paint));
    }
    if (passing.length > 0) branches.push(passingBranch(layer, passing, levels.length, paint));
  }
  return branches;
}

function levelsFrom(layers: readonly LayerExplanation[], at: number): readonly LayerExplanation[] {
  const { policyType } = layers[at] as LayerExplanation;
  const end = layers.findIndex((layer, index) => index > at && layer.policyType !== policyType);
  return layers.slice(at, end < 0 ? layers.length : end);
}

function blocksOf(layer: LayerExplanation, { blockedBy }: Explanation): readonly Block[] {
  return blockedBy.filter(
    (block) => block.policyType === layer.policyType && block.level === layer.level,
  );
}

/** A layer that stands in the way: its Denies that apply, or the Allows that came closest. */
function blockedBranch(
  layer: LayerExplanation,
  blocks: readonly Block[],
  { closestMiss }: Explanation,
  paint: Paint,
): Branch {
  const isExplicit = blocks.some(({ by }) => by === "explicitDeny");
  const verdict = isExplicit ? "an explicit Deny applies" : "nothing in it allows this";
  const level = layer.level === null ? "" : `, level ${layer.level}`;
  const root = layer.level === 0 ? " (root)" : "";
  const relevant = isExplicit
    ? layer.statements.filter(isTold)
    : layer.statements.filter(({ effect }) => effect === "Allow");
  const sorted = relevant.toSorted((a, b) => rank(a, closestMiss) - rank(b, closestMiss));
  const shown = sorted.slice(0, maxCandidates);
  const under = [
    ...shown.map((statement) => statementBranch(statement, paint)),
    ...(sorted.length > shown.length
      ? [leaf(paint.dim(`${sorted.length - shown.length} more`))]
      : []),
    ...(layer.policyIds.length === 0 ? [leaf(paint.dim("there is no policy"))] : []),
    ...unusableBranches(layer, paint),
  ];
  return {
    text: `${paint.bad("✗")} ${layerNames[layer.policyType]}${level}${root}: ${paint.bad(verdict)}`,
    under,
  };
}

/** What applies comes first, a Deny before an Allow, then the closest miss, then what is about the action. */
function rank(statement: StatementExplanation, closest: StatementExplanation | null): number {
  if (statement.applies) return statement.effect === "Deny" ? 0 : 1;
  if (statement === closest) return 2;
  return statement.actionMatches ? 3 : 4;
}

function passingBranch(
  { policyType }: LayerExplanation,
  passing: readonly LayerExplanation[],
  levels: number,
  paint: Paint,
): Branch {
  const statements = passing.flatMap((layer) => layer.statements);
  const allows = statements.some(({ applies, effect }) => applies && effect === "Allow");
  const verdict =
    policyType === "resourceControl"
      ? "no Deny applies"
      : allows
        ? "allowed"
        : "silent, and not needed here";
  const where =
    passing.length < levels ? " at the other levels" : levels > 1 ? ", at every level" : "";
  return {
    text: `${allows ? paint.good("✓") : paint.dim("·")} ${layerNames[policyType]}: ${verdict}${where}`,
    under: [
      ...statements.filter(isTold).map((statement) => statementBranch(statement, paint)),
      ...passing.flatMap((layer) => unusableBranches(layer, paint)),
    ],
  };
}

/** About the action, and written by somebody. */
function isTold({ actionMatches, policyId }: StatementExplanation): boolean {
  return actionMatches && !fullAccess.test(policyId);
}

function unusableBranches(layer: LayerExplanation, paint: Paint): readonly Branch[] {
  return layer.unusablePolicyIds.map((id) => leaf(paint.bad(`✗ ${printable(id)} cannot be used`)));
}

function statementBranch(statement: StatementExplanation, paint: Paint): Branch {
  const { effect, applies, actionMatches, conditions } = statement;
  const sid = statement.sid === "" ? `statement ${statement.index}` : statement.sid;
  const name = printable(`${effect} ${sid} of ${statement.policyId}`);
  const outcome = applies ? "applies" : printable(missOf(statement));
  const mark = !applies ? paint.dim("·") : effect === "Allow" ? paint.good("✓") : paint.bad("✗");
  return {
    text: `${mark} ${name}: ${outcome}`,
    // Of a statement about another action nobody asks for the conditions.
    under: actionMatches
      ? conditions.map((condition) => leaf(conditionText(condition, paint)))
      : [],
  };
}

/** Why a statement does not apply. */
function missOf(statement: StatementExplanation): string {
  const misses = [
    ...(statement.actionMatches ? [] : ["another action"]),
    ...(statement.resourceMatches ? [] : ["another resource"]),
    ...(statement.principal === "none" ? ["another principal"] : []),
    ...statement.conditions
      .filter((condition) => !condition.holds)
      .map((condition) => `${condition.key} does not fit`),
  ];
  return misses.length === 0 ? "its grant does not reach the caller alone" : misses.join(", ");
}

function conditionText(condition: ConditionExplanation, paint: Paint): string {
  const wanted = condition.wanted.map((value) => value ?? "(no value)").join(" | ");
  const found = condition.found === null ? "no such key" : condition.found.join(" | ");
  const mark = condition.holds ? paint.good("✓") : paint.bad("✗");
  const because = condition.matchedBecauseMissing ? ", which is why it holds" : "";
  const { operator, key } = condition;
  const told = `${operator} ${key}: the policy says ${wanted}, the request has ${found}${because}`;
  return `${mark} ${printable(told)}`;
}
