import { type JsonValue, parseJson } from "../../iam/policy/json.ts";
import { type Parsed, quote } from "../../iam/problem.ts";

/**
 * A JSON object of a token: its members by their exact, unescaped name, in a map, so that `__proto__`
 * is a name like any other. `text` is the source that the places inside the values refer to.
 */
export interface JsonObject {
  readonly text: string;
  readonly members: ReadonlyMap<string, JsonValue>;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Deeper nesting than any provider uses, and far from what a stack bears. */
const maxDepth = 32;

/**
 * Returns the text of `bytes`, or null if they are not well-formed UTF-8. A byte order mark is kept,
 * so that the reader behind this one refuses it.
 */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    // The decoder has no other way to say no, and the bytes are the sender's: nothing more is to be told.
    return null;
  }
}

/**
 * Returns the JSON object that `text` is, or why it is refused: `json-syntax` (RFC 8259 strictly; a
 * name twice, at any depth, escapes resolved; more than 32 levels), `json-object` (another type).
 * `text` is bounded by the token's cap. Linear; never throws. Lone surrogates are kept: see `claimsOf`.
 */
export function parseJsonObject(text: string): Parsed<JsonObject> {
  // The token is already capped in characters, and a character has at most three bytes per unit.
  const limits = { maxBytes: 3 * text.length, maxDepth, characters: "any" } as const;
  const loaded = parseJson(text, limits);
  if (!loaded.ok) {
    const [problem] = loaded.problems;
    return { ok: false, code: "json-syntax", message: problem?.message ?? "expected JSON" };
  }
  if (loaded.value.type !== "object") {
    return { ok: false, code: "json-object", message: `expected an object, got ${quote(text)}` };
  }
  const members = new Map<string, JsonValue>();
  for (const entry of loaded.value.entries) members.set(entry.key, entry.value);
  return { ok: true, value: { text, members } };
}

/** Returns the member `name` of a JSON value; undefined if it is no object or has none. */
export function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (value?.type !== "object") return undefined;
  return value.entries.find((entry) => entry.key === name)?.value;
}

/** Returns the text of a JSON string, null for any other value. */
export function stringOf(value: JsonValue | undefined): string | null {
  return value?.type === "string" ? value.value : null;
}
