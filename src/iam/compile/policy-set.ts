import { createWork } from "../glob.ts";
import { matchesAction, parseActionName } from "./action-matcher.ts";
import type { CompiledPolicy, CompiledStatement } from "./compile.ts";
import { createStatementIndex, type StatementIndex } from "./statement-index.ts";

/**
 * The policies of one layer, with what has been found out about them. Share one set among all
 * callers that have the same list of policies: the memo is its worth.
 */
export interface PolicySet {
  readonly policies: readonly CompiledPolicy[];
  /** False: one of the policies cannot be used. */
  readonly usable: boolean;
  readonly candidatesByAction: Map<string, Candidates>;
}

/** The statements of a set whose actions take in one action. */
export interface Candidates {
  /** Denies and allows, in document order. */
  readonly statements: readonly CompiledStatement[];
  readonly denies: StatementIndex;
  readonly allows: StatementIndex;
  /** The union of the read-sets. */
  readonly reads: ReadonlySet<string>;
  readonly moveWithClock: boolean;
}

/**
 * Actions come from route maps, so the memo is as large as they are; the bound is for whoever asks
 * with texts of his own, such as a simulation.
 */
const maxRememberedActions = 1024;

/** Returns the set of `policies`, in their order. Cheap: statements are looked at when asked for. */
export function createPolicySet(policies: readonly CompiledPolicy[]): PolicySet {
  const usable = policies.every((policy) => policy.usable);
  return { policies, usable, candidatesByAction: new Map() };
}

/** Returns the candidates for `action`: one look-up but for the first time, which tries them all. */
export function candidatesFor(set: PolicySet, action: string): Candidates {
  const known = set.candidatesByAction.get(action);
  if (known !== undefined) return known;
  const found = findCandidates(set, action);
  if (set.candidatesByAction.size >= maxRememberedActions) set.candidatesByAction.clear();
  set.candidatesByAction.set(action, found);
  return found;
}

function findCandidates(set: PolicySet, action: string): Candidates {
  const name = parseActionName(action);
  const work = createWork();
  const statements: CompiledStatement[] = [];
  for (const policy of set.policies) {
    for (const statement of policy.statements) {
      if (matchesAction(statement.actions, name, work)) statements.push(statement);
    }
  }
  const isDeny = (statement: CompiledStatement): boolean => statement.effect === "Deny";
  return {
    statements,
    denies: createStatementIndex(statements.filter(isDeny)),
    allows: createStatementIndex(statements.filter((statement) => !isDeny(statement))),
    reads: new Set(statements.flatMap((statement) => statement.reads)),
    moveWithClock: statements.some((statement) => statement.clock.length > 0),
  };
}
