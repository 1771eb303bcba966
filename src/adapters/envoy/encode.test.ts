import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fakeRole } from "../../../test/fakes/check-outcome.ts";
import type { CheckOutcome, DenialStatus } from "../../domain/request/outcome.ts";
import {
  type CheckResponse,
  CheckResponseSchema,
  type DeniedHttpResponse,
  type OkHttpResponse,
} from "../../gen/envoy/service/auth/v3/external_auth_pb.ts";
import { type Decision, denied } from "../../iam/decision.ts";
import type { Principal } from "../../iam/principal.ts";
import { outcomeOf, type Reason, reasons } from "../../iam/reason.ts";
import { internalDenial, lastResortDenial } from "./denial.ts";
import { createEncoder } from "./encode.ts";

const id = "0190c4f2a1b2-0000002a";

const allowed: Decision = {
  decision: "allowed",
  reason: "identity-policy",
  deniedBy: null,
  deniedLevel: null,
  matchedStatements: [
    { policyType: "serviceControl", policyId: "scp-1", sid: "", index: 0, effect: "Allow" },
    { policyType: "identity", policyId: "orders-read", sid: "", index: 0, effect: "Allow" },
  ],
  errors: [],
  validUntilMs: Number.POSITIVE_INFINITY,
};

const allow: CheckOutcome = {
  decisionId: id,
  epoch: 3,
  revision: 41,
  mode: "enforce",
  cache: "miss",
  authMethod: "session",
  principal: fakeRole,
  service: null,
  action: "orders:GetOrder",
  resource: "arn:aws:orders:eu-west-1:111122223333:order/42",
  grpc: false,
  decision: allowed,
  answer: { type: "allow", outcome: "allow", reason: "identity-policy" },
  detail: "",
  sentence: null,
  removeHeaders: [],
  identityHeaderNames: [],
  durationNs: 1,
};

function deny(reason: Reason, status: DenialStatus, change: Partial<CheckOutcome> = {}) {
  const outcome = outcomeOf(reason);
  if (outcome === "allow") throw new Error(reason);
  return {
    ...allow,
    decision: denied(reason),
    answer: { type: "deny", outcome, reason, status },
    ...change,
  } satisfies CheckOutcome;
}

const encoder = createEncoder();
const verboseEncoder = createEncoder({ verbose: true });

function decoded(bytes: Uint8Array): CheckResponse {
  const message = fromBinary(CheckResponseSchema, bytes);
  // The oracle writes the same bytes, so there is no field that it does not know.
  expect(Buffer.from(toBinary(CheckResponseSchema, message)).toString("hex")).toBe(
    Buffer.from(bytes).toString("hex"),
  );
  return message;
}

function ok(bytes: Uint8Array): OkHttpResponse {
  const { httpResponse } = decoded(bytes);
  if (httpResponse.case !== "okResponse") throw new Error(`got ${httpResponse.case}`);
  return httpResponse.value;
}

function deniedPart(bytes: Uint8Array): DeniedHttpResponse {
  const { httpResponse } = decoded(bytes);
  if (httpResponse.case !== "deniedResponse") throw new Error(`got ${httpResponse.case}`);
  return httpResponse.value;
}

function headersOf(response: OkHttpResponse | DeniedHttpResponse): [string, string][] {
  return response.headers.map(({ header }) => [header?.key ?? "", header?.value ?? ""]);
}

const family = [
  "x-mesh-iam-account",
  "x-mesh-iam-context",
  "x-mesh-iam-decision-id",
  "x-mesh-iam-principal",
  "x-mesh-iam-revision",
  "x-mesh-iam-session",
];
const twins = family.map((name) => name.replaceAll("-", "_"));

test("golden bytes of an allow", () => {
  const bytes = encoder.encode({ ...allow, principal: null, action: null, resource: null });
  const want: MessageInitShape<typeof CheckResponseSchema> = {
    status: {},
    httpResponse: {
      case: "okResponse",
      value: {
        headers: [
          ["x-mesh-iam-decision-id", id],
          ["x-mesh-iam-revision", "3.41"],
        ].map(([key = "", value = ""]) => ({
          header: { key, value },
          append: false,
          appendAction: 2,
        })),
        headersToRemove: [
          "x-mesh-iam-account",
          "x-mesh-iam-context",
          "x-mesh-iam-principal",
          "x-mesh-iam-session",
          ...twins,
        ],
      },
    },
    dynamicMetadata: {
      bundle_revision: "3.41",
      cache: "miss",
      decision: "allowed",
      decision_id: id,
      mode: "enforce",
      policy_id: "orders-read",
      reason: "identity-policy",
    },
  };
  expect(Buffer.from(bytes).toString("hex")).toBe(
    Buffer.from(toBinary(CheckResponseSchema, create(CheckResponseSchema, want))).toString("hex"),
  );
  expect(Buffer.from(bytes).subarray(0, 2).toString("hex")).toBe("0a00");
});

test("golden bytes of a denial", () => {
  const bytes = Buffer.from(encoder.encode(deny("implicit-deny", 403, { grpc: true })));
  expect(bytes.toString("hex").startsWith("0a11" + "0807" + "120d")).toBe(true);
  const part = bytes.subarray(0x11 + 2);
  expect(part[0]).toBe(0x12);
  expect(part.subarray(2, 7).toString("hex")).toBe("0a03089303");
  expect(bytes.includes(Buffer.from("0a030893031a", "hex"))).toBe(true);
});

test("an allow of a role session sets who it is and loses the rest of the family", () => {
  const response = ok(encoder.encode(allow));
  expect(headersOf(response)).toEqual([
    ["x-mesh-iam-account", "111122223333"],
    ["x-mesh-iam-decision-id", id],
    ["x-mesh-iam-principal", "arn:aws:sts::111122223333:assumed-role/app/s1"],
    ["x-mesh-iam-revision", "3.41"],
    ["x-mesh-iam-session", "s1"],
  ]);
  expect(response.headersToRemove).toEqual(["x-mesh-iam-context", ...twins]);
});

const federated: Principal = {
  type: "federated-user",
  account: "111122223333",
  arn: "arn:aws:sts::111122223333:federated-user/bob",
  name: "bob",
  userArn: "arn:aws:iam::111122223333:user/fed",
  userId: null,
  tags: new Map(),
};

function user(name: string): Principal {
  return {
    type: "user",
    account: "111122223333",
    arn: `arn:aws:iam::111122223333:user/${name}`,
    name,
    id: null,
    tags: new Map(),
  };
}

test.each([
  { why: "a user has no session", principal: user("eve"), absent: ["session"] },
  { why: "a federated user has one", principal: federated, absent: [] },
  {
    why: "HDR-004: an anonymous caller has nothing",
    principal: { type: "anonymous" } as const,
    absent: ["account", "principal", "session"],
  },
  {
    why: "a service has no ARN",
    principal: { type: "service", name: "gateway.svc.mesh" } as const,
    absent: ["account", "principal", "session"],
  },
  {
    why: "HDR-012: a principal whose encoding is over 1 KiB is left out",
    principal: user("é".repeat(200)),
    absent: ["principal", "session"],
  },
])("identity headers: $why", ({ principal, absent }) => {
  const response = ok(encoder.encode({ ...allow, principal }));
  const set = headersOf(response).map(([name]) => name);
  for (const part of ["account", "principal", "session"]) {
    expect(set.includes(`x-mesh-iam-${part}`)).toBe(!absent.includes(part));
    expect(response.headersToRemove.includes(`x-mesh-iam-${part}`)).toBe(absent.includes(part));
  }
});

test.each([
  { why: "CR and LF", name: "a\r\nx: y", want: "a%0D%0Ax: y" },
  { why: "NUL", name: "a\0b", want: "a%00b" },
  { why: "non-ASCII", name: "zoë", want: "zo%C3%AB" },
  { why: "a percent sign", name: "a%0d", want: "a%250d" },
  { why: "a trailing space", name: "a b ", want: "a b%20" },
])("HDR-008: a principal's name with $why is escaped", ({ name, want }) => {
  const headers = new Map(headersOf(ok(encoder.encode({ ...allow, principal: user(name) }))));
  expect(headers.get("x-mesh-iam-principal")).toBe(`arn:aws:iam::111122223333:user/${want}`);
});

test("HDR-002, HDR-006: forged identity headers are removed, ours are not", () => {
  const response = ok(
    encoder.encode({
      ...allow,
      removeHeaders: ["authorization", "host", ":path"],
      identityHeaderNames: ["X-Mesh-Iam-Principal", "x-mesh_iam-extra", "x_mesh_iam_principal"],
    }),
  );
  expect(response.headersToRemove).toEqual(
    ["authorization", "x-mesh-iam-context", "x-mesh_iam-extra", ...twins].sort(),
  );
});

test("HDR-005: a cached outcome is stripped and set the same way", () => {
  const miss = ok(encoder.encode(allow));
  expect(ok(encoder.encode({ ...allow, cache: "hit" }))).toEqual(miss);
});

test("a shadow allow of a caller who would get 401 names nobody", () => {
  const response = ok(
    encoder.encode({
      ...allow,
      mode: "shadow",
      decision: denied("unauthenticated"),
      answer: { type: "allow", outcome: "allow", reason: "shadow-mode" },
    }),
  );
  expect(headersOf(response).map(([name]) => name)).toEqual([
    "x-mesh-iam-decision-id",
    "x-mesh-iam-revision",
  ]);
});

test.each([
  { status: 400, reason: "ambiguous-path", code: 3, grpcStatus: "3" },
  { status: 400, reason: "malformed", code: 3, grpcStatus: "3" },
  { status: 401, reason: "unauthenticated", code: 16, grpcStatus: undefined },
  { status: 403, reason: "explicit-deny", code: 7, grpcStatus: undefined },
  { status: 404, reason: "route-not-found", code: 5, grpcStatus: "5" },
  { status: 429, reason: "throttled", code: 8, grpcStatus: "8" },
  { status: 503, reason: "bundle-missing", code: 14, grpcStatus: undefined },
  { status: 503, reason: "overloaded", code: 14, grpcStatus: undefined },
  { status: 503, reason: "deadline", code: 14, grpcStatus: undefined },
  { status: 503, reason: "internal", code: 13, grpcStatus: undefined },
] as const)("R2: $status $reason", ({ status, reason, code, grpcStatus }) => {
  for (const grpc of [false, true]) {
    const bytes = encoder.encode(deny(reason, status, { grpc }));
    const response = deniedPart(bytes);
    expect(decoded(bytes).status).toMatchObject({ code, message: reason });
    expect(response.status?.code).toBe(status);
    const headers = new Map(headersOf(response));
    expect(headers.get("grpc-status")).toBe(grpc ? grpcStatus : undefined);
    expect(headers.get("www-authenticate")).toBe(status === 401 ? "Bearer" : undefined);
    expect(headers.get("content-type")).toBe(grpc ? undefined : "application/json");
    expect(headers.get("cache-control")).toBe(grpc ? undefined : "no-store");
    expect(headers.get("x-ext-auth-reason")).toBeUndefined();
    expect(response.body).toContain(id);
    expect(response.body).not.toContain("\n");
  }
});

test.each([
  { reason: "unauthenticated", type: "MissingAuthenticationToken" },
  { reason: "client-certificate-required", type: "MissingAuthenticationToken" },
  { reason: "token-expired", type: "ExpiredToken" },
  { reason: "token-signature", type: "SignatureDoesNotMatch" },
  { reason: "token-audience", type: "InvalidIdentityToken" },
  { reason: "principal-not-mapped", type: "AccessDeniedException" },
] as const)("MSG-2: the error of 401 $reason is $type", ({ reason, type }) => {
  const body = JSON.parse(deniedPart(encoder.encode(deny(reason, 401))).body);
  expect(Object.keys(body)).toEqual(["__type", "message", "decisionId"]);
  expect(body).toMatchObject({ __type: type, decisionId: id });
});

const sentence =
  "User: arn:aws:iam::111122223333:user/eve is not authorized to perform: orders:GetOrder on resource: arn:aws:orders:eu-west-1:111122223333:order/42 because no identity-based policy allows the orders:GetOrder action";

test("the sentence and the reason reach the caller in verbose mode alone", () => {
  const outcome = deny("implicit-deny", 403, { sentence });
  const terse = deniedPart(encoder.encode(outcome));
  expect(JSON.parse(terse.body)).toEqual({
    __type: "AccessDeniedException",
    message: "not authorized to perform this action",
    decisionId: id,
  });
  const verbose = deniedPart(verboseEncoder.encode(outcome));
  expect(JSON.parse(verbose.body).message).toBe(sentence);
  expect(headersOf(verbose)).toContainEqual(["x-ext-auth-reason", "implicit-deny"]);
  const grpc = deniedPart(verboseEncoder.encode({ ...outcome, grpc: true }));
  expect(grpc.body).toBe(`${sentence} (decision ${id})`);
});

test.each([
  { why: "long", sentence: "x".repeat(20_000) },
  { why: "long after escaping", sentence: "\u0001".repeat(3_000) },
  { why: "long in UTF-8", sentence: "€".repeat(3_000) },
  { why: "of lone surrogates", sentence: "\uD800".repeat(3_000) },
])("R9: a body is at most 4 KiB, with a sentence $why", ({ sentence }) => {
  for (const grpc of [false, true]) {
    const { body } = deniedPart(
      verboseEncoder.encode(deny("implicit-deny", 403, { sentence, grpc })),
    );
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(4096);
    expect(body).toContain(id);
  }
});

test("a sentence of several lines is one line for gRPC", () => {
  const outcome = deny("implicit-deny", 403, { sentence: "a\r\nb\u2028c", grpc: true });
  expect(deniedPart(verboseEncoder.encode(outcome)).body).toBe(`a b c (decision ${id})`);
});

test("HDR-007: dynamic metadata of an allow and of a denial", () => {
  const known = {
    account: "111122223333",
    action: "orders:GetOrder",
    bundle_revision: "3.41",
    cache: "miss",
    decision_id: id,
    mode: "enforce",
    principal_arn: "arn:aws:sts::111122223333:assumed-role/app/s1",
    resource: "arn:aws:orders:eu-west-1:111122223333:order/42",
  };
  expect(decoded(encoder.encode(allow)).dynamicMetadata).toEqual({
    ...known,
    decision: "allowed",
    policy_id: "orders-read",
    reason: "identity-policy",
  });
  expect(decoded(encoder.encode(deny("implicit-deny", 403))).dynamicMetadata).toEqual({
    ...known,
    decision: "implicitDeny",
    reason: "implicit-deny",
  });
});

test("shadow mode tells both decisions in the metadata", () => {
  const outcome: CheckOutcome = {
    ...allow,
    mode: "shadow",
    decision: { ...denied("scp"), decision: "explicitDeny" },
    answer: { type: "allow", outcome: "allow", reason: "shadow-mode" },
  };
  expect(decoded(encoder.encode(outcome)).dynamicMetadata).toMatchObject({
    decision: "allowed",
    mode: "shadow",
    reason: "shadow-mode",
    shadow_decision: "explicitDeny",
    shadow_reason: "scp",
  });
});

test.each([
  { reason: "internal", code: 13 },
  { reason: "deadline", code: 14 },
  { reason: "overloaded", code: 14 },
] as const)("HDR-010, HDR-011: the last resort for $reason denies", ({ reason, code }) => {
  const message = decoded(lastResortDenial(reason, id));
  expect(message.status).toMatchObject({ code, message: reason });
  expect(deniedPart(lastResortDenial(reason, id)).status?.code).toBe(503);
  expect(message.dynamicMetadata).toEqual({ decision: "implicitDeny", decision_id: id, reason });
});

test("an internal denial is the last resort for `internal`", () => {
  expect(internalDenial(id)).toEqual(lastResortDenial("internal", id));
});

const denialReasons = reasons.filter((reason) => outcomeOf(reason) !== "allow");
const text = fc.oneof(fc.string({ unit: "binary", maxLength: 40 }), fc.string({ maxLength: 400 }));
const principal: fc.Arbitrary<Principal | null> = fc.oneof(
  fc.constant(null),
  fc.constant({ type: "anonymous" } as const),
  text.map(user),
  text.map(
    (sessionName): Principal => ({
      ...fakeRole,
      sessionName,
      arn: `${fakeRole.arn}${sessionName}`,
    }),
  ),
  text.map((name): Principal => ({ ...federated, name })),
);
const headerName = fc.stringMatching(/^[xX][-_][mM]esh[-_]iam[-_][a-zA-Z_-]{0,10}$/);

const outcome: fc.Arbitrary<CheckOutcome> = fc
  .record({
    deny: fc.boolean(),
    reason: fc.constantFrom(...denialReasons),
    status: fc.constantFrom<DenialStatus>(400, 401, 403, 404, 429, 503),
    shadow: fc.boolean(),
    cache: fc.constantFrom("hit" as const, "miss" as const, "bypass" as const),
    principal,
    action: fc.option(text),
    resource: fc.option(text),
    sentence: fc.option(text),
    grpc: fc.boolean(),
    epoch: fc.nat(),
    revision: fc.nat(),
    removeHeaders: fc.array(
      fc.constantFrom("authorization", "x-amz-security-token", "host", "x-mesh-iam-session"),
    ),
    identityHeaderNames: fc.array(headerName, { maxLength: 6 }),
  })
  .map((m) => {
    const outcomeWord = outcomeOf(m.reason);
    return {
      ...allow,
      ...m,
      mode: m.shadow ? "shadow" : "enforce",
      decision: m.deny || m.shadow ? denied(m.reason) : allowed,
      answer:
        m.deny && outcomeWord !== "allow"
          ? { type: "deny", outcome: outcomeWord, reason: m.reason, status: m.status }
          : {
              type: "allow",
              outcome: "allow",
              reason: m.shadow ? "shadow-mode" : "identity-policy",
            },
    };
  });

test("R1-R6, R8, R10: every answer keeps the rules", () => {
  fc.assert(
    fc.property(outcome, fc.boolean(), (given, verbose) => {
      const chosen = verbose ? verboseEncoder : encoder;
      const bytes = chosen.encode(given);
      expect(bytes.length).toBeGreaterThan(0);
      const message = decoded(bytes);

      // R1, R2: a status, and the part that fits it.
      expect(message.status).toBeDefined();
      const isDeny = given.answer.type === "deny";
      expect(message.status?.code === 0).toBe(!isDeny);
      expect(message.httpResponse.case).toBe(isDeny ? "deniedResponse" : "okResponse");

      const part = message.httpResponse.value as OkHttpResponse | DeniedHttpResponse;
      const names = part.headers.map(({ header }) => header?.key ?? "");
      for (const { header, append, appendAction, keepEmptyValue } of part.headers) {
        // R4, R5
        expect([append, appendAction, keepEmptyValue]).toEqual([false, 2, false]);
        expect(header?.key).toMatch(/^(?!x-envoy-|host$)[a-z0-9-]+$/);
        expect(header?.value).toMatch(/^(?! )[ -~]{1,1024}(?<! )$/);
        expect(header?.rawValue.length).toBe(0);
      }
      expect(names).toEqual([...new Set(names)].sort());
      if (part.$typeName === "envoy.service.auth.v3.OkHttpResponse") {
        // R6, R7
        expect(names.length).toBeLessThan(8);
        expect(part.headersToRemove.filter((name) => names.includes(name))).toEqual([]);
        expect(part.headersToRemove).toEqual([...new Set(part.headersToRemove)].sort());
        const gone = new Set([...names, ...part.headersToRemove]);
        for (const name of [...family, ...twins]) expect(gone.has(name)).toBe(true);
        for (const name of given.identityHeaderNames)
          expect(gone.has(name.toLowerCase())).toBe(true);
        expect(part.headersToRemove).not.toContain("host");
        expect(part.dynamicMetadata).toBeUndefined();
        expect(part.responseHeadersToAdd).toEqual([]);
        expect(part.queryParametersToSet).toEqual([]);
      } else {
        expect(Buffer.byteLength(part.body)).toBeLessThanOrEqual(4096);
        expect(part.body).toContain(id);
      }
      const keys = Object.keys(message.dynamicMetadata ?? {});
      expect(keys).toEqual([...keys].sort());

      // R10: the same but for the decision id.
      const other = "0190c4f2a1b2-ffffffff";
      const again = Buffer.from(chosen.encode({ ...given, decisionId: other }));
      expect(again.length).toBe(bytes.length);
      expect(again.toString("latin1").replaceAll(other, id)).toBe(
        Buffer.from(bytes).toString("latin1"),
      );
    }),
    { numRuns: 2000 },
  );
});

test("an answer is the caller's: the next one does not change it", () => {
  const first = encoder.encode(allow);
  const copy = Buffer.from(first);
  encoder.encode(deny("explicit-deny", 403));
  encoder.encode({ ...allow, decisionId: "x".repeat(id.length) });
  expect(Buffer.from(first)).toEqual(copy);
});

test("an answer larger than the writer's first buffer", () => {
  const names = Array.from({ length: 250 }, (_, n) => `x-mesh-iam-${"n".repeat(200)}${n}`);
  const response = ok(encoder.encode({ ...allow, identityHeaderNames: names }));
  expect(response.headersToRemove.length).toBe(250 + 1 + twins.length);
});
