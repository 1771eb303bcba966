import { printable } from "../../domain/directory/document-problem.ts";
import type { MatchedStatement } from "../../iam/decision.ts";

/** Returns how a statement is told to people: `Deny Never of policy/guard (serviceControl)`. */
export function statementName(statement: Partial<MatchedStatement>): string {
  const { effect, policyType, policyId, sid, index } = statement;
  const name = sid === undefined || sid === "" ? `statement ${index}` : sid;
  return printable(`${effect} ${name} of ${policyId} (${policyType})`);
}
