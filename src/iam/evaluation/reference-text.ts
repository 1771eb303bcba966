import type { Arn } from "../arn.ts";
import type { PolicyDocument, Statement } from "../policy/document.ts";
import type { ContextKeys } from "../request-context.ts";

/**
 * The reference evaluator's reading of policy texts: globs, variables, actions, resources
 * (iam-semantics 3). Written to be compared with the specification line by line; every call reads
 * its texts anew.
 */
type Version = PolicyDocument["version"];

/** A step of a pattern: one code point taken as itself, `?`, or `*` (GLOB-3). */
type Token = { readonly literal: string } | "any-one" | "any-run";

/** A stretch of a policy text: as written, an escape, or a variable (VAR-1, VAR-5). */
export type Piece =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "escape"; readonly text: string }
  | { readonly type: "variable"; readonly keyLower: string; readonly defaultText: string | null }
  | { readonly type: "malformed" };

/** Says what a variable stands for, or null where it has no value. */
type Resolver = (variable: Piece & { type: "variable" }) => readonly Token[] | null;

/** Returns `text` with A-Z folded to a-z and everything else untouched (US-19). */
export function asciiLower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Returns whether `pattern` matches all of `text`: the loop of GLOB-4, over code points (GLOB-2). */
export function glob(pattern: readonly Token[], text: string): boolean {
  const points = Array.from(text);
  let i = 0;
  let j = 0;
  let star = -1;
  let mark = 0;
  while (j < points.length) {
    const token = pattern[i];
    if (token === "any-run") {
      star = i++;
      mark = j;
    } else if (token === "any-one" || (token !== undefined && token.literal === points[j])) {
      i++;
      j++;
    } else if (star >= 0) {
      i = star + 1;
      j = ++mark;
    } else {
      return false;
    }
  }
  while (pattern[i] === "any-run") i++;
  return i === pattern.length;
}

/** Returns `text` as tokens in which `*` and `?` are wildcards. */
function wildcardTokens(text: string): Token[] {
  return Array.from(text, (point) =>
    point === "*" ? "any-run" : point === "?" ? "any-one" : { literal: point },
  );
}

/** Returns `text` as tokens in which every character is itself (VAR-3, VAR-5). */
function literalTokens(text: string): Token[] {
  return Array.from(text, (point) => ({ literal: point }));
}

/** Returns `text` cut into pieces; under 2008 rules `${…}` is plain text (DOC-9). */
export function piecesOf(text: string, version: Version): Piece[] {
  if (version === "2008-10-17") return [{ type: "text", text }];
  const pieces: Piece[] = [];
  let rest = text;
  for (let at = rest.indexOf("${"); at >= 0; at = rest.indexOf("${")) {
    if (at > 0) pieces.push({ type: "text", text: rest.slice(0, at) });
    rest = rest.slice(at + 2);
    const { piece, length } = variableAt(rest);
    pieces.push(piece);
    rest = rest.slice(length);
  }
  if (rest !== "") pieces.push({ type: "text", text: rest });
  return pieces;
}

/** Returns the piece that begins behind a `${`, and how much of `rest` it takes, brace included. */
function variableAt(rest: string): { piece: Piece; length: number } {
  const escaped = rest.charAt(0);
  if ("*?$".includes(escaped) && rest.charAt(1) === "}") {
    return { piece: { type: "escape", text: escaped }, length: 2 };
  }
  const malformed = { piece: { type: "malformed" } as const, length: rest.length };
  const brace = rest.indexOf("}");
  const comma = rest.indexOf(",");
  if (brace <= 0) return malformed;
  if (comma < 0 || brace < comma) {
    const keyLower = asciiLower(rest.slice(0, brace));
    return { piece: { type: "variable", keyLower, defaultText: null }, length: brace + 1 };
  }
  // VAR-6: a comma and one space, then the default in single quotes, then the brace
  const end = rest.indexOf("'", comma + 3);
  if (comma === 0 || !rest.startsWith(", '", comma) || end < 0 || rest.charAt(end + 1) !== "}") {
    return malformed;
  }
  const keyLower = asciiLower(rest.slice(0, comma));
  const defaultText = rest.slice(comma + 3, end);
  return { piece: { type: "variable", keyLower, defaultText }, length: end + 2 };
}

/** Returns the value of a variable, or null where it has none (VAR-4, VAR-7, VAR-8). */
function variableValue(variable: Piece & { type: "variable" }, keys: ContextKeys): string | null {
  const value = keys.get(variable.keyLower);
  if (value?.multivalued === true) return null;
  const text = value?.values[0] ?? "";
  return text === "" ? variable.defaultText : text;
}

/** Returns the pieces as one text without wildcards, or null if a variable has no value. */
export function textOf(pieces: readonly Piece[], keys: ContextKeys): string | null {
  let text = "";
  for (const piece of pieces) {
    if (piece.type === "malformed") return null;
    const part = piece.type === "variable" ? variableValue(piece, keys) : piece.text;
    if (part === null) return null;
    text += part;
  }
  return text;
}

/** Returns the pieces as a pattern, or null if a variable has no value (VAR-3, VAR-8). */
export function patternOf(pieces: readonly Piece[], keys: ContextKeys): Token[] | null {
  return tokensOf(pieces, substitute(keys));
}

function substitute(keys: ContextKeys): Resolver {
  return (variable) => {
    const value = variableValue(variable, keys);
    return value === null ? null : literalTokens(value);
  };
}

function tokensOf(pieces: readonly Piece[], resolve: Resolver): Token[] | null {
  const tokens: Token[] = [];
  for (const piece of pieces) {
    switch (piece.type) {
      case "text":
        tokens.push(...wildcardTokens(piece.text));
        break;
      case "escape":
        tokens.push(...literalTokens(piece.text));
        break;
      case "variable": {
        const value = resolve(piece);
        if (value === null) return null;
        tokens.push(...value);
        break;
      }
      case "malformed":
        return null;
    }
  }
  return tokens;
}

/**
 * Returns the ARN pattern cut at its first five colons, those inside variables not counted: the cut
 * comes before any substitution, so no value shifts a field (VAR-2).
 */
export function arnFields(pieces: readonly Piece[]): Piece[][] {
  const fields: Piece[][] = [[]];
  for (const piece of pieces) {
    let rest = piece;
    while (rest.type === "text" && fields.length < 6 && rest.text.includes(":")) {
      const colon = rest.text.indexOf(":");
      fields.at(-1)?.push({ type: "text", text: rest.text.slice(0, colon) });
      fields.push([]);
      rest = { type: "text", text: rest.text.slice(colon + 1) };
    }
    fields.at(-1)?.push(rest);
  }
  return fields.map((field) => field.filter((piece) => piece.type !== "text" || piece.text !== ""));
}

/** Returns whether the field is this very text. */
export function isExactly(field: readonly Piece[] | undefined, text: string): boolean {
  const [piece] = field ?? [];
  return field?.length === 1 && piece?.type === "text" && piece.text === text;
}

/** Returns whether the statement's Action or NotAction takes in `action` (ACT-1 to ACT-5). */
export function matchesAction(statement: Statement, action: string): boolean {
  const listed = statement.action.entries.some((entry) => actionMatches(entry.text, action));
  return statement.action.negated ? !listed : listed;
}

function actionMatches(pattern: string, action: string): boolean {
  if (pattern === "*") return true;
  if (!pattern.includes(":")) return false;
  const [patternService, patternName] = serviceAndName(asciiLower(pattern));
  const [service, name] = serviceAndName(asciiLower(action));
  return glob(wildcardTokens(patternService), service) && glob(wildcardTokens(patternName), name);
}

function serviceAndName(action: string): [string, string] {
  const colon = action.indexOf(":");
  return colon < 0 ? [action, ""] : [action.slice(0, colon), action.slice(colon + 1)];
}

/**
 * Returns whether the statement's Resource or NotResource takes in `arn`; null is the pseudo-resource.
 * A trust statement has neither and matches its own role.
 */
export function matchesResource(
  statement: Statement,
  version: Version,
  arn: Arn | null,
  keys: ContextKeys,
): boolean {
  if (statement.resource === null) return true;
  const { negated, entries } = statement.resource;
  const results = entries.map((entry) =>
    resourceMatches(piecesOf(entry.text, version), arn, substitute(keys)),
  );
  if (!negated) return results.includes("matches");
  // VAR-8, row three: an Allow that excludes something unknown does not apply
  if (statement.effect === "Allow" && results.includes("unresolved")) return false;
  return !results.includes("matches");
}

/**
 * Returns whether some value of the variables lets the statement take in `arn`: a variable of a
 * Resource counts as any text, and one of a NotResource may always have excluded something else
 * ("candidate statement", iam-semantics 1).
 */
export function couldMatchResource(
  statement: Statement,
  version: Version,
  arn: Arn | null,
): boolean {
  if (statement.resource === null) return true;
  const { negated, entries } = statement.resource;
  const anyText: Resolver = () => ["any-run"];
  const noText: Resolver = () => null;
  const listed = entries.some(
    (entry) =>
      resourceMatches(piecesOf(entry.text, version), arn, negated ? noText : anyText) === "matches",
  );
  return negated ? !listed : listed;
}

function resourceMatches(
  pieces: readonly Piece[],
  arn: Arn | null,
  resolve: Resolver,
): "matches" | "differs" | "unresolved" {
  if (isExactly(pieces, "*")) return "matches"; // RES-1
  const fields = arnFields(pieces);
  const last = fields.at(-1);
  if (fields.length < 6 && !(fields.length > 1 && isExactly(last, "*"))) return "differs"; // RES-5
  if (!isExactly(fields[0], "arn")) return "differs";
  const patterns: Token[][] = [];
  for (let index = 1; index < 6; index++) {
    const tokens = tokensOf(fields[index] ?? last ?? [], resolve);
    if (tokens === null) return "unresolved";
    patterns.push(tokens);
  }
  if (arn === null) return "differs"; // RES-1: the pseudo-resource is matched by `*` only
  const texts = [arn.partition, arn.service, arn.region, arn.account, arn.resource];
  // RES-2, RES-4: field by field, so no wildcard swallows a border
  return patterns.every((tokens, index) => glob(tokens, texts[index] ?? ""))
    ? "matches"
    : "differs";
}

/** Returns the lower-cased keys of the variables in `text` (the read-set of iam-semantics 1). */
export function variableKeys(text: string, version: Version): string[] {
  return piecesOf(text, version).flatMap((piece) =>
    piece.type === "variable" ? [piece.keyLower] : [],
  );
}
