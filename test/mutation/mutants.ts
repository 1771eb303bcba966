import { stripTypeScriptTypes } from "node:module";

/** One change of one file: the characters from `from` to `to` are replaced. */
export interface Mutant {
  readonly path: string;
  /** The change and the line it is made in, as it stands in the list of survivors. */
  readonly name: string;
  readonly line: number;
  readonly from: number;
  readonly to: number;
  readonly before: string;
  readonly after: string;
}

/** The text of a file without its types, at the same offsets, and its mutants in order. */
export interface Mutated {
  readonly code: string;
  readonly mutants: readonly Mutant[];
}

/** What is replaced where: found in code in which comments and texts are blank. */
const operators: readonly (readonly [pattern: RegExp, ...replacements: string[]])[] = [
  [/ === /g, " !== "],
  [/ !== /g, " === "],
  [/ < /g, " <= ", " >= "],
  [/ <= /g, " < ", " > "],
  [/ > /g, " >= ", " <= "],
  [/ >= /g, " > ", " < "],
  [/ && /g, " || "],
  [/ \|\| /g, " && "],
  [/ \+ /g, " - "],
  [/ - /g, " + "],
  [/ << /g, " >>> "],
  [/ >>> /g, " << "],
  [/ >> /g, " << "],
  [/ & /g, " | "],
  [/ \| /g, " & "],
  [/\+\+/g, "--"],
  [/ \+= /g, " -= "],
  [/ -= /g, " += "],
  [/\btrue\b/g, "false"],
  [/\bfalse\b/g, "true"],
  [/\.some\(/g, ".every("],
  [/\.every\(/g, ".some("],
  [/\.startsWith\(/g, ".endsWith("],
  [/(?<![\w$.])0(?![\w.])/g, "1"],
  [/(?<![\w$.])1(?![\w.])/g, "0"],
  [/(?<![\w$.])(?:[2-9]|[1-9][0-9]+)(?![\w.])/g, "3"],
  [/!(?=[\w(])/g, ""],
  [/\b(?:continue|break);/g, ";"],
];

/** Whole lines that can be left out: calls and assignments that nothing waits for. */
const statement = /^[ \t]+(?:[\w.#?!]+(?:\[[^\]]*\])?(?: [-+|&]?= .*|\(.*\))|await .*);$/gm;
/** Texts that decide something: compared with, or looked for. */
const decidingText = /(?<=(?:=== |!== |case |startsWith\(|endsWith\(|includes\())"[^"\n]+"/g;

/** Returns every mutant of the TypeScript `source` of the file at `path`. */
export function mutantsOf(path: string, source: string): Mutated {
  const code = stripTypeScriptTypes(source);
  const masked = mask(code);
  const found: Omit<Mutant, "name">[] = [];
  const add = (from: number, to: number, after: string): void => {
    const before = code.slice(from, to);
    if (before === after) return;
    const line = code.slice(0, from).split("\n").length;
    found.push({ path, line, from, to, before, after });
  };
  for (const [pattern, ...replacements] of operators) {
    for (const { index, 0: text } of masked.matchAll(pattern)) {
      for (const each of replacements) add(index, index + text.length, each);
    }
  }
  for (const { index, 0: text } of masked.matchAll(statement)) add(index, index + text.length, "");
  for (const { index } of masked.matchAll(/\bif \(/g)) {
    const open = index + 3;
    const close = closingOf(masked, open);
    add(open, close + 1, "(true)");
    add(open, close + 1, "(false)");
  }
  for (const { index, 0: text } of code.matchAll(decidingText)) {
    if (masked[index] === '"') add(index, index + text.length, `"${text.slice(1, -1)}~"`);
  }
  found.sort((a, b) => a.from - b.from || (a.after < b.after ? -1 : 1));
  return { code, mutants: named(found, code) };
}

// The same change in the same words, made elsewhere, has a number of its own.
function named(mutants: readonly Omit<Mutant, "name">[], code: string): readonly Mutant[] {
  const times = new Map<string, number>();
  const lines = code.split("\n");
  return mutants.map((mutant) => {
    const change = `${oneLine(mutant.before)} -> ${oneLine(mutant.after) || "nothing"}`;
    const name = `${mutant.path}: ${change} | ${oneLine(lines[mutant.line - 1] ?? "")}`;
    const count = (times.get(name) ?? 0) + 1;
    times.set(name, count);
    return { ...mutant, name: count === 1 ? name : `${name} #${count}` };
  });
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, " ");
}

/** Returns `code` with the mutant's change made. */
export function applied(code: string, { from, to, after }: Mutant): string {
  return code.slice(0, from) + after + code.slice(to);
}

// Comments and the inside of texts become blanks; what is left can be searched for operators.
function mask(code: string): string {
  const blank = (text: string): string => text.replaceAll(/[^\n]/g, " ");
  const tokens =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|(?<=[(=,:] ?)\/(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[dgimsuvy]*/g;
  return code.replaceAll(tokens, (text) =>
    text.startsWith('"') ? `"${blank(text.slice(1, -1))}"` : blank(text),
  );
}

function closingOf(code: string, open: number): number {
  let depth = 0;
  for (let at = open; at < code.length; at++) {
    if (code[at] === "(") depth++;
    else if (code[at] === ")" && --depth === 0) return at;
  }
  throw new Error("a bracket is never closed");
}
