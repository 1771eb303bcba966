import { Composer, type CST, Parser } from "yaml";
import { type Position, quote } from "../../../iam/problem.ts";
import { costOf, type YamlLimits } from "./bounds.ts";
import { expectedKey, NodeConverter, type SyntaxProblem } from "./convert.ts";
import type { DocumentNode } from "./node.ts";
import { createPositions } from "./positions.ts";

/** One document of a stream: its content as far as it can be made out, and what is wrong with it. */
export interface YamlDocument {
  readonly position: Position;
  /** Null when nothing can be made out. */
  readonly root: DocumentNode | null;
  /** True when `root` is guesswork behind a syntax error, good for a name at best. */
  readonly broken: boolean;
  readonly problems: readonly SyntaxProblem[];
}

/** After a syntax error the rest is guesswork: so many are told for one document. */
const maxSyntaxErrors = 10;
/** A file of noise is told about so often, documents and problems alike. */
const maxProblems = 100;

/**
 * Returns the documents of `text`, a stream of YAML 1.2 (core schema) or JSON, empty ones left out.
 *
 * Keys are texts whatever they look like (`Null:` is the operator, not a null). Refused, each with
 * its position: syntax errors, doubled keys, keys that are no text, tags beyond the core schema, merge
 * keys, directives other than `%YAML 1.2`, and whatever is above `limits`. A byte-order mark at the
 * start is skipped. A document with problems still has what could be made out of it: of a doubled key the
 * first value. Never throws. Cost: linear in the text and in the nodes after alias expansion.
 * Source: YAML 1.2.2, chapters 5 to 9, 10.3; FILE-1.
 */
export function parseYaml(text: string, limits: YamlLimits): readonly YamlDocument[] {
  return [...yamlDocuments(text, limits)];
}

/** Yields what `parseYaml` returns, each document when it is read: a file may be long. */
export function* yamlDocuments(
  text: string,
  limits: YamlLimits,
): Generator<YamlDocument, void, undefined> {
  const source = text.startsWith("\ufeff") ? text.slice(1) : text;
  const positionOf = createPositions(source);
  if (tooLong(source, limits.maxFileBytes)) {
    yield refused(positionOf(0), `expected at most ${limits.maxFileBytes} bytes in a file`);
    return;
  }
  let problems = 0;
  const tokens = tokensOf(source);
  for (let step = tokens.next(); step.done !== true; ) {
    const token = step.value;
    if (token === null) {
      const message = `expected at most ${limits.maxNesting} collections inside each other`;
      yield refused(positionOf(0), message);
      return;
    }
    if (problems > maxProblems) {
      yield refused(positionOf(token.offset), "the rest of the file is not read");
      return;
    }
    step = tokens.next();
    const next = step.done === true ? null : step.value;
    for (const document of readToken(token, next, source, positionOf, limits)) {
      problems += document.problems.length;
      yield document;
    }
  }
}

/** Returns what a token of the stream comes to; `next` is the one after it. */
function readToken(
  token: CST.Token,
  next: CST.Token | null,
  source: string,
  positionOf: (offset: number) => Position,
  limits: YamlLimits,
): readonly YamlDocument[] {
  switch (token.type) {
    case "document": {
      const slice = source.slice(token.offset, next?.offset ?? source.length);
      const after = next?.type === "doc-end" ? [next] : [];
      return read(token, after, slice, source, positionOf, limits);
    }
    case "directive": {
      if (/^%YAML[ \t]+1\.2[ \t]*(#.*)?$/.test(token.source)) return [];
      const message = `the directive ${quote(token.source)} is not read: only \`%YAML 1.2\` is`;
      return [refused(positionOf(token.offset), message)];
    }
    case "error":
      return [refused(positionOf(token.offset), sentence(token.message))];
    default:
      return [];
  }
}

/**
 * Yields the tokens of `source`, and null at the end where the stack does not hold them: the parser
 * recurses where a line opens thousands of collections (`- - - …`) and another line follows, before their
 * nesting can be counted.
 */
function* tokensOf(source: string): Generator<CST.Token | null, void, undefined> {
  try {
    yield* new Parser().parse(source);
  } catch (reason) {
    if (!(reason instanceof RangeError)) throw reason;
    yield null;
  }
}

function read(
  token: CST.Document,
  after: readonly CST.DocumentEnd[],
  slice: string,
  source: string,
  positionOf: (offset: number) => Position,
  limits: YamlLimits,
): readonly YamlDocument[] {
  const at = positionOf(token.offset);
  if (tooLong(slice, limits.maxDocumentBytes)) {
    return [refused(at, `expected at most ${limits.maxDocumentBytes} bytes in a document`)];
  }
  const cost = costOf(token);
  if (cost.nesting > limits.maxNesting) {
    const deepest = positionOf(cost.deepestOffset);
    return [
      refused(deepest, `expected at most ${limits.maxNesting} collections inside each other`),
    ];
  }
  if (cost.aliases > limits.maxAliases) {
    return [refused(at, `expected at most ${limits.maxAliases} aliases in a document`)];
  }
  const documents: YamlDocument[] = [];
  for (const document of new Composer(composerOptions).compose([token, ...after])) {
    const converter = new NodeConverter(source, positionOf, limits);
    const root = converter.convert(document.contents, token.offset);
    const broken = document.errors.length > 0;
    const problems = broken
      ? document.errors.slice(0, maxSyntaxErrors).map((error) => ({
          position: positionOf(error.pos[0]),
          message: error.code === "NON_STRING_KEY" ? expectedKey : sentence(error.message),
        }))
      : converter.problems.slice(0, maxProblems);
    if (root.type === "null" && problems.length === 0) continue;
    documents.push({ position: root.position, root, broken, problems });
  }
  return documents;
}

const composerOptions = {
  version: "1.2",
  schema: "core",
  merge: false,
  resolveKnownTags: false,
  stringKeys: true,
  strict: true,
  // The package compares every pair of keys; the converter does it with a map.
  uniqueKeys: false,
  prettyErrors: false,
  logLevel: "silent",
} as const;

/** True when `text` has more than `maxBytes` of UTF-8; most texts are judged by their length alone. */
function tooLong(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true;
  return text.length * 3 > maxBytes && Buffer.byteLength(text, "utf8") > maxBytes;
}

function refused(position: Position, message: string): YamlDocument {
  return { position, root: null, broken: true, problems: [{ position, message }] };
}

/** The package's messages in the manner of ours: lower-case, no final period. */
function sentence(message: string): string {
  const end = message.endsWith(".") ? message.length - 1 : message.length;
  return `not valid YAML: ${message.slice(0, 1).toLowerCase()}${message.slice(1, end)}`;
}
