import { quote } from "../problem.ts";
import type { Effect, PrincipalElement, PrincipalEntry } from "./document.ts";
import type { JsonEntry, JsonValue } from "./json.ts";
import type { LoadLimits } from "./limits.ts";
import type { DocumentType } from "./policy-type.ts";
import {
  type NamedPrincipal,
  parseAwsPrincipal,
  parseCanonicalUser,
  parseFederatedPrincipal,
  parseServicePrincipal,
} from "./principal-text.ts";
import { find, inside, type Place, type Report, refuse } from "./report.ts";
import type { StatementRules } from "./statement-rules.ts";
import { hasVariable } from "./variables.ts";

type PrincipalKey = Exclude<PrincipalEntry["type"], "any">;

const parsers: ReadonlyMap<string, (text: string) => NamedPrincipal | null> = new Map([
  ["AWS", parseAwsPrincipal],
  ["Service", parseServicePrincipal],
  ["Federated", parseFederatedPrincipal],
  ["CanonicalUser", parseCanonicalUser],
]);

/**
 * Returns the element of the `Principal` or `NotPrincipal` entry, null where nothing of it can be
 * read; what is wrong is reported (iam-semantics 4.1, 4.2, 2.4).
 */
export function readPrincipal(
  report: Report,
  place: Place,
  entry: JsonEntry,
  effect: Effect | null,
  { type, limits }: StatementRules,
): PrincipalElement | null {
  const negated = entry.key === "NotPrincipal";
  if (negated && !mayNegate(report, place, type, effect)) return null;
  if (!negated && !mayName(report, place, type)) return null;
  if (type === "resourceControl") return readStar(report, place, entry.value);
  const entries: PrincipalEntry[] = [];
  const refusals = report.refusals.length;
  const { value } = entry;
  if (value.type === "string") {
    if (value.value !== "*") {
      const message = `expected \`*\` or an object such as {"AWS": …}, got ${quote(value.value)}`;
      refuse(report, place, "INVALID_PRINCIPAL_FORMAT", message);
    }
    entries.push({ type: "any", text: "*", position: value.position });
  } else if (value.type === "object") {
    for (const each of value.entries) readKey(report, place, each, type, limits, entries);
    if (entries.length === 0 && report.refusals.length === refusals) {
      reportEmpty(report, place, negated, value.entries.length === 0);
    }
  } else {
    refuse(report, place, "DATA_TYPE_MISMATCH", `expected \`*\` or an object, got ${value.type}`);
    return null;
  }
  const any = entries.find((each) => each.type === "any");
  if (negated && any !== undefined) {
    const message = "expected named principals in `NotPrincipal`, got `*`";
    const at = { path: place.path, position: any.position };
    refuse(report, at, "UNSUPPORTED_WILDCARD_IN_PRINCIPAL", message);
  }
  return { negated, entries };
}

// NPR-1
function mayNegate(
  report: Report,
  place: Place,
  type: DocumentType,
  effect: Effect | null,
): boolean {
  if (type === "trust") {
    const code = "ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL";
    refuse(report, place, code, "expected `Principal` in a role trust policy, got `NotPrincipal`");
  } else if (type === "resourceControl") {
    const message = 'expected `"Principal": "*"` in an RCP, got `NotPrincipal`';
    refuse(report, place, "RCP_SYNTAX_ERROR_NOTPRINCIPAL", message);
  } else if (type !== "resource") {
    return mayName(report, place, type);
  } else if (effect === "Allow") {
    const message = "expected `Principal` in an Allow: `NotPrincipal` would allow everybody else";
    refuse(report, place, "ALLOW_WITH_NOT_PRINCIPAL", message);
  } else {
    return true;
  }
  return false;
}

function mayName(report: Report, place: Place, type: DocumentType): boolean {
  switch (type) {
    case "resource":
    case "trust":
    case "resourceControl":
      return true;
    case "serviceControl":
      refuse(report, place, "SCP_SYNTAX_ERROR_PRINCIPAL", "expected no principal in an SCP");
      return false;
    case "identity":
    case "permissionsBoundary":
    case "session":
      refuse(report, place, "UNSUPPORTED_PRINCIPAL", "expected no principal in this policy type");
      return false;
  }
}

function readStar(report: Report, place: Place, value: JsonValue): PrincipalElement | null {
  if (value.type === "string" && value.value === "*") {
    return { negated: false, entries: [{ type: "any", text: "*", position: value.position }] };
  }
  refuse(report, place, "RCP_SYNTAX_ERROR_PRINCIPAL", 'expected `"Principal": "*"` in an RCP');
  return null;
}

function readKey(
  report: Report,
  place: Place,
  entry: JsonEntry,
  type: DocumentType,
  limits: LoadLimits,
  entries: PrincipalEntry[],
): void {
  const at = inside(place, entry.key, entry.position);
  const parse = parsers.get(entry.key);
  if (parse === undefined) {
    const message = `expected AWS, Service, Federated or CanonicalUser, got ${quote(entry.key)}`;
    refuse(report, at, "INVALID_PRINCIPAL_KEY", message);
    return;
  }
  const key = entry.key as PrincipalKey;
  if (key === "Federated" && type !== "trust") {
    const message = "expected federated principals in role trust policies only";
    refuse(report, at, "FEDERATED_PRINCIPAL_NOT_SUPPORTED", message);
    return;
  }
  const { value } = entry;
  if (value.type === "array" && value.items.length === 0) {
    find(report, "SUGGESTION", at, "EMPTY_ARRAY_PRINCIPAL", "an empty list names nobody");
    return;
  }
  const items = value.type === "array" ? value.items : [value];
  if (items.length > limits.maxListEntries) {
    const message = `expected at most ${limits.maxListEntries} principals`;
    refuse(report, at, "LIST_LENGTH_LIMIT", message);
    return;
  }
  items.forEach((item, index) => {
    const itemAt = value.type === "array" ? inside(at, index, item.position) : at;
    if (item.type !== "string") {
      const message = `expected a string, got ${item.type}`;
      refuse(report, itemAt, "DATA_TYPE_MISMATCH", message);
      return;
    }
    const named = checkName(report, itemAt, key, item.value, parse);
    if (named === null) return;
    const entryType = named.type === "any" ? "any" : key;
    entries.push({ type: entryType, text: item.value, position: item.position });
  });
}

function checkName(
  report: Report,
  place: Place,
  key: PrincipalKey,
  text: string,
  parse: (text: string) => NamedPrincipal | null,
): NamedPrincipal | null {
  if (hasVariable(text)) {
    const message = "expected no variable in a principal";
    refuse(report, place, "VARIABLE_UNSUPPORTED_IN_ELEMENT", message);
    return null;
  }
  // PRIN-1: looked for first, since a name with a star in it may well be a name otherwise
  if (/[*?]/.test(text) && !(key === "AWS" && text === "*")) {
    const expected = key === "AWS" ? "`*` alone or a whole name" : "a whole name";
    const message = `expected ${expected}, got ${quote(text)}`;
    refuse(report, place, "UNSUPPORTED_WILDCARD_IN_PRINCIPAL", message);
    return null;
  }
  const named = parse(text);
  if (named === null) {
    const [code, expected] = expectations[key];
    refuse(report, place, code, `expected ${expected}, got ${quote(text)}`);
  } else if (named.type === "dangling-id") {
    const code = text.startsWith("AROA") ? "INVALID_ROLE_REFERENCE" : "INVALID_USER_REFERENCE";
    const message = `the unique id names nobody any more: ${quote(text)}`;
    find(report, "WARNING", place, code, message);
  }
  return named;
}

const expectations: Readonly<Record<PrincipalKey, readonly [code: string, expected: string]>> = {
  AWS: [
    "INVALID_PRINCIPAL_FORMAT",
    "an account, or the ARN of a root, user, role, workload or session",
  ],
  Service: ["INVALID_SERVICE_PRINCIPAL_FORMAT", "a name such as `sns.amazonaws.com`"],
  Federated: [
    "INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY",
    "the ARN of an OIDC or SAML provider or a built-in host",
  ],
  CanonicalUser: ["INVALID_PRINCIPAL_FORMAT", "64 lower-case hexadecimal digits"],
};

// DOC-14: an empty Not-list excludes nobody, so the statement would apply to everybody
function reportEmpty(report: Report, place: Place, negated: boolean, isObject: boolean): void {
  const code = isObject ? "EMPTY_OBJECT_PRINCIPAL" : "EMPTY_ARRAY_PRINCIPAL";
  if (negated) refuse(report, place, code, "expected at least one principal, got none");
  else if (isObject) find(report, "SUGGESTION", place, code, "an empty object names nobody");
}
