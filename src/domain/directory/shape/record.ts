import { meant, nearestWord } from "../../../iam/nearest-word.ts";
import { quote } from "../../../iam/problem.ts";
import { type Place, type Report, refuseAt, within } from "../document-problem.ts";
import type { DocumentNode, MapNode } from "../yaml/node.ts";
import { type JsonSchema, type Members, refuseValue, type Shape, type ValueOf } from "./shape.ts";

/** What must hold between the members of a mapping. */
export interface RecordRules {
  /** Exactly one of these members is there. */
  readonly exactlyOne?: readonly string[];
}

/** The shape of a mapping with a fixed set of members. */
export interface RecordShape<M extends Members> extends Shape<ValueOf<M>> {
  readonly members: M;
}

/**
 * Returns the shape of mappings with these members and no others. An unknown member is refused and the
 * nearest known one named. An optional member that cannot be used is reported and has its fallback, so
 * that the checks that follow still see the rest; a required one makes the mapping unusable.
 */
export function record<const M extends Members>(
  members: M,
  rules: RecordRules = {},
): RecordShape<M> {
  const { exactlyOne } = rules;
  return {
    expected:
      exactlyOne === undefined
        ? "a mapping"
        : `a mapping with exactly one of ${exactlyOne.map(quote).join(", ")}`,
    read: (node, place, report) => readRecord(members, rules, node, place, report),
    schema: schemaOf(members, rules),
    members,
  };
}

function readRecord<M extends Members>(
  members: M,
  rules: RecordRules,
  node: DocumentNode,
  place: Place,
  report: Report,
): ValueOf<M> | undefined {
  if (node.type !== "map") return refuseValue(node, place, report, "a mapping");
  refuseUnknown(node, Object.keys(members), place, report);
  let usable = holdsExactlyOne(node, rules.exactlyOne, place, report);
  // The names are the table's own, never the document's.
  const values: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(members)) {
    const entry = node.entries.find(({ key }) => key === name);
    if (entry === undefined) {
      values[name] = member.fallback;
      if (!member.required) continue;
      usable = false;
      refuseAt(report, place, "MISSING_MEMBER", `expected the member ${quote(name)}`);
      continue;
    }
    const at = within(place, name, entry.value.position);
    const value = member.shape.read(entry.value, at, report);
    // What was chosen and cannot be used must not look as if the other had been chosen.
    const chosen = rules.exactlyOne?.includes(name) ?? false;
    if (value === undefined && (member.required || chosen)) usable = false;
    values[name] = value === undefined ? member.fallback : value;
  }
  return usable ? (values as ValueOf<M>) : undefined;
}

/** Reports the members of `node` that are not `known`, each with the nearest known word. */
export function refuseUnknown(
  node: MapNode,
  known: readonly string[],
  place: Place,
  report: Report,
): void {
  for (const { key, keyPosition } of node.entries) {
    if (known.includes(key)) continue;
    const message = `unknown member ${quote(key)}${meant(nearestWord(key, known))}`;
    refuseAt(report, { ...place, position: keyPosition }, "UNKNOWN_MEMBER", message);
  }
}

function holdsExactlyOne(
  node: MapNode,
  names: readonly string[] | undefined,
  place: Place,
  report: Report,
): boolean {
  if (names === undefined) return true;
  const found = node.entries.filter(({ key }) => names.includes(key));
  if (found.length === 1) return true;
  const got = found.length === 0 ? "none" : found.map(({ key }) => quote(key)).join(", ");
  const message = `expected exactly one of ${names.map(quote).join(", ")}, got ${got}`;
  refuseAt(report, place, found.length === 0 ? "MISSING_MEMBER" : "CONFLICT", message);
  return false;
}

function schemaOf(members: Members, rules: RecordRules): JsonSchema {
  const entries = Object.entries(members);
  const needed = entries.filter(([, member]) => member.required).map(([name]) => name);
  const properties = entries.map(([name, { shape, description }]) => [
    name,
    { description, ...shape.schema },
  ]);
  return {
    type: "object",
    properties: Object.fromEntries(properties),
    additionalProperties: false,
    ...(needed.length > 0 ? { required: needed } : {}),
    ...(rules.exactlyOne === undefined
      ? {}
      : { oneOf: rules.exactlyOne.map((name) => ({ required: [name] })) }),
  };
}
