import type {
  ConditionExplanation,
  Explanation,
  LayerExplanation,
  StatementExplanation,
} from "../../iam/evaluation/explanation.ts";
import type { PolicyType } from "../../iam/policy/policy-type.ts";

/** Puts colour on words, or does not: terminals only. */
export interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly dim: (text: string) => string;
}

const plain = (text: string): string => text;
export const noPaint: Paint = { good: plain, bad: plain, dim: plain };
export const terminalPaint: Paint = {
  good: (text) => `\u001b[32m${text}\u001b[39m`,
  bad: (text) => `\u001b[31m${text}\u001b[39m`,
  dim: (text) => `\u001b[2m${text}\u001b[22m`,
};

const layerNames: Readonly<Record<PolicyType, string>> = {
  serviceControl: "service control policies",
  resourceControl: "resource control policies",
  resource: "resource policy",
  identity: "identity policies",
  permissionsBoundary: "permissions boundary",
  session: "session policies",
};

/**
 * Returns why a question was answered as it was, as a tree for people: a branch a layer, a branch a
 * statement whose action fits, a leaf a condition. Statements about other actions are only counted.
 */
export function formatExplanation(
  explanation: Explanation,
  question: string,
  paint: Paint,
): string {
  const { decision, layers, notApplied, missingContextKeys, closestMiss } = explanation;
  const word =
    decision.decision === "allowed" ? paint.good("allowed") : paint.bad(decision.decision);
  const by = decision.deniedBy === null ? "" : ` by the ${layerNames[decision.deniedBy]}`;
  const lines = [question, `${word}${by} (${decision.reason})`];
  const branches = layers.map((layer) => layerLines(layer, explanation, paint));
  for (const [index, branch] of branches.entries()) {
    lines.push(...indent(branch, index === branches.length - 1));
  }
  if (notApplied.length > 0) {
    lines.push(
      paint.dim(`does not count here: ${notApplied.map((type) => layerNames[type]).join(", ")}`),
    );
  }
  if (decision.errors.length > 0) lines.push(paint.bad(`errors: ${decision.errors.join(", ")}`));
  if (closestMiss !== null)
    lines.push(`closest Allow: ${nameOf(closestMiss)}, ${missOf(closestMiss)}`);
  if (missingContextKeys.length > 0) {
    lines.push(`absent keys that could be read: ${missingContextKeys.join(", ")}`);
  }
  return lines.join("\n");
}

function layerLines(layer: LayerExplanation, explanation: Explanation, paint: Paint): string[] {
  const blocked = explanation.blockedBy.find(
    (block) => block.policyType === layer.policyType && block.level === layer.level,
  );
  const verdict =
    blocked === undefined
      ? layer.statements.some((statement) => statement.applies)
        ? paint.good("allows")
        : paint.dim("says nothing")
      : paint.bad(blocked.by === "explicitDeny" ? "denies" : "allows nothing that fits");
  const level = layer.level === null ? "" : `, level ${layer.level}`;
  const shown = layer.statements.filter((statement) => statement.actionMatches);
  const others = layer.statements.length - shown.length;
  const lines = [`${layerNames[layer.policyType]}${level}: ${verdict}`];
  const branches = shown.map((statement) => statementLines(statement, paint));
  if (others > 0) branches.push([paint.dim(`${others} more about other actions`)]);
  for (const id of layer.unusablePolicyIds) branches.push([paint.bad(`${id} cannot be used`)]);
  for (const [index, branch] of branches.entries()) {
    lines.push(...indent(branch, index === branches.length - 1));
  }
  return lines;
}

function statementLines(statement: StatementExplanation, paint: Paint): string[] {
  const mark = statement.applies ? paint.good("✓") : paint.dim("·");
  const why = statement.applies ? "applies" : missOf(statement);
  const lines = [`${mark} ${statement.effect} ${nameOf(statement)}: ${why}`];
  for (const [index, condition] of statement.conditions.entries()) {
    lines.push(
      ...indent([conditionLine(condition, paint)], index === statement.conditions.length - 1),
    );
  }
  return lines;
}

function nameOf(statement: StatementExplanation): string {
  const sid = statement.sid === "" ? `statement ${statement.index}` : statement.sid;
  return `${sid} of ${statement.policyId}`;
}

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

function conditionLine(condition: ConditionExplanation, paint: Paint): string {
  const wanted = condition.wanted.map((value) => value ?? "(no value)").join(" | ");
  const found = condition.found === null ? "absent" : condition.found.join(" | ");
  const mark = condition.holds ? paint.good("✓") : paint.bad("✗");
  const because = condition.matchedBecauseMissing ? " (because the key is absent)" : "";
  return `${mark} ${condition.operator} ${condition.key}: wanted ${wanted}, found ${found}${because}`;
}

function indent(lines: readonly string[], last: boolean): string[] {
  const [first = "", ...rest] = lines;
  return [`${last ? "└" : "├"}─ ${first}`, ...rest.map((line) => `${last ? " " : "│"}  ${line}`)];
}
