import { expect, test } from "vitest";
import { createWorld, judge, mint } from "../../../test/corpus/attack/jwt/world.ts";
import { document, lookupOf } from "../../../test/fakes/principals.ts";
import { isDenied } from "../request/denied.ts";
import { peerFacts, tokenFacts } from "./attested-facts.ts";

const world = createWorld();
const peer = "spiffe://td-a/ns/shop/sa/orders";

function authenticated(claims: object, principalFrom: readonly ("jwt" | "mtls")[]) {
  const request = { authorization: [`Bearer ${mint("generic", { claims: { ...claims } })}`], peer };
  const result = judge(request, world, { principalFrom });
  if (isDenied(result) || result.token === null || result.mtls === null) throw new Error("denied");
  return { ...result, token: result.token, mtls: result.mtls };
}

test.each([
  ["jwt", ["jwt", "mtls"]],
  ["mtls", ["mtls", "jwt"]],
] as const)(
  "T-KEY-24 facts are the same whichever credential gave the principal: %s",
  (method, from) => {
    const { authMethod, token, mtls } = authenticated({ groups: ["a", "b"] }, from);
    expect(authMethod).toBe(method);
    const { keys, faults } = tokenFacts(token, world.issuers);
    expect(keys.get("mesh:jwtclaim/sub")).toEqual({ multivalued: false, values: ["alice"] });
    expect(keys.get("mesh:jwtclaim/groups")).toEqual({ multivalued: true, values: ["a", "b"] });
    expect(faults).toBeNull();

    const service = document("Service", "orders", {
      hosts: ["orders.example.com"],
      workloads: [peer],
      routes: [],
    });
    const facts = peerFacts(mtls, lookupOf(service));
    expect(Object.fromEntries([...facts].map(([key, { values }]) => [key, values]))).toEqual({
      "mesh:sourcespiffeid": [peer],
      "mesh:sourcetrustdomain": ["td-a"],
      "mesh:sourcenamespace": ["shop"],
      "mesh:sourceserviceaccount": ["orders"],
      "mesh:sourceservicearn": ["arn:aws:mesh-iam::111122223333:service/orders"],
    });
  },
);

test("T-KEY-07 a peer without TLS proves nothing: anonymous, unless a token is valid", () => {
  const nobody = { principalCredential: null, mtls: null, authMethod: "none" };
  expect(judge({ peer: "" }, world)).toMatchObject(nobody);
  const authorization = [`Bearer ${mint("generic", { claims: {} })}`];
  const byToken = judge({ authorization, peer: "" }, world, { principalFrom: ["mtls", "jwt"] });
  expect(byToken).toMatchObject({ mtls: null, authMethod: "jwt" });
});

test("an id of another form has no namespace, and a peer that serves nothing no service", () => {
  const result = judge({ peer: "spiffe://td-a/vm/7" }, world);
  if (isDenied(result) || result.mtls === null) throw new Error("denied");
  expect([...peerFacts(result.mtls, lookupOf()).keys()]).toEqual([
    "mesh:sourcespiffeid",
    "mesh:sourcetrustdomain",
  ]);
});

test("KEY-9 a claim of the wrong shape is a fault of its key alone", () => {
  const { token } = authenticated({ team: ["blue", "red"], groups: "a" }, ["jwt"]);
  const { keys, faults } = tokenFacts(token, world.issuers);
  expect(faults).toEqual(new Map([["mesh:jwtclaim/team", "evaluation-error"]]));
  expect(keys.get("mesh:jwtclaim/groups")).toEqual({ multivalued: true, values: ["a"] });
});
