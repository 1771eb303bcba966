import { createSearch, findPiece, type Search } from "./glob-search.ts";

/**
 * A token of a pattern (GLOB-3): literal text, `?` or `*`. What a variable or an escape yields is
 * literal text, so text that comes from a request is never a wildcard.
 */
export type GlobToken = string | typeof anyOne | typeof anyRun;

export const anyOne = 1;
export const anyRun = 0;

/**
 * Counts elementary steps, so that work is bounded (IMP-6) and growth is tested without a clock.
 * Loops over many texts stop once `steps` is above `limit`; what they answer then is not used.
 */
export interface Work {
  steps: number;
  readonly limit: number;
}

/** Returns a fresh count. */
export function createWork(limit: number = Number.POSITIVE_INFINITY): Work {
  return { steps: 0, limit };
}

/**
 * A pattern prepared for matching: the pieces between its stars. Frozen but for the search tables,
 * which are made when they are first needed; share one glob among all users of its text.
 */
export interface Glob {
  readonly pieces: readonly Piece[];
  /** The whole pattern where it has no wildcard. */
  readonly literal: string | null;
  readonly startsWithRun: boolean;
  readonly endsWithRun: boolean;
  /** No shorter text matches: in UTF-16 units, and in code points. */
  readonly minUnits: number;
  readonly minPoints: number;
  /** Whether code points and UTF-16 units give different answers for some text. */
  readonly countsPoints: boolean;
}

interface Piece {
  /** The piece where it holds no `?`. */
  readonly text: string | null;
  /** Code points, -1 for `?`; null where UTF-16 units will do (`countsPoints`). */
  readonly points: readonly number[] | null;
  search: Search | null;
}

/** Returns the tokens of `text`, in which `*` and `?` are wildcards (GLOB-1). */
export function parseGlob(text: string): readonly GlobToken[] {
  const tokens: GlobToken[] = [];
  let from = 0;
  for (let at = 0; at <= text.length; at++) {
    const code = text.charCodeAt(at);
    const isWildcard = code === 0x2a || code === 0x3f;
    if (!isWildcard && at < text.length) continue;
    if (at > from) tokens.push(text.slice(from, at));
    if (isWildcard) tokens.push(code === 0x2a ? anyRun : anyOne);
    from = at + 1;
  }
  return tokens;
}

/** Returns the glob of `tokens`. Linear in their length. */
export function createGlob(tokens: readonly GlobToken[]): Glob {
  const groups = betweenRuns(tokens);
  const countsPoints = tokens.some(
    (token) => token === anyOne || (typeof token === "string" && !token.isWellFormed()),
  );
  const pieces = groups.map((group) => createPiece(group, countsPoints));
  const hasRun = tokens.includes(anyRun);
  const literal = tokens.length === 0 ? "" : hasRun ? null : (pieces[0]?.text ?? null);
  let minUnits = 0;
  let minPoints = 0;
  for (const { text, points } of pieces) {
    minUnits += text === null ? unitsIn(points ?? []) : text.length;
    minPoints += points?.length ?? 0;
  }
  return Object.freeze({
    pieces,
    literal,
    startsWithRun: tokens[0] === anyRun,
    endsWithRun: tokens.at(-1) === anyRun,
    minUnits,
    minPoints,
    countsPoints,
  });
}

/**
 * Returns whether `text` matches `glob`: `*` any run of characters, `?` one code point, newlines
 * included (GLOB-1, GLOB-2). Pieces are looked for from left to right, each at its leftmost place:
 * taking the earliest place never hurts the later ones, so a failed search ends the match. Time is
 * linear in the text but for the bit-parallel search of pieces with `?` (`glob-search.ts`).
 * Allocates nothing once the tables of `glob` are made.
 */
export function matchGlob(glob: Glob, text: string, work: Work): boolean {
  work.steps++;
  if (glob.literal !== null) return text === glob.literal;
  if (text.length < glob.minUnits) return false;
  return glob.countsPoints ? matchPoints(glob, text, work) : matchUnits(glob, text, work);
}

/** `indexOf` may cost the product of both lengths; above this the search has a table (linear). */
const maxIndexOfProduct = 65_536;

function matchUnits(glob: Glob, text: string, work: Work): boolean {
  const { pieces } = glob;
  let from = 0;
  let end = text.length;
  let next = 0;
  let last = pieces.length;
  if (!glob.startsWithRun) {
    const prefix = pieces[next++]?.text ?? "";
    if (!text.startsWith(prefix)) return false;
    from = prefix.length;
  }
  if (!glob.endsWithRun) {
    const suffix = pieces[--last]?.text ?? "";
    if (!text.endsWith(suffix)) return false;
    end -= suffix.length;
  }
  let isLoaded = false;
  for (; next < last; next++) {
    const piece = pieces[next];
    if (piece === undefined) break;
    const literal = piece.text ?? "";
    if (literal.length * (text.length - from) <= maxIndexOfProduct) {
      from = findByIndexOf(literal, text, from, end, work);
    } else {
      if (!isLoaded) {
        loadUnits(text);
        work.steps += text.length;
        isLoaded = true;
      }
      // A well-formed piece lies on code-point borders wherever its units are found.
      piece.search ??= createSearch(unitsOf(literal));
      from = findPiece(piece.search, buffer, from, end, work);
    }
    if (from < 0) return false;
  }
  return true;
}

// The offset behind the leftmost place of `literal` between `from` and `end`, else -1.
function findByIndexOf(
  literal: string,
  text: string,
  from: number,
  end: number,
  work: Work,
): number {
  const at = text.indexOf(literal, from);
  const behind = at < 0 ? text.length : at + literal.length;
  // only what was looked at counts: pieces that are found at once cost next to nothing
  work.steps += ((literal.length * (behind - from)) >> 3) + 1;
  return at < 0 || behind > end ? -1 : behind;
}

function matchPoints(glob: Glob, text: string, work: Work): boolean {
  const { pieces } = glob;
  const prefix = pieces[0]?.text ?? null;
  if (!glob.startsWithRun && prefix !== null && !text.startsWith(prefix)) return false;
  let end = loadPoints(text);
  work.steps += end;
  if (end < glob.minPoints) return false;
  let from = 0;
  let next = 0;
  let last = pieces.length;
  if (!glob.startsWithRun) {
    const points = pieces[next++]?.points ?? none;
    if (!fitsAt(points, 0)) return false;
    from = points.length;
    // without a star the first piece is the whole pattern
    if (last === 1 && !glob.endsWithRun) return from === end;
  }
  if (!glob.endsWithRun) {
    const points = pieces[--last]?.points ?? none;
    if (!fitsAt(points, end - points.length)) return false;
    end -= points.length;
  }
  for (; next < last; next++) {
    const piece = pieces[next];
    if (piece === undefined) break;
    piece.search ??= createSearch(piece.points ?? none);
    from = findPiece(piece.search, buffer, from, end, work);
    if (from < 0) return false;
  }
  return true;
}

const none: readonly number[] = [];

// INVARIANT: matching is synchronous and calls nobody, so one buffer serves every match.
let buffer = new Uint32Array(512);

function loadUnits(text: string): void {
  if (buffer.length < text.length) buffer = new Uint32Array(text.length * 2);
  for (let i = 0; i < text.length; i++) buffer[i] = text.charCodeAt(i);
}

// Fills the buffer with the code points of `text` and returns their number.
function loadPoints(text: string): number {
  if (buffer.length < text.length) buffer = new Uint32Array(text.length * 2);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i) ?? 0;
    buffer[length++] = point;
    if (point > 0xffff) i++;
  }
  return length;
}

function fitsAt(piece: readonly number[], at: number): boolean {
  for (let i = 0; i < piece.length; i++) {
    if (piece[i] !== -1 && piece[i] !== buffer[at + i]) return false;
  }
  return true;
}

type PieceToken = string | typeof anyOne;

function betweenRuns(tokens: readonly GlobToken[]): readonly (readonly PieceToken[])[] {
  const groups: PieceToken[][] = [];
  let group: PieceToken[] | null = null;
  for (const token of tokens) {
    if (token === anyRun) {
      group = null;
    } else if (group === null) {
      group = [token];
      groups.push(group);
    } else {
      group.push(token);
    }
  }
  return groups;
}

function createPiece(tokens: readonly PieceToken[], countsPoints: boolean): Piece {
  const text = tokens.includes(anyOne) ? null : tokens.join("");
  return { text, points: countsPoints ? pointsOf(tokens) : null, search: null };
}

function pointsOf(tokens: readonly PieceToken[]): readonly number[] {
  // literals side by side are joined first: a surrogate pair may stand across their border
  const points: number[] = [];
  let literal = "";
  for (const token of [...tokens, anyOne] as const) {
    if (token !== anyOne) {
      literal += token;
      continue;
    }
    for (const character of literal) points.push(character.codePointAt(0) ?? 0);
    points.push(-1);
    literal = "";
  }
  points.pop();
  return points;
}

function unitsOf(text: string): readonly number[] {
  return Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
}

function unitsIn(points: readonly number[]): number {
  return points.reduce((units, point) => units + (point > 0xffff ? 2 : 1), 0);
}
