import { describe, expect, test } from "vitest";
import { checkRequest, type Written } from "../../../test/fakes/check-request.ts";
import {
  document,
  partner,
  policy,
  route,
  service,
  shop,
  spiffeIdOf,
} from "../../../test/fakes/documents.ts";
import { metricSum } from "../../../test/fakes/metric-sum.ts";
import {
  as,
  bearer,
  documents,
  forged,
  one,
  orders,
  person,
  seconds,
  stranger,
  withService,
  withSpec,
} from "../../../test/fakes/orders.ts";
import {
  directoryOf,
  startPipeline,
  type TestPipeline,
  type TestPipelineOptions,
} from "../../../test/fakes/pipeline.ts";
import type { AuthMethod, CheckOutcome } from "../../domain/request/outcome.ts";
import { outcomeOf, type Reason, reasons } from "../../iam/reason.ts";

/** Every reason that a Check can be answered with, each by real bytes, documents and tokens. */

const locked = service("orders", [route("GET /orders/{id}", "GetOrder", "order/{id}")], {
  requireCredential: ["mtls"],
});
const tokenOnly = service("orders", [route("GET /orders/{id}", "GetOrder", "order/{id}")], {
  requireCredential: ["jwt"],
});
interface Row {
  readonly reason: Reason;
  readonly why: string;
  readonly request?: Written;
  /** Absent: allowed. */
  readonly status?: number;
  readonly method?: AuthMethod;
  readonly options?: TestPipelineOptions;
  /** Sends something else than one request to a pipeline that is ready. */
  readonly send?: (pipeline: TestPipeline) => CheckOutcome | Promise<CheckOutcome>;
}

const rows: readonly Row[] = [
  {
    reason: "identity-policy",
    why: "the user's own policy",
    request: { ...one, ...as("ana") },
    method: "jwt",
  },
  {
    reason: "resource-policy",
    why: "the service's policy, of nobody in particular",
    request: { path: "/catalogue" },
  },
  {
    reason: "authentication-not-required",
    why: "a route with authType NONE",
    request: { path: "/healthz" },
  },
  {
    reason: "authentication-not-required",
    why: "a valid preflight",
    request: {
      method: "OPTIONS",
      ...one,
      headers: { origin: "https://a.example", "access-control-request-method": "GET" },
    },
  },
  {
    reason: "shadow-mode",
    why: "a service that is not enforced yet",
    request: one,
    options: { documents: withService(withSpec(orders, { mode: "shadow" })) },
  },
  {
    reason: "explicit-deny",
    why: "the service's policy",
    request: { path: "/vault", ...as("ana") },
    status: 403,
    method: "jwt",
  },
  {
    reason: "explicit-deny",
    why: "of an anonymous caller: no credential would help",
    request: { path: "/vault" },
    status: 403,
  },
  {
    reason: "implicit-deny",
    why: "of a known caller",
    request: { method: "PUT", ...one, ...as("ana") },
    status: 403,
    method: "jwt",
  },
  {
    reason: "scp",
    why: "a guardrail of the caller's account",
    request: { method: "DELETE", path: "/orders", ...as("ana") },
    status: 403,
    method: "jwt",
  },
  {
    reason: "rcp",
    why: "a guardrail of the resource's account",
    request: { method: "POST", path: "/export", ...as("ana") },
    status: 403,
    method: "jwt",
  },
  {
    reason: "permissions-boundary",
    why: "beyond the boundary",
    request: { method: "PUT", ...one, ...as("bob") },
    status: 403,
    method: "jwt",
  },
  { reason: "unauthenticated", why: "an anonymous caller", request: one, status: 401 },
  {
    reason: "unauthenticated",
    why: "a required token is absent",
    request: { ...one, sourcePrincipal: spiffeIdOf("checkout") },
    status: 401,
    options: { documents: withService(tokenOnly) },
  },
  {
    reason: "principal-not-mapped",
    why: "a user that no document has",
    request: { ...one, ...as("dave") },
    status: 401,
    method: "jwt",
  },
  {
    reason: "principal-not-mapped",
    why: "a role that does not trust the caller",
    request: { ...one, ...as("ana", { role: "deaf" }) },
    status: 401,
    method: "jwt",
    options: {
      documents: [
        ...documents,
        document("Role", "deaf", {
          assumeRolePolicyDocument: policy({
            Effect: "Allow",
            Action: "sts:AssumeRole",
            Principal: { AWS: partner },
          }),
        }),
      ],
    },
  },
  {
    reason: "credentials-ambiguous",
    why: "two tokens",
    request: {
      ...one,
      encoding: "header_map",
      headers: { authorization: [`Bearer ${person("ana")}`, `Bearer ${person("bob")}`] },
    },
    status: 401,
  },
  {
    reason: "client-certificate-required",
    why: "a required certificate is absent",
    request: { ...one, ...as("ana") },
    status: 401,
    options: { documents: withService(locked) },
  },
  {
    reason: "token-malformed",
    why: "no JWS",
    request: { ...one, ...bearer("abc") },
    status: 401,
    method: "jwt",
  },
  {
    reason: "token-too-large",
    why: "longer than the limit",
    request: { ...one, ...as("ana", { pad: "x".repeat(20_000) }) },
    status: 401,
    method: "jwt",
  },
  {
    reason: "token-algorithm",
    why: "none",
    request: { ...one, ...bearer(forged(person("ana"), 0, { alg: "none" })) },
    status: 401,
    method: "jwt",
  },
  {
    reason: "token-key",
    why: "a key that the issuer does not publish",
    request: { ...one, ...bearer(stranger.issue({ sub: "ana", preferred_username: "ana" })) },
    status: 401,
    method: "jwt",
  },
  {
    reason: "token-signature",
    why: "another name in the claims",
    request: { ...one, ...bearer(forged(person("bob"), 1, { preferred_username: "ana" })) },
    status: 401,
    method: "jwt",
  },
  {
    reason: "token-claims",
    why: "no subject",
    request: { ...one, ...as("ana", { sub: undefined }) },
    status: 401,
    method: "jwt",
  },
  {
    reason: "token-time",
    why: "not valid yet",
    request: { ...one, ...as("ana", { nbf: seconds + 3600 }) },
    status: 401,
    method: "jwt",
  },
  {
    reason: "token-expired",
    why: "an hour ago",
    request: { ...one, ...as("ana", { iat: seconds - 7200, exp: seconds - 3600 }) },
    status: 401,
    method: "jwt",
  },
  {
    reason: "token-issuer",
    why: "nobody we know",
    request: { ...one, ...as("ana", { iss: "https://other.example.com" }) },
    status: 401,
    method: "jwt",
  },
  {
    reason: "token-audience",
    why: "for another application",
    request: { ...one, ...as("ana", { aud: "other" }) },
    status: 401,
    method: "jwt",
  },
  {
    reason: "token-kind",
    why: "another scheme",
    request: { ...one, headers: { authorization: "Basic YTpi" } },
    status: 401,
    method: "jwt",
  },
  {
    reason: "revoked",
    why: "a user that is disabled",
    request: { ...one, ...as("eve") },
    status: 401,
    method: "jwt",
  },
  {
    reason: "ambiguous-path",
    why: "a dot segment",
    request: { path: "/orders/../vault", ...as("ana") },
    status: 400,
  },
  {
    reason: "ambiguous-host",
    why: "a Host that is none",
    request: { ...one, host: "a b", ...as("ana") },
    status: 400,
  },
  {
    reason: "ambiguous-header",
    why: "a header that a candidate reads, twice",
    request: {
      path: "/flagged",
      encoding: "header_map",
      headers: { "x-flag": ["go", "stop"], authorization: `Bearer ${person("ana")}` },
    },
    status: 400,
    method: "jwt",
  },
  {
    reason: "request-too-large",
    why: "above limits.maxCheckBytes",
    request: { ...one, headers: { "x-pad": "x".repeat(5_000) } },
    status: 400,
    options: { sets: ["limits.maxCheckBytes=4096"] },
  },
  {
    reason: "route-not-found",
    why: "a path that no route maps",
    request: { path: "/nowhere", ...as("ana") },
    status: 403,
  },
  {
    reason: "route-not-found",
    why: "a service that is not fronted",
    request: { ...one, contextExtensions: { "mesh-iam-service": "billing" } },
    status: 403,
  },
  {
    reason: "throttled",
    why: "no time left for unknown tokens",
    request: { ...one, ...as("ana") },
    status: 429,
    options: { sets: ["limits.verificationShare=0"] },
  },
  {
    reason: "bundle-missing",
    why: "before the first bundle",
    status: 503,
    send: async () => (await startPipeline()).ask(one),
  },
  {
    reason: "bundle-stale",
    why: "the head is older than the bound",
    status: 503,
    options: { sets: ["staleness.denyAfterSeconds=60"] },
    async send(pipeline) {
      await pipeline.clock.advance(60_001);
      return pipeline.ask({ ...one, ...as("ana") });
    },
  },
  {
    reason: "malformed",
    why: "bytes that are no CheckRequest",
    status: 400,
    send: (pipeline) => pipeline.check(Buffer.from("no message")),
  },
  {
    reason: "evaluation-error",
    why: "a policy of the caller cannot be used",
    status: 503,
    method: "jwt",
    async send(pipeline) {
      const directory = directoryOf(documents);
      const ana = directory.users.find(({ name }) => name === "ana");
      const poison = { objectId: ana?.id ?? "", kind: "user", reason: "unreadable" };
      await pipeline.activate({ ...directory, poison: [poison] });
      return pipeline.ask({ ...one, ...as("ana") });
    },
  },
  {
    reason: "internal",
    why: "a part that throws",
    status: 503,
    send(pipeline) {
      pipeline.keyCache.keysOf = () => {
        throw new Error("the key cache is broken");
      };
      return pipeline.ask({ ...one, ...as("ana") });
    },
  },
];

/** Reasons of the catalogue that no Check gets here, and why. */
const elsewhere: ReadonlyMap<Reason, string> = new Map([
  ["session-policy", "sessions with policies come with STS"],
  ["replayed", "no replay cache yet"],
  ["overloaded", "the listener's"],
  ["deadline", "the listener's"],
]);

async function send({ request, options, send }: Row) {
  const pipeline = await startPipeline({ documents, ...options });
  const outcome = send === undefined ? pipeline.ask(request) : await send(pipeline);
  await pipeline.settled();
  return { pipeline, outcome };
}

test("every reason of the catalogue has a row, or a place elsewhere", () => {
  const covered = new Set([...rows.map(({ reason }) => reason), ...elsewhere.keys()]);
  expect(reasons.filter((reason) => !covered.has(reason))).toEqual([]);
});

test.each(rows)("$reason: $why", async (row) => {
  const { pipeline, outcome } = await send(row);
  const { reason, status, method = "none" } = row;
  const told = outcomeOf(reason);
  expect(outcome.answer).toEqual(
    status === undefined
      ? { type: "allow", outcome: "allow", reason }
      : { type: "deny", outcome: told, reason, status },
  );
  expect(outcome.authMethod).toBe(method);

  if (reason === "bundle-missing") return;
  const labels = { outcome: told, reason, auth_method: method };
  expect(metricSum(await pipeline.metrics(), "mesh_iam_checks_total", labels)).toBe(1);
  const [record] = pipeline.decisions.records();
  expect(record).toMatchObject({
    eventID: outcome.decisionId,
    outcome: told,
    reason,
    authMethod: method,
    bundle: { epoch: 1, revision: outcome.revision },
  });
  expect(pipeline.decisions.records()).toHaveLength(1);
  expect(pipeline.recorder.selfCheck.mismatches).toBe(0);
});

test.each(rows.filter(({ status, reason }) => status !== undefined && reason !== "internal"))(
  "in a dry run $reason is recorded and told as an allow: $why",
  async (row) => {
    const sets = [...(row.options?.sets ?? []), "dryRun=true"];
    const { pipeline, outcome } = await send(
      row.reason === "bundle-missing"
        ? { ...row, send: async () => (await startPipeline({ sets })).ask(one) }
        : { ...row, options: { ...row.options, sets } },
    );
    expect(outcome.answer).toMatchObject({ type: "allow", reason: "shadow-mode" });
    expect(outcome.mode).toBe("shadow");
    expect(outcome.decision.decision).not.toBe("allowed");
    if (row.reason === "bundle-missing") return;
    const wouldBe = row.reason === "unauthenticated" ? expect.any(String) : row.reason;
    expect(pipeline.decisions.records()).toMatchObject([
      { decision: "allowed", reason: "shadow-mode", shadow: { reason: wouldBe } },
    ]);
    const shadow = await pipeline.metrics();
    expect(metricSum(shadow, "mesh_iam_shadow_decisions_total", { enforced: "allowed" })).toBe(1);
  },
);

describe("a throw inside", () => {
  test("is denied in every mode, logged with its decision id, and the next Check is as ever", async () => {
    const pipeline = await startPipeline({ documents, sets: ["dryRun=true"] });
    const { keysOf } = pipeline.keyCache;
    pipeline.keyCache.keysOf = () => {
      throw new Error("the key cache is broken");
    };
    const outcome = pipeline.ask({ ...one, ...as("ana") });
    expect(outcome.answer).toMatchObject({ type: "deny", status: 503, reason: "internal" });
    expect(outcome.service?.name).toBe("orders");
    const [line] = pipeline.log.records().filter(({ event }) => event === "check-failed");
    expect(line).toMatchObject({
      level: "error",
      decisionId: outcome.decisionId,
      err: { message: "the key cache is broken" },
    });
    pipeline.keyCache.keysOf = keysOf;
    expect(pipeline.ask({ ...one, ...as("ana") }).answer.reason).toBe("identity-policy");
  });

  const counted = async (pipeline: TestPipeline) => {
    const metrics = await pipeline.metrics();
    const of = (labels: Record<string, string>) =>
      metricSum(metrics, "mesh_iam_checks_total", labels);
    return { all: of({}), internal: of({ reason: "internal" }) };
  };

  test("HDR-010: an answer that cannot be written is denied, and recorded as that alone", async () => {
    const pipeline = await startPipeline({ documents });
    const message = checkRequest({ ...one, ...as("ana") });
    const reason = pipeline.answer(message, ({ answer }) => {
      if (answer.type === "allow") throw new Error("the encoder is broken");
      return answer.reason;
    });
    expect(reason).toBe("internal");
    expect(await counted(pipeline)).toEqual({ all: 1, internal: 1 });
    await pipeline.settled();
    expect(pipeline.decisions.records()).toMatchObject([{ outcome: "error", reason: "internal" }]);
  });

  test("what cannot be recorded is answered as it was decided, and said", async () => {
    const pipeline = await startPipeline({
      documents,
      onOutcome: () => {
        throw new Error("the recorder is broken");
      },
    });
    const outcome = pipeline.ask({ ...one, ...as("ana") });
    expect(outcome.answer).toMatchObject({ type: "allow", reason: "identity-policy" });
    const lines = pipeline.log.records().filter(({ event }) => event === "check-unrecorded");
    expect(lines).toMatchObject([
      { decisionId: outcome.decisionId, err: { message: "the recorder is broken" } },
    ]);
  });

  test.each(["overloaded", "deadline", "internal"] as const)(
    "HDR-010, HDR-011: what the listener refuses as `%s` is counted and logged",
    async (reason) => {
      const pipeline = await startPipeline({ documents, sets: ["dryRun=true"] });
      const outcome = pipeline.refuse(reason);
      expect(outcome.answer).toMatchObject({ type: "deny", status: 503, reason });
      const metrics = await pipeline.metrics();
      expect(metricSum(metrics, "mesh_iam_checks_total", { outcome: "error", reason })).toBe(1);
      await pipeline.settled();
      expect(pipeline.decisions.records()).toMatchObject([
        { eventID: outcome.decisionId, reason, outcome: "error" },
      ]);
    },
  );
});

describe("what an outcome tells of a Check that ended early", () => {
  test.each<[why: string, request: Written, grpc: boolean]>([
    ["a content type of gRPC", { headers: { "content-type": "application/grpc" } }, true],
    ["no content type", {}, false],
    [
      "a joined content type",
      { headers: { "content-type": "application/grpc,text/plain" } },
      false,
    ],
  ])("the form of the denial follows the request: %s", async (_why, request, grpc) => {
    const pipeline = await startPipeline({ documents });
    const outcome = pipeline.ask({ method: "POST", path: "/../x", ...request });
    expect(outcome.answer).toMatchObject({ status: 400 });
    expect(outcome.grpc).toBe(grpc);
  });

  test("names what was known by then", async () => {
    const pipeline = await startPipeline({ documents });
    const { service: found, action, resource, principal } = pipeline.ask({ path: "/nowhere" });
    expect({ service: found?.name, action, resource, principal }).toEqual({
      service: "orders",
      action: null,
      resource: null,
      principal: null,
    });
    expect(pipeline.ask({ ...one, ...bearer("abc") })).toMatchObject({
      action: "orders:GetOrder",
      resource: `arn:aws:orders:eu-west-1:${shop}:order/1`,
      principal: null,
      detail: expect.stringMatching(/./),
    });
  });

  test("forgets the Check before it", async () => {
    const pipeline = await startPipeline({ documents });
    pipeline.ask({ ...one, ...as("ana") });
    expect(pipeline.check(Buffer.from("no message"))).toMatchObject({
      revision: 1,
      service: null,
      principal: null,
      action: null,
      authMethod: "none",
      cache: "bypass",
    });
  });
});

test("verbose mode gives a denial by policy AWS's sentence, and no other denial", async () => {
  const pipeline = await startPipeline({ documents, sets: ["verbose=true"] });
  const ana = `arn:aws:iam::${shop}:user/ana`;
  expect(pipeline.ask({ method: "PUT", ...one, ...as("ana") }).sentence).toBe(
    `User: ${ana} is not authorized to perform: orders:PutOrder on resource: arn:aws:orders:eu-west-1:${shop}:order/1 because no identity-based policy allows the orders:PutOrder action`,
  );
  expect(pipeline.ask({ ...one, ...as("ana") }).sentence).toBeNull();
  expect(pipeline.ask({ path: "/nowhere", ...as("ana") }).sentence).toBeNull();
});

test("decision ids are of one width and never repeat", async () => {
  const pipeline = await startPipeline({ documents });
  const ids = Array.from({ length: 50 }, () => pipeline.check(checkRequest()).decisionId);
  expect(new Set(ids).size).toBe(50);
  expect(new Set(ids.map((id) => id.length)).size).toBe(1);
});
