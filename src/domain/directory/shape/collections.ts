import { quote } from "../../../iam/problem.ts";
import { refuseAt, within } from "../document-problem.ts";
import { refuseValue, type Shape } from "./shape.ts";

/** How a list is bounded. */
export interface ListRules<T> {
  readonly min?: number;
  readonly max: number;
  /** What may not stand twice in the list; absent: repetitions are fine. */
  readonly uniqueBy?: (item: T) => string;
}

/** Returns the shape of lists of `item`. Items that cannot be used are reported and left out. */
export function listOf<T>(item: Shape<T>, rules: ListRules<T>): Shape<readonly T[]> {
  const { min = 0, max, uniqueBy } = rules;
  const count = min === 0 ? `at most ${max}` : min === max ? `${max}` : `${min} to ${max}`;
  const expected = `a list of ${count}, each ${item.expected}`;
  return {
    expected,
    read: (node, place, report) => {
      if (node.type !== "list") return refuseValue(node, place, report, "a list");
      if (node.items.length < min || node.items.length > max) {
        const got = `expected a list of ${count}, got ${node.items.length}`;
        refuseAt(report, place, "INVALID_VALUE", got);
        return undefined;
      }
      const values: T[] = [];
      const seen = new Map<string, number>();
      for (const [index, child] of node.items.entries()) {
        const at = within(place, index, child.position);
        const value = item.read(child, at, report);
        if (value === undefined) continue;
        const key = uniqueBy?.(value);
        const first = key === undefined ? undefined : seen.get(key);
        if (key !== undefined && first !== undefined) {
          refuseAt(report, at, "DUPLICATE_VALUE", `${quote(key)} is already item ${first}`);
          continue;
        }
        if (key !== undefined) seen.set(key, index);
        values.push(value);
      }
      return values;
    },
    schema: {
      type: "array",
      items: item.schema,
      maxItems: max,
      ...(min > 0 ? { minItems: min } : {}),
      ...(uniqueBy === undefined ? {} : { uniqueItems: true }),
    },
    members: item.members,
  };
}

/** One entry of a mapping with free keys. */
export interface Entry<T> {
  readonly key: string;
  readonly value: T;
}

/**
 * Returns the shape of mappings whose keys match `keyPattern` (anchored, described by `keyExpected`)
 * and are unique ignoring ASCII case, in the order of the file.
 */
export function mapOf<T>(
  keyExpected: string,
  keyPattern: RegExp,
  value: Shape<T>,
  max: number,
): Shape<readonly Entry<T>[]> {
  return {
    expected: `a mapping of at most ${max}, from ${keyExpected} to ${value.expected}`,
    read: (node, place, report) => {
      if (node.type !== "map") return refuseValue(node, place, report, "a mapping");
      if (node.entries.length > max) {
        const got = `expected a mapping of at most ${max} members, got ${node.entries.length}`;
        refuseAt(report, place, "INVALID_VALUE", got);
        return undefined;
      }
      const entries: Entry<T>[] = [];
      const seen = new Map<string, string>();
      for (const { key, keyPosition, value: child } of node.entries) {
        const at = within(place, key, keyPosition);
        const first = seen.get(key.toLowerCase());
        if (!keyPattern.test(key)) {
          refuseAt(report, at, "INVALID_VALUE", `expected ${keyExpected}, got ${quote(key)}`);
        } else if (first !== undefined) {
          const message = `${quote(key)} and ${quote(first)} differ in case only`;
          refuseAt(report, at, "DUPLICATE_VALUE", message);
        }
        seen.set(key.toLowerCase(), key);
        const read = value.read(child, within(place, key, child.position), report);
        if (read !== undefined) entries.push({ key, value: read });
      }
      return entries;
    },
    schema: {
      type: "object",
      propertyNames: { pattern: keyPattern.source },
      additionalProperties: value.schema,
      maxProperties: max,
    },
    members: value.members,
  };
}
