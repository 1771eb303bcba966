import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type Evaluator, evaluators } from "../../../test/corpus/evaluators.ts";
import type { Written } from "../../../test/fakes/check-request.ts";
import { runCommand } from "../../../test/fakes/command-line.ts";
import {
  allow,
  deny,
  organization,
  policy,
  route,
  service,
  spiffeIdOf,
  user,
} from "../../../test/fakes/documents.ts";
import { as, documents, login, one, person, withSpec } from "../../../test/fakes/orders.ts";
import {
  directoryOf,
  startMs,
  startPipeline,
  type TestPipeline,
} from "../../../test/fakes/pipeline.ts";
import { type Decision, denied } from "../../iam/decision.ts";
import { parseScenario } from "../../iam/scenario.ts";

const [reference, engine] = evaluators as [Evaluator, Evaluator];
const folder = mkdtempSync(join(tmpdir(), "mesh-iam-recorder-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Returns what two answers to one question must agree on, and what a record shows of it. */
const essence = ({ decision, deniedBy, deniedLevel, reason, errors }: Decision) => ({
  decision,
  deniedBy,
  deniedLevel,
  reason,
  errors,
});

function scenarioOf(input: unknown) {
  const loaded = parseScenario(JSON.stringify(input));
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join("; "));
  return loaded.value;
}

describe("the input of a logged decision replays it, by both evaluators", () => {
  const bound = new Date(startMs + 60_000).toISOString();
  const world = [
    ...documents,
    user("tim", [
      allow("orders:GetOrder", { Condition: { DateLessThan: { "aws:CurrentTime": bound } } }),
      deny("orders:*", {
        Condition: { StringEquals: { "mesh:RequestHeader/x-stage": "no\u00e9" } },
      }),
    ]),
    service("open", [route("GET /open", "Look", "open"), route("GET /shut", "Shut", "shut")], {
      authType: "NONE",
      resourcePolicy: { ...policy(deny("open:Shut", { Principal: "*" })), Version: "2008-10-17" },
    }),
  ];
  const orders = { "mesh-iam-service": "orders" };
  const open = { "mesh-iam-service": "open" };
  const joined = { ...one, contextExtensions: orders };
  const rows: readonly (readonly [why: string, request: Written])[] = [
    ["an identity policy allows", { ...joined, ...as("ana") }],
    ["a resource policy allows", { path: "/catalogue", contextExtensions: orders }],
    ["nobody is authenticated", { path: "/open", contextExtensions: open }],
    ["nobody is authenticated, and a Deny binds", { path: "/shut", contextExtensions: open }],
    ["a probe", { path: "/healthz", contextExtensions: orders }],
    [
      "a preflight",
      {
        ...joined,
        method: "OPTIONS",
        headers: { origin: "https://a.example", "access-control-request-method": "GET" },
      },
    ],
    ["an explicit Deny", { path: "/vault", contextExtensions: orders, ...as("ana") }],
    ["nothing allows", { ...joined, method: "PUT", ...as("ana") }],
    ["nothing allows anybody", joined],
    ["an SCP", { path: "/orders", method: "DELETE", contextExtensions: orders, ...as("ana") }],
    ["an RCP", { path: "/export", method: "POST", contextExtensions: orders, ...as("ana") }],
    ["a boundary", { ...joined, method: "PUT", ...as("bob") }],
    ["a role session", { ...joined, ...as("kim", { role: "courier" }) }],
    ["a workload", { ...joined, sourcePrincipal: spiffeIdOf("checkout") }],
    ["before an instant", { ...joined, ...as("tim"), requestTimeMs: startMs + 59_999 }],
    ["at an instant", { ...joined, ...as("tim"), requestTimeMs: startMs + 60_000 }],
    [
      "a header that is no ASCII",
      {
        ...joined,
        headers: { authorization: `Bearer ${person("tim")}`, "x-stage": "no\u00e9" },
      },
    ],
    [
      "a repeated header",
      {
        path: "/flagged",
        contextExtensions: orders,
        encoding: "header_map",
        headers: { "x-flag": ["go", "stop"], authorization: `Bearer ${person("ana")}` },
      },
    ],
  ];

  const start = () => startPipeline({ documents: world, sets: ["decisionLogs.input=true"] });

  test.each(rows)("%s", async (_why, request) => {
    const pipeline = await start();
    const outcomes = [pipeline.ask(request), pipeline.ask(request)];
    await pipeline.settled();
    const records = pipeline.decisions.records();
    expect(records).toHaveLength(2);
    for (const [n, { input, eventID }] of records.entries()) {
      const { decision, decisionId } = outcomes[n] as (typeof outcomes)[0];
      expect(eventID).toBe(decisionId);
      const scenario = scenarioOf(input);
      expect(scenario.id).toBe(decisionId);
      const replayed = engine.evaluate(scenario);
      expect(essence(replayed)).toEqual(essence(decision));
      expect(essence(reference.evaluate(scenario))).toEqual(essence(decision));
    }
    expect(pipeline.recorder.selfCheck).toMatchObject({ samples: 2, mismatches: 0 });
  });

  test("an unusable policy is replayed as one", async () => {
    const pipeline = await start();
    const directory = directoryOf(world);
    const ana = directory.users.find(({ name }) => name === "ana");
    const poison = { objectId: ana?.id ?? "", kind: "user", reason: "unreadable" };
    await pipeline.activate({ ...directory, poison: [poison] });
    const { decision } = pipeline.ask({ ...joined, ...as("ana") });
    await pipeline.settled();
    const [record] = pipeline.decisions.records();
    const scenario = scenarioOf(record?.input);
    const replayed = engine.evaluate(scenario);
    expect(essence(replayed)).toEqual(essence(decision));
    expect(decision.errors).toEqual(["policy-unusable"]);
  });

  test("a Check without a decision has no input", async () => {
    const pipeline = await start();
    pipeline.ask({ ...joined, path: "/nowhere" });
    pipeline.ask({ ...joined, headers: { authorization: "Bearer abc" } });
    pipeline.check(Buffer.from("no message"));
    await pipeline.settled();
    expect(pipeline.decisions.records().map((record) => "input" in record)).toEqual([
      ...[false, false, false],
    ]);
  });

  test("`mesh-iam explain --log` tells of it, with the exit code of the decision", async () => {
    const pipeline = await start();
    const allowed = pipeline.ask({ ...joined, ...as("ana") });
    const refused = pipeline.ask({ ...joined, method: "PUT", ...as("ana") });
    await pipeline.settled();
    const file = join(folder, "decisions.jsonl");
    writeFileSync(file, pipeline.decisions.text());
    for (const [{ decisionId, action }, code] of [[allowed, 0] as const, [refused, 2] as const]) {
      const ran = await runCommand(["explain", "--log", file, "--id", decisionId]);
      expect(ran.code).toBe(code);
      expect(ran.out).toContain(action);
    }
  });

  test("without decisionLogs.input nothing of a request's keys is written", async () => {
    const pipeline = await startPipeline({ documents: world });
    pipeline.ask({ ...joined, ...as("ana") });
    await pipeline.settled();
    expect(pipeline.decisions.records()[0]).not.toHaveProperty("input");
  });
});

describe("a wrong decision is found by the second evaluator", () => {
  /** Changes what the memory holds, as a bug of ours might. */
  function spoil(pipeline: TestPipeline, decision: Decision): void {
    const { snapshot } = pipeline.sync;
    for (const caller of snapshot?.callers.values() ?? []) {
      for (const answer of snapshot?.decisions?.answersFor(caller, "/orders/1") ?? []) {
        Object.assign(answer, { decision });
      }
    }
  }

  test("counted, logged with a scenario that replays it, and shown", async () => {
    const pipeline = await startPipeline({ documents });
    const right = pipeline.ask({ ...one, ...as("ana") });
    const wrong = { ...denied("implicit-deny"), deniedBy: "identity" as const };
    spoil(pipeline, wrong);
    expect(pipeline.ask({ ...one, ...as("ana") })).toMatchObject({ cache: "hit", decision: wrong });
    await pipeline.settled();

    expect(pipeline.recorder.selfCheck).toMatchObject({ samples: 2, mismatches: 1 });
    const metrics = await pipeline.metrics();
    expect(metrics).toContain("mesh_iam_self_check_samples_total 2");
    expect(metrics).toContain("mesh_iam_self_check_mismatches_total 1");

    const [line] = pipeline.log.records().filter(({ event }) => event === "self-check-mismatch");
    expect(line).toMatchObject({ level: "error", engine: "implicitDeny", reference: "allowed" });
    const scenario = scenarioOf(JSON.parse(String(line?.scenario)));
    const replayed = engine.evaluate(scenario);
    expect(essence(replayed)).toEqual(essence(right.decision));

    const [record] = pipeline.decisions.records().filter((each) => "selfCheck" in each);
    expect(record).toMatchObject({
      bundle: { epoch: 1, revision: 1 },
      selfCheck: {
        compiled: { decision: "implicitDeny", deniedBy: "identity" },
        reference: { decision: "allowed", deniedBy: null },
        scenario: { action: "orders:GetOrder" },
      },
    });
  });

  test("a decision that did not come of an evaluation is nobody's to judge", async () => {
    const pipeline = await startPipeline({ documents, sets: ["staleness.denyAfterSeconds=60"] });
    pipeline.ask({ ...one, ...as("ana") });
    await pipeline.clock.advance(61_000);
    expect(pipeline.ask({ ...one, ...as("ana") }).answer.reason).toBe("bundle-stale");
    pipeline.ask({ ...one, headers: { authorization: "Bearer abc" } });
    pipeline.ask({ path: "/nowhere" });
    await pipeline.settled();
    expect(pipeline.recorder.selfCheck).toMatchObject({ samples: 1, mismatches: 0 });
  });

  test("the share is drawn for each decision", async () => {
    let draws = 0;
    const random = () => (draws++ % 4 === 0 ? 0.05 : 0.5);
    const sets = ["selfCheck.sampleRate=0.1"];
    const pipeline = await startPipeline({ documents, sets, random });
    for (let n = 0; n < 20; n++) pipeline.ask({ ...one, ...as("ana") });
    await pipeline.settled();
    expect(pipeline.recorder.selfCheck.samples).toBe(5);
  });
});

describe("where a request came from", () => {
  const request: Written = {
    ...one,
    headers: { authorization: `Bearer ${person("ana")}`, "x-forwarded-for": "10.9.9.9, 10.8.8.8" },
    sourceAddress: "192.0.2.7",
  };

  test.each<[hops: number, address: string]>([
    [0, "192.0.2.7"],
    [1, "10.8.8.8"],
    [2, "10.9.9.9"],
    // Too few entries: the log has the peer, the condition key nothing.
    [3, "192.0.2.7"],
  ])("with %i trusted hops the log says %s", async (hops, address) => {
    const pipeline = await startPipeline({ documents, sets: [`trustedHops=${hops}`] });
    pipeline.ask(request);
    await pipeline.settled();
    expect(pipeline.decisions.records()[0]).toMatchObject({ sourceIPAddress: address });
  });
});

test("a setting that says TLS in front of the listener makes aws:SecureTransport true", async () => {
  const secure = allow("orders:*", { Condition: { Bool: { "aws:SecureTransport": "true" } } });
  const [base] = [organization(login.jwks)];
  const world = [
    ...base,
    user("ana", [secure]),
    service("orders", [route("GET /orders/{id}", "GetOrder", "order/{id}")]),
  ];
  const ask = async (sets: readonly string[]) =>
    (await startPipeline({ documents: world, sets })).ask({ ...one, ...as("ana") }).answer.type;
  expect(await ask([])).toBe("deny");
  expect(await ask(["tlsTerminating=true"])).toBe("allow");
});

test("a service in shadow mode is recorded as what it would have been", async () => {
  const shadow = documents.map((each) =>
    each.kind === "Service" ? withSpec(each, { mode: "shadow" }) : each,
  );
  const pipeline = await startPipeline({ documents: shadow });
  const put = { method: "PUT", ...one, ...as("ana") };
  const wouldBe = [
    [put, "implicit-deny", "implicitDeny"],
    [put, "implicit-deny", "implicitDeny"],
    [{ path: "/vault" }, "explicit-deny", "explicitDeny"],
    [{ ...one, headers: { authorization: "Bearer abc" } }, "token-malformed", "implicitDeny"],
    [{ path: "/orders/../x" }, "ambiguous-path", "implicitDeny"],
  ] as const;
  for (const [request, reason] of wouldBe) {
    const outcome = pipeline.ask(request);
    expect(outcome.answer).toEqual({ type: "allow", outcome: "allow", reason: "shadow-mode" });
    expect(outcome.decision.reason).toBe(reason);
    // Whoever passes in shadow mode passes without what the application must not see.
    expect(outcome.removeHeaders).toEqual(pipeline.ask({ ...one, ...as("ana") }).removeHeaders);
  }
  await pipeline.settled();
  const records = pipeline.decisions.records().filter(({ reason }) => reason === "shadow-mode");
  expect(records.map(({ shadow }) => shadow)).toMatchObject(
    wouldBe.map(([, reason, decision]) => ({ reason, decision })),
  );
  expect(
    records.every(({ outcome, decision }) => outcome === "allow" && decision === "allowed"),
  ).toBe(true);
});
