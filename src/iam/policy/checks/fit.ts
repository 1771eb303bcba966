import { foldAscii } from "../../ascii.ts";
import { quote } from "../../problem.ts";
import { splitArnPattern } from "../arn-pattern.ts";
import type { Located, Statement } from "../document.ts";
import { note, type Subject } from "./check.ts";

/**
 * Resources that no action of their statement is about: of the services given, an action's prefix is the
 * service in its resources' ARNs (DESIGN 6). Of others, such as `sts` with roles of `iam`, nothing is known.
 */
export function checkFit(subject: Subject): void {
  const { services } = subject.options;
  if (services === undefined || services.size === 0) return;
  for (const statement of subject.document.statements) {
    const prefixes = knownPrefixes(statement, (prefix) => services.has(prefix));
    if (prefixes === null || statement.resource === null || statement.resource.negated) continue;
    const misfits = statement.resource.entries.filter((entry) => !fits(entry, prefixes));
    if (misfits.length === 0) continue;
    const [first] = misfits;
    if (first === undefined) continue;
    if (misfits.length === statement.resource.entries.length) {
      const message = "none of its resources is of a service of its actions, so it never matches";
      note(subject, "WARNING", "STATEMENT_NEVER_MATCHES", statement.position, message);
      continue;
    }
    for (const { text, position } of misfits) {
      const message = `no action of the statement is about ${quote(text)}`;
      note(subject, "WARNING", "ACTION_AND_RESOURCE_DO_NOT_FIT", position, message);
    }
  }
}

/** Returns the prefixes of the actions where all are of services that are given, else null. */
function knownPrefixes(
  { action }: Statement,
  isGiven: (prefix: string) => boolean,
): ReadonlySet<string> | null {
  if (action.negated) return null;
  const prefixes = action.entries.map(({ text }) => {
    const colon = text.indexOf(":");
    return colon < 0 ? "" : foldAscii(text.slice(0, colon));
  });
  return prefixes.every(isGiven) ? new Set(prefixes) : null;
}

function fits({ text }: Located, prefixes: ReadonlySet<string>): boolean {
  const fields = splitArnPattern(text, true);
  const service = fields[2];
  // a short form, or a service that a wildcard or variable stands for
  if (fields.length < 6 || service === undefined || /[*?$]/.test(service)) return true;
  return prefixes.has(service);
}
