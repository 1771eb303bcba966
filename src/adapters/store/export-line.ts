import { quote } from "../../iam/problem.ts";
import { schemaVersion } from "./schema.ts";
import type { CopiedObject, CopyOrigin, Reference } from "./store.ts";

/** The first member of every export's first line. */
export const exportFormat = "mesh-iam-store-export/1";

export type ExportHeader = CopyOrigin;

type Members = Readonly<Record<string, unknown>>;

/** Returns what an export says of its origin, or why the line is no header. */
export function readHeader(text: string): ExportHeader | string {
  const line = parse(text);
  if (line?.format !== exportFormat) return `expected the format ${quote(exportFormat)}`;
  const { schema, org, epoch, revision, chain } = line;
  if (!isCount(schema)) return "expected a number as `schema`";
  if (schema > schemaVersion) {
    return `it is of schema ${schema}, this binary knows ${schemaVersion}: run a newer mesh-iam`;
  }
  if (typeof org !== "string" || org === "") return "expected an organization as `org`";
  if (!isCount(epoch) || !isCount(revision)) return "expected numbers as `epoch` and `revision`";
  if (typeof chain !== "string" || !/^[0-9a-f]{64}$/.test(chain)) {
    return "expected 64 hex digits as `chain`";
  }
  return { org, epoch, revision, chain: new Uint8Array(Buffer.from(chain, "hex")) };
}

/** Returns the last line's counts and digest, null for any other line. */
export function readEnd(text: string): { objects: number; digest: string } | null {
  if (!text.startsWith('{"objects":')) return null;
  const { objects, digest } = parse(text) ?? {};
  return isCount(objects) && typeof digest === "string" ? { objects, digest } : null;
}

/** Returns an object, or why the line is none. */
export function readObject(text: string): CopiedObject | string {
  const line = parse(text);
  if (line === null) return "expected a JSON object";
  const { id, kind, account, nameKey, doc, createRevision, modRevision, references } = line;
  if (
    typeof id !== "string" ||
    typeof kind !== "string" ||
    typeof account !== "string" ||
    typeof nameKey !== "string" ||
    typeof doc !== "string"
  ) {
    return "expected texts as `id`, `kind`, `account`, `nameKey` and `doc`";
  }
  if (!isCount(createRevision) || !isCount(modRevision)) {
    return "expected numbers as `createRevision` and `modRevision`";
  }
  if (!Array.isArray(references) || !references.every(isReference)) {
    return "expected a list of `rel` and `to` as `references`";
  }
  return { id, kind, account, nameKey, doc, createRevision, modRevision, references };
}

function isReference(value: unknown): value is Reference {
  if (typeof value !== "object" || value === null) return false;
  const { rel, to } = value as Members;
  return typeof rel === "string" && typeof to === "string";
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function parse(text: string): Members | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Members) : null;
  } catch {
    return null;
  }
}
