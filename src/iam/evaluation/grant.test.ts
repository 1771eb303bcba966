import { expect, test } from "vitest";
import { grantInputs } from "../../../test/fakes/grant-inputs.ts";
import { type Level, levels } from "../compile/principal-matcher.ts";
import { firstMissing, type GrantFacts, grant } from "./grant.ts";

const allLevels = Object.values(levels);

const all: readonly GrantFacts[] = grantInputs(allLevels);

/**
 * The table "in words" of iam-semantics 6.3, row by row: the first row whose situation fits says
 * when the request is allowed. Written from the words, not from the function.
 */
const table: readonly {
  readonly situation: string;
  readonly fits: (f: GrantFacts) => boolean;
  readonly allows: (f: GrantFacts) => boolean;
}[] = [
  {
    situation: "anonymous: the resource policy allows *; never on role trust",
    fits: (f) => f.type === "anonymous",
    allows: (f) => f.class !== "role-trust" && f.resource === levels.direct,
  },
  {
    situation: "web identity, SAML: the trust policy allows its provider",
    fits: (f) => f.type === "web-identity" || f.type === "saml",
    allows: (f) => f.class === "role-trust" && f.resource === levels.direct,
  },
  {
    situation: "service principal: the resource policy allows it direct",
    fits: (f) => f.type === "service",
    allows: (f) => f.resource === levels.direct,
  },
  {
    situation: "root or federated session, role trust: never",
    fits: (f) => (f.type === "root" || f.type === "federated-user") && f.class === "role-trust",
    allows: () => false,
  },
  {
    situation: "cross account, any class: any level and identity and boundary and session",
    fits: (f) => !f.same,
    allows: (f) => f.resource !== levels.none && f.identity && f.boundary && f.session,
  },
  {
    situation: "same account, role trust: direct does not bypass the limits",
    fits: (f) => f.class === "role-trust",
    allows: (f) => namesItself(f) && f.boundary && f.session,
  },
  {
    situation: "same account, owner must delegate",
    fits: (f) => f.class === "owner-delegates",
    allows: (f) => f.resource === levels.direct || (namesItself(f) && f.boundary && f.session),
  },
  {
    situation: "same account, ordinary: the account alone grants nothing",
    fits: () => true,
    allows: (f) =>
      f.resource === levels.direct ||
      ((f.identity || f.resource === levels.role || f.resource === levels.userOfFederated) &&
        f.boundary &&
        f.session),
  },
];

// The resource policy names the caller, or its account and the identity side agrees.
function namesItself(f: GrantFacts): boolean {
  if (f.resource === levels.none) return false;
  return f.resource === levels.account ? f.identity : true;
}

test.each(table.map((row, at) => ({ ...row, at })))("T-DEC-31 $situation", ({ at, allows }) => {
  const mine = all.filter((f) => table.findIndex((row) => row.fits(f)) === at);
  expect(mine.length).toBeGreaterThan(0);
  for (const facts of mine)
    expect({ facts, granted: grant(facts) }).toEqual({ facts, granted: allows(facts) });
});

test("T-DEC-31 the table is complete: 9 types, 2 sides, 3 classes, 5 levels, 8 answers", () => {
  expect(all).toHaveLength(9 * 2 * 3 * 5 * 8);
  expect(all.filter(grant).length).toBeGreaterThan(100);
});

test("a stronger level, an identity, a boundary or a session that allows never takes away", () => {
  const atLeast = (a: GrantFacts, b: GrantFacts): boolean =>
    strength(a.resource) >= strength(b.resource) &&
    (a.identity || !b.identity) &&
    (a.boundary || !b.boundary) &&
    (a.session || !b.session);
  const groups = Map.groupBy(all, (f) => `${f.type} ${f.same} ${f.class}`);
  for (const group of groups.values()) {
    for (const weaker of group.filter(grant)) {
      for (const stronger of group)
        if (atLeast(stronger, weaker)) expect(grant(stronger)).toBe(true);
    }
  }
});

test("PRIN-9 a workload is granted what a user is", () => {
  for (const facts of all.filter((f) => f.type === "user")) {
    expect(grant({ ...facts, type: "workload" })).toBe(grant(facts));
  }
});

test("DEC-5 the missing layer is one whose gate is shut, in the order of the clause", () => {
  for (const facts of all.filter((f) => !grant(f))) {
    const missing = firstMissing(facts);
    const isShut = {
      resource: facts.resource !== levels.direct || facts.class === "role-trust",
      identity: !facts.identity,
      permissionsBoundary: !facts.boundary,
      session: !facts.session,
    };
    const hasCallerSide = !["anonymous", "service", "web-identity", "saml"].includes(facts.type);
    const isForbidden =
      facts.class === "role-trust" && (facts.type === "root" || facts.type === "federated-user");
    if (isForbidden) continue; // EXC-9 answers before
    if (!hasCallerSide) {
      expect(missing).toBe("resource");
      continue;
    }
    expect(isShut).toHaveProperty(missing, true);
    if (missing === "permissionsBoundary") expect(facts.identity || namesMiddle(facts)).toBe(true);
    if (missing === "session") expect(facts.boundary).toBe(true);
  }
});

function namesMiddle(facts: GrantFacts): boolean {
  return facts.same && strength(facts.resource) >= 2;
}

function strength(level: Level): number {
  return level === levels.userOfFederated ? 2 : level;
}
