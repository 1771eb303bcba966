import type { JsonLimits } from "./json.ts";
import type { DocumentType } from "./policy-type.ts";

/**
 * Bounds on the work of reading one document (DOC-18). Every document within AWS's size quotas is
 * far inside the defaults; quotas themselves are the control plane's business (LOAD-2).
 */
export interface ParseOptions {
  /** Text in bytes of UTF-8; default 131,072. */
  readonly maxBytes?: number;
  /** Nesting of objects and arrays; default 16, a document needs 6. */
  readonly maxDepth?: number;
  /** Statements of a document; default 1,024. */
  readonly maxStatements?: number;
  /** Actions, resources, principals of one key, values of one condition; default 4,096. */
  readonly maxListEntries?: number;
}

export interface LoadLimits {
  readonly json: JsonLimits;
  readonly maxStatements: number;
  readonly maxListEntries: number;
}

/** Returns the limits of `options` for a document of `type`, defaults filled in. */
export function loadLimits(type: DocumentType, options: ParseOptions): LoadLimits {
  return {
    json: {
      maxBytes: options.maxBytes ?? 131_072,
      maxDepth: options.maxDepth ?? 16,
      // DOC-1: only the resource policy of a mesh service may go beyond U+00FF
      characters: type === "resource" ? "wide" : "latin",
    },
    maxStatements: options.maxStatements ?? 1024,
    maxListEntries: options.maxListEntries ?? 4096,
  };
}
