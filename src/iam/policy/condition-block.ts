import { foldAscii } from "../ascii.ts";
import {
  type OperatorName,
  operatorNames,
  operators,
  parseOperator,
} from "../condition/operators.ts";
import { lookUpKey } from "../context-keys.ts";
import { nearestWord } from "../nearest-word.ts";
import { quote } from "../problem.ts";
import type { ConditionEntry, Located, PolicyDocument } from "./document.ts";
import type { JsonEntry, JsonValue } from "./json.ts";
import { find, inside, type Place, type Report, refuse } from "./report.ts";
import type { StatementRules } from "./statement-rules.ts";
import { hasVariable, parseTemplate } from "./variables.ts";

/**
 * Returns the entries of a `Condition` element, one an operator and key, in the order of the text;
 * what is wrong is reported (iam-semantics 5).
 */
export function readConditions(
  report: Report,
  place: Place,
  value: JsonValue,
  rules: StatementRules,
): readonly ConditionEntry[] {
  if (value.type !== "object") {
    refuse(report, place, "DATA_TYPE_MISMATCH", `expected an object, got ${value.type}`);
    return [];
  }
  if (value.entries.length === 0) {
    find(report, "SUGGESTION", place, "EMPTY_OBJECT_CONDITION", "an empty condition always holds");
  }
  const entries: ConditionEntry[] = [];
  for (const block of value.entries) {
    const at = inside(place, block.key, block.position);
    readBlock(report, at, block, rules, entries);
  }
  return entries;
}

function readBlock(
  report: Report,
  place: Place,
  block: JsonEntry,
  rules: StatementRules,
  entries: ConditionEntry[],
): void {
  const name = parseOperator(block.key);
  if (!name.ok) {
    refuse(report, place, name.code, () => {
      const near = nearestWord(block.key, operatorNames);
      return near === null ? name.message : `${name.message}; did you mean ${quote(near)}`;
    });
    return;
  }
  if (name.value.operator !== block.key) {
    const message = `expected the spelling ${quote(name.value.operator)}, got ${quote(block.key)}`;
    find(report, "WARNING", place, "CONDITION_OPERATOR_CASE", message);
  }
  if (block.value.type !== "object") {
    const message = `expected an object of condition keys, got ${block.value.type}`;
    refuse(report, place, "DATA_TYPE_MISMATCH", message);
    return;
  }
  if (block.value.entries.length === 0) {
    const message = "an operator without keys always holds";
    find(report, "SUGGESTION", place, "EMPTY_OBJECT_CONDITION", message);
  }
  const seen = new Set<string>();
  for (const entry of block.value.entries) {
    const at = inside(place, entry.key, entry.position);
    const keyLower = foldAscii(entry.key);
    // DOC-13; the same key in the same case is a duplicate of the JSON text
    if (seen.has(keyLower)) {
      const message = `expected each key once, got ${quote(entry.key)} in another case`;
      refuse(report, at, "DUPLICATE_KEYS_WITH_DIFFERENT_CASE", message);
    }
    seen.add(keyLower);
    checkKey(report, at, entry.key, keyLower, name.value);
    const values = readValues(report, at, entry.value, name.value, rules);
    entries.push({ ...name.value, key: entry.key, keyLower, values, position: entry.position });
  }
}

function checkKey(
  report: Report,
  place: Place,
  key: string,
  keyLower: string,
  { base, quantifier }: OperatorName,
): void {
  if (hasVariable(key)) {
    const message = "expected no variable in a condition key";
    refuse(report, place, "VARIABLE_UNSUPPORTED_IN_ELEMENT", message);
    return;
  }
  const colon = key.indexOf(":");
  if (colon <= 0 || colon === key.length - 1) {
    const message = `expected a key of the form prefix:name, got ${quote(key)}`;
    refuse(report, place, "INVALID_CONDITION_KEY_FORMAT", message);
    return;
  }
  const definition = lookUpKey(keyLower);
  if (definition?.arity === "multi" && quantifier === null && base !== "Null") {
    const message = `expected ForAllValues or ForAnyValue: ${quote(key)} has many values`;
    refuse(report, place, "MISSING_QUALIFIER", message);
  }
}

function readValues(
  report: Report,
  place: Place,
  value: JsonValue,
  name: OperatorName,
  rules: StatementRules,
): readonly Located[] {
  const items = value.type === "array" ? value.items : [value];
  if (items.length > rules.limits.maxListEntries) {
    const message = `expected at most ${rules.limits.maxListEntries} values`;
    refuse(report, place, "LIST_LENGTH_LIMIT", message);
    return [];
  }
  const values: Located[] = [];
  items.forEach((item, index) => {
    const at = value.type === "array" ? inside(place, index, item.position) : place;
    const text = textOf(item);
    if (text === null) {
      const message = `expected a string, number or boolean, got ${item.type}`;
      refuse(report, at, "DATA_TYPE_MISMATCH", message);
      return;
    }
    checkValue(report, at, text, name, rules.version);
    values.push({ text, position: item.position });
  });
  if (name.base === "Null" && items.length !== 1) {
    const message = `expected one value, \`true\` or \`false\`, got ${items.length}`;
    refuse(report, place, "INVALID_CONDITION_NULL_VALUE", message);
  }
  if (new Set(items.map((item) => item.type)).size > 1) {
    const message = "values of one list should have one JSON type; all are compared as strings";
    find(report, "ERROR", place, "INVALID_CONDITION_DATA_TYPE", message);
  }
  return values;
}

// DOC-12: numbers by their source text
function textOf(item: JsonValue): string | null {
  switch (item.type) {
    case "string":
      return item.value;
    case "number":
      return item.text;
    case "boolean":
      return item.value ? "true" : "false";
    case "null":
    case "array":
    case "object":
      return null;
  }
}

function checkValue(
  report: Report,
  place: Place,
  text: string,
  { operator, base }: OperatorName,
  version: PolicyDocument["version"],
): void {
  const { variables, accepts, expected } = operators[base];
  if (hasVariable(text)) {
    if (!variables) {
      const message = `expected no variable in a value of ${operator}`;
      refuse(report, place, "INVALID_VARIABLE_FOR_OPERATOR", message);
      return;
    }
    if (version === "2012-10-17") {
      const parts = parseTemplate(text);
      if (!parts.ok) {
        refuse(report, place, parts.code, parts.message);
        return;
      }
    } else {
      const message = "variables need version 2012-10-17; the text is taken literally";
      find(report, "ERROR", place, "VARIABLE_UNSUPPORTED_IN_VERSION", message);
    }
  }
  if (!accepts(text, version === "2012-10-17")) {
    const message = `expected ${expected}, got ${quote(text)}`;
    refuse(report, place, "INVALID_CONDITION_VALUE", message);
  }
}
