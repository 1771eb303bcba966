import { foldAscii } from "../../ascii.ts";
import { allowsOf, note, type Subject } from "./check.ts";

const present = "aws:multifactorauthpresent";

/**
 * An Allow that means to require a second factor and does not: with IfExists it holds for long-term
 * keys, which have no such key at all (CON-6, MFA-1).
 */
export function checkMultiFactor(subject: Subject): void {
  for (const { conditions } of allowsOf(subject)) {
    const entry = conditions.find(
      ({ base, ifExists, keyLower, values }) =>
        base === "Bool" &&
        ifExists &&
        keyLower === present &&
        values.some(({ text }) => foldAscii(text) === "true"),
    );
    if (entry === undefined) continue;
    const message = "BoolIfExists holds for callers without the key; Bool asks for a second factor";
    const code = "MFA_CONDITION_THAT_DOES_NOT_REQUIRE_IT";
    note(subject, "SECURITY_WARNING", code, entry.position, message);
  }
}
