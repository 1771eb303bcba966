import { meant, nearestWord } from "../../iam/nearest-word.ts";
import { type Position, type Problem, quote } from "../../iam/problem.ts";
import type { NamedSetting } from "./setting.ts";

/** A value that one layer (file, environment, `--set`, flags) gives to one setting. */
export interface Given {
  readonly value: unknown;
  /** What the user wrote it as: the key, the variable or the flag. */
  readonly name: string;
  readonly position: Position | null;
}

/** What one layer gives, by the settings' keys. */
export type Layer = ReadonlyMap<string, Given>;

/** Returns a problem that refuses the configuration. */
export function refusal(
  code: string,
  path: string,
  message: string,
  position: Position | null = null,
): Problem {
  return { code, severity: "ERROR", path, message, position };
}

/** Returns the problem of a name that nothing goes by, with the nearest of `known`. */
export function unknownName(
  what: string,
  name: string,
  path: string,
  known: readonly string[],
  position: Position | null = null,
): Problem {
  const hint = meant(nearestWord(name, known));
  return refusal("UNKNOWN_KEY", path, `unknown ${what} ${quote(name)}${hint}`, position);
}

/** Returns the problem of a value that is not of the setting's kind. A password in a URL is not shown. */
export function wrongValue(
  { setting }: NamedSetting,
  shown: string,
  path: string,
  position: Position | null = null,
): Problem {
  const plain = shown.replace(/\/\/[^@/\s]*@/, "//");
  const message = `expected ${setting.kind.expected}, got ${quote(plain)}`;
  return refusal("WRONG_VALUE", path, message, position);
}
