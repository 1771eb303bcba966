import {
  type DocumentProblemCode,
  type Place,
  type Report,
  refuseAt,
} from "../document-problem.ts";
import { type DocumentNode, describeNode } from "../yaml/node.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * What a member of a document can be, declared once: how it is read, and how the editor schema and the
 * reference page describe it. A reader reports every problem it finds and returns undefined for a value
 * that cannot be used.
 */
export interface Shape<out T> {
  /** Completes "expected …": `a whole number from 0 to 300`. */
  readonly expected: string;
  readonly read: (node: DocumentNode, place: Place, report: Report) => T | undefined;
  readonly schema: JsonSchema;
  /** The members of the mapping, or of the mappings in the list, that this is; null for others. */
  readonly members: Members | null;
}

/** One line of a member table. */
export interface Member<out T> {
  readonly shape: Shape<T>;
  readonly required: boolean;
  /** The value where the member is absent; undefined for a required one. */
  readonly fallback: T | undefined;
  /** A sentence or two of markdown for the reference page and the editor. */
  readonly description: string;
}

export interface Members {
  readonly [name: string]: Member<unknown>;
}

/** The value of a mapping that `M` describes. */
export type ValueOf<M extends Members> = {
  readonly [K in keyof M]: M[K] extends Member<infer T> ? T : never;
};

/** Returns a member that must be there. */
export function required<T>(shape: Shape<T>, description: string): Member<T> {
  return Object.freeze({ shape, required: true, fallback: undefined, description });
}

/** Returns a member that may be absent and then has the value `fallback`. */
export function optional<T, const D>(
  shape: Shape<T>,
  fallback: D,
  description: string,
): Member<T | D> {
  return Object.freeze({ shape, required: false, fallback, description });
}

/** Reports that `node` is not what was expected, and returns undefined. */
export function refuseValue(
  node: DocumentNode,
  place: Place,
  report: Report,
  expected: string,
  code: DocumentProblemCode = "INVALID_VALUE",
): undefined {
  refuseAt(report, place, code, `expected ${expected}, got ${describeNode(node)}`);
  return undefined;
}
