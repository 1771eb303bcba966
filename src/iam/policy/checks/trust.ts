import { foldAscii } from "../../ascii.ts";
import { createGlob, createWork, matchGlob, parseGlob } from "../../glob.ts";
import { quote } from "../../problem.ts";
import type { Statement } from "../document.ts";
import { allowsOf, note, type Subject } from "./check.ts";

/** What is particular to role trust policies (2.4, STS-7, STS-8). */
export function checkTrust(subject: Subject): void {
  if (subject.type !== "trust") return;
  for (const statement of allowsOf(subject)) {
    checkWildcard(subject, statement);
    for (const { type, text, position } of statement.principal?.entries ?? []) {
      if (type !== "Federated") continue;
      const isSaml = text.includes(":saml-provider/");
      const wanted = `sts:AssumeRoleWith${isSaml ? "SAML" : "WebIdentity"}`;
      if (!takesIn(statement, wanted)) {
        const message = `expected ${quote(wanted)} for the provider ${quote(text)}`;
        note(subject, "ERROR", "MISMATCHED_ACTION_FOR_PRINCIPAL", position, message);
      }
      if (!isSaml) checkOidc(subject, statement, issuerOf(text));
    }
  }
  checkTransitiveTags(subject);
}

// 2.4: evaluated normally, both times
function checkWildcard(subject: Subject, { principal, conditions }: Statement): void {
  const any = principal?.entries.find((entry) => entry.type === "any");
  if (any === undefined) return;
  const severity = conditions.length === 0 ? "ERROR" : "SECURITY_WARNING";
  const message = "everybody who is not a federated caller may assume the role";
  const code = "ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL";
  note(subject, severity, code, any.position, message);
}

const githubIssuer = "token.actions.githubusercontent.com";

// STS-5, STS-7: keys of an OIDC provider begin with the issuer
function checkOidc(subject: Subject, { conditions, position }: Statement, issuer: string): void {
  const prefix = `${foldAscii(issuer)}:`;
  const own = conditions.filter((entry) => entry.keyLower.startsWith(prefix));
  if (own.length === 0) {
    const message = `every token of ${quote(issuer)} may assume the role; ask for a subject or audience`;
    const code = "MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL";
    note(subject, "SECURITY_WARNING", code, position, message);
  }
  const asksForSubject = own.some((entry) => entry.keyLower === `${prefix}sub`);
  if (foldAscii(issuer) === githubIssuer && !asksForSubject) {
    const message = `every repository may assume the role; expected a condition on ${quote(`${prefix}sub`)}`;
    const code = "MISSING_GITHUB_REPO_CONDITION_KEY";
    note(subject, "SECURITY_WARNING", code, position, message);
  }
}

// STS-2: tags cannot be passed on without the permission to tag
function checkTransitiveTags(subject: Subject): void {
  const { statements } = subject.document;
  if (statements.some((statement) => takesIn(statement, "sts:TagSession"))) return;
  for (const { conditions } of statements) {
    const entry = conditions.find(({ keyLower }) => keyLower === "sts:transitivetagkeys");
    if (entry === undefined) continue;
    const message = `expected \`sts:TagSession\` among the actions, for ${quote(entry.key)}`;
    note(subject, "ERROR", "MISSING_ACTION_FOR_CONDITION_KEY", entry.position, message);
  }
}

function issuerOf(provider: string): string {
  const marker = ":oidc-provider/";
  const at = provider.indexOf(marker);
  return at < 0 ? provider : provider.slice(at + marker.length);
}

function takesIn({ action }: Statement, name: string): boolean {
  const listed = action.entries.some(({ text }) =>
    matchGlob(createGlob(parseGlob(foldAscii(text))), foldAscii(name), createWork()),
  );
  return listed !== action.negated;
}
