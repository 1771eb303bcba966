import { parseArn } from "../../../iam/arn.ts";
import type { PolicyDocument } from "../../../iam/policy/document.ts";
import { parsePolicyDocument } from "../../../iam/policy/parse.ts";
import type { PolicyText, Role } from "../model.ts";
import type { EntityOf, StoredRole, TrustedPrincipal } from "./entity.ts";
import type { OrganizationState } from "./organization-state.ts";
import { nameKeyOf } from "./stored-form.ts";

/** A principal that a policy can name by its ARN. */
type NamedPrincipal = EntityOf<"user" | "role" | "workload">;

/**
 * Returns the user, role or workload of exactly that ARN, or null: for what is not there, what cannot be
 * read, and every other sort of ARN. Constant time.
 */
export function principalByArn(state: OrganizationState, text: string): NamedPrincipal | null {
  const arn = parseArn(text);
  if (!arn.ok || arn.value.service !== "iam") return null;
  const { account, resource } = arn.value;
  const type = resource.slice(0, resource.indexOf("/"));
  const rest = resource.slice(type.length + 1);
  const name = nameKeyOf(rest.slice(rest.lastIndexOf("/") + 1));
  const found =
    type === "user"
      ? state.named("user", account, name)
      : type === "role"
        ? state.named("role", account, name)
        : type === "workload"
          ? state.named("workload", account, nameKeyOf(`spiffe://${rest}`))
          : undefined;
  if (found === undefined || found.kind === "poisoned") return null;
  return found.record.arn === text ? found : null;
}

/** Returns the principals that `document` names and that exist, each with its unique id (PRIN-3). */
export function trustedPrincipals(
  state: OrganizationState,
  document: PolicyDocument,
): readonly TrustedPrincipal[] {
  const found = new Map<string, string>();
  for (const text of namedArns(document)) {
    const principal = principalByArn(state, text);
    if (principal !== null) found.set(text, principal.id);
  }
  return [...found].map(([arn, id]) => ({ arn, id }));
}

/** Returns the ARNs of users, roles and workloads that a trust policy names, each once. */
export function namedArns(document: PolicyDocument): readonly string[] {
  const texts = document.statements.flatMap(({ principal }) =>
    (principal?.entries ?? []).flatMap(({ type, text }) => (type === "AWS" ? [text] : [])),
  );
  return [...new Set(texts)].filter((text) =>
    /^arn:[^:]*:iam::[^:]*:(user|role|workload)\//.test(text),
  );
}

/**
 * Returns the role as it decides: each principal that was deleted since the policy was stored stands in
 * it by its unique id, which matches nobody, so that who takes over its name inherits nothing; one that
 * was renamed stands in it by its new ARN. The record itself where all is as it was, which costs a
 * look-up a principal.
 */
export function effectiveRole(state: OrganizationState, role: StoredRole): Role {
  const moved = new Map<string, string>();
  for (const { arn, id } of role.trusted) {
    const now = currentArn(state, id);
    if (now !== arn) moved.set(arn, now);
  }
  if (moved.size === 0) return role.record;
  const { trustPolicy } = role.record;
  return { ...role.record, trustPolicy: replaced(trustPolicy, moved) };
}

/** Returns the ARN of a principal, its id once it is gone. */
function currentArn(state: OrganizationState, id: string): string {
  const found = state.get(id);
  return found?.kind === "user" || found?.kind === "role" || found?.kind === "workload"
    ? found.record.arn
    : id;
}

function replaced(policy: PolicyText, moved: ReadonlyMap<string, string>): PolicyText {
  const loaded = parsePolicyDocument(policy.text, "trust");
  if (!loaded.ok) return policy; // it decides nothing but denials as it is
  const places = loaded.value.statements
    .flatMap(({ principal }) => principal?.entries ?? [])
    .flatMap(({ type, text, position }) => {
      const now = type === "AWS" ? moved.get(text) : undefined;
      return now === undefined ? [] : [{ at: position.offset, now }];
    })
    .sort((a, b) => b.at - a.at);
  let { text } = policy;
  for (const { at, now } of places) {
    text = `${text.slice(0, at)}${JSON.stringify(now)}${text.slice(endOfString(text, at))}`;
  }
  return { ...policy, text };
}

/** Returns the offset behind the JSON string that begins at `at`. */
function endOfString(text: string, at: number): number {
  let i = at + 1;
  while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return i + 1;
}
