import { variableEnd } from "./variables.ts";

/**
 * Returns the fields of an ARN pattern, split at the first five colons: fewer than six where there
 * are fewer colons. With `variables` a colon inside `${…}` separates nothing (VAR-2: a pattern is
 * split before its variables are replaced). Linear in the text.
 */
export function splitArnPattern(text: string, variables: boolean): readonly string[] {
  const fields: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length && fields.length < 5; ) {
    if (variables && text.startsWith("${", at)) {
      at = variableEnd(text, at);
    } else if (text.charCodeAt(at++) === 0x3a) {
      fields.push(text.slice(from, at - 1));
      from = at;
    }
  }
  fields.push(text.slice(from));
  return fields;
}

/**
 * Returns whether `fields` are a short form that stands for a whole pattern: the last field is
 * exactly `*` and stands for all that follow (RES-5).
 */
export function isShortArnPattern(fields: readonly string[]): boolean {
  return fields.length > 1 && fields.length < 6 && fields.at(-1) === "*";
}

/** Returns whether `text` is a value of an `Arn*` operator: six fields, the first `arn` (VAL-5). */
export function isArnPattern(text: string, variables: boolean): boolean {
  const fields = splitArnPattern(text, variables);
  return fields.length === 6 && fields[0] === "arn";
}
