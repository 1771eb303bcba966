import type { Parsed } from "../../iam/problem.ts";
import {
  type Address,
  formatAddress,
  formatTcpAddress,
  parseAddress,
  parseTcpAddress,
  type TcpAddress,
} from "./address.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * What a setting's value can be: how it is read from a file (a YAML value) and from an environment
 * variable or flag (a text), and how the documents describe it. Both readers return undefined for a
 * value that is not of this kind; the message is then made from `expected`.
 */
export interface Kind<T> {
  /** Completes "expected …": `a whole number from 0 to 3600`. */
  readonly expected: string;
  readonly fromValue: (value: unknown) => T | undefined;
  readonly fromText: (text: string) => T | undefined;
  readonly schema: JsonSchema;
  /** The value as it is written in a file. */
  readonly show: (value: T) => unknown;
  /** Shown in help after the flag: `<seconds>`. */
  readonly placeholder: string;
  /** True where the flag may be given without a value, meaning `true`. */
  readonly bare?: boolean;
  /** True for lists: the flag may be repeated, a text is split at commas. */
  readonly many?: boolean;
  /** True for paths: a relative one in the file is taken from the file's folder. */
  readonly path?: boolean;
}

/** Returns the kind of `true` and `false`. */
export function yesOrNo(): Kind<boolean> {
  return {
    expected: "true or false",
    fromValue: (value) => (typeof value === "boolean" ? value : undefined),
    fromText: (text) => (text === "true" ? true : text === "false" ? false : undefined),
    schema: { type: "boolean" },
    show: (value) => value,
    placeholder: "boolean",
    bare: true,
  };
}

/** Returns the kind of whole numbers from `min` to `max`, both included. */
export function whole(min: number, max: number, placeholder = "number"): Kind<number> {
  const fits = (value: unknown): number | undefined =>
    typeof value === "number" && Number.isInteger(value) && value >= min && value <= max
      ? value
      : undefined;
  return {
    expected: `a whole number from ${min} to ${max}`,
    fromValue: fits,
    fromText: (text) => (/^\d{1,15}$/.test(text) ? fits(Number(text)) : undefined),
    schema: { type: "integer", minimum: min, maximum: max },
    show: (value) => value,
    placeholder,
  };
}

/** Returns the kind of numbers from 0 to 1, both included. */
export function share(): Kind<number> {
  const fits = (value: unknown): number | undefined =>
    typeof value === "number" && value >= 0 && value <= 1 ? value : undefined;
  return {
    expected: "a number from 0 to 1",
    fromValue: fits,
    fromText: (text) => (/^\d(\.\d{1,15})?$/.test(text) ? fits(Number(text)) : undefined),
    schema: { type: "number", minimum: 0, maximum: 1 },
    show: (value) => value,
    placeholder: "share",
  };
}

/** Returns the kind of one out of `words`. */
export function oneOf<const W extends string>(...words: readonly W[]): Kind<W> {
  const find = (value: unknown): W | undefined => words.find((word) => word === value);
  return {
    expected: `one of ${words.map((word) => `\`${word}\``).join(", ")}`,
    fromValue: find,
    fromText: find,
    schema: { enum: words },
    show: (value) => value,
    placeholder: "word",
  };
}

/**
 * Returns the kind of texts that match `pattern` in full and are no longer than `maxLength` UTF-16
 * units. `expected` says in words what the pattern says in signs.
 */
export function text(
  expected: string,
  pattern: RegExp,
  placeholder = "text",
  maxLength = 1024,
): Kind<string> {
  const fits = (value: unknown): string | undefined =>
    typeof value === "string" && value.length <= maxLength && pattern.test(value)
      ? value
      : undefined;
  return {
    expected,
    fromValue: fits,
    fromText: fits,
    schema: { type: "string", pattern: pattern.source, maxLength },
    show: (value) => value,
    placeholder,
  };
}

/** Returns the kind of paths of files and folders. */
export function path(what: "file" | "folder"): Kind<string> {
  const kind = text(`the path of a ${what}`, /^[^\0]+$/, what, 4096);
  return { ...kind, schema: { type: "string", minLength: 1, maxLength: 4096 }, path: true };
}

/** Returns the kind of lists of at most `maxItems` of `item`. In a text they stand between commas. */
export function listOf<T>(item: Kind<T>, maxItems: number): Kind<readonly T[]> {
  const read = (
    parts: readonly unknown[],
    each: (part: never) => T | undefined,
  ): readonly T[] | undefined => {
    if (parts.length > maxItems) return undefined;
    const values = parts.map((part) => each(part as never));
    return values.includes(undefined) ? undefined : Object.freeze(values as T[]);
  };
  return {
    expected: `a list of at most ${maxItems}, each ${item.expected}`,
    fromValue: (value) => (Array.isArray(value) ? read(value, item.fromValue) : undefined),
    fromText: (line) =>
      read(line === "" ? [] : line.split(",").map((part) => part.trim()), item.fromText),
    schema: { type: "array", items: item.schema, maxItems },
    show: (values) => values.map(item.show),
    placeholder: item.placeholder,
    many: true,
  };
}

/** Returns `kind` with null added: in a file `null`, in a text the empty one. */
export function optional<T>(kind: Kind<T>): Kind<T | null> {
  return {
    ...kind,
    fromValue: (value) => (value === null ? null : kind.fromValue(value)),
    fromText: (line) => (line === "" ? null : kind.fromText(line)),
    schema: { anyOf: [kind.schema, { type: "null" }] },
    show: (value) => (value === null ? null : kind.show(value)),
  };
}

/** Returns the kind of Check addresses. */
export function address(): Kind<Address> {
  return {
    ...parsed(parseAddress, formatAddress),
    expected: "`grpc://host:port`, `unix:///path` or `unix://@name`",
    schema: { type: "string", pattern: "^(grpc://.+:\\d{1,5}|unix://[/@].+)$" },
    placeholder: "address",
  };
}

/** Returns the kind of `host:port`. */
export function tcpAddress(): Kind<TcpAddress> {
  return {
    ...parsed(parseTcpAddress, formatTcpAddress),
    expected: "`host:port`, an IPv6 host in brackets",
    schema: { type: "string", pattern: "^.+:\\d{1,5}$" },
    placeholder: "host:port",
  };
}

function parsed<T>(
  parse: (line: string) => Parsed<T>,
  format: (value: T) => string,
): Pick<Kind<T>, "fromValue" | "fromText" | "show"> {
  const read = (value: unknown): T | undefined => {
    if (typeof value !== "string" || value.length > 1024) return undefined;
    const answer = parse(value);
    return answer.ok ? answer.value : undefined;
  };
  return { fromValue: read, fromText: read, show: format };
}
