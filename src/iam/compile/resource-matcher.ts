import type { Arn } from "../arn.ts";
import type { Work } from "../glob.ts";
import {
  addVariableKeys,
  couldMatch,
  createPattern,
  isResolved,
  literalPrefix,
  type MatchScope,
  matchPattern,
  type Pattern,
  type PatternTable,
} from "../pattern.ts";
import { isShortArnPattern, splitArnPattern } from "../policy/arn-pattern.ts";
import type { Effect, ListElement, PolicyDocument } from "../policy/document.ts";
import { hasVariable, parseTemplate } from "../policy/variables.ts";
import type { ContextKeys } from "../request-context.ts";
import { intern } from "./intern.ts";

/** `Resource` or `NotResource`, prepared. */
export interface ResourceMatcher {
  readonly negated: boolean;
  readonly patterns: readonly ResourcePattern[];
}

/** `any` is `*`; `none` is a malformed ARN, which matches nothing (LOAD-4). */
export type ResourcePattern =
  | { readonly type: "any" }
  | { readonly type: "none" }
  | {
      readonly type: "arn";
      readonly partition: Pattern;
      readonly service: Pattern;
      readonly region: Pattern;
      readonly account: Pattern;
      readonly resource: Pattern;
    };

/** Resources that compiled policies share, by their texts. */
export interface ResourceTables extends PatternTable {
  readonly resources: Map<string, ResourcePattern>;
}

/** Returns the matcher of `element` under the rules of `version`; what is malformed matches nothing. */
export function createResourceMatcher(
  element: ListElement,
  version: PolicyDocument["version"],
  tables: ResourceTables,
): ResourceMatcher {
  const patterns = element.entries.map(({ text }) => {
    const variables = version === "2012-10-17" && hasVariable(text);
    // the version counts only where there could be a variable
    const key = hasVariable(text) ? `${version} ${text}` : text;
    return intern(tables.resources, key, () => createResourcePattern(text, variables, tables));
  });
  return { negated: element.negated, patterns };
}

/**
 * Returns whether the statement's resources take in `arn`; null is the pseudo-resource, which only
 * `*` matches (RES-1). An Allow that excludes something whose variable has no value does not apply,
 * whatever its other entries say (VAR-8, US-12).
 */
export function matchesResource(
  matcher: ResourceMatcher,
  arn: Arn | null,
  effect: Effect,
  scope: MatchScope,
): boolean {
  const { negated, patterns } = matcher;
  if (negated && effect === "Allow") {
    for (const pattern of patterns) if (!isResolvedArn(pattern, scope.keys)) return false;
  }
  for (const pattern of patterns) if (matchesPattern(pattern, arn, scope)) return !negated;
  return negated;
}

/** Returns whether one entry matches `arn`, field by field (RES-2, RES-4), the telling one first. */
export function matchesPattern(
  pattern: ResourcePattern,
  arn: Arn | null,
  scope: MatchScope,
): boolean {
  if (pattern.type !== "arn") return pattern.type === "any";
  return (
    arn !== null &&
    matchPattern(pattern.resource, arn.resource, scope) &&
    matchPattern(pattern.service, arn.service, scope) &&
    matchPattern(pattern.account, arn.account, scope) &&
    matchPattern(pattern.region, arn.region, scope) &&
    matchPattern(pattern.partition, arn.partition, scope)
  );
}

/**
 * Returns whether the statement's resources could take in `arn` if variables had the right values:
 * whether the statement is a candidate (iam-semantics 1).
 */
export function couldMatchResource(matcher: ResourceMatcher, arn: Arn | null, work: Work): boolean {
  const { negated, patterns } = matcher;
  for (const pattern of patterns) {
    if (pattern.type === "any") return !negated;
    if (pattern.type === "none" || arn === null) continue;
    // what a variable excludes is excluded for some values only
    if (negated && hasVariables(pattern)) continue;
    if (fieldsCouldMatch(pattern, arn, work)) return !negated;
  }
  return negated;
}

/** Returns the literal text that the sixth field of every match begins with; `""` for any. */
export function resourcePrefix(pattern: ResourcePattern): string {
  return pattern.type === "arn" ? literalPrefix(pattern.resource) : "";
}

/** Adds the keys of the matcher's variables to `keys`. */
export function addResourceKeys(matcher: ResourceMatcher, keys: Set<string>): void {
  for (const pattern of matcher.patterns) {
    if (pattern.type !== "arn") continue;
    addVariableKeys(pattern.account, keys);
    addVariableKeys(pattern.resource, keys);
  }
}

type ArnPattern = Extract<ResourcePattern, { type: "arn" }>;

function hasVariables({ account, resource }: ArnPattern): boolean {
  return account.tokens !== null || resource.tokens !== null;
}

function isResolvedArn(pattern: ResourcePattern, keys: ContextKeys): boolean {
  if (pattern.type !== "arn") return true;
  return isResolved(pattern.account, keys) && isResolved(pattern.resource, keys);
}

function fieldsCouldMatch(pattern: ArnPattern, arn: Arn, work: Work): boolean {
  return (
    couldMatch(pattern.resource, arn.resource, work) &&
    couldMatch(pattern.service, arn.service, work) &&
    couldMatch(pattern.account, arn.account, work) &&
    couldMatch(pattern.region, arn.region, work) &&
    couldMatch(pattern.partition, arn.partition, work)
  );
}

function createResourcePattern(
  text: string,
  variables: boolean,
  tables: ResourceTables,
): ResourcePattern {
  if (text === "*") return { type: "any" };
  const fields = splitArnPattern(text, variables);
  if (fields[0] !== "arn" || (fields.length < 6 && !isShortArnPattern(fields))) {
    return { type: "none" };
  }
  const patterns = [1, 2, 3, 4, 5].map((i) => createField(fields[i] ?? "*", variables, tables));
  const [partition, service, region, account, resource] = patterns;
  if (!partition || !service || !region || !account || !resource) return { type: "none" };
  // VAR-2: in the fields before the account the loader lets no variable pass
  if (partition.tokens !== null || service.tokens !== null || region.tokens !== null) {
    return { type: "none" };
  }
  return { type: "arn", partition, service, region, account, resource };
}

function createField(field: string, variables: boolean, tables: ResourceTables): Pattern | null {
  if (!variables || !hasVariable(field)) return createPattern(field, null, tables);
  const template = parseTemplate(field);
  return template.ok ? createPattern(field, template.value, tables) : null;
}
