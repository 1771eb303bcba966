import { describe, expect, test } from "vitest";
import { checkConnection, type Written } from "../../../test/fakes/check-request.ts";
import {
  allow,
  type Document,
  type Json,
  organization,
  route,
  service,
  spiffeIdOf,
  user,
  workload,
} from "../../../test/fakes/documents.ts";
import { as, bearer, documents, login, one, person } from "../../../test/fakes/orders.ts";
import { startMs, startPipeline, type TestPipeline } from "../../../test/fakes/pipeline.ts";
import { keyCatalogue } from "../../iam/context-keys.ts";

/** What a remembered answer compares, and how long it is remembered (POL-080 to POL-086, CVE-001). */

const routes = [
  route("GET /o/{rest=**}", "Act", "thing/{rest}"),
  route("POST /o/{rest=**}", "Act", "thing/{rest}"),
  route("shop.Orders/Get", "Act", "rpc"),
];
const contextKeys = { "orders:Flag": { header: "x-flag" } };
const request = { commaHeaders: ["x-list"] };
const orders = (more: Json = {}) => service("orders", routes, { contextKeys, request, ...more });

/** A world in which ana and the workload `checkout` may act on `statement`'s terms. */
const world = (...statements: readonly Json[]): readonly Document[] => [
  ...organization(login.jwks),
  user("ana", statements),
  workload("checkout", statements),
  orders(),
];
const open = world(allow("orders:*"));

/** Asks both, each until it is remembered, and returns how each was answered the first time. */
function bothOf(pipeline: TestPipeline, first: Written, second: Written) {
  const a = pipeline.ask(first);
  expect(pipeline.ask(first).cache, "the first is remembered").toBe("hit");
  const b = pipeline.ask(second);
  // The first question is still what it was.
  expect(pipeline.ask(first).decision).toEqual(a.decision);
  return { a, b };
}

describe("every key that varies between requests decides each of them anew", () => {
  const ana = as("ana");
  const headers = (more: Record<string, string>) => ({ ...ana.headers, ...more });
  interface Varying {
    readonly key: string;
    readonly condition: Json;
    readonly holds: Written;
    readonly fails: Written;
  }
  const equals = (key: string, value: string) => ({ StringEquals: { [key]: value } });
  const peer = (name: string, namespace?: string) => spiffeIdOf(name, namespace);
  const rows: readonly Varying[] = [
    {
      key: "aws:SourceIp",
      condition: { IpAddress: { "aws:SourceIp": "10.0.0.1" } },
      holds: { sourceAddress: "10.0.0.1" },
      fails: { sourceAddress: "10.0.0.2" },
    },
    {
      key: "aws:SecureTransport",
      condition: { Bool: { "aws:SecureTransport": "true" } },
      holds: { hasPeerCertificate: true },
      fails: {},
    },
    {
      key: "aws:RequestedRegion",
      condition: equals("aws:RequestedRegion", "eu-west-1"),
      holds: {},
      fails: { contextExtensions: { "mesh-iam-region": "us-east-1" } },
    },
    {
      key: "aws:SourceVpce",
      condition: equals("aws:SourceVpce", "gateway-1"),
      holds: { contextExtensions: { "mesh-iam-endpoint": "gateway-1" } },
      fails: { contextExtensions: { "mesh-iam-endpoint": "gateway-2" } },
    },
    {
      key: "aws:UserAgent",
      condition: equals("aws:UserAgent", "a"),
      holds: { headers: headers({ "user-agent": "a" }) },
      fails: { headers: headers({ "user-agent": "b" }) },
    },
    {
      key: "aws:referer",
      condition: equals("aws:referer", "a"),
      holds: { headers: headers({ referer: "a" }) },
      fails: { headers: headers({}) },
    },
    {
      key: "aws:ResourceTag/",
      condition: equals("aws:ResourceTag/app", "a"),
      holds: { destinationLabels: { app: "a" } },
      fails: { destinationLabels: { app: "b" } },
    },
    {
      key: "mesh:RequestHeader/",
      condition: equals("mesh:RequestHeader/x-a", "a"),
      holds: { headers: headers({ "x-a": "a" }) },
      fails: { headers: headers({ "x-a": "A" }) },
    },
    {
      key: "mesh:RequestSize",
      condition: { NumericLessThan: { "mesh:RequestSize": "100" } },
      holds: { headers: headers({ "content-length": "99" }) },
      fails: { headers: headers({ "content-length": "100" }) },
    },
    {
      key: "mesh:RequestScheme",
      condition: equals("mesh:RequestScheme", "https"),
      holds: { scheme: "https" },
      fails: { scheme: "http" },
    },
    {
      key: "mesh:RequestProtocol",
      condition: equals("mesh:RequestProtocol", "HTTP/2"),
      holds: { protocol: "HTTP/2" },
      fails: { protocol: "HTTP/1.1" },
    },
    {
      key: "mesh:DestinationSpiffeId",
      condition: equals("mesh:DestinationSpiffeId", peer("orders")),
      holds: { destinationPrincipal: peer("orders") },
      fails: { destinationPrincipal: peer("other") },
    },
    {
      key: "mesh:DestinationPort",
      condition: { NumericEquals: { "mesh:DestinationPort": "8443" } },
      holds: { destinationPort: 8443 },
      fails: { destinationPort: 8080 },
    },
    {
      key: "mesh:ServerName",
      condition: equals("mesh:ServerName", "a.example.com"),
      holds: { serverName: "A.example.com" },
      fails: { serverName: "b.example.com" },
    },
    {
      key: "mesh:SourceSpiffeId",
      condition: equals("mesh:SourceSpiffeId", peer("checkout")),
      holds: { sourcePrincipal: peer("checkout") },
      fails: { sourcePrincipal: peer("other") },
    },
    {
      key: "mesh:SourceTrustDomain",
      condition: equals("mesh:SourceTrustDomain", "shop.example"),
      holds: { sourcePrincipal: peer("checkout") },
      fails: { sourcePrincipal: spiffeIdOf("checkout", "shop", "other.example") },
    },
    {
      key: "mesh:SourceNamespace",
      condition: equals("mesh:SourceNamespace", "shop"),
      holds: { sourcePrincipal: peer("checkout") },
      fails: { sourcePrincipal: peer("checkout", "partner") },
    },
    {
      key: "mesh:SourceServiceAccount",
      condition: equals("mesh:SourceServiceAccount", "checkout"),
      holds: { sourcePrincipal: peer("checkout") },
      fails: {},
    },
    {
      key: "mesh:SourceServiceArn",
      condition: { ArnLike: { "mesh:SourceServiceArn": "arn:aws:mesh-iam::*:service/orders" } },
      holds: { sourcePrincipal: peer("orders") },
      fails: { sourcePrincipal: peer("checkout") },
    },
    {
      key: "orders:Flag",
      condition: equals("orders:Flag", "a"),
      holds: { headers: headers({ "x-flag": "a" }) },
      fails: { headers: headers({ "x-flag": "b" }) },
    },
  ];

  test.each(rows)("$key", async ({ condition, holds, fails }) => {
    const documents = [
      ...organization(login.jwks),
      user("ana", [allow("orders:*", { Condition: condition })]),
      orders({ principalFrom: ["jwt"], workloads: [peer("orders")] }),
    ];
    const pipeline = await startPipeline({ documents });
    const held = { path: "/o/1", ...ana, ...holds };
    const failed = { path: "/o/1", ...ana, ...fails };
    const allowed = bothOf(pipeline, held, failed);
    expect(allowed.a.answer).toMatchObject({ type: "allow", reason: "identity-policy" });
    expect(allowed.b.answer).toMatchObject({ type: "deny", reason: "implicit-deny" });
    expect(allowed.b.cache).toBe("miss");
    const denied = bothOf(await startPipeline({ documents }), failed, held);
    expect(denied.a.answer.type).toBe("deny");
    expect(denied.b).toMatchObject({ answer: { type: "allow" }, cache: "miss" });
  });

  test("mesh:JwtClaim/: the claims of a token that does not give the principal", async () => {
    const statement = allow("orders:*", { Condition: equals("mesh:JwtClaim/desk", "a") });
    const documents = [
      ...organization(login.jwks),
      workload("checkout", [statement]),
      orders({ principalFrom: ["mtls", "jwt"] }),
    ];
    const asked = (desk: string): Written => ({
      path: "/o/1",
      sourcePrincipal: peer("checkout"),
      ...bearer(person("ana", { desk })),
    });
    const { a, b } = bothOf(await startPipeline({ documents }), asked("a"), asked("b"));
    expect(a.answer.type).toBe("allow");
    expect(b).toMatchObject({ answer: { type: "deny" }, cache: "miss" });
  });

  test("keys of the catalogue without a row are fixed by caller, target or service, or never filled", () => {
    const covered = new Set([...rows.map(({ key }) => key), "mesh:JwtClaim/"]);
    const fixed = [
      // by the caller
      /^aws:Principal/,
      /^aws:(userid|username|FederatedProvider|TokenIssueTime|MultiFactorAuth.*|SourceIdentity)$/,
      /^mesh:TokenType$/,
      // by the clock, see below
      /^aws:(CurrentTime|EpochTime)$/,
      // by target, method, Host and service
      /^mesh:(RequestMethod|RequestPath|RequestHost|RequestQueryString\/|GrpcService|GrpcMethod)$/,
      /^mesh:DestinationServiceArn$/,
      /^aws:Resource(Account|OrgID|OrgPaths)$/,
      // of STS, the control plane and services that call on behalf of others: nothing fills them here
      /^(sts|iam|identitystore):/,
      /^aws:(RequestTag\/|TagKeys|AssumedRoot|CalledVia.*|ViaAWSService)$/,
      /^aws:(Source(Arn|Account|Owner|OrgID|OrgPaths)|Vpce(Account|OrgID|OrgPaths))$/,
    ];
    const missing = keyCatalogue.filter(
      ({ name, filled }) =>
        filled && !covered.has(name) && !fixed.some((pattern) => pattern.test(name)),
    );
    expect(missing.map(({ name }) => name)).toEqual([]);
  });
});

describe("every other part of a question is compared by itself", () => {
  const base: Written = {
    method: "POST",
    path: "/o/1",
    host: "a.example.com",
    ...as("ana"),
  };
  const withHeaders = (more: Record<string, string>) => ({
    headers: { ...as("ana").headers, ...more },
  });

  test.each<[why: string, changes: Written]>([
    ["the method", { method: "GET" }],
    ["one character of the path", { path: "/o/2" }],
    ["the query", { path: "/o/1?a" }],
    ["the spelling of the path", { path: "/o/%31" }],
    ["the Host", { host: "b.example.com" }],
    ["the spelling of the Host", { host: "A.example.com" }],
    ["the port of the Host", { host: "a.example.com:80" }],
    ["a content type where there was none", withHeaders({ "content-type": "text/plain" })],
    ["the encoding of the headers", { encoding: "header_map" }],
    ["a :path that is withheld", { rawPaths: [] }],
    ["the operator's region", { contextExtensions: { "mesh-iam-region": "us-east-1" } }],
    ["the operator's partition", { contextExtensions: { "mesh-iam-partition": "aws-cn" } }],
    ["the caller's token", as("ana", { n: 1 })],
    ["the kind of the caller", { headers: {}, sourcePrincipal: spiffeIdOf("checkout") }],
  ])("%s", async (_why, changes) => {
    const pipeline = await startPipeline({ documents: open });
    const { a, b } = bothOf(pipeline, base, { ...base, ...changes });
    expect([a.cache, b.cache]).toEqual(["miss", "miss"]);
    expect(pipeline.ask({ ...base, ...changes }).cache).toBe("hit");
  });

  test("the service, where two have the same routes", async () => {
    const second = service("stock", routes, {});
    const documents = [...world(allow(["orders:*", "stock:*"])), second];
    const pipeline = await startPipeline({ documents });
    const at = (name: string): Written => ({
      ...base,
      contextExtensions: { "mesh-iam-service": name },
    });
    const { a, b } = bothOf(pipeline, at("orders"), at("stock"));
    expect([a.action, b.action, b.cache]).toEqual(["orders:Act", "stock:Act", "miss"]);
  });

  test("content types of one route: the form of a denial follows each", async () => {
    const pipeline = await startPipeline({ documents: world(allow("orders:Other")) });
    const rpc = { ...base, path: "/shop.Orders/Get" };
    const grpc = { ...rpc, ...withHeaders({ "content-type": "application/grpc" }) };
    const { a, b } = bothOf(pipeline, rpc, grpc);
    expect([a.grpc, b.grpc]).toEqual([false, true]);
    expect(pipeline.ask(grpc)).toMatchObject({ grpc: true, cache: "hit" });
  });
});

describe("values are compared in full (POL-080, POL-081)", () => {
  const reading = (...names: readonly string[]) =>
    world(
      allow("orders:*", {
        Condition: {
          StringNotEquals: Object.fromEntries(
            names.map((name) => [`mesh:RequestHeader/${name}`, "no"]),
          ),
        },
      }),
    );
  const sent = (headers: Record<string, string | string[]>, encoding?: "header_map"): Written => ({
    path: "/o/1",
    headers: { ...as("ana").headers, ...headers },
    ...(encoding === undefined ? {} : { encoding }),
  });

  test.each<[why: string, a: Record<string, string>, b: Record<string, string>]>([
    ["a|b and c, a and b|c", { "x-a": "a|b", "x-b": "c" }, { "x-a": "a", "x-b": "b|c" }],
    ["values that swap their keys", { "x-a": "1", "x-b": "2" }, { "x-a": "2", "x-b": "1" }],
    ["absent and present", { "x-a": "1" }, { "x-a": "1", "x-b": "1" }],
    ["upper and lower case", { "x-a": "A" }, { "x-a": "a" }],
    ["a space at the end", { "x-a": "a" }, { "x-a": "a " }],
    ["composed and decomposed", { "x-a": "\u00e9" }, { "x-a": "e\u0301" }],
    ["a unit separator inside", { "x-a": "a\u001fb" }, { "x-a": "ab" }],
    ["order of a list", { "x-list": "a,b" }, { "x-list": "b,a" }],
  ])("%s", async (_why, a, b) => {
    const pipeline = await startPipeline({ documents: reading("x-a", "x-b", "x-list") });
    const answers = bothOf(pipeline, sent(a), sent(b));
    expect(answers.b.cache).toBe("miss");
  });

  test("a NUL inside is a fault, and a fault is never answered from memory", async () => {
    const pipeline = await startPipeline({ documents: reading("x-a") });
    expect(pipeline.ask(sent({ "x-a": "ab" })).cache).toBe("miss");
    for (const _again of [1, 2]) {
      expect(pipeline.ask(sent({ "x-a": "a\0b" }))).toMatchObject({
        answer: { reason: "ambiguous-header" },
        cache: "bypass",
      });
    }
  });

  test("an empty header reads as an absent one, so one answer serves both (KEY-3)", async () => {
    const pipeline = await startPipeline({ documents: reading("x-a") });
    const { a, b } = bothOf(pipeline, sent({}), sent({ "x-a": "" }));
    expect(b.cache).toBe("hit");
    expect(b.decision).toEqual(a.decision);
  });

  test("a repetition where no repetition was answers nothing from memory", async () => {
    const pipeline = await startPipeline({ documents: reading("x-a") });
    expect(pipeline.ask(sent({ "x-a": "a" }, "header_map")).answer.type).toBe("allow");
    expect(pipeline.ask(sent({ "x-a": ["a", "a"] }, "header_map")).answer).toMatchObject({
      reason: "ambiguous-header",
    });
  });

  test("POL-082: a header that no candidate reads does not split the memory", async () => {
    const pipeline = await startPipeline({ documents: reading("x-a") });
    const { b } = bothOf(pipeline, sent({ "x-other": "1" }), sent({ "x-other": "2" }));
    expect(b.cache).toBe("hit");
  });
});

describe("time", () => {
  const token = (claims: object) => bearer(person("ana", claims));
  const bound = startMs + 60_000;
  const until = (operator: string, key = "aws:CurrentTime") =>
    world(
      allow("orders:*", {
        Condition: { [operator]: { [key]: new Date(bound).toISOString() } },
      }),
    );

  test.each([
    ["DateLessThan", ["allow", "allow", "deny"]],
    ["DateLessThanEquals", ["allow", "allow", "allow"]],
    ["DateGreaterThanEquals", ["deny", "deny", "allow"]],
    ["DateGreaterThan", ["deny", "deny", "deny"]],
  ])("T-KEY-18: a remembered answer ends at the instant its %s names", async (operator, want) => {
    const pipeline = await startPipeline({ documents: until(operator) });
    const ask = () => pipeline.ask({ path: "/o/1", ...as("ana") });
    const answers = [ask().answer.type];
    await pipeline.clock.advance(59_999);
    expect(ask().cache).toBe("hit");
    answers.push(ask().answer.type);
    await pipeline.clock.advance(1);
    const crossed = ask();
    expect(crossed.cache).toBe("miss");
    expect([...answers, crossed.answer.type]).toEqual(want);
    await pipeline.clock.advance(1);
    expect(ask().answer.type).toBe(operator.includes("Less") ? "deny" : "allow");
  });

  test("an answer does not hold before it was made: the clock is set back", async () => {
    const pipeline = await startPipeline({ documents: until("DateGreaterThan") });
    const ask = () => pipeline.ask({ path: "/o/1", ...as("ana") });
    await pipeline.clock.advance(61_000);
    expect([ask().answer.type, ask().cache]).toEqual(["allow", "hit"]);
    pipeline.clock.jump(-2_000);
    expect(ask()).toMatchObject({ answer: { type: "deny" }, cache: "miss" });
    pipeline.clock.jump(2_000);
    expect(ask().answer.type).toBe("allow");
  });

  test("requests are judged by when they began, in whatever order they come", async () => {
    const pipeline = await startPipeline({ documents: until("DateGreaterThan") });
    const at = (requestTimeMs: number) =>
      pipeline.ask({ path: "/o/1", ...as("ana"), requestTimeMs }).answer.type;
    await pipeline.clock.advance(60_000);
    expect([at(bound + 1), at(bound), at(bound + 1), at(bound - 5)]).toEqual([
      ...["allow", "deny", "allow", "deny"],
    ]);
    // Ten minutes off: the local clock, which stands on the bound (T-KEY-17).
    expect(at(bound + 600_000)).toBe("deny");
  });

  test("an answer that the clock does not move holds whatever the clock does", async () => {
    const pipeline = await startPipeline({ documents: open });
    const ask = () => pipeline.ask({ path: "/o/1", ...as("ana") }).cache;
    expect([ask(), ask()]).toEqual(["miss", "hit"]);
    pipeline.clock.jump(-1_000);
    // The token was not known before it came, so it is verified again; its caller is another one.
    expect([ask(), ask()]).toEqual(["miss", "hit"]);
    await pipeline.clock.advance(10_000);
    expect(ask()).toBe("hit");
  });

  test("what no clock can bound is not remembered", async () => {
    const like = world(
      allow("orders:*", { Condition: { StringLike: { "aws:CurrentTime": "2026-*" } } }),
    );
    const pipeline = await startPipeline({ documents: like });
    for (const _again of [1, 2]) {
      expect(pipeline.ask({ path: "/o/1", ...as("ana") })).toMatchObject({
        answer: { type: "allow" },
        cache: "bypass",
      });
    }
  });

  test("JWT-184: a token that expires while its answer is remembered is refused at once", async () => {
    const pipeline = await startPipeline({ documents: open });
    const exp = startMs / 1000 + 300;
    const ask = () => pipeline.ask({ path: "/o/1", ...token({ exp }) });
    expect([ask().answer.type, ask().cache]).toEqual(["allow", "hit"]);
    await pipeline.clock.advance(300_000 + 59_999);
    expect(ask()).toMatchObject({ answer: { type: "allow" }, cache: "hit" });
    await pipeline.clock.advance(1);
    expect(ask().answer).toMatchObject({ status: 401, reason: "token-expired" });
  });

  test("JWT-182: the clock is set back an hour, before the token was issued", async () => {
    const pipeline = await startPipeline({ documents: open });
    const ask = () => pipeline.ask({ path: "/o/1", ...token({}) });
    expect([ask().answer.type, ask().cache]).toEqual(["allow", "hit"]);
    pipeline.clock.jump(-3_600_000);
    expect(ask().answer).toMatchObject({ status: 401, reason: "token-time" });
    pipeline.clock.jump(3_600_000);
    expect(ask().answer.type).toBe("allow");
  });

  test("JWT-183: the clock is set a day ahead", async () => {
    const pipeline = await startPipeline({ documents: open });
    const ask = () => pipeline.ask({ path: "/o/1", ...token({}) });
    expect([ask().answer.type, ask().cache]).toEqual(["allow", "hit"]);
    pipeline.clock.jump(86_400_000);
    expect(ask().answer).toMatchObject({ status: 401, reason: "token-expired" });
  });
});

describe("staleness (BUN-11)", () => {
  const risky = { tags: { risk: "high" } };
  const service1 = service("orders", [
    route("GET /o/low", "Act", "low"),
    route("GET /o/high", "Act", "high", risky),
  ]);
  const world = [...organization(login.jwks), user("ana", [allow("orders:*")]), service1];
  const ask = (pipeline: TestPipeline, path: string) => pipeline.ask({ path, ...as("ana") });

  test.each([
    ["the bound for all", "denyAfterSeconds", ["bundle-stale", "bundle-stale"]],
    ["the bound for high risk", "denyHighRiskAfterSeconds", ["identity-policy", "bundle-stale"]],
  ])("%s holds for remembered answers and others alike", async (_why, bound, reasons) => {
    const pipeline = await startPipeline({ documents: world, sets: [`staleness.${bound}=60`] });
    expect(ask(pipeline, "/o/low").cache).toBe("miss");
    expect(ask(pipeline, "/o/high").cache).toBe("miss");
    await pipeline.clock.advance(60_000);
    for (const path of ["/o/low", "/o/high"]) {
      expect(ask(pipeline, path)).toMatchObject({ answer: { type: "allow" }, cache: "hit" });
    }
    await pipeline.clock.advance(1);
    for (const path of ["/o/low", "/o/low?fresh"]) {
      expect(ask(pipeline, path).answer.reason).toBe(reasons[0]);
    }
    for (const path of ["/o/high", "/o/high?fresh"]) {
      expect(ask(pipeline, path).answer.reason).toBe(reasons[1]);
    }
    pipeline.sync.refreshed({
      ...headOf(pipeline),
      ageAtReceiptMs: 0,
      receivedAtMonotonicMs: pipeline.clock.monotonicMs(),
    });
    expect(ask(pipeline, "/o/high").answer.reason).toBe("identity-policy");
  });

  test("the age goes on by the monotonic clock, whatever the wall clock does", async () => {
    const sets = ["staleness.denyAfterSeconds=60"];
    const pipeline = await startPipeline({ documents: world, sets });
    pipeline.clock.jump(3_600_000);
    expect(ask(pipeline, "/o/low").answer.reason).toBe("identity-policy");
    await pipeline.clock.advance(61_000);
    pipeline.clock.jump(-3_600_000);
    expect(ask(pipeline, "/o/low").answer.reason).toBe("bundle-stale");
  });

  test("a head that was old when it came is as old as that", async () => {
    const sets = ["staleness.denyAfterSeconds=60"];
    const pipeline = await startPipeline({ documents: world, sets });
    pipeline.sync.refreshed({ ...headOf(pipeline), ageAtReceiptMs: 60_001 });
    expect(ask(pipeline, "/o/low").answer.reason).toBe("bundle-stale");
  });

  function headOf({ clock }: TestPipeline) {
    return {
      org: "local",
      slice: "default",
      epoch: 1,
      revision: 1,
      coveredRevision: 1,
      chain: "",
      manifestDigest: "00",
      issuedAtMs: clock.nowMs(),
      expiresAtMs: clock.nowMs() + 60_000,
      ageAtReceiptMs: 0,
      receivedAtMonotonicMs: clock.monotonicMs(),
      fresh: true,
    };
  }
});

describe("what is never remembered", () => {
  test("a connection without a request", async () => {
    const pipeline = await startPipeline({ documents: open });
    for (const _again of [1, 2]) {
      const outcome = pipeline.check(checkConnection({ sourcePrincipal: spiffeIdOf("checkout") }));
      expect(outcome).toMatchObject({ action: "mesh:Connect", cache: "bypass" });
    }
  });

  test("a target longer than 512 characters (POL-068)", async () => {
    const pipeline = await startPipeline({ documents: open });
    const ask = (length: number) =>
      pipeline.ask({ path: `/o/${"a".repeat(length - 3)}`, ...as("ana") }).cache;
    expect([ask(512), ask(512)]).toEqual(["miss", "hit"]);
    expect([ask(513), ask(513)]).toEqual(["bypass", "bypass"]);
  });

  test("anything, where the cache is off", async () => {
    const sets = ["decisionCache.enabled=false"];
    const pipeline = await startPipeline({ documents: open, sets });
    const ask = () => pipeline.ask({ path: "/o/1", ...as("ana") }).cache;
    expect([ask(), ask()]).toEqual(["bypass", "bypass"]);
  });

  test("an answer of another revision: it dies with its snapshot (BUN-4)", async () => {
    const pipeline = await startPipeline({ documents: open });
    const ask = () => pipeline.ask({ path: "/o/1", ...as("ana") });
    expect([ask().cache, ask().cache]).toEqual(["miss", "hit"]);
    await pipeline.load(world(allow("orders:Other")));
    expect(ask()).toMatchObject({ answer: { type: "deny" }, cache: "miss", revision: 2 });
    await pipeline.load(open);
    expect(ask()).toMatchObject({ answer: { type: "allow" }, cache: "miss", revision: 3 });
  });
});

test("POL-086: a denial is remembered no longer than an allow, and both as what they are", async () => {
  const pipeline = await startPipeline({ documents });
  const denied = { method: "PUT", ...one, ...as("ana") };
  const first = pipeline.ask(denied);
  expect(first.cache).toBe("miss");
  const again = pipeline.ask(denied);
  expect(again).toMatchObject({ answer: first.answer, cache: "hit", decision: first.decision });
  expect(pipeline.ask({ path: "/vault" }).answer).toMatchObject({ status: 403 });
  // An anonymous caller is asked for a credential from memory too.
  expect([pipeline.ask(one).answer, pipeline.ask(one).answer]).toEqual([
    { type: "deny", outcome: "deny", reason: "unauthenticated", status: 401 },
    { type: "deny", outcome: "deny", reason: "unauthenticated", status: 401 },
  ]);
});

test("CVE-001: hundreds of interleaved questions that differ in one key each keep their own answer", async () => {
  const condition = { StringLike: { "mesh:RequestHeader/x-n": "*[even]" } };
  const pipeline = await startPipeline({
    documents: world(allow("orders:*", { Condition: condition })),
  });
  for (let round = 0; round < 3; round++) {
    for (let n = 0; n < 200; n++) {
      const value = `${n % 7}-${n % 2 === 0 ? "[even]" : "[odd]"}`;
      const { answer } = pipeline.ask({
        path: `/o/${n % 3}`,
        headers: { ...as("ana").headers, "x-n": value },
      });
      expect(answer.type, value).toBe(n % 2 === 0 ? "allow" : "deny");
    }
  }
});

test("the metric tells hits, misses, stale answers and Checks past the memory", async () => {
  const bound = new Date(startMs + 60_000).toISOString();
  const pipeline = await startPipeline({
    documents: world(
      allow("orders:*", { Condition: { DateLessThan: { "aws:CurrentTime": bound } } }),
    ),
  });
  const ask = () => pipeline.ask({ path: "/o/1", ...as("ana") });
  ask();
  ask();
  await pipeline.clock.advance(60_000);
  expect(ask().cache).toBe("miss");
  pipeline.ask({ path: "/nowhere", ...as("ana") });
  const metrics = await pipeline.metrics();
  const count = (result: string) =>
    Number(new RegExp(`cache_requests_total\\{result="${result}"\\} (\\d+)`).exec(metrics)?.[1]);
  expect(["hit", "miss", "stale", "bypass"].map(count)).toEqual([1, 1, 1, 1]);
  expect(metrics).toContain('decision_cache_evictions_total{reason="ttl"} 1');
  // A token that was found by the short way counts as found.
  expect(metrics).toContain('token_cache_requests_total{result="hit"} 2');
  await pipeline.load(open);
  expect(await pipeline.metrics()).toContain('decision_cache_evictions_total{reason="revision"} 1');
});
