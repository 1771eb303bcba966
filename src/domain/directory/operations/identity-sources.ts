import { parseArn } from "../../../iam/arn.ts";
import { quote } from "../../../iam/problem.ts";
import { parseSpiffeId, tableNamespaceOf } from "../../request/spiffe-id.ts";
import { oidcProviderArn } from "../arns.ts";
import { oidcProviderKind } from "../kinds/oidc-provider.ts";
import { trustDomainKind } from "../kinds/trust-domain.ts";
import type { OidcProvider, ProviderRule } from "../model.ts";
import { text } from "../shape/scalars.ts";
import { required } from "../shape/shape.ts";
import type { EntityOf } from "../state/entity.ts";
import { entitiesOf, type OrganizationState } from "../state/organization-state.ts";
import { nameKeyOf } from "../state/stored-form.ts";
import { accountOfNamespace, trustTableOf } from "../trust-table.ts";
import { arnFacts, trustDomainArn } from "./arn-of.ts";
import { checkAccount, checkRoom, checkTitle, removed, stored } from "./creating.ts";
import { checkRevision, mutation } from "./define.ts";
import type { Operation, OperationContext, TypedOperation } from "./operation.ts";
import { question } from "./questions.ts";
import { isRefused, type Refusal, refuse } from "./refusal.ts";
import { newEntity } from "./store-entity.ts";
import { named, type Subject } from "./subject.ts";
import { type WrittenSpec, writtenSpec } from "./written-spec.ts";

const providerInput = writtenSpec(oidcProviderKind, "oidcProviders", "name");

/** Returns the account of a written object and its ARN there. */
function placeOf(
  input: WrittenSpec<OidcProvider>,
  context: OperationContext,
): { readonly account: string; readonly arn: string } {
  const account = input.account ?? context.caller.account;
  const { partition } = arnFacts(context.state);
  return { account, arn: oidcProviderArn(partition, account, input.record.issuer) };
}

const createProvider: TypedOperation<WrittenSpec<OidcProvider>> = {
  name: "CreateOpenIDConnectProvider",
  service: "iam",
  access: "Write",
  input: providerInput,
  secretMembers: [],
  questions: (input, context) => {
    const { account, arn } = placeOf(input, context);
    return [question("iam:CreateOpenIDConnectProvider", arn, account)];
  },
  run: (input, context) => {
    const { account, arn } = placeOf(input, context);
    const full = checkRoom(context, {
      kind: "oidcProvider",
      account,
      name: input.record.issuer.slice("https://".length),
      max: context.quotas.oidcProvidersPerAccount,
      title: "OIDC provider",
    });
    const { state } = context;
    const refused =
      full ??
      checkTitle(state, "oidcProvider", account, input.record.name) ??
      checkProvider(state, input.record, arn);
    if (refused !== null) return refused;
    const record = { ...input.record, id: context.newId("oidcProvider"), account, arn };
    const made = newEntity(context, "oidcProvider", record, {});
    return stored(context, made, { openIDConnectProviderArn: arn });
  },
};

const updateProvider: TypedOperation<WrittenSpec<OidcProvider>> = {
  name: "UpdateOpenIDConnectProvider",
  service: "iam",
  access: "Write",
  input: providerInput,
  secretMembers: [],
  questions: (input, context) => {
    const { account, arn } = placeOf(input, context);
    return [question("iam:UpdateOpenIDConnectProvider", arn, account)];
  },
  run: (input, context) => {
    const { account, arn } = placeOf(input, context);
    const found = providerByArn(context.state, arn);
    if (isRefused(found)) return found;
    const stale = checkRevision(found, input.expectedRevision, context.state);
    const refused =
      stale ??
      checkTitle(context.state, "oidcProvider", account, input.record.name, found.id) ??
      checkProvider(context.state, input.record, arn);
    if (refused !== null) return refused;
    const record = { ...input.record, id: found.id, account, arn };
    return stored(context, { ...found, record }, { openIDConnectProviderArn: arn });
  },
};

/** Returns the provider of an ARN, or `NoSuchEntity`. */
export function providerByArn(
  state: OrganizationState,
  arn: string,
): EntityOf<"oidcProvider"> | Refusal {
  const parsed = parseArn(arn);
  const account = parsed.ok ? parsed.value.account : "";
  const issuer = parsed.ok ? parsed.value.resource.slice("oidc-provider/".length) : arn;
  const found = named(state, "oidcProvider", account, issuer, "OIDC provider");
  if (isRefused(found) || found.record.arn === arn) return found;
  return refuse("NoSuchEntity", `no OIDC provider ${quote(arn)}`, { resource: arn });
}

/** At most one provider of an issuer has rules (FILE-20), and whom they name outright exists. */
function checkProvider(
  state: OrganizationState,
  { rules, issuer }: OidcProvider,
  arn: string,
): Refusal | null {
  if (rules.length === 0) return null;
  for (const other of entitiesOf(state.all("oidcProvider"), "oidcProvider")) {
    const judges = other.record.rules.length > 0 && other.record.issuer === issuer;
    if (!judges || other.record.arn === arn) continue;
    const message = `the issuer ${quote(issuer)} already has a provider with rules`;
    return refuse("ValidationError", message, { resource: other.record.arn, field: "rules" });
  }
  for (const [index, rule] of rules.entries()) {
    const refused = checkRule(state, rule);
    if (refused !== null) return { ...refused, field: `rules[${index}]` };
  }
  return null;
}

function checkRule(state: OrganizationState, { user, role }: ProviderRule): Refusal | null {
  for (const [kind, target] of [
    ["user", user],
    ["role", role],
  ] as const) {
    if (target === null) continue;
    const refused = checkAccount(state, target.account);
    if (refused !== null) return refused;
    if (target.name.type === "claim") continue;
    const found = named(state, kind, target.account, target.name.text, kind);
    if (isRefused(found)) return found;
    if (found.record.name === target.name.text) continue;
    return refuse(
      "NoSuchEntity",
      `no ${kind} ${quote(target.name.text)}, names are compared exactly`,
    );
  }
  return null;
}

const providerArn = text(
  "the ARN of an OIDC provider",
  /^arn:[a-z0-9-]+:iam::[0-9]{12}:oidc-provider\/[!-~]+$/,
  512,
);

/** The subject of operations on a provider. */
export const providerSubject: Subject<"oidcProvider"> = {
  kind: "oidcProvider",
  members: { openIDConnectProviderArn: required(providerArn, "The provider.") },
  find: (input, { state }) => providerByArn(state, String(input.openIDConnectProviderArn)),
  arn: (input) => String(input.openIDConnectProviderArn),
  account: (input, context) => {
    const parsed = parseArn(String(input.openIDConnectProviderArn));
    return parsed.ok ? parsed.value.account : context.caller.account;
  },
};

const deleteProvider = mutation({
  name: "DeleteOpenIDConnectProvider",
  service: "iam",
  subject: providerSubject,
  members: {},
  change: (provider, _input, context) => removed(context, provider),
});

const trustDomainInput = writtenSpec(trustDomainKind, "trustDomains", "name");
type TrustDomainRecord = EntityOf<"trustDomain">["record"];

const putTrustDomain: TypedOperation<WrittenSpec<TrustDomainRecord>> = {
  name: "PutTrustDomain",
  service: "mesh-iam",
  access: "Write",
  input: trustDomainInput,
  secretMembers: [],
  questions: ({ record }, { state }) => {
    const facts = arnFacts(state);
    const arn = trustDomainArn(facts, record.name);
    return [question("mesh-iam:PutTrustDomain", arn, facts.managementAccount)];
  },
  run: (input, context) => {
    const { state, quotas } = context;
    const { name, accounts } = input.record;
    for (const { account } of accounts) {
      const refused = checkAccount(state, account);
      if (refused !== null) return { ...refused, field: "accounts" };
    }
    const found = state.named("trustDomain", "", nameKeyOf(name));
    if (found?.kind === "trustDomain") {
      const stale = checkRevision(found, input.expectedRevision, state);
      const stray = stale ?? strayWorkload(state, input.record, found.record);
      if (stray !== null) return stray;
      return stored(context, { ...found, record: { ...input.record, id: found.id } }, {});
    }
    const max = quotas.trustDomains;
    const room = { kind: "trustDomain", account: "", name, max, title: "trust domain" } as const;
    const full = checkRoom(context, room);
    if (full !== null) return full;
    const record = { ...input.record, id: context.newId("trustDomain") };
    return stored(context, newEntity(context, "trustDomain", record, {}), {});
  },
};

/** Returns the refusal of a table that takes an account's workload away from it (FILE-22), or null. */
function strayWorkload(
  state: OrganizationState,
  next: TrustDomainRecord,
  before: TrustDomainRecord,
): Refusal | null {
  const row = ({ namespace, account }: TrustDomainRecord["accounts"][number]) =>
    `${namespace ?? ""}\0${account}`;
  const kept = new Set(next.accounts.map(row));
  const added = next.accounts.length > before.accounts.length;
  if (!added && before.accounts.every((one) => kept.has(row(one)))) return null;
  const table = trustTableOf(next);
  for (const account of new Set(before.accounts.map((one) => one.account))) {
    for (const workload of entitiesOf(state.list("workload", account), "workload")) {
      const id = parseSpiffeId(workload.record.spiffeId);
      if (!id.ok || id.value.trustDomain !== next.name) continue;
      if (accountOfNamespace(table, tableNamespaceOf(id.value)) === account) continue;
      const message = `the workload ${quote(workload.record.spiffeId)} stands in account ${quote(account)}: delete it first`;
      return refuse("DeleteConflict", message, {
        resource: workload.record.arn,
        field: "accounts",
      });
    }
  }
  return null;
}

/** The subject of operations on a trust domain. */
export const trustDomainSubject: Subject<"trustDomain"> = {
  kind: "trustDomain",
  members: { name: required(trustDomainKind.name, "The trust domain.") },
  find: (input, { state }) => named(state, "trustDomain", "", String(input.name), "trust domain"),
  arn: (input, { state }) => trustDomainArn(arnFacts(state), String(input.name)),
  account: (_input, { state }) => arnFacts(state).managementAccount,
};

const deleteTrustDomain = mutation({
  name: "DeleteTrustDomain",
  service: "mesh-iam",
  subject: trustDomainSubject,
  members: {},
  change: (domain, _input, context) => {
    const stray = strayWorkload(context.state, { ...domain.record, accounts: [] }, domain.record);
    return stray ?? removed(context, domain);
  },
});

export const identitySourceOperations: readonly Operation[] = [
  createProvider,
  updateProvider,
  deleteProvider,
  putTrustDomain,
  deleteTrustDomain,
];
