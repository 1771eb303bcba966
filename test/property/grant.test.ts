import { expect, test } from "vitest";
import { firstMissing, type GrantFacts, grant } from "../../src/iam/evaluation/reference-grant.ts";
import type { Level } from "../../src/iam/evaluation/reference-principal.ts";
import type { PrincipalType } from "../../src/iam/principal.ts";
import { grantInputs } from "../fakes/grant-inputs.ts";

/**
 * T-DEC-31: the grant function in all its inputs, against the table "in words" of iam-semantics 6.3
 * and the rows of 6.4, written as what is enough for an allow.
 */
const levels: readonly Level[] = ["none", "account", "role", "user-of-federated", "direct"];

const inputs: readonly GrantFacts[] = grantInputs(levels);

/** What is enough, in one situation: a level of the resource policy and the layers that must allow. */
interface Enough {
  readonly levels: readonly Level[];
  readonly layers: readonly ("identity" | "boundary" | "session")[];
}

const direct: readonly Level[] = ["direct"];
const roleLike: readonly Level[] = ["role", "user-of-federated"];
const account: readonly Level[] = ["account"];
const anyLevel: readonly Level[] = [...account, ...roleLike, ...direct];
const whatever: readonly Level[] = levels;
const limits = ["boundary", "session"] as const;

const noIdentitySide: readonly PrincipalType[] = ["anonymous", "service", "web-identity", "saml"];

function enoughFor({ type, same, class: of }: GrantFacts): readonly Enough[] {
  if (type === "anonymous") return of === "role-trust" ? [] : [{ levels: direct, layers: [] }];
  if (type === "service") return [{ levels: direct, layers: [] }];
  if (type === "web-identity" || type === "saml") {
    return of === "role-trust" ? [{ levels: direct, layers: [] }] : [];
  }
  const mayNotAssume = type === "root" || type === "federated-user";
  if (of === "role-trust" && mayNotAssume) return [];
  if (!same) return [{ levels: anyLevel, layers: ["identity", ...limits] }];
  switch (of) {
    case "ordinary":
      return [
        { levels: direct, layers: [] },
        { levels: roleLike, layers: limits },
        { levels: whatever, layers: ["identity", ...limits] },
      ];
    case "role-trust":
      return [
        { levels: [...direct, ...roleLike], layers: limits },
        { levels: account, layers: ["identity", ...limits] },
      ];
    case "owner-delegates":
      return [
        { levels: direct, layers: [] },
        { levels: roleLike, layers: limits },
        { levels: account, layers: ["identity", ...limits] },
      ];
  }
}

function isGranted(facts: GrantFacts): boolean {
  return enoughFor(facts).some(
    ({ levels: wanted, layers }) =>
      wanted.includes(facts.resource) && layers.every((layer) => facts[layer]),
  );
}

test("T-DEC-31 every input of grant is as the table says", () => {
  expect(inputs.length).toBe(9 * 2 * 3 * 5 * 8);
  expect(inputs.filter((facts) => grant(facts) !== isGranted(facts))).toEqual([]);
});

test("grant is monotone: more never takes an allow away", () => {
  const order: readonly Level[] = ["none", "account", "role", "direct"];
  const broken = inputs.filter(grant).flatMap((facts) => {
    const place = order.indexOf(facts.resource === "user-of-federated" ? "role" : facts.resource);
    const stronger = order.slice(place + 1);
    return [
      ...stronger.map((resource) => ({ ...facts, resource })),
      { ...facts, identity: true },
      { ...facts, boundary: true },
      { ...facts, session: true },
    ].filter((more) => !grant(more));
  });
  expect(broken).toEqual([]);
});

test("the layer that is named first lacks something: with it and all behind it there is an allow", () => {
  const order = ["resource", "identity", "permissionsBoundary", "session"] as const;
  for (const facts of inputs) {
    const isOutside =
      facts.class === "role-trust" && (facts.type === "root" || facts.type === "federated-user");
    if (grant(facts) || isOutside) continue;
    const missing = firstMissing(facts);
    expect(order, JSON.stringify(facts)).toContain(missing);
    if (noIdentitySide.includes(facts.type)) {
      expect(missing).toBe("resource");
      continue;
    }
    const given = order.indexOf(missing as (typeof order)[number]);
    const filled: GrantFacts = {
      ...facts,
      resource: given === 0 ? "account" : facts.resource,
      identity: facts.identity || given <= 1,
      boundary: facts.boundary || given <= 2,
      session: true,
    };
    expect(grant(filled), JSON.stringify(facts)).toBe(true);
    // and without that layer there is none, whatever else allows
    const lacking: GrantFacts = {
      ...filled,
      ...(missing === "resource" && { resource: "none" as const }),
      ...(missing === "identity" && { identity: false }),
      ...(missing === "permissionsBoundary" && { boundary: false }),
      ...(missing === "session" && { session: false }),
    };
    expect(grant(lacking), JSON.stringify(facts)).toBe(false);
  }
});
