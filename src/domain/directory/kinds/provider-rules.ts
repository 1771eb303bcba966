import type { ClaimTest, ProviderRule, TextOrClaim } from "../model.ts";
import { listOf, mapOf } from "../shape/collections.ts";
import { accountId, entityName, sessionName } from "../shape/names.ts";
import { record } from "../shape/record.ts";
import { flag, type Placed, placed, text } from "../shape/scalars.ts";
import { optional, required, type Shape } from "../shape/shape.ts";
import { maxTags, ownTagKeyPattern, tagKeyWords } from "../tag-text.ts";
import type { World } from "./world.ts";
import { unlessEmptyMap } from "./written-value.ts";

export const claimName = text("the name of a claim", /^[^\p{Cc}]+$/u, 256);
const claimValue = text("a text without control characters", /^[^\p{Cc}]*$/u, 1024);
const claim = record({ claim: required(claimName, "The claim whose value is taken.") });

/** Returns the shape of `shape`, or of a claim that holds such a text at use. */
function orClaim(shape: Shape<string>): Shape<TextOrClaim> {
  return {
    expected: `${shape.expected}, or a mapping with the member \`claim\``,
    read: (node, place, report) => {
      if (node.type === "map") {
        const read = claim.read(node, place, report);
        return read === undefined ? undefined : { type: "claim", claim: read.claim };
      }
      const value = shape.read(node, place, report);
      return value === undefined ? undefined : { type: "text", text: value };
    },
    schema: { anyOf: [shape.schema, claim.schema] },
    members: null,
  };
}

const user = record({
  account: required(placed(accountId), "The user's account."),
  name: required(placed(orClaim(entityName(64))), "The user's name, or the claim that holds it."),
});

const role = record({
  account: required(placed(accountId), "The role's account."),
  name: required(placed(orClaim(entityName(64))), "The role's name, or the claim that holds it."),
  sessionName: optional(
    orClaim(sessionName),
    null,
    "The session's name. Absent, or a claim that does not fit: a digest of issuer and subject.",
  ),
  tags: optional(
    mapOf(tagKeyWords, ownTagKeyPattern, orClaim(claimValue), maxTags),
    [],
    "Session tags; the trust policy must then allow `sts:TagSession` too.",
  ),
});

const when = record(
  {
    claim: required(claimName, "The claim that is looked at."),
    equals: optional(claimValue, null, "Holds when the claim is this text."),
    contains: optional(claimValue, null, "Holds when one of the claim's values is this text."),
    matches: optional(claimValue, null, "Holds when the claim matches this glob (`*`, `?`)."),
    exists: optional(flag(), null, "Holds when the claim is there (true) or is not (false)."),
  },
  { exactlyOne: ["equals", "contains", "matches", "exists"] },
);

/** The shape of `rules`. */
export const providerRules = listOf(
  record(
    {
      when: optional(when, null, "Absent: holds for every token."),
      user: optional(user, null, "The token is about this user."),
      role: optional(role, null, "The token is about a session of this role."),
    },
    { exactlyOne: ["user", "role"] },
  ),
  { max: 1_000 },
);

type Rules = NonNullable<ReturnType<typeof providerRules.read>>;
type When = NonNullable<ReturnType<typeof when.read>>;

/** Returns the rules as they are stored; users and roles that they name outright must exist. */
export function resolveRules(world: World, rules: Rules): readonly ProviderRule[] {
  return rules.map((rule) => {
    if (rule.user !== null) refer(world, "User", rule.user);
    if (rule.role !== null) refer(world, "Role", rule.role);
    return {
      when: rule.when === null ? null : claimTest(rule.when),
      user: rule.user && { account: rule.user.account.value, name: rule.user.name.value },
      role: rule.role && {
        account: rule.role.account.value,
        name: rule.role.name.value,
        sessionName: rule.role.sessionName,
        tags: new Map(rule.role.tags.map(({ key, value }) => [key, value])),
      },
    };
  });
}

function refer(
  world: World,
  kind: "User" | "Role",
  named: { readonly account: Placed<string>; readonly name: Placed<TextOrClaim> },
): void {
  const { account, name } = named;
  world.useAccount(account.value, account.place);
  if (name.value.type === "claim") return;
  world.refer(kind, account.value, { value: name.value.text, place: name.place });
}

function claimTest(spec: When): ClaimTest {
  const { claim: name, equals, contains, matches, exists } = spec;
  if (equals !== null) return { claim: name, test: "equals", value: equals };
  if (contains !== null) return { claim: name, test: "contains", value: contains };
  if (matches !== null) return { claim: name, test: "matches", value: matches };
  return { claim: name, test: "exists", value: String(exists ?? true) };
}

/** Returns `rules` as they are written. */
export function writeRules(rules: readonly ProviderRule[]): readonly unknown[] {
  return rules.map(({ when: test, user: toUser, role: toRole }) => ({
    when:
      test === null
        ? undefined
        : {
            claim: test.claim,
            [test.test]: test.test === "exists" ? test.value === "true" : test.value,
          },
    user: toUser === null ? undefined : { account: toUser.account, name: written(toUser.name) },
    role:
      toRole === null
        ? undefined
        : {
            account: toRole.account,
            name: written(toRole.name),
            sessionName: toRole.sessionName === null ? undefined : written(toRole.sessionName),
            tags: unlessEmptyMap(
              new Map([...toRole.tags].map(([key, tag]) => [key, written(tag)])),
            ),
          },
  }));
}

function written(value: TextOrClaim): unknown {
  return value.type === "text" ? value.text : { claim: value.claim };
}
