import { completeOptions } from "../document-options.ts";
import type { Place, Report } from "../document-problem.ts";
import type { Header } from "../kinds/header.ts";
import type { DocumentKind } from "../kinds/kind.ts";
import { type Draft as Drawn, World } from "../kinds/world.ts";
import { accountId } from "../shape/names.ts";
import { refuseUnknown } from "../shape/record.ts";
import { type Members, optional, required, type Shape } from "../shape/shape.ts";
import type { DocumentNode, MapNode } from "../yaml/node.ts";
import { expectedRevision } from "./define.ts";

/** An object written as the `spec` of its document says it, with what stands in `metadata` beside. */
export interface WrittenSpec<R> {
  readonly account: string | null;
  /** Its unique id is the derived one, which the operation replaces. */
  readonly record: R;
  readonly expectedRevision: number | null;
}

/**
 * Returns the shape of an input that has the members of a document of `kind`, and name and account beside
 * them: so an operation accepts exactly what a document does. What is outside of the input, accounts or
 * roles that it names, is the operation's to check.
 */
export function writtenSpec<L extends keyof Drawn>(
  kind: DocumentKind,
  list: L,
  nameMember: string,
): Shape<WrittenSpec<Drawn[L][number]>> & { readonly members: Members } {
  const header: Members = {
    [nameMember]: required(kind.name, `The name; of a ${kind.kind} document \`metadata.name\`.`),
    ...(kind.scope === "account"
      ? { account: optional(accountId, null, "The account. Absent: the caller's.") }
      : {}),
    expectedRevision,
  };
  const own = Object.keys(header);
  return {
    expected: `a ${kind.kind}`,
    schema: {},
    members: { ...header, ...kind.spec.members },
    read: (node, place, report) => {
      if (node.type !== "map") return kind.spec.read(node, place, report) as undefined;
      const outside: MapNode = {
        ...node,
        entries: node.entries.filter(({ key }) => own.includes(key)),
      };
      const inside: MapNode = {
        ...node,
        entries: node.entries.filter(({ key }) => !own.includes(key)),
      };
      refuseUnknown(inside, Object.keys(kind.spec.members), place, report);
      const name = readMember(outside, nameMember, header, place, report);
      const written = readMember(outside, "account", header, place, report);
      const account = typeof written === "string" ? written : null;
      const revision = readMember(outside, "expectedRevision", header, place, report);
      if (typeof name !== "string") return undefined;
      const record = readSpec(kind, list, inside, name, account, place, report);
      if (record === undefined) return undefined;
      return { account, record, expectedRevision: typeof revision === "number" ? revision : null };
    },
  };
}

function readMember(
  node: MapNode,
  name: string,
  members: Members,
  place: Place,
  report: Report,
): unknown {
  const member = members[name];
  const entry = node.entries.find(({ key }) => key === name);
  if (member === undefined) return undefined;
  if (entry !== undefined) return member.shape.read(entry.value, { ...place, path: name }, report);
  if (member.required) {
    report.problems.push({
      ...place,
      code: "MISSING_MEMBER",
      severity: "ERROR",
      message: `expected the member \`${name}\``,
    });
  }
  return undefined;
}

function readSpec<L extends keyof Drawn>(
  kind: DocumentKind,
  list: L,
  spec: DocumentNode,
  name: string,
  account: string | null,
  place: Place,
  report: Report,
): Drawn[L][number] | undefined {
  const header: Header = {
    kind: kind.kind,
    name,
    account: account ?? "",
    path: "/",
    place,
    namePlace: place,
    accountPlace: place,
  };
  const world = new OpenWorld(completeOptions({}), report);
  const opened = kind.open(header, spec, place, report);
  opened.declare(world);
  opened.resolve(world);
  const [record] = world.draft[list];
  if (record === undefined) return undefined;
  return record as Drawn[L][number];
}

/** A world in which every name is taken to exist: the operation looks for itself, in the state. */
class OpenWorld extends World {
  override find(kind: string, account: string, name: string): Header {
    const place = { file: "", subject: "", path: "", position: { line: 1, column: 1, offset: 0 } };
    const places = { place, namePlace: place, accountPlace: place };
    return { kind, name, account, path: "/", ...places };
  }
}
