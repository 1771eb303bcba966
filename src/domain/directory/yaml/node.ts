import { type Position, quote } from "../../../iam/problem.ts";

/**
 * A document as data with positions, whether it was written as YAML or as JSON. Aliases are resolved:
 * the same node may stand in several places, so nodes are never changed.
 */
export type DocumentNode = MapNode | ListNode | ScalarNode;

export interface MapNode {
  readonly type: "map";
  readonly position: Position;
  /** In the order of the file; keys are unique. */
  readonly entries: readonly MapEntry[];
}

export interface MapEntry {
  readonly key: string;
  readonly keyPosition: Position;
  readonly value: DocumentNode;
}

export interface ListNode {
  readonly type: "list";
  readonly position: Position;
  readonly items: readonly DocumentNode[];
}

export interface ScalarNode {
  readonly type: "text" | "number" | "boolean" | "null";
  readonly position: Position;
  /** The text; of a number its source text (DOC-12); `true`, `false`, `null`. */
  readonly text: string;
  /** The lines of a block literal (`|`) as they stand in the file, header first; null elsewhere. */
  readonly literal: readonly string[] | null;
}

/** Returns the words that name what `node` is: for "expected …, got a list". */
export function describeNode(node: DocumentNode): string {
  switch (node.type) {
    case "map":
      return "a mapping";
    case "list":
      return "a list";
    case "null":
      return "nothing";
    case "text":
    case "number":
    case "boolean":
      return `the ${node.type} ${quote(node.text)}`;
  }
}
