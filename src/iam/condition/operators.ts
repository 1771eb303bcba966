import { foldAscii } from "../ascii.ts";
import { isArnPattern } from "../policy/arn-pattern.ts";
import type { BaseOperator, Quantifier } from "../policy/document.ts";
import { type Parsed, quote } from "../problem.ts";
import { createArnLike } from "./arn.ts";
import { createBinary, decodeBase64 } from "./binary.ts";
import { createBool, parseBool } from "./bool.ts";
import { createDate, parseInstant } from "./date.ts";
import { createIpAddress, parseIpBlock } from "./ip-address.ts";
import { createNumeric, parseDecimal } from "./numeric.ts";
import type { Ordering } from "./ordering.ts";
import { createStringEquals, createStringEqualsIgnoreCase, createStringLike } from "./string.ts";
import type { PolicyValue, ValueMatcher } from "./value-matcher.ts";

/** One operator in its positive form: its names and what a policy may compare with (5.2, 5.3). */
export interface Operator {
  /** AWS's spellings of the positive and of the negated form. */
  readonly names: readonly string[];
  readonly negatedNames: readonly string[];
  /** Whether values may hold policy variables (VAR-2). */
  readonly variables: boolean;
  /** Whether `text` is a legal policy value; of a value with variables the text as written. */
  readonly accepts: (text: string, variables: boolean) => boolean;
  /** What a value has to be, for messages. */
  readonly expected: string;
  /** Prepares the values; of `Null`, which looks at no value, null. */
  readonly matcher: ((values: readonly PolicyValue[]) => ValueMatcher) | null;
}

const anyText = { variables: true, accepts: () => true, expected: "a string" };

function number(ordering: Ordering): Omit<Operator, "names" | "negatedNames"> {
  return {
    variables: false,
    accepts: (text) => parseDecimal(text) !== null,
    expected: "a decimal number of at most 64 digits",
    matcher: (values) => createNumeric(ordering, values),
  };
}

function date(ordering: Ordering): Omit<Operator, "names" | "negatedNames"> {
  return {
    variables: false,
    accepts: (text) => parseInstant(text) !== null,
    expected: "an ISO 8601 date, with a zone if it has a time, or epoch seconds",
    matcher: (values) => createDate(ordering, values),
  };
}

/** The one record of operators: adding one means a line here and a matcher in its family's file. */
export const operators: Readonly<Record<BaseOperator, Operator>> = {
  StringEquals: {
    names: ["StringEquals"],
    negatedNames: ["StringNotEquals"],
    ...anyText,
    matcher: createStringEquals,
  },
  StringEqualsIgnoreCase: {
    names: ["StringEqualsIgnoreCase"],
    negatedNames: ["StringNotEqualsIgnoreCase"],
    ...anyText,
    matcher: createStringEqualsIgnoreCase,
  },
  StringLike: {
    names: ["StringLike"],
    negatedNames: ["StringNotLike"],
    ...anyText,
    matcher: createStringLike,
  },
  NumericEquals: {
    names: ["NumericEquals"],
    negatedNames: ["NumericNotEquals"],
    ...number("equal"),
  },
  NumericLessThan: { names: ["NumericLessThan"], negatedNames: [], ...number("less") },
  NumericLessThanEquals: {
    names: ["NumericLessThanEquals"],
    negatedNames: [],
    ...number("lessOrEqual"),
  },
  NumericGreaterThan: { names: ["NumericGreaterThan"], negatedNames: [], ...number("greater") },
  NumericGreaterThanEquals: {
    names: ["NumericGreaterThanEquals"],
    negatedNames: [],
    ...number("greaterOrEqual"),
  },
  DateEquals: { names: ["DateEquals"], negatedNames: ["DateNotEquals"], ...date("equal") },
  DateLessThan: { names: ["DateLessThan"], negatedNames: [], ...date("less") },
  DateLessThanEquals: { names: ["DateLessThanEquals"], negatedNames: [], ...date("lessOrEqual") },
  DateGreaterThan: { names: ["DateGreaterThan"], negatedNames: [], ...date("greater") },
  DateGreaterThanEquals: {
    names: ["DateGreaterThanEquals"],
    negatedNames: [],
    ...date("greaterOrEqual"),
  },
  Bool: {
    names: ["Bool"],
    negatedNames: [],
    variables: false,
    accepts: (text) => parseBool(text) !== null,
    expected: "`true` or `false`",
    matcher: createBool,
  },
  BinaryEquals: {
    names: ["BinaryEquals"],
    negatedNames: [],
    variables: false,
    accepts: (text) => decodeBase64(text) !== null,
    expected: "base64 with padding",
    matcher: createBinary,
  },
  IpAddress: {
    names: ["IpAddress"],
    negatedNames: ["NotIpAddress"],
    variables: false,
    accepts: (text) => parseIpBlock(text) !== null,
    expected: "an IP address, with or without a prefix length",
    matcher: createIpAddress,
  },
  ArnLike: {
    names: ["ArnLike", "ArnEquals"],
    negatedNames: ["ArnNotLike", "ArnNotEquals"],
    variables: true,
    accepts: isArnPattern,
    expected: "an ARN of six fields",
    matcher: createArnLike,
  },
  Null: {
    names: ["Null"],
    negatedNames: [],
    variables: false,
    accepts: (text) => text === "true" || text === "false",
    expected: "`true` or `false`",
    matcher: null,
  },
};

/** An operator as a policy wrote it, taken apart; `operator` is in AWS's spelling. */
export interface OperatorName {
  readonly operator: string;
  readonly base: BaseOperator;
  readonly negated: boolean;
  readonly ifExists: boolean;
  readonly quantifier: Quantifier | null;
}

interface Spelling {
  readonly name: string;
  readonly base: BaseOperator;
  readonly negated: boolean;
}

const spellings: ReadonlyMap<string, Spelling> = new Map(
  (Object.keys(operators) as BaseOperator[]).flatMap((base) => [
    ...operators[base].names.map((name) => spelling(name, base, false)),
    ...operators[base].negatedNames.map((name) => spelling(name, base, true)),
  ]),
);

/** The names of all operators without prefix and suffix, in the order of the record. */
export const operatorNames: readonly string[] = [...spellings.values()].map(({ name }) => name);

const quantifiers: readonly Quantifier[] = ["ForAllValues", "ForAnyValue"];

/**
 * Returns the operator of `text`, in any ASCII case (CON-3), or why it is none. Refusals:
 * `INVALID_CONDITION_OPERATOR`, `NULL_WITH_IF_EXISTS` (DOC-17), `NULL_WITH_QUALIFIER` (CON-8).
 */
export function parseOperator(text: string): Parsed<OperatorName> {
  let rest = foldAscii(text);
  const quantifier = quantifiers.find((each) => rest.startsWith(`${foldAscii(each)}:`)) ?? null;
  if (quantifier !== null) rest = rest.slice(quantifier.length + 1);
  const ifExists = rest.endsWith("ifexists");
  if (ifExists) rest = rest.slice(0, -"ifexists".length);
  const found = spellings.get(rest);
  if (found === undefined) {
    const message = `expected a condition operator, got ${quote(text)}`;
    return { ok: false, code: "INVALID_CONDITION_OPERATOR", message };
  }
  const { name, base, negated } = found;
  if (base === "Null" && ifExists) {
    const message = "expected `Null` without IfExists: it asks itself whether the key exists";
    return { ok: false, code: "NULL_WITH_IF_EXISTS", message };
  }
  if (base === "Null" && quantifier !== null) {
    const message =
      "expected `Null` without a set operator: it looks at the key, not at its values";
    return { ok: false, code: "NULL_WITH_QUALIFIER", message };
  }
  const prefix = quantifier === null ? "" : `${quantifier}:`;
  const operator = `${prefix}${name}${ifExists ? "IfExists" : ""}`;
  return { ok: true, value: { operator, base, negated, ifExists, quantifier } };
}

function spelling(name: string, base: BaseOperator, negated: boolean): [string, Spelling] {
  return [foldAscii(name), { name, base, negated }];
}
