import { foldAscii } from "../../ascii.ts";
import { type KeyDefinition, keyCatalogue, lookUpKey } from "../../context-keys.ts";
import { nearestWord } from "../../nearest-word.ts";
import { quote } from "../../problem.ts";
import type { ConditionEntry, Statement } from "../document.ts";
import { note, type Subject } from "./check.ts";

/** Keys that do not exist, keys under the wrong operator, keys in the caller's hands (8.1, CHK-1). */
export function checkConditionKeys(subject: Subject): void {
  for (const statement of subject.document.statements) {
    for (const entry of statement.conditions) {
      checkKnown(subject, entry);
      checkSetOperator(subject, entry, statement);
      if (statement.effect === "Deny") checkDeny(subject, entry);
    }
    if (statement.effect === "Allow") checkAllow(subject, statement);
  }
}

// KEY-4; catalogues of services that have one
function checkKnown(subject: Subject, { key, keyLower, position }: ConditionEntry): void {
  const prefix = keyLower.slice(0, keyLower.indexOf(":"));
  if (keyLower.endsWith("/")) {
    const message = `expected a name behind the slash of ${quote(key)}`;
    note(subject, "ERROR", "MISSING_TAG_KEY_IN_CONDITION", position, message);
    return;
  }
  if (lookUpKey(keyLower) !== null) return;
  const isGlobal = prefix === "aws" || prefix === "mesh";
  const known = isGlobal ? namesWith(prefix) : serviceKeys(subject, prefix);
  if (known === null || known.some((name) => foldAscii(name) === keyLower)) return;
  const code = isGlobal ? "INVALID_GLOBAL_CONDITION_KEY" : "INVALID_SERVICE_CONDITION_KEY";
  note(subject, "ERROR", code, position, () => {
    const near = nearestWord(key, known);
    const hint = near === null ? "" : `; did you mean ${quote(near)}`;
    return `no condition key is called ${quote(key)}${hint}`;
  });
}

// Null: nothing is known of keys with this prefix.
function serviceKeys({ options }: Subject, prefix: string): readonly string[] | null {
  if (prefix === "sts" || prefix === "iam") return namesWith(prefix);
  return options.services?.get(prefix)?.conditionKeys ?? null;
}

function namesWith(prefix: string): readonly string[] {
  const names = keyCatalogue.map((definition) => definition.name);
  return names.filter((name) => name.startsWith(`${prefix}:`));
}

// SET-6, SET-7
function checkSetOperator(subject: Subject, entry: ConditionEntry, statement: Statement): void {
  const { key, keyLower, quantifier, position } = entry;
  if (quantifier !== "ForAllValues") return;
  if (lookUpKey(keyLower)?.arity === "single") {
    const message = `${quote(key)} has one value; ForAllValues holds where it is absent`;
    note(subject, "SECURITY_WARNING", "FORALLVALUES_WITH_SINGLE_VALUED_KEY", position, message);
  } else if (statement.effect === "Allow" && !asksForPresence(statement, keyLower)) {
    const message = `ForAllValues holds where ${quote(key)} is absent; ask for it by \`Null\` as well`;
    note(subject, "SECURITY_WARNING", "FORALLVALUES_IN_ALLOW_WITHOUT_NULL", position, message);
  }
}

function asksForPresence({ conditions }: Statement, keyLower: string): boolean {
  return conditions.some(
    (entry) =>
      entry.base === "Null" && entry.keyLower === keyLower && entry.values[0]?.text === "false",
  );
}

/** Keys that some callers lack: a Deny that waits for `false` does not reach them (CON-6, CON-7). */
const oftenAbsent: ReadonlySet<string> = new Set([
  "aws:multifactorauthpresent",
  "aws:principalisawsservice",
  "aws:assumedroot",
]);

function checkDeny(subject: Subject, entry: ConditionEntry): void {
  const { base, ifExists, key, keyLower, negated, position, values } = entry;
  const waitsForFalse = values.some(({ text }) => foldAscii(text) === "false");
  if (base === "Bool" && !ifExists && waitsForFalse && oftenAbsent.has(keyLower)) {
    const message = `the Deny skips callers without ${quote(key)}; BoolIfExists reaches them`;
    note(subject, "WARNING", "DENY_WITH_BOOL_WITHOUT_IF_EXISTS", position, message);
  }
  // KEY-11
  if (!negated && base !== "Null" && isFreelySent(keyLower)) {
    const message = `the caller may leave out or vary ${quote(key)}, and the Deny with it`;
    note(subject, "SECURITY_WARNING", "CLIENT_KEY_IN_DENY", position, message);
  }
}

function isFreelySent(keyLower: string): boolean {
  return (
    keyLower.startsWith("mesh:requestheader/") || keyLower.startsWith("mesh:requestquerystring/")
  );
}

/** Sent by the caller, yet the very request that is executed: no lie helps (8.3). */
const executed: ReadonlySet<string> = new Set([
  "mesh:requestmethod",
  "mesh:requestpath",
  "mesh:requestsize",
  "mesh:grpcservice",
  "mesh:grpcmethod",
]);

// KEY-2: an Allow that depends on nothing but what the caller says
function checkAllow(subject: Subject, { conditions }: Statement): void {
  const first = conditions[0];
  if (first === undefined) return;
  const isSpoofable = ({ keyLower }: ConditionEntry): boolean =>
    isSentByClient(lookUpKey(keyLower)) && !executed.has(keyLower);
  if (!conditions.every(isSpoofable)) return;
  const keys = conditions.map((entry) => quote(entry.key)).join(", ");
  const message = `the caller chooses the value of ${keys}, and nothing else is asked`;
  note(subject, "SECURITY_WARNING", "SPOOFABLE_KEY_IN_ALLOW", first.position, message);
}

function isSentByClient(definition: KeyDefinition | null): boolean {
  return definition !== null && definition.trust === "client";
}
