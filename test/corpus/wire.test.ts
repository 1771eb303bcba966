import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createEncoder } from "../../src/adapters/envoy/encode.ts";
import type { Listener } from "../../src/adapters/envoy/listener.ts";
import { createListener } from "../../src/adapters/envoy/server.ts";
import type { CheckOutcome } from "../../src/domain/request/outcome.ts";
import { CheckResponseSchema } from "../../src/gen/envoy/service/auth/v3/external_auth_pb.ts";
import { readSet } from "../../src/iam/compile/reads.ts";
import { evaluateReference } from "../../src/iam/evaluation/reference.ts";
import { parseScenario, type Scenario } from "../../src/iam/scenario.ts";
import { checkRequest } from "../fakes/check-request.ts";
import { openSession, rawCall } from "../fakes/grpc-client.ts";
import { startPipeline, type TestPipeline } from "../fakes/pipeline.ts";
import {
  type AsRequest,
  asRequest,
  type Inexpressible,
  inOwnersAccount,
  timeOf,
} from "./as-request.ts";
import { type Case, readCases } from "./cases.ts";
import { compiled } from "./evaluators.ts";

/**
 * The cases of the corpus that a request can ask: each over a real gRPC call, first evaluated, then
 * answered from memory. The others are counted by what stands in the way.
 */
interface Asked {
  readonly given: Case;
  readonly scenario: Scenario;
  readonly as: AsRequest;
}

const asked: Asked[] = [];
const inexpressible = new Map<Inexpressible, number>();
for (const original of readCases()) {
  if (original.expected.problems !== undefined) continue;
  const given = inOwnersAccount(original);
  const loaded = parseScenario(JSON.stringify(given));
  if (!loaded.ok) throw new Error(`${given.id}: not accepted`);
  const scenario = loaded.value;
  const as = isStillSo(given, scenario)
    ? asRequest(given, scenario)
    : "the answer hangs on the account of the resource's ARN";
  if (typeof as === "string") inexpressible.set(as, (inexpressible.get(as) ?? 0) + 1);
  else asked.push({ given, scenario, as });
}

/** The reference answers the case as the corpus has it. */
function isStillSo({ expected }: Case, { context, layers }: Scenario): boolean {
  const { decision, deniedBy, deniedLevel } = evaluateReference(context, layers);
  return (
    decision === expected.decision &&
    deniedBy === (expected.deniedBy ?? null) &&
    deniedLevel === (expected.deniedLevel ?? null)
  );
}

const folder = mkdtempSync(join(tmpdir(), "mesh-iam-wire-"));
let outcome: CheckOutcome | null = null;
let pipeline: TestPipeline;
let listener: Listener;
let session: Awaited<ReturnType<typeof openSession>>;

beforeAll(async () => {
  pipeline = await startPipeline({
    sets: ["decisionLogs.input=true", "region="],
    onOutcome: (told) => {
      outcome = told;
    },
  });
  const encoder = createEncoder({ verbose: false });
  listener = createListener({
    address: { type: "unix", path: join(folder, "authz.sock") },
    check: (message) => encoder.encode(pipeline.check(message)),
  });
  session = await openSession((await listener.start()).address);
});

afterAll(async () => {
  session.destroy();
  await listener.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Sends the request and returns what was decided, and what Envoy heard. */
async function ask({ request }: AsRequest) {
  outcome = null;
  const { messages } = await rawCall(session, { message: checkRequest(request) });
  const { status } = fromBinary(CheckResponseSchema, messages[0] as Uint8Array);
  const told = outcome as CheckOutcome | null;
  if (told === null) throw new Error("nothing was judged");
  return { told, code: status?.code ?? 0 };
}

/** The first key that a candidate can read and that the request gives another value, or null. */
function otherKey({ scenario }: Asked, replayed: Scenario): string | null {
  const { keys } = scenario.context;
  const readable = readSet(compiled(scenario), scenario.context.action);
  return (
    readable.find(
      (key) => JSON.stringify(keys.get(key)) !== JSON.stringify(replayed.context.keys.get(key)),
    ) ?? null
  );
}

const compared: string[] = [];
const otherKeys: string[] = [];

test.each(asked)("over gRPC, evaluated and remembered: $given.id $given.title", async (one) => {
  const { given, as, scenario } = one;
  pipeline.clock.jump(timeOf(scenario) - pipeline.clock.nowMs());
  await pipeline.activate(as.directory);
  const first = await ask(as);
  await pipeline.settled();
  const input = pipeline.decisions.records().at(-1)?.input;
  if (input === undefined) {
    throw new Error(`${given.id}: ${first.told.decision.reason} ${first.told.detail}`);
  }
  const replayed = parseScenario(JSON.stringify(input));
  if (!replayed.ok) throw new Error(`${given.id}: the logged input is not accepted`);
  const other = otherKey(one, replayed.value);
  if (other !== null) {
    otherKeys.push(`${given.id} ${other}`);
    return;
  }
  compared.push(given.id);
  const { decision, deniedBy = null, deniedLevel = null } = given.expected;
  const again = await ask(as);
  for (const { told, code } of [first, again]) {
    expect(told.decision).toMatchObject({ decision, deniedBy, deniedLevel });
    expect(code === 0).toBe(decision === "allowed");
  }
  expect(again.told.cache).toBe(first.told.cache === "miss" ? "hit" : first.told.cache);
});

/**
 * How many cases are asked over the wire: it only grows. And of those that are not, at most how many
 * for each reason, so that none of them comes to hide the rest.
 */
const recorded = 200;
const atMost: Readonly<Record<Inexpressible, number>> = {
  "the resource is no service's: a role, a key, or the pseudo-resource": 80,
  "an organization: its own cases stand in the directory's tests": 70,
  "session policies come with STS": 50,
  "no credential gives this principal": 45,
  "the name holds characters that no resource of a route has": 30,
  "a faulty key: `faulty-input.test.ts` has requests with one": 20,
  "the service's name is reserved": 12,
  "the resource's ARN is not of its owner: a service's resources are": 5,
  "the answer hangs on the account of the resource's ARN": 5,
};
/** Requests have the condition keys of their connection and caller, whatever a case gives. */
const atMostOtherKeys = 230;

test("every case is asked, or counted by what stands in the way", () => {
  for (const [why, count] of inexpressible) {
    expect(count, why).toBeLessThanOrEqual(atMost[why]);
  }
  expect(otherKeys.length, otherKeys.join("\n")).toBeLessThanOrEqual(atMostOtherKeys);
  expect(compared.length + otherKeys.length).toBe(asked.length);
  expect(compared.length).toBeGreaterThanOrEqual(recorded);
});
