import { type Loaded, type Position, type Problem, quote } from "../problem.ts";
import {
  type CharacterSet,
  formatCodePoint,
  unsupportedCharacter,
  utf8Exceeds,
} from "./characters.ts";

/**
 * JSON as written: entries in the order of the text, numbers by their source text, every value with
 * its place. `end` is the offset behind the value, so `text.slice(position.offset, end)` is its
 * source. No key of a text ever becomes a property name (DOC-18).
 */
export type JsonValue =
  | JsonObject
  | JsonArray
  | JsonString
  | JsonNumber
  | (Placed & { readonly type: "boolean"; readonly value: boolean })
  | (Placed & { readonly type: "null" });

interface Placed {
  readonly position: Position;
  readonly end: number;
}

export interface JsonObject extends Placed {
  readonly type: "object";
  readonly entries: readonly JsonEntry[];
}

export interface JsonEntry {
  readonly key: string;
  readonly position: Position;
  readonly value: JsonValue;
}

export interface JsonArray extends Placed {
  readonly type: "array";
  readonly items: readonly JsonValue[];
}

export interface JsonString extends Placed {
  readonly type: "string";
  readonly value: string;
}

/** `text` is the number as written: `1.0` stays `1.0` (DOC-12). */
export interface JsonNumber extends Placed {
  readonly type: "number";
  readonly text: string;
}

export interface JsonLimits {
  /** Size of the text in bytes of UTF-8. */
  readonly maxBytes: number;
  /** Nesting of objects and arrays; the outermost counts one. Keep it small: the parser recurses. */
  readonly maxDepth: number;
  readonly characters: CharacterSet;
}

/**
 * Returns the value of `text`, strictly: no byte-order mark, comment, trailing comma or text behind
 * the value, and no key twice in one object (DOC-1, DOC-2). Refusals, all of severity ERROR:
 * `JSON_SYNTAX_ERROR`, `DUPLICATE_KEY`, `UNSUPPORTED_CHARACTER`, `TEXT_SIZE_LIMIT`, `NESTING_LIMIT`.
 * A syntax error ends the reading; the others are collected, up to a hundred. Linear in the text.
 */
export function parseJson(text: string, limits: JsonLimits): Loaded<JsonValue> {
  const reader: Reader = {
    text,
    limits,
    at: 0,
    line: 1,
    lineStart: 0,
    depth: 0,
    path: [],
    problems: [],
  };
  if (utf8Exceeds(text, limits.maxBytes)) {
    report(reader, "TEXT_SIZE_LIMIT", `expected at most ${limits.maxBytes} bytes of text`);
    return { ok: false, problems: reader.problems };
  }
  const value = readDocument(reader);
  if (value === null || reader.problems.length > 0) return { ok: false, problems: reader.problems };
  return { ok: true, value, findings: [] };
}

interface Reader {
  readonly text: string;
  readonly limits: JsonLimits;
  at: number;
  line: number;
  /** Offset of the first character of the current line. */
  lineStart: number;
  depth: number;
  /** Keys and indices down to the value being read. */
  readonly path: (string | number)[];
  readonly problems: Problem[];
}

const maxProblems = 100;

function readDocument(reader: Reader): JsonValue | null {
  if (reader.text.charCodeAt(0) === 0xfeff) {
    return fail(reader, "a text without a byte-order mark");
  }
  skipSpace(reader);
  const value = readValue(reader);
  if (value === null) return null;
  skipSpace(reader);
  return reader.at < reader.text.length ? fail(reader, "nothing behind the value") : value;
}

// Null means a syntax error or a limit, which is already reported.
function readValue(reader: Reader): JsonValue | null {
  switch (reader.text.charCodeAt(reader.at)) {
    case 0x7b:
      return readNested(reader, readObject);
    case 0x5b:
      return readNested(reader, readArray);
    case 0x22:
      return readString(reader);
    case 0x74:
      return readWord(reader, "true", (placed) => ({ type: "boolean", value: true, ...placed }));
    case 0x66:
      return readWord(reader, "false", (placed) => ({ type: "boolean", value: false, ...placed }));
    case 0x6e:
      return readWord(reader, "null", (placed) => ({ type: "null", ...placed }));
    default:
      return readNumber(reader);
  }
}

function readNested(
  reader: Reader,
  read: (reader: Reader, position: Position) => JsonValue | null,
): JsonValue | null {
  if (reader.depth === reader.limits.maxDepth) {
    report(reader, "NESTING_LIMIT", `expected at most ${reader.limits.maxDepth} levels of nesting`);
    return null;
  }
  reader.depth++;
  const position = here(reader);
  reader.at++;
  const value = read(reader, position);
  reader.depth--;
  return value;
}

function readObject(reader: Reader, position: Position): JsonObject | null {
  const entries: JsonEntry[] = [];
  const seen = new Set<string>();
  for (;;) {
    skipSpace(reader);
    if (entries.length === 0 && taken(reader, 0x7d)) break;
    if (reader.text.charCodeAt(reader.at) !== 0x22) return fail(reader, "a key in double quotes");
    const key = readString(reader);
    if (key === null) return null;
    reader.path.push(key.value);
    if (seen.has(key.value)) {
      report(reader, "DUPLICATE_KEY", `expected each key once, got ${quote(key.value)} again`, key);
    }
    seen.add(key.value);
    skipSpace(reader);
    if (!taken(reader, 0x3a)) return fail(reader, "a colon");
    skipSpace(reader);
    const value = readValue(reader);
    if (value === null) return null;
    reader.path.pop();
    entries.push({ key: key.value, position: key.position, value });
    skipSpace(reader);
    if (taken(reader, 0x7d)) break;
    if (!taken(reader, 0x2c)) return fail(reader, "a comma or a closing brace");
  }
  return { type: "object", entries, position, end: reader.at };
}

function readArray(reader: Reader, position: Position): JsonArray | null {
  const items: JsonValue[] = [];
  for (;;) {
    skipSpace(reader);
    if (items.length === 0 && taken(reader, 0x5d)) break;
    reader.path.push(items.length);
    const value = readValue(reader);
    if (value === null) return null;
    reader.path.pop();
    items.push(value);
    skipSpace(reader);
    if (taken(reader, 0x5d)) break;
    if (!taken(reader, 0x2c)) return fail(reader, "a comma or a closing bracket");
  }
  return { type: "array", items, position, end: reader.at };
}

function readString(reader: Reader): JsonString | null {
  const { text } = reader;
  const position = here(reader);
  let value = "";
  let from = ++reader.at;
  for (;;) {
    const code = text.charCodeAt(reader.at);
    if (code === 0x22) break;
    if (!(code >= 0x20)) return fail(reader, "a closing quote");
    if (code !== 0x5c) {
      reader.at++;
      continue;
    }
    const escaped = readEscape(reader);
    if (escaped === null) return fail(reader, "a JSON escape");
    value += text.slice(from, reader.at) + escaped;
    reader.at += escapeLength(text, reader.at);
    from = reader.at;
  }
  value += text.slice(from, reader.at);
  reader.at++;
  const string: JsonString = { type: "string", value, position, end: reader.at };
  const bad = unsupportedCharacter(value, reader.limits.characters);
  if (bad !== null) {
    report(
      reader,
      "UNSUPPORTED_CHARACTER",
      `expected no character ${formatCodePoint(bad)}`,
      string,
    );
  }
  return string;
}

const shortEscapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

// The text that the escape at the reader's place stands for; null: none of JSON's.
function readEscape({ text, at }: Reader): string | null {
  if (text[at + 1] !== "u") return shortEscapes.get(text[at + 1] ?? "") ?? null;
  let unit = 0;
  for (let i = at + 2; i < at + 6; i++) {
    const digit = hexDigit(text.charCodeAt(i));
    if (digit < 0) return null;
    unit = unit * 16 + digit;
  }
  return String.fromCharCode(unit);
}

function escapeLength(text: string, at: number): number {
  return text[at + 1] === "u" ? 6 : 2;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function readNumber(reader: Reader): JsonNumber | null {
  const position = here(reader);
  const { text } = reader;
  let at = reader.at;
  if (text[at] === "-") at++;
  const whole = digitsEnd(text, at);
  // RFC 8259, 6: at least one digit, and no zero before another
  if (whole === at || (text[at] === "0" && whole > at + 1)) return fail(reader, "a JSON value");
  at = whole;
  if (text[at] === ".") {
    const fraction = digitsEnd(text, at + 1);
    if (fraction === at + 1) return fail(reader, "a JSON number");
    at = fraction;
  }
  if (text[at] === "e" || text[at] === "E") {
    const sign = text[at + 1] === "+" || text[at + 1] === "-" ? 1 : 0;
    const exponent = digitsEnd(text, at + 1 + sign);
    if (exponent === at + 1 + sign) return fail(reader, "a JSON number");
    at = exponent;
  }
  reader.at = at;
  return { type: "number", text: text.slice(position.offset, at), position, end: at };
}

function digitsEnd(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code >= 0x30 && code <= 0x39; code = text.charCodeAt(at)) {
    at++;
  }
  return at;
}

function readWord(
  reader: Reader,
  word: string,
  make: (placed: Placed) => JsonValue,
): JsonValue | null {
  if (!reader.text.startsWith(word, reader.at)) return fail(reader, "a JSON value");
  const position = here(reader);
  reader.at += word.length;
  return make({ position, end: reader.at });
}

function skipSpace(reader: Reader): void {
  const { text } = reader;
  for (;;) {
    const code = text.charCodeAt(reader.at);
    if (code === 0x20 || code === 0x09) {
      reader.at++;
    } else if (code === 0x0a || code === 0x0d) {
      reader.at += code === 0x0d && text.charCodeAt(reader.at + 1) === 0x0a ? 2 : 1;
      reader.line++;
      reader.lineStart = reader.at;
    } else {
      return;
    }
  }
}

function taken(reader: Reader, code: number): boolean {
  if (reader.text.charCodeAt(reader.at) !== code) return false;
  reader.at++;
  return true;
}

function here(reader: Reader): Position {
  return { line: reader.line, column: reader.at - reader.lineStart + 1, offset: reader.at };
}

function fail(reader: Reader, expected: string): null {
  const { text, at } = reader;
  const got = at < text.length ? quote(text.slice(at, at + 20)) : "the end of the text";
  report(reader, "JSON_SYNTAX_ERROR", `expected ${expected}, got ${got}`);
  return null;
}

function report(reader: Reader, code: string, message: string, at?: Placed): void {
  if (reader.problems.length >= maxProblems) return;
  const position = at?.position ?? here(reader);
  reader.problems.push({
    code,
    severity: "ERROR",
    path: formatPath(reader.path),
    message,
    position,
  });
}

function formatPath(path: readonly (string | number)[]): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += text === "" ? part : `.${part}`;
  }
  return text;
}
