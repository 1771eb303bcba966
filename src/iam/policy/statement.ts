import { quote } from "../problem.ts";
import { checkAction } from "./action-element.ts";
import { readConditions } from "./condition-block.ts";
import type { Effect, ListElement, Located, Statement } from "./document.ts";
import type { JsonEntry, JsonObject, JsonValue } from "./json.ts";
import type { LoadLimits } from "./limits.ts";
import type { DocumentType } from "./policy-type.ts";
import { readPrincipal } from "./principal-element.ts";
import { find, inside, type Place, type Report, refuse } from "./report.ts";
import { checkResource } from "./resource-element.ts";
import type { StatementRules } from "./statement-rules.ts";
import { hasVariable } from "./variables.ts";

const elements: ReadonlySet<string> = new Set([
  "Sid",
  "Effect",
  "Principal",
  "NotPrincipal",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Condition",
]);

const nothing: ListElement = { negated: false, entries: [] };

/**
 * Returns the statement of `object`; what is wrong is reported, and stands as an element that
 * matches nothing (DOC-3 to DOC-7, 2.4). The result is worth something only if nothing was refused.
 */
export function readStatement(
  report: Report,
  place: Place,
  object: JsonObject,
  rules: StatementRules,
): Statement {
  const found = new Map<string, JsonEntry>();
  for (const entry of object.entries) {
    if (elements.has(entry.key)) {
      found.set(entry.key, entry);
      continue;
    }
    const message = `expected an element of a statement, got ${quote(entry.key)}`;
    refuse(report, inside(place, entry.key, entry.position), "INVALID_POLICY_ELEMENT", message);
  }
  const sid = readSid(report, place, found.get("Sid"));
  const effect = readEffect(report, place, found.get("Effect"), rules.type);
  const principal = pick(report, place, found, "Principal");
  const action = pick(report, place, found, "Action");
  const resource = pick(report, place, found, "Resource");
  const condition = found.get("Condition");
  if (principal === null && (rules.type === "resource" || rules.type === "trust")) {
    refuse(report, place, "MISSING_PRINCIPAL", "expected `Principal`");
  }
  if (principal === null && rules.type === "resourceControl") {
    const message = 'expected `"Principal": "*"` in an RCP';
    refuse(report, place, "RCP_SYNTAX_ERROR_PRINCIPAL", message);
  }
  return {
    sid,
    effect: effect ?? "Deny",
    principal:
      principal === null
        ? null
        : readPrincipal(report, placeOf(place, principal), principal, effect, rules),
    action: readActions(report, place, action, rules),
    resource: readResources(report, place, resource, rules),
    conditions:
      condition === undefined
        ? []
        : readConditions(report, placeOf(place, condition), condition.value, rules),
    position: place.position,
  };
}

function placeOf(place: Place, entry: JsonEntry): Place {
  return inside(place, entry.key, entry.position);
}

function readSid(report: Report, place: Place, entry: JsonEntry | undefined): string {
  if (entry === undefined) return "";
  const at = placeOf(place, entry);
  const { value } = entry;
  if (value.type !== "string") {
    refuse(report, at, "DATA_TYPE_MISMATCH", `expected a string, got ${value.type}`);
    return "";
  }
  if (hasVariable(value.value)) {
    refuse(report, at, "VARIABLE_UNSUPPORTED_IN_ELEMENT", "expected no variable in a Sid");
  }
  return value.value;
}

function readEffect(
  report: Report,
  place: Place,
  entry: JsonEntry | undefined,
  type: DocumentType,
): Effect | null {
  if (entry === undefined) {
    refuse(report, place, "MISSING_EFFECT", "expected `Effect`");
    return null;
  }
  const at = placeOf(place, entry);
  const { value } = entry;
  if (value.type !== "string") {
    refuse(report, at, "DATA_TYPE_MISMATCH", `expected a string, got ${value.type}`);
    return null;
  }
  if (value.value !== "Allow" && value.value !== "Deny") {
    const message = `expected \`Allow\` or \`Deny\`, got ${quote(value.value)}`;
    refuse(report, at, "INVALID_EFFECT", message);
    return null;
  }
  if (type === "resourceControl" && value.value === "Allow") {
    refuse(report, at, "RCP_SYNTAX_ERROR_ALLOW", "expected `Deny` in an RCP, got `Allow`");
  }
  return value.value;
}

// DOC-6: at most one of a pair
function pick(
  report: Report,
  place: Place,
  found: ReadonlyMap<string, JsonEntry>,
  name: string,
): JsonEntry | null {
  const plain = found.get(name);
  const negated = found.get(`Not${name}`);
  if (plain !== undefined && negated !== undefined) {
    const message = `expected \`${name}\` or \`Not${name}\`, got both`;
    refuse(report, placeOf(place, negated), "UNSUPPORTED_ELEMENT_COMBINATION", message);
  }
  return plain ?? negated ?? null;
}

function readActions(
  report: Report,
  place: Place,
  entry: JsonEntry | null,
  rules: StatementRules,
): ListElement {
  if (entry === null) {
    refuse(report, place, "MISSING_ACTION", "expected `Action` or `NotAction`");
    return nothing;
  }
  const at = placeOf(place, entry);
  if (entry.key === "NotAction" && rules.type === "resourceControl") {
    const message = "expected `Action` in an RCP, got `NotAction`";
    refuse(report, at, "RCP_SYNTAX_ERROR_NOTACTION", message);
  }
  return readList(report, at, entry, "EMPTY_ARRAY_ACTION", rules.limits, (entryAt, text) =>
    checkAction(report, entryAt, text, rules.type),
  );
}

function readResources(
  report: Report,
  place: Place,
  entry: JsonEntry | null,
  rules: StatementRules,
): ListElement | null {
  if (rules.type === "trust") {
    if (entry !== null) {
      const message = "expected no resource in a role trust policy: it is its own role's";
      refuse(report, placeOf(place, entry), "ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE", message);
    }
    return null;
  }
  if (entry === null) {
    refuse(report, place, "MISSING_RESOURCE", "expected `Resource` or `NotResource`");
    return nothing;
  }
  const at = placeOf(place, entry);
  return readList(report, at, entry, "EMPTY_ARRAY_RESOURCE", rules.limits, (entryAt, text) =>
    checkResource(report, entryAt, text, rules.type, rules.version),
  );
}

// DOC-7: a string, or a list of strings
function readList(
  report: Report,
  place: Place,
  { key, value }: JsonEntry,
  emptyCode: string,
  limits: LoadLimits,
  check: (place: Place, text: string) => void,
): ListElement {
  const negated = key.startsWith("Not");
  const entries: Located[] = [];
  const items: readonly JsonValue[] = value.type === "array" ? value.items : [value];
  if (items.length > limits.maxListEntries) {
    const message = `expected at most ${limits.maxListEntries} entries`;
    refuse(report, place, "LIST_LENGTH_LIMIT", message);
    return nothing;
  }
  // DOC-14: nothing excluded would be everything included
  if (items.length === 0 && negated) {
    refuse(report, place, emptyCode, "expected at least one entry, got none");
  } else if (items.length === 0) {
    find(report, "SUGGESTION", place, emptyCode, "an empty list matches nothing");
  }
  items.forEach((item, index) => {
    const at = value.type === "array" ? inside(place, index, item.position) : place;
    if (item.type !== "string") {
      refuse(report, at, "DATA_TYPE_MISMATCH", `expected a string, got ${item.type}`);
      return;
    }
    check(at, item.value);
    entries.push({ text: item.value, position: item.position });
  });
  return { negated, entries };
}
