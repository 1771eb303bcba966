import type { Position } from "../problem.ts";

/**
 * A policy document as written, after the loader has accepted it (iam-semantics 2). Frozen, shared,
 * and free of anything prepared for matching: both evaluators start from this.
 */
export interface PolicyDocument {
  /** The rules in force: absent `Version` means 2008 rules (DOC-9). */
  readonly version: "2008-10-17" | "2012-10-17";
  readonly statements: readonly Statement[];
}

export type Effect = "Allow" | "Deny";

export interface Statement {
  /** The `Sid`, `""` where there is none. */
  readonly sid: string;
  readonly effect: Effect;
  /** Null in documents that carry no principal. */
  readonly principal: PrincipalElement | null;
  readonly action: ListElement;
  /** Null in a role trust policy: a trust statement matches its own role. */
  readonly resource: ListElement | null;
  /** AND over all entries, in the order of the text. */
  readonly conditions: readonly ConditionEntry[];
  readonly position: Position;
}

/** `Action`/`NotAction` or `Resource`/`NotResource`: the texts as written, variables not substituted. */
export interface ListElement {
  readonly negated: boolean;
  readonly entries: readonly Located[];
}

export interface Located {
  readonly text: string;
  readonly position: Position;
}

export interface PrincipalElement {
  readonly negated: boolean;
  readonly entries: readonly PrincipalEntry[];
}

/** `any` is `"*"` and `{"AWS": "*"}`; the others are the keys of the principal map. */
export interface PrincipalEntry extends Located {
  readonly type: "any" | "AWS" | "Service" | "Federated" | "CanonicalUser";
}

export type Quantifier = "ForAllValues" | "ForAnyValue";

/** The operators in their positive form; `negated` says which ones were written with Not. */
export type BaseOperator =
  | "StringEquals"
  | "StringEqualsIgnoreCase"
  | "StringLike"
  | "NumericEquals"
  | "NumericLessThan"
  | "NumericLessThanEquals"
  | "NumericGreaterThan"
  | "NumericGreaterThanEquals"
  | "DateEquals"
  | "DateLessThan"
  | "DateLessThanEquals"
  | "DateGreaterThan"
  | "DateGreaterThanEquals"
  | "Bool"
  | "BinaryEquals"
  | "IpAddress"
  | "ArnLike"
  | "Null";

export interface ConditionEntry {
  /** The operator in AWS's spelling with prefix and suffix: `ForAnyValue:StringLikeIfExists`. */
  readonly operator: string;
  /** `ArnEquals` and `ArnLike` are one operator: both have the base `ArnLike`. */
  readonly base: BaseOperator;
  readonly negated: boolean;
  readonly ifExists: boolean;
  readonly quantifier: Quantifier | null;
  /** The key as written, and ASCII-lower-cased for lookup (KEY-6). */
  readonly key: string;
  readonly keyLower: string;
  /** Numbers by their source text, booleans as `true`/`false` (DOC-12). */
  readonly values: readonly Located[];
  readonly position: Position;
}
