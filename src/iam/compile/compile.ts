import {
  type ClockDependence,
  clockDependence,
  isClockKey,
  unknownDependence,
} from "../condition/clock.ts";
import { operators } from "../condition/operators.ts";
import type { Condition } from "../condition/quantifiers.ts";
import type { PolicyValue } from "../condition/value-matcher.ts";
import type { ConditionEntry, Effect, PolicyDocument, Statement } from "../policy/document.ts";
import { hasVariable, parseTemplate } from "../policy/variables.ts";
import { type ActionMatcher, createActionMatcher } from "./action-matcher.ts";
import { intern } from "./intern.ts";
import {
  createPrincipalMatcher,
  type KnownPrincipals,
  type PrincipalMatcher,
} from "./principal-matcher.ts";
import {
  addResourceKeys,
  createResourceMatcher,
  type ResourceMatcher,
} from "./resource-matcher.ts";
import { type CompileTables, createCompileTables } from "./tables.ts";

/** A policy ready for the engine. Immutable; may be part of any number of sets. */
export interface CompiledPolicy {
  readonly id: string;
  /** False: the policy could not be read or compiled, and whatever it counts for is an ERROR (LOAD-3). */
  readonly usable: boolean;
  readonly statements: readonly CompiledStatement[];
}

export interface CompiledStatement {
  readonly policyId: string;
  /** Place in the document, from 0. */
  readonly index: number;
  readonly sid: string;
  readonly effect: Effect;
  readonly actions: ActionMatcher;
  /** Null in a role trust policy, which matches its own role. */
  readonly resources: ResourceMatcher | null;
  /** Null in documents that carry no principal. */
  readonly principals: PrincipalMatcher | null;
  readonly conditions: readonly Condition[];
  /** Every key the statement can read, lower-cased, sorted: conditions and variables (IMP-2). */
  readonly reads: readonly string[];
  /** How its answer moves with the clock; empty for nearly all statements. */
  readonly clock: readonly ClockDependence[];
}

export interface CompileOptions extends KnownPrincipals {
  /** Shared by the policies of one revision; default: tables of the policy's own. */
  readonly tables?: CompileTables;
}

/**
 * Returns the compiled form of `document`, known to explanations as `id`. A document that holds an
 * operator the engine does not know, which no loader lets pass, is unusable (DOC-17). Linear in the
 * document; the document is not kept.
 */
export function compilePolicy(
  id: string,
  document: PolicyDocument,
  options: CompileOptions = {},
): CompiledPolicy {
  const { statements, version } = document;
  if (!statements.every(hasKnownOperators)) return unusablePolicy(id);
  const tables = options.tables ?? createCompileTables();
  const compiled = statements.map((statement, index) =>
    compileStatement(id, statement, index, version, options, tables),
  );
  return Object.freeze({ id, usable: true, statements: compiled });
}

/** Returns the stand-in for a policy that cannot be used: it is never skipped (LOAD-3, DEC-6). */
export function unusablePolicy(id: string): CompiledPolicy {
  return Object.freeze({ id, usable: false, statements: [] });
}

function hasKnownOperators(statement: Statement): boolean {
  return statement.conditions.every(({ base }) => Object.hasOwn(operators, base));
}

function compileStatement(
  policyId: string,
  statement: Statement,
  index: number,
  version: PolicyDocument["version"],
  options: CompileOptions,
  tables: CompileTables,
): CompiledStatement {
  const { sid, effect, principal, resource } = statement;
  const resources = resource && createResourceMatcher(resource, version, tables);
  const conditions = compileConditions(statement.conditions, version, tables);
  const reads = new Set<string>();
  if (resources !== null) addResourceKeys(resources, reads);
  const resourceKeys = [...reads];
  for (const condition of conditions) addConditionKeys(condition, reads);
  return Object.freeze({
    policyId,
    index,
    sid,
    effect,
    actions: createActionMatcher(statement.action, tables),
    resources,
    principals: principal && createPrincipalMatcher(principal, options, tables),
    conditions,
    reads: internReads(reads, tables),
    clock: clockOf(statement, conditions, resourceKeys),
  });
}

function internReads(keys: ReadonlySet<string>, tables: CompileTables): readonly string[] {
  if (keys.size === 0) return none;
  const sorted = [...keys].sort();
  return intern(tables.readSets, JSON.stringify(sorted), () => sorted);
}

// Equal conditions are one, and so are equal blocks of them: nearly all blocks are.
function compileConditions(
  entries: readonly ConditionEntry[],
  version: PolicyDocument["version"],
  tables: CompileTables,
): readonly Condition[] {
  if (entries.length === 0) return none;
  const keys = entries.map(({ operator, key, values }) =>
    JSON.stringify([version, operator, key, values.map((value) => value.text)]),
  );
  return intern(tables.conditionBlocks, keys.join(), () =>
    entries.map((entry, i) =>
      intern(tables.conditions, keys[i] ?? "", () => compileCondition(entry, version)),
    ),
  );
}

function compileCondition(entry: ConditionEntry, version: PolicyDocument["version"]): Condition {
  const { operator, base, negated, ifExists, quantifier, key, keyLower } = entry;
  const { variables, matcher } = operators[base];
  const values = entry.values.flatMap(({ text }) =>
    createValues(text, variables && version === "2012-10-17"),
  );
  return Object.freeze({
    operator,
    negated,
    ifExists,
    quantifier,
    key,
    keyLower,
    values,
    matcher: matcher?.(values) ?? null,
  });
}

// A malformed variable, which the loader refuses, makes a value that equals nothing (LOAD-4).
function createValues(text: string, variables: boolean): readonly PolicyValue[] {
  if (!variables || !hasVariable(text)) return [{ text, template: null }];
  const template = parseTemplate(text);
  return template.ok ? [{ text, template: template.value }] : [];
}

function addConditionKeys(condition: Condition, keys: Set<string>): void {
  keys.add(condition.keyLower);
  for (const { template } of condition.values) {
    for (const part of template ?? []) if (part.type === "variable") keys.add(part.keyLower);
  }
}

function clockOf(
  statement: Statement,
  conditions: readonly Condition[],
  resourceKeys: readonly string[],
): readonly ClockDependence[] {
  const clock: ClockDependence[] = [];
  // nearly always nothing: no array of its own then
  if (conditions.length === 0 && resourceKeys.length === 0) return none;
  if (resourceKeys.some(isClockKey)) clock.push(unknownDependence);
  statement.conditions.forEach(({ base }, i) => {
    const condition = conditions[i];
    if (condition === undefined) return;
    const texts = condition.values.map((value) => value.text);
    const moves = clockDependence(condition.keyLower, base, texts);
    if (moves !== null) clock.push(moves);
    if (condition.values.some(readsClock)) clock.push(unknownDependence);
  });
  return clock.length === 0 ? none : clock;
}

const none: readonly never[] = Object.freeze([]);

function readsClock({ template }: PolicyValue): boolean {
  return (template ?? []).some((part) => part.type === "variable" && isClockKey(part.keyLower));
}
