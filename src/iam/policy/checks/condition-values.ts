import { hasHostBits, parseIpBlock } from "../../condition/ip-address.ts";
import { compareDecimals, parseDecimal } from "../../condition/numeric.ts";
import { type KeyType, lookUpKey } from "../../context-keys.ts";
import { quote } from "../../problem.ts";
import type { BaseOperator, ConditionEntry } from "../document.ts";
import { note, type Subject } from "./check.ts";

/** Values that are legal and probably not meant (iam-semantics 10.1). */
export function checkConditionValues(subject: Subject): void {
  for (const statement of subject.document.statements) {
    for (const entry of statement.conditions) {
      checkCount(subject, entry);
      checkType(subject, entry);
      checkTexts(subject, entry);
      checkRedundantNumbers(subject, entry);
    }
  }
}

function checkCount(subject: Subject, entry: ConditionEntry): void {
  const { values, position, quantifier, ifExists } = entry;
  if (values.length === 0) {
    const suffix =
      quantifier === "ForAllValues"
        ? "_FORALLVALUES"
        : quantifier === "ForAnyValue"
          ? "_FORANYVALUE"
          : ifExists
            ? "_IFEXISTS"
            : "";
    const message = "an empty list equals nothing, so the operator matches no present key";
    note(subject, "SUGGESTION", `EMPTY_ARRAY_CONDITION${suffix}`, position, message);
  }
  if (entry.base === "Bool" && values.length > 1) {
    const message = `expected one truth value, got ${values.length}; any of them matches`;
    note(subject, "ERROR", "INVALID_CONDITION_MULTIPLE_BOOLEAN", position, message);
  }
}

// The types whose values an operator can compare, besides texts of any kind.
const comparable: readonly (readonly [prefix: string, types: readonly KeyType[]])[] = [
  ["Numeric", ["numeric"]],
  ["Date", ["date"]],
  ["Bool", ["bool"]],
  ["IpAddress", ["ip"]],
  ["Arn", ["arn", "string"]],
  ["Binary", ["string"]],
];

function checkType(
  subject: Subject,
  { base, operator, key, keyLower, position }: ConditionEntry,
): void {
  const definition = lookUpKey(keyLower);
  if (definition === null || base === "Null" || definition.arity === "configured") return;
  const types = typesFor(base, keyLower);
  if (types === null || types.includes(definition.type)) return;
  const message = `${quote(operator)} compares ${types.join(" or ")}, ${quote(key)} is ${definition.type}`;
  note(subject, "WARNING", "TYPE_MISMATCH", position, message);
}

function typesFor(base: BaseOperator, keyLower: string): readonly KeyType[] | null {
  // a number of seconds is a number too (8.2)
  if (base.startsWith("Numeric") && keyLower === "aws:epochtime") return null;
  return comparable.find(([prefix]) => base.startsWith(prefix))?.[1] ?? null;
}

const fullDate = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

function checkTexts(subject: Subject, { base, values }: ConditionEntry): void {
  for (const { text, position } of values) {
    if (base.startsWith("Date") && !fullDate.test(text)) {
      const message = `expected a full date and time such as \`2026-11-24T00:00:00Z\`, got ${quote(text)}`;
      note(subject, "WARNING", "INVALID_DATE_VALUE", position, message);
    }
    const isExact = base === "StringEquals" || base === "StringEqualsIgnoreCase";
    if (isExact && /[*?]/.test(text.replaceAll(/\$\{[*?$]\}/g, ""))) {
      const message = `the operator takes \`*\` and \`?\` literally; did you mean StringLike, in ${quote(text)}`;
      note(subject, "WARNING", "WILDCARD_WITHOUT_LIKE_OPERATOR", position, message);
    }
    const block = base === "IpAddress" ? parseIpBlock(text) : null;
    if (block !== null && hasHostBits(block)) {
      const message = `bits behind the prefix are ignored in ${quote(text)}`;
      note(subject, "SUGGESTION", "IMPROVE_IP_RANGE", position, message);
    }
  }
}

/** Which of two numbers an operator of order makes the other needless: any value may hold (CON-1). */
const widest: Partial<Readonly<Record<BaseOperator, 1 | -1>>> = {
  NumericLessThan: 1,
  NumericLessThanEquals: 1,
  NumericGreaterThan: -1,
  NumericGreaterThanEquals: -1,
};

function checkRedundantNumbers(subject: Subject, { base, values }: ConditionEntry): void {
  const sign = widest[base];
  if (sign === undefined || values.length < 2) return;
  const numbers = values.map(({ text }) => parseDecimal(text));
  let best = 0;
  for (let at = 1; at < numbers.length; at++) {
    const [a, b] = [numbers[best], numbers[at]];
    if (!a || !b) return;
    if (compareDecimals(b, a) * sign > 0) best = at;
  }
  for (const [at, { text, position }] of values.entries()) {
    if (at === best) continue;
    const message = `${quote(values[best]?.text ?? "")} takes in ${quote(text)}`;
    note(subject, "SUGGESTION", "REDUNDANT_CONDITION_VALUE_NUM", position, message);
  }
}
