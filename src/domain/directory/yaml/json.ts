import type { Position } from "../../../iam/problem.ts";
import type { DocumentNode, ScalarNode } from "./node.ts";

/** JSON made from nodes, and the way back from a place in it to the place in the file. */
export interface WrittenJson {
  readonly text: string;
  /** The position in the file of what stands at `offset` in `text`. */
  readonly positionAt: (offset: number) => Position;
  /** Numbers that JSON has no form for, like `0x1F`, `012` or `.5`. */
  readonly unwritable: readonly ScalarNode[];
}

/** RFC 8259, 6. */
const jsonNumber = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/;

/**
 * Returns `node` as compact JSON in the order of the file, numbers by their source text (FILE-3).
 * Where `unwritable` is not empty the text is not JSON. Linear in the nodes after alias expansion.
 */
export function writeJson(node: DocumentNode): WrittenJson {
  const parts: string[] = [];
  const offsets: number[] = [];
  const positions: Position[] = [];
  const unwritable: ScalarNode[] = [];
  let length = 0;

  const put = (text: string): void => {
    parts.push(text);
    length += text.length;
  };
  const mark = (position: Position): void => {
    offsets.push(length);
    positions.push(position);
  };
  const write = (value: DocumentNode): void => {
    mark(value.position);
    switch (value.type) {
      case "map":
        put("{");
        for (const [index, entry] of value.entries.entries()) {
          if (index > 0) put(",");
          mark(entry.keyPosition);
          put(`${JSON.stringify(entry.key)}:`);
          write(entry.value);
        }
        put("}");
        break;
      case "list":
        put("[");
        for (const [index, item] of value.items.entries()) {
          if (index > 0) put(",");
          write(item);
        }
        put("]");
        break;
      case "text":
        put(JSON.stringify(value.text));
        break;
      case "number":
        if (!jsonNumber.test(value.text)) unwritable.push(value);
        put(value.text);
        break;
      case "boolean":
      case "null":
        put(value.text);
        break;
    }
  };

  write(node);
  const positionAt = (offset: number): Position => {
    let low = 0;
    let high = offsets.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((offsets[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return positions[low] ?? node.position;
  };
  return { text: parts.join(""), positionAt, unwritable };
}
