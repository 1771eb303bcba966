import type { Place, Report } from "../document-problem.ts";
import type { Directory } from "../model.ts";
import type { RecordShape } from "../shape/record.ts";
import type { Members, Shape, ValueOf } from "../shape/shape.ts";
import type { DocumentNode } from "../yaml/node.ts";
import type { Header } from "./header.ts";
import type { World } from "./world.ts";

/**
 * A kind of document, declared once: its file in this folder and its line in the registry are all that
 * a new kind needs. Reading, unknown members, editor schema and reference page follow from `spec`.
 */
export interface KindDefinition<M extends Members> {
  readonly kind: string;
  /** A sentence of markdown for the reference page and the editor. */
  readonly summary: string;
  /** Whether `metadata.account` is required or forbidden. */
  readonly scope: "organization" | "account";
  readonly name: Shape<string>;
  /** Whether `metadata.path` is accepted. */
  readonly hasPath: boolean;
  readonly spec: RecordShape<M>;
  /**
   * What tells objects of this kind and account apart; by default the name in lower case, since names
   * are unique ignoring case (STO-76).
   */
  readonly key?: (header: Header, spec: ValueOf<M>) => string;
  /** Paths of the files that the document names, relative to the folder of documents. */
  readonly files?: (header: Header, spec: ValueOf<M>) => readonly string[];
  /** Makes known to the other documents what they need of this one; runs for all before `resolve`. */
  readonly declare?: (header: Header, spec: ValueOf<M>, world: World) => void;
  /** Checks references and quotas and puts the entity into the world's draft. */
  readonly resolve: (header: Header, spec: ValueOf<M>, world: World) => void;
  /** Returns the documents of this kind that `directory` is written as, in the order of their ids. */
  readonly write: (directory: Directory) => readonly WrittenDocument[];
}

/** A document on the way out. Undefined members are left out; Maps are mappings with free keys. */
export interface WrittenDocument {
  readonly metadata: {
    readonly name: string;
    readonly account?: string;
    readonly path?: string | undefined;
  };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** A kind with the types of its members hidden, so that kinds of all sorts stand in one registry. */
export interface DocumentKind {
  readonly kind: string;
  readonly summary: string;
  readonly scope: "organization" | "account";
  readonly name: Shape<string>;
  readonly hasPath: boolean;
  readonly spec: Shape<unknown> & { readonly members: Members };
  readonly write: (directory: Directory) => readonly WrittenDocument[];
  /** Returns the document with its `spec` read; problems are reported. */
  readonly open: (header: Header, spec: DocumentNode, place: Place, report: Report) => OpenDocument;
}

/** A document whose members were read, waiting for the others. */
export interface OpenDocument {
  readonly header: Header;
  readonly key: string;
  readonly files: readonly string[];
  readonly declare: (world: World) => void;
  readonly resolve: (world: World) => void;
}

/** Returns the kind that `definition` describes. */
export function defineKind<M extends Members>(definition: KindDefinition<M>): DocumentKind {
  const { kind, summary, scope, name, hasPath, spec, write } = definition;
  return {
    kind,
    summary,
    scope,
    name,
    hasPath,
    spec,
    write,
    open: (header, node, place, report) => {
      const value = spec.read(node, place, report);
      const byName = header.name.toLowerCase();
      if (value === undefined) {
        return { header, key: byName, files: [], declare: nothing, resolve: nothing };
      }
      return {
        header,
        key: definition.key?.(header, value) ?? byName,
        files: definition.files?.(header, value) ?? [],
        declare: (world) => definition.declare?.(header, value, world),
        resolve: (world) => definition.resolve(header, value, world),
      };
    },
  };
}

// A document that cannot be read is known by its name, so that references to it are no second problem.
function nothing(): void {}
