import { quote } from "../../problem.ts";
import type { Statement } from "../document.ts";
import { parseAwsPrincipal } from "../principal-text.ts";
import { allowsOf, note, type Subject } from "./check.ts";

/** Whom a resource or trust policy names, and whom it forgets (NPR-5, 10.1). */
export function checkPrincipals(subject: Subject): void {
  if (subject.type !== "resource" && subject.type !== "trust") return;
  for (const statement of subject.document.statements) checkNotPrincipal(subject, statement);
  for (const statement of allowsOf(subject)) checkServices(subject, statement);
}

// NPR-2: every link of a caller's chain has to be listed, its account first
function checkNotPrincipal(subject: Subject, { principal, position }: Statement): void {
  if (!principal?.negated) return;
  const named = principal.entries
    .filter((entry) => entry.type === "AWS")
    .map((entry) => parseAwsPrincipal(entry.text));
  if (named.length === 0 || named.some((each) => each?.type === "account")) return;
  const message = "nobody is spared whose account is not listed beside his own name";
  note(subject, "WARNING", "NOT_PRINCIPAL_WITHOUT_ACCOUNT", position, message);
}

const sourceKeys: ReadonlySet<string> = new Set([
  "aws:sourcearn",
  "aws:sourceaccount",
  "aws:sourceorgid",
  "aws:sourceorgpaths",
]);

// A service acts for everybody: without a source, for anybody's resources.
function checkServices(subject: Subject, { principal, conditions }: Statement): void {
  if (subject.type !== "resource") return;
  const service = principal?.entries.find((entry) => entry.type === "Service");
  if (service === undefined || conditions.some((entry) => sourceKeys.has(entry.keyLower))) return;
  const message = `expected a condition on the source that ${quote(service.text)} acts for`;
  const code = "RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL";
  note(subject, "SECURITY_WARNING", code, service.position, message);
}
