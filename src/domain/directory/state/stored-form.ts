import { createHash } from "node:crypto";
import { type JsonValue, parseJson } from "../../../iam/policy/json.ts";
import type { Position, Problem } from "../../../iam/problem.ts";
import { joinPath } from "../document-problem.ts";
import { type Reader, type Step, Unreadable } from "./codec.ts";
import type { Entity, OpaqueObject, StateObject } from "./entity.ts";
import { keepForeign } from "./foreign-members.ts";
import { type Frame, frameMembers, type Reference } from "./kinds/kind-codec.ts";
import { kindCodecOf } from "./kinds/registry.ts";

/**
 * The stored form of an object (control-plane 3.11): its row's columns, its doc, its references.
 */

/** An object as the store hands it out. */
export interface StoredRow {
  readonly id: string;
  readonly kind: string;
  readonly account: string;
  readonly nameKey: string;
  readonly doc: string;
  readonly createRevision: number;
  readonly modRevision: number;
}

/** An object on its way into the store; the revisions are the store's to add. */
export interface WrittenRow extends Omit<StoredRow, "createRevision" | "modRevision"> {
  readonly references: readonly Reference[];
}

const limits = { maxBytes: 4_194_304, maxDepth: 32, characters: "any" } as const;
const maxNameKeyBytes = 512;

/** Returns a reader of docs; one for all of a snapshot, so that what they repeat is kept once. */
export function createReader(): Reader {
  return { texts: new Map(), tags: new Map(), lists: new Map(), foreign: false };
}

/**
 * Returns the object of a row. A doc that cannot be read gives a poisoned one with the problem and its
 * place, never an exception and never nothing (TOK-3, BUN-5); a kind that the directory does not keep is
 * opaque. Linear in the doc.
 */
export function readRow(row: StoredRow, reader: Reader): StateObject {
  const codec = kindCodecOf(row.kind);
  if (codec === null) return opaque(row);
  reader.foreign = false;
  try {
    const doc = codec.doc.read(JSON.parse(row.doc), null, reader);
    const entity = codec.toEntity(frameOfRow(row, doc as DocFrame), doc);
    // What writes back the same has no unknown member and no member twice.
    if (codec.doc.write(doc) === row.doc) return checked(entity, codec.nameKey(entity), row);
    const json = parseJson(row.doc, limits);
    if (!json.ok) return poisoned(row, json.problems[0] ?? problemAt(row.doc, null, "no JSON"));
    const foreign = reader.foreign ? row.doc : null;
    return checked({ ...entity, foreign }, codec.nameKey(entity), row);
  } catch (error) {
    return poisoned(row, problemOf(row.doc, error));
  }
}

function checked(entity: Entity, name: string, row: StoredRow): StateObject {
  const expected = nameKeyOf(name);
  if (expected === row.nameKey) return entity;
  return poisoned(row, problemAt(row.doc, null, `expected the name key \`${expected}\``));
}

/** Returns the doc, key and references of `entity`; members that are not known are kept (STO-53). */
export function writeRow(entity: Entity): WrittenRow {
  const codec = kindCodecOf(entity.kind) as NonNullable<ReturnType<typeof kindCodecOf>>;
  const fresh = codec.doc.write(codec.toDoc(entity));
  return {
    id: entity.id,
    kind: entity.kind,
    account: entity.account,
    nameKey: entity.nameKey,
    doc: entity.foreign === null ? fresh : keepForeign(codec.doc, fresh, entity.foreign),
    references: codec.references(entity),
  };
}

/** Returns the references of an object: none of one that cannot be read. */
export function referencesOf(object: StateObject): readonly Reference[] {
  if (object.kind === "poisoned" || object.kind === "opaque") return [];
  return kindCodecOf(object.kind)?.references(object) ?? [];
}

/** Returns the name of an entity as it is unique: lower-case, a digest where it is long (STO-76). */
export function nameKeyOf(name: string): string {
  const key = name.toLowerCase();
  if (key.length <= maxNameKeyBytes / 4 || Buffer.byteLength(key) <= maxNameKeyBytes) return key;
  return `sha256:${createHash("sha256").update(key, "utf8").digest("hex")}`;
}

/** Returns `entity` under the name key that its record now has. */
export function withNameKey<E extends Entity>(entity: E): E {
  const nameKey = nameKeyOf(kindCodecOf(entity.kind)?.nameKey(entity) ?? "");
  return nameKey === entity.nameKey ? entity : { ...entity, nameKey };
}

type DocFrame = Pick<Frame, "manager" | "createdAtMs" | "labels" | "description">;

const noFrame: DocFrame = {
  manager: "",
  createdAtMs: 0,
  labels: frameMembers.labels.fallback,
  description: "",
};

function frameOfRow(row: StoredRow, doc: DocFrame): Frame {
  const { manager, createdAtMs, labels, description } = doc;
  const { id, account, nameKey, createRevision, modRevision } = row;
  return {
    id,
    account,
    nameKey,
    manager,
    createdAtMs,
    labels,
    description,
    createRevision,
    modRevision,
    size: row.doc.length,
    foreign: null,
  };
}

function opaque(row: StoredRow): OpaqueObject {
  const { kind: storedKind, doc } = row;
  return { ...frameOfRow(row, noFrame), kind: "opaque", storedKind, doc, record: { id: row.id } };
}

function poisoned(row: StoredRow, problem: Problem): StateObject {
  const { kind: storedKind, doc } = row;
  const record = { id: row.id };
  return { ...frameOfRow(row, noFrame), kind: "poisoned", storedKind, doc, problem, record };
}

function problemOf(doc: string, error: unknown): Problem {
  if (error instanceof Unreadable) return problemAt(doc, error.at, error.message);
  const json = parseJson(doc, limits);
  const [first] = json.ok ? [] : json.problems;
  return first ?? problemAt(doc, null, "expected JSON");
}

function problemAt(doc: string, at: Step | null, message: string): Problem {
  const steps: (string | number)[] = [];
  for (let step = at; step !== null; step = step.parent) steps.unshift(step.name);
  return {
    code: "UNREADABLE_OBJECT",
    severity: "ERROR",
    path: steps.reduce<string>(joinPath, ""),
    message,
    position: positionOf(doc, steps),
  };
}

/** Returns where the value at `steps` stands, or the last one on the way that is there. */
function positionOf(doc: string, steps: readonly (string | number)[]): Position | null {
  const json = parseJson(doc, limits);
  if (!json.ok) return null;
  let value: JsonValue = json.value;
  for (const step of steps) {
    const next: JsonValue | undefined =
      value.type === "object"
        ? value.entries.find(({ key }) => key === step)?.value
        : value.type === "array"
          ? value.items[Number(step)]
          : undefined;
    if (next === undefined) break;
    value = next;
  }
  return value.position;
}
