import { createPattern, type MatchScope, matchPattern, type Pattern } from "../pattern.ts";
import { splitArnPattern } from "../policy/arn-pattern.ts";
import { parseTemplate, type TemplatePart } from "../policy/variables.ts";
import { type PolicyValue, rememberLast, type ValueMatcher } from "./value-matcher.ts";

const splitLast = rememberLast(splitArn);

/**
 * Returns the matcher of `ArnLike`, which `ArnEquals` is another name of: both sides are split into
 * six fields, each field is a glob (5.2). A pattern is split before its variables are replaced, so a
 * value with colons shifts nothing (VAR-2).
 */
export function createArnLike(values: readonly PolicyValue[]): ValueMatcher {
  const patterns = values.map(createFields).filter((fields) => fields !== null);
  return {
    matches(text: string, scope: MatchScope): boolean {
      const found = splitLast(text);
      if (found === null) return false;
      const { work } = scope;
      for (const fields of patterns) {
        if (work.steps > work.limit) return false;
        if (matchFields(fields, found, scope)) return true;
      }
      return false;
    },
  };
}

function matchFields(
  fields: readonly Pattern[],
  found: readonly string[],
  scope: MatchScope,
): boolean {
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i];
    if (field === undefined || !matchPattern(field, found[i] ?? "", scope)) return false;
  }
  return true;
}

// The five fields behind `arn`; null: not six fields.
function createFields({ text, template }: PolicyValue): readonly Pattern[] | null {
  const fields = splitArnPattern(text, template !== null);
  if (fields.length !== 6 || fields[0] !== "arn") return null;
  return fields.slice(1).map((field) => createPattern(field, template && parseField(field)));
}

// INVARIANT: the whole value is well-formed, and no border lies inside a variable of it.
function parseField(field: string): readonly TemplatePart[] | null {
  const parts = parseTemplate(field);
  return parts.ok ? parts.value : null;
}

// The five fields behind `arn` of a request value; null: not an ARN (VAL-5).
function splitArn(text: string): readonly string[] | null {
  const fields = splitArnPattern(text, false);
  return fields.length === 6 && fields[0] === "arn" ? fields.slice(1) : null;
}
