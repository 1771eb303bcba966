import type { CompiledStatement } from "../compile/compile.ts";
import { type Level, levels, principalLevel } from "../compile/principal-matcher.ts";
import {
  couldMatchResource,
  matchesPattern,
  matchesResource,
  type ResourcePattern,
} from "../compile/resource-matcher.ts";
import { findPrefix, type Row, type StatementIndex } from "../compile/statement-index.ts";
import { type Condition, evaluateCondition } from "../condition/quantifiers.ts";
import type { Work } from "../glob.ts";
import type { MatchScope } from "../pattern.ts";
import type { ContextKeys, RequestContext } from "../request-context.ts";

/** What matching needs of one question, and the count of its work. One object a question. */
export interface QuestionScope extends MatchScope {
  readonly context: RequestContext;
  readonly keys: ContextKeys;
  readonly work: Work;
  /** Whether a permissions boundary limits the caller (NPR-3). */
  readonly hasBoundary: boolean;
}

/** Is told what matching finds; null in production, where matching stops at the first "no". */
export interface Recorder {
  resource(matches: boolean): void;
  principal(level: Level): void;
  condition(condition: Condition, holds: boolean): void;
}

/**
 * Returns how strongly the statement applies to the question, its action having matched: the level
 * at which it names the caller, `direct` in documents that name nobody; `none` if it does not apply
 * (iam-semantics 6.2). `pattern` is the entry of `Resource` to try, null for all of them.
 */
export function matchStatement(
  statement: CompiledStatement,
  pattern: ResourcePattern | null,
  namesCaller: boolean,
  scope: QuestionScope,
  recorder: Recorder | null,
): Level {
  scope.work.steps++;
  if (scope.work.steps > scope.work.limit) return levels.none;
  let applies = statementMatchesResource(statement, pattern, scope);
  recorder?.resource(applies);
  if (!applies && recorder === null) return levels.none;
  const level = levelOf(statement, namesCaller, scope);
  recorder?.principal(level);
  if (level === levels.none && recorder === null) return levels.none;
  for (const condition of statement.conditions) {
    const holds = evaluateCondition(condition, scope, statement.effect);
    recorder?.condition(condition, holds);
    if (holds) continue;
    applies = false;
    if (recorder === null) return levels.none;
  }
  return applies ? level : levels.none;
}

/** Returns whether the statement is a candidate, its action having matched (iam-semantics 1). */
export function isCandidate(
  statement: CompiledStatement,
  namesCaller: boolean,
  scope: QuestionScope,
): boolean {
  const { resources } = statement;
  if (levelOf(statement, namesCaller, scope) === levels.none) return false;
  if (resources === null) return true;
  return couldMatchResource(resources, scope.context.resource.arn, scope.work);
}

/** Takes the statements that apply; returns whether it has seen enough. */
export interface Taker {
  take(statement: CompiledStatement, level: Level): boolean;
}

/** Gives `taker` every statement of `index` that applies, until it has enough. Order is the index's. */
export function findMatches(
  index: StatementIndex,
  namesCaller: boolean,
  scope: QuestionScope,
  taker: Taker,
): void {
  if (matchRows(index.residual, namesCaller, scope, taker)) return;
  const { arn } = scope.context.resource;
  if (arn === null || index.prefixes.length === 0) return;
  for (let at = findPrefix(index, arn.resource); at >= 0; at = index.parents[at] ?? -1) {
    const rows = index.rows[at];
    if (rows !== undefined && matchRows(rows, namesCaller, scope, taker)) return;
  }
}

function matchRows(
  rows: readonly Row[],
  namesCaller: boolean,
  scope: QuestionScope,
  taker: Taker,
): boolean {
  for (const { statement, pattern } of rows) {
    const level = matchStatement(statement, pattern, namesCaller, scope, null);
    if (level !== levels.none && taker.take(statement, level)) return true;
  }
  return false;
}

function statementMatchesResource(
  { resources, effect }: CompiledStatement,
  pattern: ResourcePattern | null,
  scope: QuestionScope,
): boolean {
  const { arn } = scope.context.resource;
  if (pattern !== null) return matchesPattern(pattern, arn, scope);
  return resources === null || matchesResource(resources, arn, effect, scope);
}

// A document that has to name its caller and does not, names nobody (PRIN-8).
function levelOf(
  { principals, effect }: CompiledStatement,
  namesCaller: boolean,
  scope: QuestionScope,
): Level {
  if (!namesCaller) return levels.direct;
  if (principals === null) return levels.none;
  return principalLevel(principals, scope.context.principal, effect, scope.hasBoundary);
}
