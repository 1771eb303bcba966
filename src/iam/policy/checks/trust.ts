import { parseArn } from "../../arn.ts";
import { foldAscii } from "../../ascii.ts";
import { createGlob, createWork, matchGlob, parseGlob } from "../../glob.ts";
import { quote } from "../../problem.ts";
import type { ConditionEntry, Statement } from "../document.ts";
import { parseAwsPrincipal } from "../principal-text.ts";
import { allowsOf, note, type Subject } from "./check.ts";

/** What is particular to role trust policies (2.4, STS-7, STS-8). */
export function checkTrust(subject: Subject): void {
  if (subject.type !== "trust") return;
  for (const statement of allowsOf(subject)) {
    checkWildcard(subject, statement);
    checkSessions(subject, statement);
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

/** A session beside its role: the role names all its sessions (PRIN-4). */
function checkSessions(subject: Subject, { principal }: Statement): void {
  const named = (principal?.entries ?? [])
    .filter(({ type }) => type === "AWS")
    .map((entry) => ({ entry, ...parseSession(entry.text) }));
  const roles = new Set(
    named.flatMap(({ entry }) => {
      const parsed = parseAwsPrincipal(entry.text);
      return parsed?.type === "role"
        ? [`${parsed.partition} ${parsed.account} ${parsed.name}`]
        : [];
    }),
  );
  for (const { entry, role } of named) {
    if (role === undefined || !roles.has(role)) continue;
    const message = `its role is named as well, and takes in ${quote(entry.text)}`;
    const code = "REDUNDANT_PRINCIPAL_IN_ROLE_TRUST_POLICY";
    note(subject, "SUGGESTION", code, entry.position, message);
  }
}

function parseSession(text: string): { readonly role?: string } {
  if (parseAwsPrincipal(text)?.type !== "session") return {};
  const arn = parseArn(text);
  if (!arn.ok) return {};
  const { partition, account, resource } = arn.value;
  const [, name = ""] = resource.split("/");
  return { role: `${partition} ${account} ${name}` };
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
  checkAudience(subject, own, prefix);
  if (foldAscii(issuer) === githubIssuer) checkGithubSubject(subject, own, prefix);
  const asksForSubject = own.some((entry) => entry.keyLower === `${prefix}sub`);
  if (foldAscii(issuer) === githubIssuer && !asksForSubject) {
    const message = `every repository may assume the role; expected a condition on ${quote(`${prefix}sub`)}`;
    const code = "MISSING_GITHUB_REPO_CONDITION_KEY";
    note(subject, "SECURITY_WARNING", code, position, message);
  }
}

// STS-6: a set operator holds for an absent key (ForAllValues), and is needed only where there are several
function checkAudience(subject: Subject, own: readonly ConditionEntry[], prefix: string): void {
  const entry = own.find(({ keyLower, quantifier }) => keyLower === `${prefix}aud` && quantifier);
  if (entry === undefined) return;
  const message = `a set operator is for tokens with several audiences; with one ${quote(entry.key)} has one value`;
  note(subject, "SUGGESTION", "CONFIRM_AUDIENCE_CLAIM_TYPE", entry.position, message);
}

/** `repo:owner/name:ref:refs/heads/main`: a wildcard lets in what nobody has looked at yet. */
function checkGithubSubject(
  subject: Subject,
  own: readonly ConditionEntry[],
  prefix: string,
): void {
  for (const { keyLower, base, negated, values } of own) {
    if (keyLower !== `${prefix}sub` || base !== "StringLike" || negated) continue;
    for (const { text, position } of values) {
      if (!/[*?]/.test(text)) continue;
      const message = `expected one repository and branch or environment, got ${quote(text)}`;
      const code = "SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED";
      note(subject, "WARNING", code, position, message);
    }
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
