import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";

/** Returns the number that an option's text is; throws `usage`. */
export function wholeNumber(option: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new MeshIamError("usage", `expected a whole number for ${option}, got ${quote(text)}`);
}
