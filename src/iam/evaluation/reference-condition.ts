import { parseArn } from "../arn.ts";
import type {
  BaseOperator,
  ConditionEntry,
  Effect,
  PolicyDocument,
  Statement,
} from "../policy/document.ts";
import type { ContextKeys } from "../request-context.ts";
import {
  arnFields,
  asciiLower,
  glob,
  isExactly,
  patternOf,
  piecesOf,
  textOf,
  variableKeys,
} from "./reference-text.ts";
import {
  addressOf,
  bitsOf,
  blockOf,
  booleanOf,
  decimalOf,
  holds,
  instantOf,
} from "./reference-value.ts";

/**
 * The reference evaluator's reading of Condition (iam-semantics 5): the procedure of 5.6, then the
 * operators of 5.2.
 */
type Version = PolicyDocument["version"];

/** Returns whether every entry of the statement's Condition holds (CON-1, CON-9). */
export function conditionsHold(statement: Statement, version: Version, keys: ContextKeys): boolean {
  return statement.conditions.every((entry) => holdsFor(entry, version, keys, statement.effect));
}

function holdsFor(
  entry: ConditionEntry,
  version: Version,
  keys: ContextKeys,
  effect: Effect,
): boolean {
  const value = keys.get(entry.keyLower);
  const missing = value === undefined || (value.multivalued && value.values.length === 0);
  const nullSet = missing || value.values.every((text) => text === ""); // CON-5
  if (entry.base === "Null") return booleanOf(entry.values[0]?.text ?? "") === nullSet;
  if (entry.ifExists && missing) return true;

  const matchesOne = (requestText: string): boolean => {
    const hit = entry.values.some((policyValue) =>
      equals(entry.base, policyValue.text, version, requestText, keys),
    );
    return entry.negated ? !hit : hit; // CON-1: NOR, SET-3: the negation is inside
  };
  switch (entry.quantifier) {
    case "ForAllValues":
      return nullSet || value.values.every(matchesOne); // SET-1
    case "ForAnyValue":
      return !nullSet && value.values.some(matchesOne); // SET-2
    case null:
      if (missing) return entry.negated; // 5.4
      if (value.multivalued) return entry.negated && effect === "Deny"; // SET-5
      return matchesOne(value.values[0] ?? "");
  }
}

const knownOperators: ReadonlySet<string> = new Set<BaseOperator>([
  "StringEquals",
  "StringEqualsIgnoreCase",
  "StringLike",
  "NumericEquals",
  "NumericLessThan",
  "NumericLessThanEquals",
  "NumericGreaterThan",
  "NumericGreaterThanEquals",
  "DateEquals",
  "DateLessThan",
  "DateLessThanEquals",
  "DateGreaterThan",
  "DateGreaterThanEquals",
  "Bool",
  "BinaryEquals",
  "IpAddress",
  "ArnLike",
  "Null",
]);

/** Returns whether the statement uses operators of 5.2 only; any other spoils its policy (DOC-17). */
export function hasKnownOperators(statement: Statement): boolean {
  return statement.conditions.every((entry) => knownOperators.has(entry.base));
}

/** Returns the lower-cased keys that the statement's Condition can read, variables included. */
export function conditionKeys(statement: Statement, version: Version): string[] {
  return statement.conditions.flatMap((entry) => [
    entry.keyLower,
    ...(acceptsVariables(entry.base)
      ? entry.values.flatMap((value) => variableKeys(value.text, version))
      : []),
  ]);
}

/** VAR-2: variables belong to the String and Arn operators. */
function acceptsVariables(base: BaseOperator): boolean {
  return (
    base === "StringEquals" ||
    base === "StringEqualsIgnoreCase" ||
    base === "StringLike" ||
    base === "ArnLike"
  );
}

/**
 * Returns whether one request value satisfies the positive operator for one policy value. Unresolved
 * and malformed values equal nothing (VAR-8, CON-4).
 */
function equals(
  base: BaseOperator,
  policyText: string,
  version: Version,
  requestText: string,
  keys: ContextKeys,
): boolean {
  switch (base) {
    case "StringEquals":
      return isText(requestText) && textOf(piecesOf(policyText, version), keys) === requestText;
    case "StringEqualsIgnoreCase": {
      const text = textOf(piecesOf(policyText, version), keys);
      return isText(requestText) && text !== null && asciiLower(text) === asciiLower(requestText);
    }
    case "StringLike": {
      const pattern = patternOf(piecesOf(policyText, version), keys);
      return isText(requestText) && pattern !== null && glob(pattern, requestText);
    }
    case "NumericEquals":
      return compare(decimalOf(requestText), decimalOf(policyText), "=");
    case "NumericLessThan":
      return compare(decimalOf(requestText), decimalOf(policyText), "<");
    case "NumericLessThanEquals":
      return compare(decimalOf(requestText), decimalOf(policyText), "<=");
    case "NumericGreaterThan":
      return compare(decimalOf(requestText), decimalOf(policyText), ">");
    case "NumericGreaterThanEquals":
      return compare(decimalOf(requestText), decimalOf(policyText), ">=");
    case "DateEquals":
      return compare(instantOf(requestText), instantOf(policyText), "=");
    case "DateLessThan":
      return compare(instantOf(requestText), instantOf(policyText), "<");
    case "DateLessThanEquals":
      return compare(instantOf(requestText), instantOf(policyText), "<=");
    case "DateGreaterThan":
      return compare(instantOf(requestText), instantOf(policyText), ">");
    case "DateGreaterThanEquals":
      return compare(instantOf(requestText), instantOf(policyText), ">=");
    case "Bool": {
      const wanted = booleanOf(policyText);
      return wanted !== null && wanted === booleanOf(requestText);
    }
    case "BinaryEquals": {
      const wanted = bitsOf(policyText);
      return wanted !== null && wanted === bitsOf(requestText);
    }
    case "IpAddress": {
      const block = blockOf(policyText);
      const address = addressOf(requestText);
      return block !== null && address !== null && holds(block, address);
    }
    case "ArnLike":
      return arnLike(policyText, version, requestText, keys);
    case "Null":
      return false; // decided before any value is compared
  }
}

/** VAL-8: a lone surrogate is no text. */
function isText(text: string): boolean {
  return text.isWellFormed();
}

function compare(
  left: bigint | null,
  right: bigint | null,
  relation: "=" | "<" | "<=" | ">" | ">=",
): boolean {
  if (left === null || right === null) return false;
  switch (relation) {
    case "=":
      return left === right;
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
  }
}

/** ArnEquals and ArnLike: six fields against six fields, each a glob (5.2, VAL-5). */
function arnLike(
  policyText: string,
  version: Version,
  requestText: string,
  keys: ContextKeys,
): boolean {
  const arn = parseArn(requestText);
  const fields = arnFields(piecesOf(policyText, version));
  if (!arn.ok || fields.length !== 6) return false;
  if (!isExactly(fields[0], "arn")) return false;
  const { partition, service, region, account, resource } = arn.value;
  return [partition, service, region, account, resource].every((text, index) => {
    const pattern = patternOf(fields[index + 1] ?? [], keys);
    return pattern !== null && glob(pattern, text);
  });
}
