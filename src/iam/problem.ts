/** A place in a text. Line and column count from 1, `offset` counts UTF-16 units from 0. */
export interface Position {
  readonly line: number;
  readonly column: number;
  readonly offset: number;
}

/** The four levels of AWS Access Analyzer's ValidatePolicy (iam-semantics 10.1). */
export type Severity = "ERROR" | "SECURITY_WARNING" | "WARNING" | "SUGGESTION";

/**
 * A positioned finding about a document.
 *
 * `code` is AWS's finding name in UPPER_SNAKE where AWS has one (`INVALID_EFFECT`), else ours in the
 * same spelling. `path` walks from the top of the document: `Statement[1].Condition.StringEquals`.
 * `message` is lower-case, without a final period, and says what was expected.
 */
export interface Problem {
  readonly code: string;
  readonly severity: Severity;
  readonly path: string;
  readonly message: string;
  readonly position: Position | null;
}

/** A value, or why the text is refused: one refusal, for scalars. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** A value with the findings about it, or the problems that refuse the document. */
export type Loaded<T> =
  | { readonly ok: true; readonly value: T; readonly findings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Returns `text` in backticks, control characters escaped, cut to about 80 characters. */
export function quote(text: string): string {
  const cut = text.length > 80 ? `${text.slice(0, 77)}...` : text;
  return `\`${JSON.stringify(cut).slice(1, -1).replaceAll('\\"', '"')}\``;
}
