import { foldAscii } from "../ascii.ts";

/** Returns the truth value of `text` in any ASCII case, or null where it is none (VAL-3). */
export function parseBool(text: string): boolean | null {
  if (text.length > 5) return null;
  const folded = foldAscii(text);
  if (folded === "true") return true;
  return folded === "false" ? false : null;
}
