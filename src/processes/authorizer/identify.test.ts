import { describe, expect, test } from "vitest";
import type { Written } from "../../../test/fakes/check-request.ts";
import {
  allow,
  type Document,
  deny,
  document,
  issuer,
  type Json,
  organization,
  policy,
  route,
  service,
  shop,
  spiffeIdOf,
  user,
  workload,
} from "../../../test/fakes/documents.ts";
import { as, bearer, documents, login, one, person, withSpec } from "../../../test/fakes/orders.ts";
import { startMs, startPipeline } from "../../../test/fakes/pipeline.ts";
import type { Reason } from "../../iam/reason.ts";

const host = issuer.slice("https://".length);
const trusting = (condition: object, more: object = {}): Document =>
  document("Role", "courier", {
    assumeRolePolicyDocument: policy({
      Effect: "Allow",
      Action: "sts:AssumeRoleWithWebIdentity",
      Principal: { Federated: `arn:aws:iam::${shop}:oidc-provider/${host}` },
      Condition: condition,
    }),
    policies: [{ policyName: "own", policyDocument: policy(allow("orders:*")) }],
    ...more,
  });
const courier = as("kim", { role: "courier" });
const orders = (more: Json = {}) =>
  service("orders", [route("GET /orders/{id}", "GetOrder", "order/{id}")], more);

describe("one principal, any number of facts (KEY-12)", () => {
  const user1 = {
    sub: "ana-1",
    preferred_username: "ana",
  };
  const condition = {
    StringEquals: { "mesh:SourceServiceAccount": "checkout", "mesh:JwtClaim/sub": "ana-1" },
  };
  const together = allow("orders:*", { Condition: condition });
  const world = (principalFrom: readonly string[]) => [
    ...organization(login.jwks),
    user("ana", [together]),
    workload("checkout", [together]),
    orders({ principalFrom }),
  ];
  const both: Written = {
    ...one,
    ...bearer(login.issue(user1)),
    sourcePrincipal: spiffeIdOf("checkout"),
  };

  test.each<[principalFrom: readonly string[], type: string, method: string]>([
    [["jwt", "mtls"], "user", "jwt"],
    [["mtls", "jwt"], "workload", "mtls"],
  ])(
    "T-KEY-24: of %j the first gives the principal, both are facts",
    async (from, type, method) => {
      const pipeline = await startPipeline({ documents: world(from) });
      for (const cache of ["miss", "hit"]) {
        expect(pipeline.ask(both)).toMatchObject({
          answer: { type: "allow", reason: "identity-policy" },
          principal: { type },
          authMethod: method,
          cache,
        });
      }
      const { sourcePrincipal: _peer, ...tokenAlone } = both;
      const { headers: _token, ...peerAlone } = both;
      expect(pipeline.ask(tokenAlone).answer.type).toBe("deny");
      expect(pipeline.ask(peerAlone).answer.type).toBe("deny");
      expect(pipeline.ask({ ...both, sourcePrincipal: spiffeIdOf("other") }).answer.type).toBe(
        "deny",
      );
      expect(pipeline.ask(both)).toMatchObject({ answer: { type: "allow" }, cache: "hit" });
    },
  );

  test("a bad token never makes place for the certificate", async () => {
    const pipeline = await startPipeline({ documents: world(["mtls", "jwt"]) });
    expect(pipeline.ask({ ...both, ...bearer("abc") }).answer).toMatchObject({
      status: 401,
      reason: "token-malformed",
    });
  });

  test("T-KEY-08: an identity that is not of the mesh is absent, and logged as dropped", async () => {
    const pipeline = await startPipeline({ documents: world(["mtls"]) });
    for (const sourcePrincipal of [
      spiffeIdOf("checkout", "shop", "other.example"),
      "spiffe://shop.example/ns/../sa/checkout",
      spiffeIdOf("checkout", "nowhere"),
    ]) {
      expect(pipeline.ask({ ...one, sourcePrincipal }).principal).toEqual({ type: "anonymous" });
    }
    await pipeline.settled();
    expect(pipeline.decisions.records().map(({ droppedTokens }) => droppedTokens)).toEqual([
      [{ type: "mtls", cause: "foreign-trust-domain" }],
      [{ type: "mtls", cause: expect.stringMatching(/^spiffe-/) }],
      [{ type: "mtls", cause: "no-account" }],
    ]);
  });

  test("requireCredential asks for a credential that need not be the principal", async () => {
    const world = [
      ...organization(login.jwks),
      user("ana", [allow("orders:*")]),
      orders({ principalFrom: ["jwt"], requireCredential: ["mtls"] }),
    ];
    const pipeline = await startPipeline({ documents: world });
    expect(pipeline.ask(both)).toMatchObject({ answer: { type: "allow" }, authMethod: "jwt" });
    const { sourcePrincipal: _peer, ...tokenAlone } = both;
    for (const _again of [1, 2]) {
      expect(pipeline.ask(tokenAlone).answer).toMatchObject({
        status: 401,
        reason: "client-certificate-required",
      });
    }
  });
});

describe("a role's trust policy (STS-9)", () => {
  const reading = (condition: object) => [
    ...organization(login.jwks),
    trusting(condition),
    orders(),
  ];

  test("T-STS-30: one that reads aws:SourceIp is asked on every Check, and nothing is remembered", async () => {
    const pipeline = await startPipeline({
      documents: reading({ IpAddress: { "aws:SourceIp": "10.0.0.0/8" } }),
    });
    const from = (sourceAddress: string) => pipeline.ask({ ...one, ...courier, sourceAddress });
    for (const _again of [1, 2]) {
      expect(from("10.1.2.3")).toMatchObject({
        answer: { type: "allow", reason: "identity-policy" },
        cache: "bypass",
      });
      expect(from("192.0.2.1")).toMatchObject({
        answer: { status: 401, reason: "principal-not-mapped" },
        detail: "trust",
        principal: null,
      });
    }
    expect(pipeline.sync.snapshot?.decisions?.entries).toBe(0);
  });

  test("one that reads the clock is asked at the time of each request", async () => {
    const until = new Date(startMs + 60_000).toISOString();
    const pipeline = await startPipeline({
      documents: reading({ DateLessThan: { "aws:CurrentTime": until } }),
    });
    const at = (requestTimeMs: number) =>
      pipeline.ask({ ...one, ...courier, requestTimeMs }).answer.reason;
    expect(at(startMs)).toBe("identity-policy");
    expect(at(startMs + 60_000)).toBe("principal-not-mapped");
    expect(at(startMs + 59_999)).toBe("identity-policy");
    await pipeline.clock.advance(61_000);
    expect(at(startMs + 61_000)).toBe("principal-not-mapped");
  });

  test.each<[why: string, headers: Record<string, string | string[]>, reason: Reason]>([
    ["once", { "x-desk": "a" }, "identity-policy"],
    ["another value", { "x-desk": "b" }, "principal-not-mapped"],
    ["twice", { "x-desk": ["a", "a"] }, "ambiguous-header"],
  ])("one that reads a header: %s", async (_why, headers, reason) => {
    const pipeline = await startPipeline({
      documents: reading({ StringEquals: { "mesh:RequestHeader/x-desk": "a" } }),
    });
    const authorization = courier.headers.authorization;
    const asked: Written = {
      ...one,
      encoding: "header_map",
      headers: { ...headers, authorization },
    };
    expect(pipeline.ask(asked).answer.reason).toBe(reason);
    expect(pipeline.ask(asked).answer.reason).toBe(reason);
  });

  test("one about claims alone is asked once, and its sessions are remembered", async () => {
    const pipeline = await startPipeline({
      documents: reading({ StringEquals: { [`${host}:sub`]: "kim" } }),
    });
    const stranger = as("lee", { role: "courier" });
    for (const cache of ["miss", "hit"]) {
      expect(pipeline.ask({ ...one, ...courier })).toMatchObject({
        answer: { type: "allow" },
        cache,
      });
      expect(pipeline.ask({ ...one, ...stranger }).answer.reason).toBe("principal-not-mapped");
    }
  });

  test("a changed trust policy holds at once", async () => {
    const kim = { StringEquals: { [`${host}:sub`]: "kim" } };
    const pipeline = await startPipeline({ documents: reading(kim) });
    const ask = () => pipeline.ask({ ...one, ...courier }).answer.reason;
    expect([ask(), ask()]).toEqual(["identity-policy", "identity-policy"]);
    await pipeline.load(reading({ StringEquals: { [`${host}:sub`]: "lee" } }));
    expect(ask()).toBe("principal-not-mapped");
    await pipeline.load(reading(kim));
    expect(ask()).toBe("identity-policy");
  });
});

describe("a disabled principal (POL-095, POL-099, POL-100)", () => {
  const state = (state: string) => ({ state });
  const world = (value: string, of: "user" | "role" | "workload" | "account") => {
    const changed = (kind: typeof of) => (of === kind ? state(value) : {});
    const base = organization(login.jwks).map((each) =>
      of === "account" && each.kind === "Account" && JSON.stringify(each).includes(`"${shop}"`)
        ? withSpec(each, { state: value })
        : each,
    );
    return [
      ...base,
      user("ana", [allow("orders:*")], changed("user")),
      trusting({ StringEquals: { [`${host}:sub`]: "kim" } }, changed("role")),
      withSpec(workload("checkout", [allow("orders:*")]), changed("workload")),
      orders(),
    ];
  };

  test.each<[kind: "user" | "role" | "workload" | "account", credentials: Written]>([
    ["user", as("ana")],
    ["role", courier],
    ["workload", { sourcePrincipal: spiffeIdOf("checkout") }],
    ["account", as("ana")],
  ])("%s: what was remembered is gone with the next snapshot", async (kind, credentials) => {
    const pipeline = await startPipeline({ documents: world("active", kind) });
    const ask = () => pipeline.ask({ ...one, ...credentials });
    expect(ask().answer.type).toBe("allow");
    expect(ask()).toMatchObject({ answer: { type: "allow" }, cache: "hit" });
    await pipeline.load(world("disabled", kind));
    for (const _again of [1, 2]) {
      expect(ask().answer).toMatchObject({ status: 401, reason: "revoked" });
    }
    await pipeline.load(world("active", kind));
    expect(ask().answer.type).toBe("allow");
  });
});

test("two credentials of one user are two callers: nothing of one answers for the other", async () => {
  const claim = { StringEquals: { "mesh:JwtClaim/desk": "a" } };
  const pipeline = await startPipeline({
    documents: [
      ...organization(login.jwks),
      user("ana", [allow("orders:*", { Condition: claim }), deny("orders:Purge*")]),
      orders(),
    ],
  });
  const ask = (desk: string) => pipeline.ask({ ...one, ...as("ana", { desk }) });
  expect(ask("a").answer.type).toBe("allow");
  expect(ask("b").answer.type).toBe("deny");
});

test("claims of the wrong shape are an error where a candidate reads them (KEY-9)", async () => {
  const reads = (action: string) =>
    allow(action, { Condition: { StringEquals: { "mesh:JwtClaim/desk": "a" } } });
  const world = (action: string) => [
    ...organization(login.jwks),
    user("ana", [allow("orders:GetOrder"), reads(action)]),
    orders(),
  ];
  const asked = { ...one, ...bearer(person("ana", { desk: ["a", "b"] })) };
  const pipeline = await startPipeline({ documents: world("orders:*") });
  expect(pipeline.ask(asked).answer).toMatchObject({ status: 503, reason: "evaluation-error" });
  await pipeline.load(world("orders:Put*"));
  expect(pipeline.ask(asked).answer.reason).toBe("identity-policy");
});

describe("callers are remembered per credential, within their bounds", () => {
  test("by number", async () => {
    const pipeline = await startPipeline({ documents, sets: ["tokenCache.capacity=4"] });
    for (let i = 0; i < 10; i++) pipeline.ask({ ...one, ...as("ana", { n: i }) });
    expect(pipeline.sync.snapshot?.callers.size).toBe(4);
    expect(pipeline.tokens.size).toBe(4);
  });

  test("by bytes, claims reckoned apart (POL-068)", async () => {
    const pipeline = await startPipeline({ documents, sets: ["tokenCache.maxBytes=65536"] });
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`claim${i}`, i]));
    for (let i = 0; i < 20; i++) pipeline.ask({ ...one, ...as("ana", { ...many, n: i }) });
    const callers = pipeline.sync.snapshot?.callers;
    expect(callers?.calculatedSize).toBeLessThanOrEqual(65_536);
    expect(callers?.size).toBeLessThanOrEqual(4);
    expect(callers?.size).toBeGreaterThan(1);
  });

  test("and what their policies let them ask is shared by all who have the same", async () => {
    const pipeline = await startPipeline({ documents });
    for (let i = 0; i < 3; i++) pipeline.ask({ ...one, ...as("ana", { n: i }) });
    pipeline.ask({ ...one, ...as("bob") });
    const callers = [...(pipeline.sync.snapshot?.callers.values() ?? [])];
    expect(callers).toHaveLength(4);
    expect(new Set(callers.map(({ rights }) => rights)).size).toBe(2);
  });
});
