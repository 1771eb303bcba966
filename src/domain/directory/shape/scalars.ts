import { meant, nearestWord } from "../../../iam/nearest-word.ts";
import { quote } from "../../../iam/problem.ts";
import { type Place, refuseAt } from "../document-problem.ts";
import { type DocumentNode, describeNode } from "../yaml/node.ts";
import { refuseValue, type Shape } from "./shape.ts";

/**
 * Returns the shape of texts of at most `maxLength` UTF-16 units that match `pattern`, which is
 * anchored. `expected` says in words what the pattern says in signs. A number or a boolean is refused
 * with the advice to quote it.
 */
export function text(expected: string, pattern: RegExp, maxLength: number): Shape<string> {
  return {
    expected,
    read: (node, place, report) => {
      if (node.type === "number" || node.type === "boolean") {
        const got = `got ${describeNode(node)}: quote it, ${JSON.stringify(node.text)}`;
        refuseAt(report, place, "INVALID_VALUE", `expected ${expected}, ${got}`);
        return undefined;
      }
      if (node.type !== "text" || node.text.length > maxLength || !pattern.test(node.text)) {
        return refuseValue(node, place, report, expected);
      }
      return node.text;
    },
    schema: { type: "string", maxLength, pattern: pattern.source },
    members: null,
  };
}

/** Returns the shape of `true` and `false`. */
export function flag(): Shape<boolean> {
  const expected = "true or false";
  return {
    expected,
    read: (node, place, report) =>
      node.type === "boolean" ? node.text === "true" : refuseValue(node, place, report, expected),
    schema: { type: "boolean" },
    members: null,
  };
}

/** Returns the shape of whole numbers from `min` to `max`, both included. */
export function whole(min: number, max: number): Shape<number> {
  const expected = `a whole number from ${min} to ${max}`;
  return {
    expected,
    read: (node, place, report) => {
      const digits = node.type === "number" && /^[0-9]{1,15}$/.test(node.text);
      const value = digits ? Number(node.text) : Number.NaN;
      return value >= min && value <= max ? value : refuseValue(node, place, report, expected);
    },
    schema: { type: "integer", minimum: min, maximum: max },
    members: null,
  };
}

/** Returns the shape of one out of `words`; the refusal names the nearest. */
export function word<const W extends string>(...words: readonly W[]): Shape<W> {
  const expected =
    words.length === 1 ? quote(words[0] ?? "") : `one of ${words.map(quote).join(", ")}`;
  return {
    expected,
    read: (node, place, report) => {
      const found = words.find((known) => node.type === "text" && known === node.text);
      if (found !== undefined) return found;
      const near = node.type === "text" ? nearestWord(node.text, words) : null;
      const message = `expected ${expected}, got ${describeNode(node)}${meant(near)}`;
      refuseAt(report, place, "INVALID_VALUE", message);
      return undefined;
    },
    schema: { enum: words },
    members: null,
  };
}

/** A value with the place it was read at, for checks that come after reading. */
export interface Placed<T> {
  readonly value: T;
  readonly place: Place;
}

/** Returns `shape` with the place of each value kept. */
export function placed<T>(shape: Shape<T>): Shape<Placed<T>> {
  return {
    ...shape,
    read: (node: DocumentNode, place, report) => {
      const value = shape.read(node, place, report);
      return value === undefined ? undefined : { value, place };
    },
  };
}
