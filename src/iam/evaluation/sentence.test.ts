import { expect, test } from "vitest";
import {
  anonymous,
  federated,
  root,
  service,
  session,
  user,
  webIdentity,
  workload,
} from "../../../test/fakes/question.ts";
import { type Decision, denied } from "../decision.ts";
import { denialOrder, type PolicyType } from "../policy/policy-type.ts";
import { accessDeniedSentence } from "./sentence.ts";

function denial(decision: Decision["decision"], deniedBy: PolicyType | null): Decision {
  return { ...denied("implicit-deny"), decision, deniedBy };
}

const who =
  "User: arn:aws:iam::111111111111:user/bob is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k";

test.each([
  ["serviceControl", "service control policy", "a"],
  ["resourceControl", "resource control policy", "a"],
  ["resource", "resource-based policy", "a"],
  ["identity", "identity-based policy", "an"],
  ["permissionsBoundary", "permissions boundary", "a"],
  ["session", "session policy", "a"],
] as const)("9.2 a denial by %s", (type, words, article) => {
  const sentence = (decision: Decision["decision"]) =>
    accessDeniedSentence(denial(decision, type), user, "s3:GetObject", "arn:aws:s3:::b/k");
  expect(sentence("explicitDeny")).toBe(`${who} with an explicit deny in ${article} ${words}`);
  expect(sentence("implicitDeny")).toBe(
    `${who} because no ${words} allows the s3:GetObject action`,
  );
});

test("a role's policy is called by its name", () => {
  const sentence = accessDeniedSentence(
    denial("implicitDeny", "resource"),
    user,
    "STS:AssumeRole",
    "r",
  );
  expect(sentence).toContain("because no role trust policy allows the STS:AssumeRole action");
});

test.each([
  [anonymous, "anonymous"],
  [root, "arn:aws:iam::111111111111:root"],
  [session, "arn:aws:sts::111111111111:assumed-role/app/sess1"],
  [federated, "arn:aws:sts::111111111111:federated-user/bob"],
  [workload, "arn:aws:iam::111111111111:workload/td/ns/x/sa/y"],
  [service, "sns.amazonaws.com"],
  [webIdentity, "accounts.google.com"],
  [{ type: "saml", provider: "idp" } as const, "idp"],
])("the caller: %j", (principal, name) => {
  expect(accessDeniedSentence(denial("implicitDeny", "identity"), principal, "a:b", "r")).toBe(
    `User: ${name} is not authorized to perform: a:b on resource: r because no identity-based policy allows the a:b action`,
  );
});

test("a denial that no policy decided gives no reason", () => {
  expect(
    accessDeniedSentence(
      denied("evaluation-error", ["step-bound"]),
      user,
      "s3:GetObject",
      "arn:aws:s3:::b/k",
    ),
  ).toBe(who);
});

test("without a resource the sentence ends at the action", () => {
  expect(accessDeniedSentence(denied("route-not-found"), anonymous, "a:b", "")).toBe(
    "User: anonymous is not authorized to perform: a:b",
  );
});

test("an allow says so", () => {
  const allow: Decision = { ...denied("identity-policy"), decision: "allowed" };
  expect(accessDeniedSentence(allow, anonymous, "a:b", "")).toBe(
    "User: anonymous is authorized to perform: a:b",
  );
});

test("every policy type has words", () => {
  for (const type of denialOrder) {
    expect(accessDeniedSentence(denial("explicitDeny", type), user, "a:b", "r")).toMatch(
      / in an? [a-z]/,
    );
  }
});
