import type { CST } from "yaml";

/** What a document may cost before it is read (FILE-1). */
export interface YamlLimits {
  /** UTF-8 bytes of one document. Default 1 MiB. */
  readonly maxDocumentBytes: number;
  /** UTF-8 bytes of one file, all its documents together. Default 16 MiB. */
  readonly maxFileBytes: number;
  /** Aliases of one document, those inside aliased nodes counted at each use. Default 100. */
  readonly maxAliases: number;
  /** Collections inside each other. Default 64; a policy alone may take 16 (DOC-18). */
  readonly maxNesting: number;
  /** Values of one document, aliased ones counted at each use. Default 250,000. */
  readonly maxNodes: number;
}

export const defaultYamlLimits: YamlLimits = Object.freeze({
  maxDocumentBytes: 1_048_576,
  maxFileBytes: 16_777_216,
  maxAliases: 100,
  maxNesting: 64,
  maxNodes: 250_000,
});

/** How deep the collections of `document` nest, and how many aliases it holds. */
export interface DocumentCost {
  readonly nesting: number;
  /** Where the collection begins that is nested most deeply. */
  readonly deepestOffset: number;
  readonly aliases: number;
}

/**
 * Returns what composing `document` would cost. The composer recurses into collections, so this runs
 * first, on the flat syntax tree, without recursion. Linear in the tokens.
 */
export function costOf(document: CST.Document): DocumentCost {
  let nesting = 0;
  let deepestOffset = document.offset;
  let aliases = 0;
  const open: [CST.Token, number][] = document.value === undefined ? [] : [[document.value, 1]];
  for (let top = open.pop(); top !== undefined; top = open.pop()) {
    const [token, depth] = top;
    if (token.type === "alias") aliases++;
    if (!("items" in token)) continue;
    if (depth > nesting) {
      nesting = depth;
      deepestOffset = token.offset;
    }
    for (const { key, value } of token.items) {
      if (key) open.push([key, depth + 1]);
      if (value) open.push([value, depth + 1]);
    }
  }
  return { nesting, deepestOffset, aliases };
}
