import { create } from "@bufbuild/protobuf";
import {
  ClaimTestKind,
  type ProviderRule as ProviderRuleMessage,
  ProviderRuleSchema,
  type RuleRole as RuleRoleMessage,
  RuleRoleSchema,
  RuleUserSchema,
  type TextOrClaim as TextOrClaimMessage,
  TextOrClaimSchema,
} from "../../../gen/meshiam/bundle/v1/provider_pb.ts";
import type { ClaimTest, ProviderRule, TextOrClaim } from "../../directory/model.ts";
import { compareBytes } from "../byte-order.ts";
import type { ObjectCheck } from "./object-check.ts";
import { createWords } from "./words.ts";

const tests = createWords<ClaimTest["test"], ClaimTestKind>({
  equals: ClaimTestKind.EQUALS,
  contains: ClaimTestKind.CONTAINS,
  matches: ClaimTestKind.MATCHES,
  exists: ClaimTestKind.EXISTS,
});

export function encodeRule(rule: ProviderRule): ProviderRuleMessage {
  const { when } = rule;
  return create(ProviderRuleSchema, {
    ...(when === null
      ? {}
      : { when: { claim: when.claim, test: tests.numberOf(when.test), value: when.value } }),
    principal: encodePrincipal(rule),
  });
}

function encodePrincipal({ user, role }: ProviderRule): ProviderRuleMessage["principal"] {
  if (user !== null) {
    const value = create(RuleUserSchema, { account: user.account, name: encodeText(user.name) });
    return { case: "user", value };
  }
  if (role === null) return { case: undefined };
  const value = create(RuleRoleSchema, {
    account: role.account,
    name: encodeText(role.name),
    ...(role.sessionName === null ? {} : { sessionName: encodeText(role.sessionName) }),
    tags: [...role.tags]
      .sort(([a], [b]) => compareBytes(a, b))
      .map(([key, tag]) => ({ key, value: encodeText(tag) })),
  });
  return { case: "role", value };
}

export function decodeRule(message: ProviderRuleMessage, check: ObjectCheck): ProviderRule {
  const { principal, when } = message;
  return Object.freeze({
    when:
      when === undefined
        ? null
        : {
            claim: check.filled(when.claim, "claim"),
            test: check.word(tests, when.test, "when"),
            value: when.value,
          },
    ...decodePrincipal(principal, check),
  });
}

function decodePrincipal(
  principal: ProviderRuleMessage["principal"],
  check: ObjectCheck,
): Pick<ProviderRule, "user" | "role"> {
  switch (principal.case) {
    case "user": {
      const { account, name } = principal.value;
      const user = { account: check.filled(account, "account"), name: decodeText(name, check) };
      return { user, role: null };
    }
    case "role":
      return { user: null, role: decodeRole(principal.value, check) };
    case undefined:
      check.fail("a rule names no principal of a kind that is known");
      return { user: null, role: null };
  }
}

function decodeRole(message: RuleRoleMessage, check: ObjectCheck): ProviderRule["role"] {
  const tags = new Map<string, TextOrClaim>();
  for (const { key, value } of message.tags) {
    if (tags.has(key)) check.fail("a tag key of a rule occurs twice");
    tags.set(key, decodeText(value, check));
  }
  return {
    account: check.filled(message.account, "account"),
    name: decodeText(message.name, check),
    sessionName: message.sessionName === undefined ? null : decodeText(message.sessionName, check),
    tags,
  };
}

function encodeText(value: TextOrClaim): TextOrClaimMessage {
  return create(TextOrClaimSchema, {
    source:
      value.type === "text"
        ? { case: "text", value: value.text }
        : { case: "claim", value: value.claim },
  });
}

function decodeText(message: TextOrClaimMessage | undefined, check: ObjectCheck): TextOrClaim {
  const source = message?.source;
  switch (source?.case) {
    case "text":
      return { type: "text", text: source.value };
    case "claim":
      return { type: "claim", claim: check.filled(source.value, "claim") };
    case undefined:
      check.fail("a name is neither text nor claim");
      return { type: "text", text: "" };
  }
}
