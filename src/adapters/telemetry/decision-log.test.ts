import fc from "fast-check";
import { expect, test } from "vitest";
import { fakeOutcome, fakeService } from "../../../test/fakes/check-outcome.ts";
import type { CheckAttributes } from "../../domain/request/attributes.ts";
import { type Reason, reasons } from "../../iam/reason.ts";
import { createDecisionLog, type DecisionLogOptions } from "./decision-log.ts";
import type { LineWriter } from "./line-writer.ts";

const canary = "c4n4ry-5ecret-VALUE";
const jwt = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLWJ5dGVz";
const nowMs = Date.parse("2026-11-24T12:30:01.250Z");
const orders = fakeService("orders");

/** A writer in memory. `gate` holds its answers back; `fail` says which writes fail. */
function memory(fail: (write: number) => boolean = () => false) {
  const lines: string[] = [];
  let held: (() => void)[] | null = null;
  let writes = 0;
  const writer: LineWriter = {
    write(text, settled) {
      const isRefused = fail(writes++);
      if (!isRefused) lines.push(...text.split("\n").filter((line) => line !== ""));
      const answer = () => settled?.(isRefused ? new Error("disk full") : null);
      if (held === null) queueMicrotask(answer);
      else held.push(answer);
    },
    flush: async () => {},
    flushSync: () => {},
    droppedWrites: 0,
  };
  return {
    writer,
    lines,
    records: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    hold: () => {
      held = [];
    },
    release: () => {
      const answers = held ?? [];
      held = null;
      for (const answer of answers) answer();
    },
  };
}

function logOver(sink: ReturnType<typeof memory>, options: Partial<DecisionLogOptions> = {}) {
  return createDecisionLog({
    sinks: [{ name: "stdout", writer: sink.writer }],
    labels: { instance: "i-1", version: "0.1.0" },
    allowSampleRate: 1,
    ignoreAllowAll: false,
    drop: [],
    mask: [],
    erase: [],
    salt: Buffer.from("0123456789abcdef"),
    input: false,
    maxBufferedEvents: 1_000,
    ...options,
  });
}

function attributes(headers: Record<string, string>): CheckAttributes {
  return {
    sourceAddress: "10.0.0.7",
    header: (name: string) =>
      Object.hasOwn(headers, name) ? { value: headers[name] ?? "", count: 1 } : undefined,
  } as CheckAttributes;
}

function totals(log: ReturnType<typeof logOver>) {
  return Object.fromEntries(log.counts().map(({ result, count }) => [result, count]));
}

test("a record has CloudTrail's names where CloudTrail has one", async () => {
  const sink = memory();
  const log = logOver(sink);
  const request = attributes({
    "x-request-id": "r-1",
    "user-agent": "curl/8",
    traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  });
  log.record(fakeOutcome("implicit-deny", { service: orders }), request, nowMs, {
    droppedTokens: [{ type: "mtls", cause: "foreign-trust-domain" }],
  });
  await log.flush();
  expect(sink.records()).toEqual([
    {
      eventVersion: "1.0",
      eventID: "00000000-0000-4000-8000-000000000001",
      eventTime: "2026-11-24T12:30:01.250Z",
      traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
      spanId: "00f067aa0ba902b7",
      requestID: "r-1",
      labels: { instance: "i-1", version: "0.1.0" },
      recipientAccountId: "111122223333",
      userIdentity: {
        type: "IAMUser",
        principalId: "AIDAALICEALICEALICE1",
        arn: "arn:aws:iam::111122223333:user/alice",
        accountId: "111122223333",
        userName: "alice",
      },
      authMethod: "jwt",
      droppedTokens: [{ type: "mtls", cause: "foreign-trust-domain" }],
      eventSource: "orders",
      eventName: "GetOrder",
      resources: [
        {
          ARN: "arn:aws:orders:eu-west-1:111122223333:order/42",
          accountId: "111122223333",
        },
      ],
      sourceIPAddress: "10.0.0.7",
      userAgent: "curl/8",
      decision: "implicitDeny",
      deniedBy: null,
      deniedLevel: null,
      outcome: "deny",
      reason: "implicit-deny",
      errorCode: "AccessDeniedException",
      matchedStatements: [],
      bundle: { epoch: 1, revision: 42 },
      mode: "enforce",
      cache: "miss",
      latencyUs: 30,
    },
  ]);
});

test("a shadow difference is logged as allowed, with what would have been decided", async () => {
  const sink = memory();
  const log = logOver(sink, { allowSampleRate: 0 });
  log.record(fakeOutcome("shadow-mode"), null, nowMs);
  await log.flush();
  expect(sink.records()[0]).toMatchObject({
    decision: "allowed",
    deniedBy: null,
    outcome: "allow",
    reason: "shadow-mode",
    mode: "shadow",
    shadow: { decision: "implicitDeny", deniedBy: null, reason: "implicit-deny" },
  });
});

test("a denial by policy has AWS's sentence, which the caller may not have been told", async () => {
  const sink = memory();
  const log = logOver(sink);
  log.record(fakeOutcome("explicit-deny"), null, nowMs);
  log.record(fakeOutcome("token-expired", { principal: null }), null, nowMs);
  await log.flush();
  const [byPolicy, byCredential] = sink.records();
  expect(byPolicy?.errorMessage).toMatch(
    /^User: arn:aws:iam::111122223333:user\/alice is not authorized to perform: orders:GetOrder on resource: arn:aws:orders:eu-west-1:111122223333:order\/42 /,
  );
  expect(byCredential).not.toHaveProperty("errorMessage");
});

test("every reason makes a record, with attributes and without", async () => {
  const sink = memory();
  const log = logOver(sink);
  for (const reason of reasons) {
    const parts = { principal: null, action: null, resource: null } as const;
    log.record(fakeOutcome(reason, parts), null, nowMs);
    log.record(fakeOutcome(reason), attributes({}), nowMs);
  }
  await log.flush();
  expect(sink.records().map(({ reason }) => reason)).toEqual(
    reasons.flatMap((reason) => [reason, reason]),
  );
});

test.each([
  { why: "denials", reason: "explicit-deny" as Reason, kept: true },
  { why: "errors", reason: "bundle-stale" as Reason, kept: true },
  { why: "shadow differences", reason: "shadow-mode" as Reason, kept: true },
  { why: "allows at rate 0", reason: "identity-policy" as Reason, kept: false },
])("kept whatever the rate: $why ($kept)", async ({ reason, kept }) => {
  const sink = memory();
  const log = logOver(sink, { allowSampleRate: 0, drop: ["orders:GetOrder"] });
  log.record(fakeOutcome(reason), null, nowMs);
  await log.flush();
  expect(sink.lines).toHaveLength(kept ? 1 : 0);
  expect(totals(log)["sampled-out"]).toBe(kept ? 0 : 1);
});

test("ignoreAllowAll and drop leave allows out, exact or by the beginning of the name", async () => {
  const allow = (action: string) => fakeOutcome("identity-policy", { action });
  for (const options of [
    { ignoreAllowAll: true },
    { drop: ["orders:GetOrder"] },
    { drop: ["orders:Get*"] },
  ]) {
    const sink = memory();
    const log = logOver(sink, options);
    log.record(allow("orders:GetOrder"), null, nowMs);
    await log.flush();
    expect(sink.lines).toHaveLength(0);
  }
  const sink = memory();
  const log = logOver(sink, { drop: ["orders:Get*"] });
  log.record(allow("orders:ListOrders"), null, nowMs);
  await log.flush();
  expect(sink.lines).toHaveLength(1);
});

test.each<readonly [string, Partial<DecisionLogOptions>, Reason, boolean]>([
  ["a denial", { allowSampleRate: 0 }, "implicit-deny", false],
  ["an allow at a rate of 0", { allowSampleRate: 0 }, "identity-policy", true],
  ["an allow at a rate between", { allowSampleRate: 0.5 }, "identity-policy", false],
  ["an allow of a dropped action", { drop: ["orders:Get*"] }, "identity-policy", true],
  ["an allow in shadow mode", { allowSampleRate: 0 }, "shadow-mode", false],
  ["anything without a sink", { sinks: [] }, "implicit-deny", true],
])("%s: whether it is left out whatever its trace, counted once", (_why, options, reason, out) => {
  const sink = memory();
  const log = logOver(sink, options);
  expect(log.leavesOut(fakeOutcome(reason))).toBe(out);
  const counted = out && log.counts().length > 0;
  expect(totals(log)["sampled-out"] ?? 0).toBe(counted ? 1 : 0);
});

test("allows are sampled by trace: a trace is kept whole or left out whole, at about the rate", async () => {
  const sink = memory();
  const log = logOver(sink, { allowSampleRate: 0.25, maxBufferedEvents: 10_000 });
  for (let at = 0; at < 2_000; at++) {
    const id = at.toString(16).padStart(32, "0").replace(/^0/, "1");
    const request = attributes({ traceparent: `00-${id}-00f067aa0ba902b7-01` });
    log.record(fakeOutcome("identity-policy"), request, nowMs);
    log.record(fakeOutcome("identity-policy"), request, nowMs);
  }
  await log.flush();
  const seen = new Map<unknown, number>();
  for (const { traceId } of sink.records()) seen.set(traceId, (seen.get(traceId) ?? 0) + 1);
  expect([...seen.values()].every((count) => count === 2)).toBe(true);
  expect(seen.size).toBeGreaterThan(400);
  expect(seen.size).toBeLessThan(600);
});

test("BND-025 no token, cookie or secret parameter is written, wherever it stands", async () => {
  const sink = memory();
  const log = logOver(sink, { input: true });
  const request = attributes({
    authorization: `Bearer ${canary}`,
    cookie: canary,
    "user-agent": `agent Bearer ${canary}`,
    "x-request-id": `r?access_token=${canary}`,
  });
  const outcome = fakeOutcome("token-signature", {
    detail: jwt,
    resource: `arn:aws:orders:eu-west-1:111122223333:order/${jwt}`,
  });
  log.record(outcome, request, nowMs, {
    input: () => ({
      context: { "mesh:JwtClaim/access_token": canary, "orders:Authorization": canary },
    }),
  });
  await log.flush();
  expect(sink.lines).toHaveLength(1);
  expect(sink.lines[0]).not.toContain(canary);
  expect(sink.lines[0]).not.toContain("c2lnbmF0dXJl");
});

test("input is written only where it is asked for, and never beyond its bound", async () => {
  const scenario = { action: "orders:GetOrder", context: {} };
  const without = memory();
  const plain = logOver(without);
  plain.record(fakeOutcome("scp"), null, nowMs, {
    input: () => {
      throw new Error("is not called");
    },
  });
  await plain.flush();
  expect(without.records()[0]).not.toHaveProperty("input");

  const sink = memory();
  const log = logOver(sink, { input: true });
  log.record(fakeOutcome("scp"), null, nowMs, { input: () => scenario });
  log.record(fakeOutcome("scp"), null, nowMs, { input: () => ({ text: "x".repeat(70_000) }) });
  log.record(fakeOutcome("scp"), null, nowMs, {
    input: () => {
      throw new Error("no scenario");
    },
  });
  await log.flush();
  expect(sink.records().map(({ input }) => input)).toEqual([
    scenario,
    { omitted: "too-large" },
    { omitted: "failed" },
  ]);
});

test("masked fields are a salted hash, erased ones are gone, and both are told", async () => {
  const lineOf = async (salt: string) => {
    const sink = memory();
    const log = logOver(sink, {
      mask: ["userIdentity.arn", "resources.ARN", "nothing.here"],
      erase: ["userAgent", "userIdentity.userName"],
      salt: Buffer.from(salt),
    });
    log.record(fakeOutcome("explicit-deny"), attributes({ "user-agent": "curl/8" }), nowMs);
    await log.flush();
    return sink.records()[0] as Record<string, never>;
  };
  const record = await lineOf("0123456789abcdef");
  expect(record).toMatchObject({
    userIdentity: { type: "IAMUser", arn: expect.stringMatching(/^hmac-sha256:[0-9a-f]{32}$/) },
    resources: [{ ARN: expect.stringMatching(/^hmac-sha256:[0-9a-f]{32}$/) }],
    masked: ["userIdentity.arn", "resources.ARN"],
    erased: ["userAgent", "userIdentity.userName", "errorMessage"],
  });
  expect(record).not.toHaveProperty("userAgent");
  expect(JSON.stringify(record)).not.toContain("user/alice");
  const again = await lineOf("0123456789abcdef");
  const other = await lineOf("fedcba9876543210");
  expect(again.userIdentity).toEqual(record.userIdentity);
  expect(other.userIdentity).not.toEqual(record.userIdentity);
});

test("a sink that does not keep up loses the oldest records, and they are counted", async () => {
  const sink = memory();
  const log = logOver(sink, { maxBufferedEvents: 10 });
  const send = (at: number) => {
    const decisionId = at.toString().padStart(36, "0");
    log.record(fakeOutcome("scp", { decisionId }), null, nowMs);
  };
  sink.hold();
  send(0);
  await new Promise((resolve) => setImmediate(resolve));
  for (let at = 1; at <= 25; at++) send(at);
  expect(log.queueLength).toBe(10);
  sink.release();
  await log.flush();
  expect(totals(log)).toEqual({ written: 11, dropped: 15, failed: 0, "sampled-out": 0 });
  expect(sink.records().map(({ eventID }) => Number(eventID))).toEqual([
    0,
    ...Array.from({ length: 10 }, (_, at) => 16 + at),
  ]);
});

test("the bytes that wait are bounded too", () => {
  const sink = memory();
  sink.hold();
  const log = logOver(sink, { maxBufferedEvents: 1_000, maxBufferedBytes: 100_000, input: true });
  for (let at = 0; at < 50; at++) {
    log.record(fakeOutcome("scp"), null, nowMs, { input: () => ({ text: "x".repeat(10_000) }) });
  }
  expect(log.queueLength).toBeLessThanOrEqual(8);
});

test("a disagreement is a record of its own and no part of the sums", async () => {
  const sink = memory();
  const log = logOver(sink, { ignoreAllowAll: true });
  log.recordSelfCheck({
    decisionId: "00000000-0000-4000-8000-000000000002",
    timeMs: nowMs,
    epoch: 1,
    revision: 42,
    compiled: { decision: "allowed" },
    reference: { decision: "explicitDeny" },
    scenario: {
      policies: { identity: [{ document: { Statement: [{ Condition: { A: { b: ["c"] } } }] } }] },
    },
  });
  await log.flush();
  expect(sink.records()[0]).toMatchObject({
    eventID: "00000000-0000-4000-8000-000000000002",
    selfCheck: {
      compiled: { decision: "allowed" },
      reference: { decision: "explicitDeny" },
      scenario: {
        policies: { identity: [{ document: { Statement: [{ Condition: { A: { b: ["c"] } } }] } }] },
      },
    },
  });
  expect(totals(log)).toEqual({ written: 0, dropped: 0, failed: 0, "sampled-out": 0 });
});

test("without a sink nothing is made or counted", async () => {
  const log = createDecisionLog({
    sinks: [],
    labels: { instance: "i", version: "v" },
    allowSampleRate: 1,
    ignoreAllowAll: false,
    drop: [],
    mask: [],
    erase: [],
    salt: Buffer.alloc(16),
    input: true,
    maxBufferedEvents: 10,
  });
  log.record(fakeOutcome("scp"), null, nowMs, {
    input: () => {
      throw new Error("is not called");
    },
  });
  await log.flush();
  expect(log.counts()).toEqual([]);
});

test("for each sink, written + dropped + failed + sampled-out = Checks", async () => {
  const step = fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...reasons) },
    { weight: 2, arbitrary: fc.constantFrom("turn", "hold", "release", "self-check") },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 300 }),
      fc.array(fc.boolean(), { maxLength: 20 }),
      fc.integer({ min: 1, max: 40 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (steps, failures, maxBufferedEvents, allowSampleRate) => {
        const first = memory((write) => failures[write] ?? false);
        const second = memory();
        const refused: string[] = [];
        const log = logOver(first, {
          sinks: [
            { name: "stdout", writer: first.writer },
            { name: "file", writer: second.writer },
          ],
          maxBufferedEvents,
          allowSampleRate,
          onFailure: (sink) => refused.push(sink),
        });
        let checks = 0;
        for (const one of steps) {
          if (one === "turn") await new Promise((resolve) => setImmediate(resolve));
          else if (one === "hold") first.hold();
          else if (one === "release") first.release();
          else if (one === "self-check") {
            const blank = { compiled: {}, reference: {}, scenario: {} };
            log.recordSelfCheck({
              decisionId: "d",
              timeMs: nowMs,
              epoch: 1,
              revision: 1,
              ...blank,
            });
          } else {
            const decisionId = `${checks++}`;
            log.record(fakeOutcome(one, { decisionId }), null, nowMs);
          }
        }
        first.release();
        await log.flush();
        for (const sink of ["stdout", "file"]) {
          const counts = log.counts().filter((count) => count.sink === sink);
          expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(checks);
        }
        expect(refused.every((sink) => sink === "stdout")).toBe(true);
        expect(log.queueLength).toBe(0);
      },
    ),
    { numRuns: 60 },
  );
});
