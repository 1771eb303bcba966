import type { Problem } from "../problem.ts";
import { checkActions } from "./checks/actions.ts";
import { type Check, pathsOf, type Subject, type ValidateOptions } from "./checks/check.ts";
import { checkConditionKeys } from "./checks/condition-keys.ts";
import { checkConditionValues } from "./checks/condition-values.ts";
import { checkFit } from "./checks/fit.ts";
import { checkMultiFactor } from "./checks/multi-factor.ts";
import { checkPrincipals } from "./checks/principals.ts";
import { checkRedundantStatements } from "./checks/redundant-statements.ts";
import { checkResources } from "./checks/resources.ts";
import { checkSids } from "./checks/sids.ts";
import { checkSize } from "./checks/size.ts";
import { checkTrust } from "./checks/trust.ts";
import { parseJson } from "./json.ts";
import { loadLimits } from "./limits.ts";
import { parsePolicyDocument } from "./parse.ts";
import type { DocumentType } from "./policy-type.ts";
import { createReport } from "./report.ts";

/** Every check is here; one more is one more file and one more line. */
const checks: readonly Check[] = [
  checkSize,
  checkSids,
  checkPrincipals,
  checkTrust,
  checkActions,
  checkResources,
  checkConditionKeys,
  checkConditionValues,
  checkMultiFactor,
  checkFit,
  checkRedundantStatements,
];

/**
 * Returns what there is to say of the policy in `text`: the problems that refuse it, or the findings
 * of AWS's ValidatePolicy and our own that this file's checks can decide (iam-semantics 10.1,
 * CHK-1), in the order of the text. An accepted document may have findings of severity ERROR: a part
 * of it does nothing (LOAD-2). Never throws. For people and CI, not for the request path.
 */
export function validatePolicy(
  text: string,
  type: DocumentType,
  options: ValidateOptions = {},
): readonly Problem[] {
  const parsed = parsePolicyDocument(text, type);
  if (!parsed.ok) return parsed.problems;
  const json = parseJson(text, loadLimits(type, {}).json);
  // INVARIANT: the loader has read the same text by the same rules
  if (!json.ok || json.value.type !== "object") return parsed.findings;
  const report = createReport();
  const subject: Subject = {
    document: parsed.value,
    json: json.value,
    text,
    type,
    options,
    report,
    paths: pathsOf(json.value),
  };
  for (const check of checks) check(subject);
  return [...parsed.findings, ...report.findings].sort((a, b) => offsetOf(a) - offsetOf(b));
}

function offsetOf(problem: Problem): number {
  return problem.position?.offset ?? 0;
}
