import type { PolicyDocument } from "./policy/document.ts";
import { parsePolicyDocument } from "./policy/parse.ts";
import type { DocumentType } from "./policy/policy-type.ts";
import type { Position, Problem } from "./problem.ts";
import type { PolicyLayers } from "./request-context.ts";
import {
  type Fields,
  fieldsOf,
  isNull,
  itemsOf,
  type Place,
  refuseValue,
  textOf,
} from "./scenario-reader.ts";

/** A policy of a scenario. A null document stands for one that could not be read (DEC-6). */
export interface ScenarioPolicy {
  readonly id: string;
  readonly document: PolicyDocument | null;
}

/** The fields of `policies`: the policy types. */
export const policyFields = [
  "identity",
  "resource",
  "permissionsBoundary",
  "session",
  "serviceControl",
  "resourceControl",
] as const;

/** Where the texts of the policies are cut from, and what is found in them. */
export interface PolicySource {
  readonly text: string;
  readonly findings: Problem[];
}

/**
 * Returns the policies by layer. An absent or null layer is none; absent and `[]` both mean that no
 * session policy was passed. `resourceType` says what the resource's policy is read as. Problems of a
 * document are reported at its place in the scenario.
 */
export function readPolicies(
  place: Place | null,
  resourceType: DocumentType & ("resource" | "trust"),
  source: PolicySource,
): PolicyLayers<ScenarioPolicy> {
  const fields = place && fieldsOf(place, policyFields);
  const session = readList(fields, "session", "session", source);
  return {
    identity: readList(fields, "identity", "identity", source),
    resource: readOne(fields, "resource", resourceType, source),
    permissionsBoundary: readOne(fields, "permissionsBoundary", "permissionsBoundary", source),
    session: session.length === 0 ? null : session,
    serviceControl: readLevels(fields, "serviceControl", source),
    resourceControl: readLevels(fields, "resourceControl", source),
  };
}

function present(fields: Fields | null, name: string): Place | null {
  const place = fields?.get(name) ?? null;
  return place !== null && isNull(place) ? null : place;
}

function readOne(
  fields: Fields | null,
  name: string,
  type: DocumentType,
  source: PolicySource,
): ScenarioPolicy | null {
  const place = present(fields, name);
  return place && readPolicy(place, type, source);
}

function readList(
  fields: Fields | null,
  name: string,
  type: DocumentType,
  source: PolicySource,
): ScenarioPolicy[] {
  const place = present(fields, name);
  return place === null ? [] : readAll(place, type, source);
}

function readLevels(
  fields: Fields | null,
  type: DocumentType & ("serviceControl" | "resourceControl"),
  source: PolicySource,
): ScenarioPolicy[][] | null {
  const place = present(fields, type);
  if (place === null) return null;
  const levels = itemsOf(place) ?? [];
  // no level at all would let everything pass
  if (levels.length === 0) refuseValue(place, "one list a level, root first");
  return levels.map((level) => readAll(level, type, source));
}

function readAll(place: Place, type: DocumentType, source: PolicySource): ScenarioPolicy[] {
  return (itemsOf(place) ?? []).flatMap((item) => readPolicy(item, type, source) ?? []);
}

function readPolicy(place: Place, type: DocumentType, source: PolicySource): ScenarioPolicy | null {
  const fields = fieldsOf(place, ["id", "document"]);
  const idPlace = fields?.require("id") ?? null;
  const documentPlace = fields?.require("document") ?? null;
  const id = idPlace && textOf(idPlace);
  if (id === null || documentPlace === null) return null;
  if (isNull(documentPlace)) return { id, document: null };
  const document = readDocument(documentPlace, type, source);
  return document && { id, document };
}

/** Reads a document written in place, or as a text that holds it, escapes and all. */
function readDocument(
  place: Place,
  type: DocumentType,
  source: PolicySource,
): PolicyDocument | null {
  const { value, path, problems } = place;
  if (value.type !== "object" && value.type !== "string") {
    return refuseValue(place, "a policy document, its text, or null");
  }
  const isText = value.type === "string";
  const text = isText ? value.value : source.text.slice(value.position.offset, value.end);
  const loaded = parsePolicyDocument(text, type);
  const placed = (problem: Problem): Problem => ({
    ...problem,
    path: problem.path === "" ? path : `${path}.${problem.path}`,
    // inside a text that is itself escaped there are no places of the scenario
    position: isText ? value.position : shifted(problem.position, value.position),
  });
  if (loaded.ok) {
    source.findings.push(...loaded.findings.map(placed));
    return loaded.value;
  }
  problems.push(...loaded.problems.map(placed));
  return null;
}

function shifted(position: Position | null, by: Position): Position {
  if (position === null) return by;
  return {
    line: by.line + position.line - 1,
    column: position.line === 1 ? by.column + position.column - 1 : position.column,
    offset: by.offset + position.offset,
  };
}
