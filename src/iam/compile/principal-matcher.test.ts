import { describe, expect, test } from "vitest";
import {
  accountA,
  accountB,
  anonymous,
  federated,
  federatedArn,
  roleArn,
  root,
  rootArn,
  service,
  session,
  sessionArn,
  user,
  userArn,
  webIdentity,
  workload,
} from "../../../test/fakes/question.ts";
import type { Effect, PrincipalElement, PrincipalEntry } from "../policy/document.ts";
import type { Principal } from "../principal.ts";
import {
  createPrincipalMatcher,
  type KnownPrincipals,
  levels,
  principalLevel,
} from "./principal-matcher.ts";
import { createCompileTables } from "./tables.ts";

const position = { line: 1, column: 1, offset: 0 };

type Named = readonly [type: PrincipalEntry["type"], text: string];

function element(negated: boolean, names: readonly Named[]): PrincipalElement {
  return { negated, entries: names.map(([type, text]) => ({ type, text, position })) };
}

interface Options extends KnownPrincipals {
  readonly effect?: Effect;
  readonly hasBoundary?: boolean;
}

function levelOf(names: readonly Named[], principal: Principal, options: Options = {}): number {
  const matcher = createPrincipalMatcher(element(false, names), options, createCompileTables());
  return principalLevel(
    matcher,
    principal,
    options.effect ?? "Allow",
    options.hasBoundary ?? false,
  );
}

function spares(names: readonly Named[], principal: Principal, hasBoundary = false): boolean {
  const matcher = createPrincipalMatcher(element(true, names), {}, createCompileTables());
  return principalLevel(matcher, principal, "Deny", hasBoundary) === levels.none;
}

const aws = (text: string): Named => ["AWS", text];
const saml: Principal = { type: "saml", provider: `arn:aws:iam::${accountA}:saml-provider/idp` };
const everybody = {
  user,
  session,
  federated,
  workload,
  root,
  anonymous,
  service,
  webIdentity,
  saml,
};
const { none, account, role, userOfFederated, direct } = levels;

describe("4.1 forms and match levels", () => {
  const rows: readonly [
    why: string,
    name: Named,
    want: Readonly<Partial<Record<keyof typeof everybody, number>>>,
  ][] = [
    [
      "everybody but federated callers",
      ["any", "*"],
      {
        user: direct,
        session: direct,
        federated: direct,
        workload: direct,
        root: direct,
        anonymous: direct,
        service: direct,
      },
    ],
    [
      "an account",
      aws(accountA),
      { user: account, session: account, federated: account, workload: account, root: account },
    ],
    [
      "an account's root",
      aws(rootArn),
      { user: account, session: account, federated: account, workload: account, root: account },
    ],
    ["another account", aws(accountB), {}],
    ["T-PRI-24 the root of another partition", aws(`arn:aws-cn:iam::${accountA}:root`), {}],
    ["a partition that begins alike", aws(`arn:aw:iam::${accountA}:root`), {}],
    ["a user", aws(userArn), { user: direct, federated: userOfFederated }],
    ["T-PRI-23 a user in another case", aws(userArn.replace("bob", "BOB")), {}],
    ["a user of another partition", aws(userArn.replace("aws", "aws-cn")), {}],
    ["a role", aws(roleArn), { session: role }],
    [
      "T-PRI-20 a role with a path",
      aws(`arn:aws:iam::${accountA}:role/team/app`),
      { session: role },
    ],
    ["a role of another partition", aws(roleArn.replace("aws", "aws-cn")), {}],
    ["a role of another account", aws(`arn:aws:iam::${accountB}:role/app`), {}],
    ["another role", aws(`arn:aws:iam::${accountA}:role/app2`), {}],
    ["a session", aws(sessionArn), { session: direct }],
    ["T-PRI-07 a longer session name", aws(`${sessionArn}x`), {}],
    ["a federated session", aws(federatedArn), { federated: direct }],
    ["a workload", aws(`arn:aws:iam::${accountA}:workload/td/ns/x/sa/y`), { workload: direct }],
    ["a service", ["Service", "sns.amazonaws.com"], { service: direct }],
    ["another service", ["Service", "sqs.amazonaws.com"], {}],
    ["a built-in provider", ["Federated", "accounts.google.com"], { webIdentity: direct }],
    [
      "a SAML provider",
      ["Federated", `arn:aws:iam::${accountA}:saml-provider/idp`],
      { saml: direct },
    ],
    ["a canonical user that nobody declares", ["CanonicalUser", "0a".repeat(32)], {}],
    ["a deleted role", aws("AROAEXAMPLE123"), {}],
    ["LOAD-4 a partial wildcard", aws(`arn:aws:iam::${accountA}:role/*`), {}],
    ["LOAD-4 a wildcard service", ["Service", "*"], {}],
    ["LOAD-4 a group", aws(`arn:aws:iam::${accountA}:group/g`), {}],
    ["LOAD-4 no principal at all", aws("bob"), {}],
  ];

  test.each(rows)("%s", (_why, name, want) => {
    for (const [who, principal] of Object.entries(everybody)) {
      const expected = (want as Readonly<Record<string, number>>)[who] ?? none;
      expect({ who, level: levelOf([name], principal) }).toEqual({ who, level: expected });
    }
  });

  test("T-STS-25 in a Deny * means federated callers too", () => {
    expect(levelOf([["any", "*"]], webIdentity, { effect: "Deny" })).toBe(direct);
    expect(levelOf([["any", "*"]], saml, { effect: "Deny" })).toBe(direct);
  });

  test("of several entries the strongest counts", () => {
    expect(levelOf([aws(accountA), aws(roleArn)], session)).toBe(role);
    expect(levelOf([aws(sessionArn), aws(accountA)], session)).toBe(direct);
    expect(levelOf([], user)).toBe(none);
  });

  test("a canonical user is the account that declares it", () => {
    const id = "0a".repeat(32);
    const canonicalUsers = new Map([[id, accountA]]);
    expect(levelOf([["CanonicalUser", id]], user, { canonicalUsers })).toBe(account);
    expect(levelOf([["CanonicalUser", id]], anonymous, { canonicalUsers })).toBe(none);
  });
});

describe("PRIN-3 unique ids", () => {
  const principalIds = new Map([
    [roleArn, "AROAOLD"],
    [userArn, "AIDAOLD"],
  ]);

  test.each([
    [
      "T-PRI-31 a role made again under the same name",
      aws(roleArn),
      { ...session, id: "AROANEW" },
      none,
    ],
    ["the same role", aws(roleArn), { ...session, id: "AROAOLD" }, role],
    [
      "the same role under a new name",
      aws(roleArn),
      { ...session, roleName: "new", id: "AROAOLD" },
      role,
    ],
    ["a session without id", aws(roleArn), session, role],
    ["a user made again", aws(userArn), { ...user, id: "AIDANEW" }, none],
    ["the same user", aws(userArn), { ...user, id: "AIDAOLD" }, direct],
    ["a user without id", aws(userArn), user, direct],
    [
      "a federated session of the user made again",
      aws(userArn),
      { ...federated, userId: "AIDANEW" },
      none,
    ],
    [
      "a federated session of the same user",
      aws(userArn),
      { ...federated, userId: "AIDAOLD" },
      userOfFederated,
    ],
    [
      "PRIN-6 a session is compared as text",
      aws(sessionArn),
      { ...session, id: "AROANEW" },
      direct,
    ],
  ] as const)("%s", (_why, name, principal, want) => {
    expect(levelOf([name], principal as Principal, { principalIds })).toBe(want);
  });

  test("a principal that could not be resolved is compared by name", () => {
    expect(levelOf([aws(roleArn)], { ...session, id: "AROANEW" })).toBe(role);
  });
});

describe("4.4 NotPrincipal", () => {
  const al = aws(`arn:aws:iam::${accountA}:user/al`);
  test.each<readonly [string, readonly Named[], Principal, boolean]>([
    ["T-PRI-11 somebody else and the account", [al, aws(rootArn)], user, false],
    ["T-PRI-12 the user alone", [aws(userArn)], user, false],
    ["T-PRI-13 user and account", [aws(userArn), aws(rootArn)], user, true],
    ["the account alone", [aws(accountA)], user, false],
    ["T-PRI-15 the role alone", [aws(roleArn)], session, false],
    ["T-PRI-15 role and account", [aws(roleArn), aws(rootArn)], session, false],
    [
      "T-PRI-15 session, role and account",
      [aws(sessionArn), aws(roleArn), aws(accountA)],
      session,
      true,
    ],
    ["session and account without the role", [aws(sessionArn), aws(accountA)], session, false],
    ["T-PRI-16 anonymous", [aws(userArn), aws(rootArn)], anonymous, false],
    ["root", [aws(rootArn)], root, true],
    ["root of another account", [aws(accountB)], root, false],
    [
      "federated, user and account",
      [aws(federatedArn), aws(userArn), aws(accountA)],
      federated,
      true,
    ],
    ["the user of a federated session", [aws(userArn), aws(accountA)], federated, false],
    [
      "workload and account",
      [aws(`arn:aws:iam::${accountA}:workload/td/ns/x/sa/y`), aws(accountA)],
      workload,
      true,
    ],
    ["the workload's account", [aws(accountA)], workload, false],
    ["a service", [["Service", "sns.amazonaws.com"]], service, true],
    ["another service", [["Service", "sqs.amazonaws.com"]], service, false],
    ["a federated caller", [["Federated", "accounts.google.com"]], webIdentity, false],
    ["a SAML caller", [["Federated", saml.provider]], saml, false],
  ])("%s: spared %s", (_why, names, principal, want) => {
    expect(spares(names, principal)).toBe(want);
  });

  test("T-PRI-14, NPR-3 nobody with a boundary is spared", () => {
    expect(spares([aws(userArn), aws(rootArn)], user, true)).toBe(false);
  });
});

test("equal elements are one matcher, others are not", () => {
  const tables = createCompileTables();
  const one = createPrincipalMatcher(element(false, [aws(userArn)]), {}, tables);
  expect(createPrincipalMatcher(element(false, [aws(userArn)]), {}, tables)).toBe(one);
  expect(createPrincipalMatcher(element(true, [aws(userArn)]), {}, tables)).not.toBe(one);
  const principalIds = new Map([[userArn, "AIDAX"]]);
  expect(createPrincipalMatcher(element(false, [aws(userArn)]), { principalIds }, tables)).not.toBe(
    one,
  );
});
