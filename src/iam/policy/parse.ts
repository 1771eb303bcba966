import { type Loaded, quote } from "../problem.ts";
import type { PolicyDocument, Statement } from "./document.ts";
import { type JsonEntry, type JsonValue, parseJson } from "./json.ts";
import { type LoadLimits, loadLimits, type ParseOptions } from "./limits.ts";
import type { DocumentType } from "./policy-type.ts";
import { createReport, find, inside, type Place, type Report, refuse } from "./report.ts";
import { readStatement } from "./statement.ts";
import type { StatementRules } from "./statement-rules.ts";
import { hasVariable } from "./variables.ts";

/**
 * Returns the document of `text`, read as a policy of `type`, with the findings that cost nothing to
 * make; or all problems that refuse it (LOAD-1): whatever could make a Deny inert, an Allow wider
 * than it reads, or the text ambiguous. Never throws; linear in the text. `text` is untrusted and of
 * any length. Codes are those of `json.ts` and AWS's finding names.
 * Source: iam-semantics 2; IAM User Guide, Grammar of the IAM JSON policy language.
 */
export function parsePolicyDocument(
  text: string,
  type: DocumentType,
  options: ParseOptions = {},
): Loaded<PolicyDocument> {
  const limits = loadLimits(type, options);
  const json = parseJson(text, limits.json);
  if (!json.ok) return json;
  const report = createReport();
  const document = readDocument(report, json.value, type, limits);
  if (document === null || report.refusals.length > 0) {
    return { ok: false, problems: report.refusals };
  }
  return { ok: true, value: document, findings: report.findings };
}

function readDocument(
  report: Report,
  value: JsonValue,
  type: DocumentType,
  limits: LoadLimits,
): PolicyDocument | null {
  const top: Place = { path: "", position: value.position };
  if (value.type !== "object") {
    refuse(report, top, "DATA_TYPE_MISMATCH", `expected an object, got ${value.type}`);
    return null;
  }
  let version: JsonEntry | undefined;
  let statement: JsonEntry | undefined;
  for (const entry of value.entries) {
    const at = inside(top, entry.key, entry.position);
    if (entry.key === "Version") version = entry;
    else if (entry.key === "Statement") statement = entry;
    else if (entry.key === "Id") checkId(report, at, entry.value, type);
    else {
      const message = `expected Version, Id or Statement, got ${quote(entry.key)}`;
      refuse(report, at, "INVALID_POLICY_ELEMENT", message);
    }
  }
  const rules: StatementRules = { type, version: readVersion(report, top, version, type), limits };
  const statements = readStatements(report, top, statement, rules);
  return deepFreeze({ version: rules.version, statements });
}

// DOC-10
function checkId(report: Report, place: Place, value: JsonValue, type: DocumentType): void {
  if (value.type !== "string") {
    refuse(report, place, "DATA_TYPE_MISMATCH", `expected a string, got ${value.type}`);
  } else if (hasVariable(value.value)) {
    refuse(report, place, "VARIABLE_UNSUPPORTED_IN_ELEMENT", "expected no variable in an Id");
  } else if (type !== "resource" && type !== "trust") {
    const message = "`Id` belongs to resource policies; it is ignored";
    find(report, "WARNING", place, "UNSUPPORTED_ID", message);
  }
}

// DOC-9; SCPs and RCPs know the new rules only (2.4)
function readVersion(
  report: Report,
  top: Place,
  entry: JsonEntry | undefined,
  type: DocumentType,
): PolicyDocument["version"] {
  const isControl = type === "serviceControl" || type === "resourceControl";
  const controlCode =
    type === "serviceControl" ? "SCP_SYNTAX_ERROR_VERSION" : "RCP_SYNTAX_ERROR_VERSION";
  if (entry === undefined) {
    if (isControl) refuse(report, top, controlCode, 'expected `"Version": "2012-10-17"`');
    else {
      const message = "without a version the rules of 2008 hold: variables are literal text";
      find(report, "WARNING", top, "MISSING_VERSION", message);
    }
    return "2008-10-17";
  }
  const at = inside(top, entry.key, entry.position);
  const { value } = entry;
  if (value.type !== "string") {
    refuse(report, at, "DATA_TYPE_MISMATCH", `expected a string, got ${value.type}`);
  } else if (value.value === "2012-10-17") {
    return value.value;
  } else if (value.value !== "2008-10-17") {
    const message = `expected 2012-10-17 or 2008-10-17, got ${quote(value.value)}`;
    refuse(report, at, "INVALID_VERSION", message);
  } else if (isControl) {
    refuse(report, at, controlCode, `expected 2012-10-17, got ${quote(value.value)}`);
  }
  return "2008-10-17";
}

function readStatements(
  report: Report,
  top: Place,
  entry: JsonEntry | undefined,
  rules: StatementRules,
): readonly Statement[] {
  if (entry === undefined) {
    refuse(report, top, "MISSING_STATEMENT", "expected `Statement`");
    return [];
  }
  const at = inside(top, entry.key, entry.position);
  const { value } = entry;
  const items = value.type === "array" ? value.items : [value];
  if (items.length === 0)
    refuse(report, at, "MISSING_STATEMENT", "expected at least one statement");
  if (items.length > rules.limits.maxStatements) {
    const message = `expected at most ${rules.limits.maxStatements} statements`;
    refuse(report, at, "STATEMENT_COUNT_LIMIT", message);
    return [];
  }
  return items.flatMap((item, index) => {
    const itemAt = value.type === "array" ? inside(at, index, item.position) : at;
    if (item.type === "object") return [readStatement(report, itemAt, item, rules)];
    refuse(report, itemAt, "DATA_TYPE_MISMATCH", `expected a statement, got ${item.type}`);
    return [];
  });
}

// INVARIANT: a document is a tree of plain objects and arrays, at most seven levels deep.
function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
