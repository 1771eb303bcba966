import { type JsonValue, parseJson } from "../../../iam/policy/json.ts";
import type { KeySource } from "../model.ts";

/** Values on their way into a document. */

/** Returns `list`, or undefined where it is empty: the member is then left out. */
export function unlessEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

/** Returns `map`, or undefined where it is empty. */
export function unlessEmptyMap<V>(map: ReadonlyMap<string, V>): ReadonlyMap<string, V> | undefined {
  return map.size === 0 ? undefined : map;
}

/** Returns `value`, or undefined where it is the default and need not be written. */
export function unless<T>(value: T, fallback: T): T | undefined {
  return value === fallback ? undefined : value;
}

const limits = { maxBytes: 1_048_576, maxDepth: 32, characters: "any" } as const;

/**
 * Returns JSON text as a mapping where reading that mapping gives the very same text back, which is
 * so for compact JSON with ordinary numbers; else the text itself, which is then written as a text.
 */
export function writtenJson(text: string): unknown {
  const json = parseJson(text, limits);
  if (!json.ok || json.value.type !== "object") return text;
  return compact(json.value) === text && isPlain(json.value) ? plain(json.value) : text;
}

function compact(value: JsonValue): string {
  switch (value.type) {
    case "object": {
      const entries = value.entries.map(
        (one) => `${JSON.stringify(one.key)}:${compact(one.value)}`,
      );
      return `{${entries.join(",")}}`;
    }
    case "array":
      return `[${value.items.map(compact).join(",")}]`;
    case "string":
      return JSON.stringify(value.value);
    case "number":
      return value.text;
    case "boolean":
      return String(value.value);
    case "null":
      return "null";
  }
}

/** True when every number would be written as it is. */
function isPlain(value: JsonValue): boolean {
  switch (value.type) {
    case "object":
      return value.entries.every((entry) => isPlain(entry.value));
    case "array":
      return value.items.every(isPlain);
    case "number":
      return String(Number(value.text)) === value.text;
    default:
      return true;
  }
}

function plain(value: JsonValue): unknown {
  switch (value.type) {
    case "object":
      // A Map keeps the order even of keys that look like numbers.
      return new Map(value.entries.map((entry) => [entry.key, plain(entry.value)]));
    case "array":
      return value.items.map(plain);
    case "number":
      return Number(value.text);
    case "string":
    case "boolean":
      return value.value;
    case "null":
      return null;
  }
}

/** Returns the members of `jwks` or `bundle` that say where keys come from. */
export function writtenKeys(source: KeySource): Readonly<Record<string, unknown>> {
  switch (source.type) {
    case "discovery":
      return {};
    case "uri":
      return { uri: source.uri };
    case "keys": {
      const json = parseJson(source.json, limits);
      const set = json.ok ? plain(json.value) : null;
      return { keys: set instanceof Map ? set.get("keys") : [] };
    }
  }
}
