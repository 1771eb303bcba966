import { foldAscii } from "../ascii.ts";
import type { MatchScope } from "../pattern.ts";
import type { PolicyValue, ValueMatcher } from "./value-matcher.ts";

/** Returns the truth value of `text` in any ASCII case, or null where it is none (VAL-3). */
export function parseBool(text: string): boolean | null {
  if (text.length > 5) return null;
  const folded = foldAscii(text);
  if (folded === "true") return true;
  return folded === "false" ? false : null;
}

/** Returns the matcher of `Bool`; several values are an OR (5.2). */
export function createBool(values: readonly PolicyValue[]): ValueMatcher {
  const wanted = values.map((value) => parseBool(value.text)).filter((each) => each !== null);
  return {
    matches(text: string, scope: MatchScope): boolean {
      scope.work.steps++;
      const found = parseBool(text);
      return found !== null && wanted.includes(found);
    },
  };
}
