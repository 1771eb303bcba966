import { expect, test } from "vitest";
import {
  accountA,
  accountB,
  federated,
  session,
  user,
  userArn,
} from "../../../test/fakes/question.ts";
import type { PrincipalEntry } from "../policy/document.ts";
import { type KnownIds, principalLevel, stronger } from "./reference-principal.ts";

/** What is known beside the documents: no scenario can give it, so the corpus cannot either. */
const known: Required<KnownIds> = {
  principalIds: new Map([[userArn, "AIDA1"]]),
  canonicalUsers: new Map([
    ["own", accountA],
    ["other", accountB],
  ]),
};

const bob = { ...user, id: "AIDA1" };
const namesake = { ...user, id: "AIDA2" };

test.each([
  ["PRIN-3 the id that was saved", "AWS", userArn, bob, "direct"],
  ["PRIN-3 another user of the same name", "AWS", userArn, namesake, "none"],
  ["PRIN-3 a caller without id", "AWS", userArn, user, "direct"],
  [
    "PRIN-3 a federated session of that user",
    "AWS",
    userArn,
    { ...federated, userId: "AIDA1" },
    "user-of-federated",
  ],
  [
    "PRIN-3 one of another user of that name",
    "AWS",
    userArn,
    { ...federated, userId: "AIDA2" },
    "none",
  ],
  ["4.1 the canonical user of the account", "CanonicalUser", "own", session, "account"],
  ["4.1 another account's", "CanonicalUser", "other", session, "none"],
  ["4.1 one that no account declares", "CanonicalUser", "nobody", session, "none"],
] as const)("%s", (_why, type, text, principal, want) => {
  const entry: PrincipalEntry = { type, text, position: { line: 1, column: 1, offset: 0 } };
  const caller = { principal, hasBoundary: false, known };
  expect(principalLevel({ negated: false, entries: [entry] }, caller, "Allow")).toBe(want);
});

test.each([
  ["anonymous", { type: "anonymous" }],
  ["a caller with an OIDC token", { type: "web-identity", provider: "accounts.google.com" }],
  ["a caller with a SAML assertion", { type: "saml", provider: "arn:aws:iam::1:saml-provider/p" }],
] as const)("NPR-4 no list spares %s", (_who, principal) => {
  const text = "provider" in principal ? principal.provider : "*";
  const position = { line: 1, column: 1, offset: 0 };
  const element = { negated: true, entries: [{ type: "Federated" as const, text, position }] };
  const caller = { principal, hasBoundary: false, known: {} };
  expect(principalLevel(element, caller, "Deny")).toBe("direct");
});

test("of two levels the stronger one counts", () => {
  expect(stronger("account", "direct")).toBe("direct");
  expect(stronger("direct", "role")).toBe("direct");
  expect(stronger("none", "account")).toBe("account");
});
