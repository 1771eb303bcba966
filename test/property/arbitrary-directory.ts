import fc from "fast-check";
import type {
  Directory,
  Group,
  KeySource,
  ManagedPolicy,
  OidcProvider,
  OrganizationPolicy,
  PolicyText,
  ProviderRule,
  Role,
  Service,
  TextOrClaim,
  TrustDomain,
  User,
  Workload,
} from "../../src/domain/directory/model.ts";
import type { RequestOptions } from "../../src/domain/request/options.ts";
import type { ContextKeyDefinition, Route } from "../../src/domain/request/service-definition.ts";

// Every member of every record of the directory, by type: a new member does not compile here before
// it is drawn, and the round trip then fails until the bundle carries it.

const text = fc.string({ unit: "grapheme", maxLength: 12 });
const filled = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
const texts = fc.array(text, { maxLength: 3 });
const tags = fc.dictionary(filled, text, { maxKeys: 3 }).map((o) => new Map(Object.entries(o)));
const accountId = fc.constantFrom("111122223333", "444455556666", "777788889999");
const seconds = fc.integer({ min: 0, max: 0xffff_ffff });
const state = fc.constantFrom("active" as const, "disabled" as const);

const policy: fc.Arbitrary<PolicyText> = fc.record({
  id: filled,
  text: fc.oneof(fc.json(), text),
  source: fc.constant(null),
});

const textOrClaim: fc.Arbitrary<TextOrClaim> = fc.oneof(
  fc.record({ type: fc.constant("text" as const), text }),
  fc.record({ type: fc.constant("claim" as const), claim: filled }),
);

const keySource: fc.Arbitrary<KeySource> = fc.oneof(
  fc.constant({ type: "discovery" as const }),
  fc.record({ type: fc.constant("uri" as const), uri: filled }),
  fc.record({ type: fc.constant("keys" as const), json: filled }),
);

const rule: fc.Arbitrary<ProviderRule> = fc
  .record({
    when: fc.option(
      fc.record({
        claim: filled,
        test: fc.constantFrom("equals" as const, "contains" as const, "matches", "exists"),
        value: text,
      }),
    ),
    user: fc.record({ account: accountId, name: textOrClaim }),
    role: fc.record({
      account: accountId,
      name: textOrClaim,
      sessionName: fc.option(textOrClaim),
      tags: fc
        .dictionary(filled, textOrClaim, { maxKeys: 2 })
        .map((o) => new Map(Object.entries(o))),
    }),
    isUser: fc.boolean(),
  })
  .map(({ when, user, role, isUser }) => ({
    when,
    user: isUser ? user : null,
    role: isUser ? null : role,
  }));

const requestOptions: fc.Arbitrary<RequestOptions> = fc.record({
  mergeSlashes: fc.boolean(),
  encodedSlash: fc.constantFrom("deny" as const, "separator" as const, "literal" as const),
  parameters: fc.constantFrom("deny" as const, "strip" as const, "literal" as const),
  trailingSlash: fc.constantFrom("distinct" as const, "ignore" as const),
  caseInsensitive: fc.boolean(),
  relaxedChars: text,
  protocol: fc.constantFrom("mixed" as const, "grpc" as const),
  methodOverride: fc.constantFrom("ignore" as const, "deny" as const, "both" as const),
  maxTargetBytes: seconds,
  maxPathBytes: seconds,
  maxSegments: fc.integer({ min: 8, max: 1_000 }),
  maxQueryParameters: seconds,
  commaHeaders: texts,
});

const word = fc.stringMatching(/^[a-z]{1,5}$/);

const route: fc.Arbitrary<Route> = fc.record({
  match: fc.oneof(
    fc.record({
      type: fc.constant("http" as const),
      method: fc.constantFrom("GET", "POST", "PURGE"),
      template: fc.array(fc.oneof(word, fc.constant("{x}")), { maxLength: 2 }).map(pathOf),
    }),
    fc.record({ type: fc.constant("grpc" as const), service: word, method: word }),
  ),
  action: filled,
  resource: fc.stringMatching(/^[a-z0-9/:.é€-]{1,12}$/),
  accessLevel: fc.constantFrom("List", "Read", "Write", "Permissions management", "Tagging"),
  authType: fc.option(fc.constantFrom("AWS_IAM" as const, "NONE" as const)),
  tags,
});

function pathOf(segments: readonly string[]): string {
  // a variable stands once
  return segments.map((text, i) => `/${text === "{x}" ? `{x${i}}` : text}`).join("");
}

/** Returns the route under a beginning of its own, so that no two of a service are equal. */
function apart(one: Route, index: number): Route {
  const { match } = one;
  return {
    ...one,
    match:
      match.type === "http"
        ? { ...match, template: `/r${index}${match.template}` }
        : { ...match, service: `g${index}.${match.service}` },
  };
}

const contextKey: fc.Arbitrary<ContextKeyDefinition> = fc.record({
  key: filled,
  source: fc.oneof(
    fc.record({ type: fc.constant("header" as const), name: filled }),
    fc.record({ type: fc.constant("query" as const), name: filled }),
    fc.record({ type: fc.constant("path" as const), variable: filled }),
  ),
  valueType: fc.constantFrom("string", "number", "bool", "date", "ip", "arn"),
  multivalued: fc.boolean(),
});

const sources = fc.uniqueArray(fc.constantFrom("session", "jwt", "jwt-svid", "mtls"));

const service: fc.Arbitrary<Omit<Service, "id" | "name">> = fc.record({
  account: accountId,
  arn: filled,
  hosts: texts,
  workloads: texts,
  gateways: texts,
  mode: fc.constantFrom("enforce" as const, "shadow" as const),
  authType: fc.constantFrom("AWS_IAM" as const, "NONE" as const),
  principalFrom: sources,
  requireCredential: sources,
  audiences: fc.option(texts),
  forwardCredential: fc.boolean(),
  cors: fc.boolean(),
  routes: fc.array(route, { maxLength: 3 }).map((routes) => routes.map(apart)),
  contextKeys: fc.array(contextKey, { maxLength: 2 }),
  request: requestOptions,
  hideHeaders: texts,
  tags,
  resourcePolicy: fc.option(policy),
});

const identity = {
  account: accountId,
  name: filled,
  arn: filled,
  inlinePolicies: fc.array(policy, { maxLength: 2 }),
};
const principal = { ...identity, tags, state };

type Drawn<T> = Omit<T, "id" | "attachedPolicyIds" | "permissionsBoundaryId" | "groupIds">;

const users: fc.Arbitrary<Drawn<User>[]> = few(fc.record({ ...principal, path: text }));
const groups: fc.Arbitrary<Drawn<Group>[]> = few(fc.record({ ...identity, path: text }));
const roles: fc.Arbitrary<Drawn<Role>[]> = few(
  fc.record({
    ...principal,
    path: text,
    trustPolicy: policy,
    maxSessionSeconds: seconds,
    sessionBinding: fc.constantFrom("peer" as const, "certificate" as const, "none" as const),
    serviceLinked: fc.boolean(),
  }),
);
const workloads: fc.Arbitrary<Drawn<Workload>[]> = few(
  fc.record({ ...principal, spiffeId: filled }),
);
const managedPolicies: fc.Arbitrary<Omit<ManagedPolicy, "id">[]> = few(
  fc.record({ account: accountId, name: filled, path: text, arn: filled, policy }),
);
const oidcProviders: fc.Arbitrary<Omit<OidcProvider, "id">[]> = few(
  fc.record({
    account: accountId,
    name: filled,
    arn: filled,
    issuer: filled,
    tokenKind: fc.constantFrom("kubernetes", "oidc-id", "rfc9068", "generic"),
    audiences: texts,
    audienceRule: fc.constantFrom("aud" as const, "google" as const),
    algorithms: texts,
    typ: fc.option(text),
    maxTokenLifetimeSeconds: seconds,
    clockSkewSeconds: seconds,
    mfaFromAmr: fc.boolean(),
    multivaluedClaims: texts,
    keys: keySource,
    rules: fc.array(rule, { maxLength: 3 }),
  }),
);
const trustDomains: fc.Arbitrary<Omit<TrustDomain, "id">[]> = few(
  fc.record({
    name: filled,
    audiences: texts,
    keys: fc.option(keySource),
    refreshHintSeconds: fc.option(seconds),
    accounts: fc.array(fc.record({ namespace: fc.option(text), account: accountId }), {
      maxLength: 2,
    }),
  }),
);
const organizationPolicies: fc.Arbitrary<Omit<OrganizationPolicy, "id">[]> = few(
  fc.record({ name: filled, targetIds: texts, policy: fc.option(policy) }),
);

/** Returns directories in which every reference resolves and every list is in order of ids. */
export const arbitraryDirectory: fc.Arbitrary<Directory> = fc
  .record({
    partition: fc.constantFrom("aws", "aws-cn"),
    organization: fc.option(
      fc.record({ id: filled, rootId: filled, name: text, managementAccountId: filled }),
    ),
    organizationalUnits: few(fc.record({ name: text, parentId: filled })),
    accounts: fc.uniqueArray(
      fc.record({
        id: accountId,
        name: text,
        parentId: fc.option(filled),
        email: text,
        tags,
        state,
      }),
      { selector: ({ id }) => id },
    ),
    serviceControlPolicies: organizationPolicies,
    resourceControlPolicies: organizationPolicies,
    users,
    groups,
    roles,
    workloads,
    managedPolicies,
    oidcProviders,
    trustDomains,
    services: few(service),
    serviceIdentities: fc
      .dictionary(filled, filled, { maxKeys: 3 })
      .map((o) => new Map(Object.entries(o))),
    poison: fc.uniqueArray(
      fc.record({ objectId: filled, kind: fc.constantFrom("user", "role"), reason: text }),
      { maxLength: 2, selector: ({ objectId }) => objectId },
    ),
    picks: fc.infiniteStream(fc.nat()),
  })
  .map(({ picks, ...drawn }) => {
    const pick = <T>(from: readonly T[]): T | undefined => from[picks.next().value % from.length];
    const some = (from: readonly { readonly id: string }[]) => {
      const one = pick(from);
      return one === undefined || picks.next().value % 2 === 0 ? [] : [one.id];
    };
    const policies = withIds("ANPA", drawn.managedPolicies);
    const inGroups = withIds("AGPA", drawn.groups).map((group) => ({
      ...group,
      attachedPolicyIds: some(policies),
    }));
    const attach = <T>(one: T) => ({
      ...one,
      attachedPolicyIds: some(policies),
      permissionsBoundaryId: some(policies)[0] ?? null,
    });
    return {
      ...drawn,
      org: drawn.organization?.id ?? "local",
      organizationalUnits: withIds("ou-", drawn.organizationalUnits),
      serviceControlPolicies: withIds("p-s", drawn.serviceControlPolicies),
      resourceControlPolicies: withIds("p-r", drawn.resourceControlPolicies),
      users: withIds("AIDA", drawn.users).map((user) => ({
        ...attach(user),
        groupIds: some(inGroups),
      })),
      groups: inGroups,
      roles: withIds("AROA", drawn.roles).map(attach),
      workloads: withIds("AWLD", drawn.workloads).map(attach),
      managedPolicies: policies,
      oidcProviders: withIds("AOIP", drawn.oidcProviders),
      trustDomains: withIds("td-", drawn.trustDomains),
      services: withIds("svc-", drawn.services).map((one, i) => ({ ...one, name: `s${i}` })),
    };
  })
  .map((directory) => (directory.organization === null ? freed(directory) : placed(directory)));

/** Without an organization there is no tree. */
function freed(directory: Directory): Directory {
  return {
    ...directory,
    organizationalUnits: [],
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    accounts: directory.accounts.map((one) => ({ ...one, parentId: null })),
  };
}

/** With one, every account that owns something has a place in it. */
function placed(directory: Directory): Directory {
  const { users, groups, roles, workloads, managedPolicies, services, accounts } = directory;
  const owners = [users, groups, roles, workloads, managedPolicies, services].flat();
  const ids = new Set(owners.map(({ account }) => account));
  for (const { id } of accounts) ids.delete(id);
  const more = [...ids].map((id) => ({
    id,
    name: "",
    parentId: "r-1",
    email: "",
    tags: new Map(),
    state: "active" as const,
  }));
  return { ...directory, accounts: [...accounts, ...more] };
}

function few<T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.array(one, { maxLength: 4 });
}

function withIds<T>(prefix: string, items: readonly T[]): (T & { readonly id: string })[] {
  return items.map((item, i) => ({ ...item, id: `${prefix}${i}` }));
}
