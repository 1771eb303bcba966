import { foldAscii } from "../ascii.ts";
import { type Parsed, quote } from "../problem.ts";

/**
 * A part of a text with policy variables (VAR-1, VAR-5). Wildcards are wildcards in `text` parts
 * only: what an escape or a variable yields is literal (VAR-3).
 */
export type TemplatePart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "escape"; readonly text: "*" | "?" | "$" }
  | VariablePart;

/** `defaultText` is null where the variable has no default; it may be empty. */
export interface VariablePart {
  readonly type: "variable";
  readonly keyLower: string;
  readonly defaultText: string | null;
}

/** Returns whether `text` holds the beginning of a variable or escape. */
export function hasVariable(text: string): boolean {
  return text.includes("${");
}

/**
 * Returns the parts of `text` under the rules of version 2012-10-17, or the first refusal:
 * `MISSING_BRACE_IN_VARIABLE`, `MISSING_QUOTE_IN_VARIABLE`, `UNSUPPORTED_SPACE_IN_VARIABLE`,
 * `EMPTY_VARIABLE`, `INVALID_VARIABLE_KEY`, `INVALID_VARIABLE_DEFAULT`, `NESTED_VARIABLE` (VAR-6).
 * Linear in the text.
 */
export function parseTemplate(text: string): Parsed<readonly TemplatePart[]> {
  const parts: TemplatePart[] = [];
  let from = 0;
  for (let at = text.indexOf("${"); at >= 0; at = text.indexOf("${", from)) {
    if (at > from) parts.push({ type: "text", text: text.slice(from, at) });
    const read = readVariable(text, at);
    if (!read.ok) return read;
    parts.push(read.value.part);
    from = read.value.end;
  }
  if (from < text.length) parts.push({ type: "text", text: text.slice(from) });
  return { ok: true, value: parts };
}

/** Returns the offset behind the variable that starts at `at`; the text's end where it is malformed. */
export function variableEnd(text: string, at: number): number {
  const read = readVariable(text, at);
  return read.ok ? read.value.end : text.length;
}

interface ReadVariable {
  readonly part: TemplatePart;
  readonly end: number;
}

function readVariable(text: string, at: number): Parsed<ReadVariable> {
  const escaped = text[at + 2];
  if ((escaped === "*" || escaped === "?" || escaped === "$") && text[at + 3] === "}") {
    return { ok: true, value: { part: { type: "escape", text: escaped }, end: at + 4 } };
  }
  const keyEnd = nextDelimiter(text, at + 2);
  const source = text.slice(at);
  if (keyEnd < 0) return refuse("MISSING_BRACE_IN_VARIABLE", "a closing brace", source);
  const key = text.slice(at + 2, keyEnd);
  switch (text[keyEnd]) {
    case "$":
      return refuse("NESTED_VARIABLE", "no variable inside a variable", source);
    case "'":
      return refuse("INVALID_VARIABLE_DEFAULT", "a comma and a space before the default", source);
  }
  if (key === "") return refuse("EMPTY_VARIABLE", "a condition key", source);
  if (key.includes(" ")) return refuse("UNSUPPORTED_SPACE_IN_VARIABLE", "no space", source);
  if (!isVariableKey(key)) {
    return refuse("INVALID_VARIABLE_KEY", "a condition key of the form prefix:name", source);
  }
  const keyLower = foldAscii(key);
  if (text[keyEnd] === "}") {
    const part: TemplatePart = { type: "variable", keyLower, defaultText: null };
    return { ok: true, value: { part, end: keyEnd + 1 } };
  }
  return readDefault(text, at, keyEnd, keyLower);
}

// `, 'default'}` from the comma on: one space, single quotes.
function readDefault(
  text: string,
  at: number,
  comma: number,
  keyLower: string,
): Parsed<ReadVariable> {
  const source = text.slice(at);
  if (text[comma + 1] === "'") {
    return refuse("INVALID_VARIABLE_DEFAULT", "a comma and a space before the default", source);
  }
  if (text[comma + 1] !== " " || text[comma + 2] !== "'") {
    return text.startsWith("  ", comma + 1)
      ? refuse("UNSUPPORTED_SPACE_IN_VARIABLE", "one space before the default", source)
      : refuse("MISSING_QUOTE_IN_VARIABLE", "a default in single quotes", source);
  }
  const quoteEnd = text.indexOf("'", comma + 3);
  if (quoteEnd < 0) return refuse("MISSING_QUOTE_IN_VARIABLE", "a closing quote", source);
  if (text[quoteEnd + 1] !== "}") {
    return refuse("MISSING_BRACE_IN_VARIABLE", "a closing brace behind the default", source);
  }
  const defaultText = text.slice(comma + 3, quoteEnd);
  if (hasVariable(defaultText)) {
    return refuse("NESTED_VARIABLE", "no variable inside a variable", source);
  }
  const part: TemplatePart = { type: "variable", keyLower, defaultText };
  return { ok: true, value: { part, end: quoteEnd + 2 } };
}

// The first `}`, `,`, `'` or `${` from `from` on, else -1.
function nextDelimiter(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    const character = text[i];
    if (character === "}" || character === "," || character === "'") return i;
    if (character === "$" && text[i + 1] === "{") return i;
  }
  return -1;
}

function isVariableKey(key: string): boolean {
  const colon = key.indexOf(":");
  return colon > 0 && colon < key.length - 1 && !key.includes("*") && !key.includes("?");
}

function refuse(code: string, expected: string, source: string): Parsed<never> {
  return { ok: false, code, message: `expected ${expected}, got ${quote(source)}` };
}
