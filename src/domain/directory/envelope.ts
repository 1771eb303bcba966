import { meant, nearestWord } from "../../iam/nearest-word.ts";
import { type Position, quote } from "../../iam/problem.ts";
import { type Place, type Report, refuseAt, within } from "./document-problem.ts";
import type { Header } from "./kinds/header.ts";
import type { DocumentKind } from "./kinds/kind.ts";
import { mapOf } from "./shape/collections.ts";
import { accountId, path } from "./shape/names.ts";
import { refuseUnknown } from "./shape/record.ts";
import { text } from "./shape/scalars.ts";
import { refuseValue } from "./shape/shape.ts";
import type { DocumentNode, MapEntry, MapNode } from "./yaml/node.ts";

/** What stands around a `spec`, alike for every kind. */

export const apiVersion = "mesh-iam.io/v1";
const envelopeMembers = ["apiVersion", "kind", "metadata", "spec", "status"];

/** `metadata.labels`: they select (`get -l`) and are no tags (FILE-2). */
export const labels = mapOf(
  "a label of 1 to 253 letters, digits and `._/-`",
  /^[A-Za-z0-9][A-Za-z0-9._/-]{0,252}$/,
  text("a text of at most 253 characters on one line", /^[^\p{Cc}]*$/u, 253),
  64,
);

/** A document of a known kind whose envelope could be read. */
export interface Envelope {
  readonly kind: DocumentKind;
  readonly header: Header;
  readonly spec: DocumentNode;
  readonly specPlace: Place;
}

/** Returns `Kind/name` as far as the document says them, for problems of any sort. */
export function subjectOf(root: DocumentNode | null): string {
  if (root?.type !== "map") return "";
  const kind = textOf(member(root, "kind"));
  const metadata = member(root, "metadata")?.value;
  const name = metadata?.type === "map" ? textOf(member(metadata, "name")) : null;
  return [kind, name].filter((word) => word !== null).join("/");
}

/**
 * Returns the document's kind, header and `spec`, or null when kind or name cannot be made out; every
 * problem is reported. `status` is what `get` prints and is not read (FILE-9). An absent `spec` is an
 * empty one.
 */
export function readEnvelope(
  root: DocumentNode,
  file: string,
  kinds: readonly DocumentKind[],
  report: Report,
): Envelope | null {
  const place: Place = { file, subject: subjectOf(root), path: "", position: root.position };
  if (root.type !== "map") return refuseValue(root, place, report, "a mapping") ?? null;
  refuseUnknown(root, envelopeMembers, place, report);
  checkApiVersion(root, place, report);
  const kind = readKind(root, place, kinds, report);
  if (kind === null) return null;
  const header = readHeader(root, kind, place, report);
  if (header === null) return null;
  const entry = member(root, "spec");
  const spec = entry?.value ?? emptyMap(root.position);
  return { kind, header, spec, specPlace: within(place, "spec", spec.position) };
}

function checkApiVersion(root: MapNode, place: Place, report: Report): void {
  const entry = member(root, "apiVersion");
  if (entry === undefined) {
    missing(place, "apiVersion", report);
    return;
  }
  if (textOf(entry) === apiVersion) return;
  const at = within(place, "apiVersion", entry.value.position);
  refuseValue(entry.value, at, report, quote(apiVersion));
}

function readKind(
  root: MapNode,
  place: Place,
  kinds: readonly DocumentKind[],
  report: Report,
): DocumentKind | null {
  const entry = member(root, "kind");
  if (entry === undefined) {
    missing(place, "kind", report);
    return null;
  }
  const word = textOf(entry);
  const found = kinds.find(({ kind }) => kind === word);
  if (found !== undefined) return found;
  const at = within(place, "kind", entry.value.position);
  if (word === null) return refuseValue(entry.value, at, report, "a kind like `User`") ?? null;
  const known = kinds.map(({ kind }) => kind);
  const hint = meant(nearestWord(word, known));
  refuseAt(report, at, "UNKNOWN_KIND", `unknown kind ${quote(word)}${hint}`);
  return null;
}

function readHeader(
  root: MapNode,
  kind: DocumentKind,
  place: Place,
  report: Report,
): Header | null {
  const entry = member(root, "metadata");
  if (entry === undefined) {
    missing(place, "metadata", report);
    return null;
  }
  const { value: metadata } = entry;
  const at = within(place, "metadata", metadata.position);
  if (metadata.type !== "map") return refuseValue(metadata, at, report, "a mapping") ?? null;
  refuseUnknown(metadata, metadataMembers(kind), at, report);
  const read = <T>(
    name: string,
    shape: { read: (node: DocumentNode, place: Place, report: Report) => T | undefined },
  ): T | undefined => {
    const found = member(metadata, name);
    if (found === undefined) return undefined;
    return shape.read(found.value, within(at, name, found.value.position), report);
  };
  read("labels", labels);
  for (const name of kind.scope === "account" ? ["name", "account"] : ["name"]) {
    if (member(metadata, name) === undefined) missing(at, name, report);
  }
  const name = read("name", kind.name);
  const account = kind.scope === "account" ? read("account", accountId) : "";
  const readPath = kind.hasPath ? read("path", path) : "/";
  if (name === undefined || account === undefined) return null;
  const namePosition = member(metadata, "name")?.value.position ?? at.position;
  const accountPosition = member(metadata, "account")?.value.position ?? at.position;
  return {
    kind: kind.kind,
    name,
    account,
    path: readPath ?? "/",
    place,
    namePlace: within(at, "name", namePosition),
    accountPlace: within(at, "account", accountPosition),
  };
}

/** Returns the members that `metadata` of a kind may have. */
export function metadataMembers(kind: Pick<DocumentKind, "scope" | "hasPath">): readonly string[] {
  const account = kind.scope === "account" ? ["account"] : [];
  return ["name", ...account, ...(kind.hasPath ? ["path"] : []), "labels"];
}

function missing(place: Place, name: string, report: Report): void {
  refuseAt(report, place, "MISSING_MEMBER", `expected the member ${quote(name)}`);
}

function member(map: MapNode, name: string): MapEntry | undefined {
  return map.entries.find(({ key }) => key === name);
}

function textOf(entry: MapEntry | undefined): string | null {
  return entry?.value.type === "text" ? entry.value.text : null;
}

function emptyMap(position: Position): MapNode {
  return { type: "map", position, entries: [] };
}
