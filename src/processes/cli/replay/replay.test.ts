import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "../../../../test/fakes/command-line.ts";
import {
  allow,
  type Document,
  deny,
  document,
  formatDocuments,
  policy,
  route,
  user,
} from "../../../../test/fakes/documents.ts";
import { as, documents, guard, one, orders, withSpec } from "../../../../test/fakes/orders.ts";
import { startPipeline } from "../../../../test/fakes/pipeline.ts";

const folder = mkdtempSync(join(tmpdir(), "mesh-iam-replay-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type LogRecord = Record<string, unknown>;

let count = 0;
function writeLog(records: readonly (LogRecord | string)[]): string {
  const path = join(folder, `log-${++count}.jsonl`);
  const lines = records.map((each) => (typeof each === "string" ? each : JSON.stringify(each)));
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}

function writeDocuments(given: readonly Document[]): string {
  const path = join(folder, `documents-${++count}`);
  mkdirSync(path);
  writeFileSync(join(path, "all.yaml"), formatDocuments(given));
  return path;
}

/** The documents with one of them in place of the one of its kind and name. */
function changed(...others: readonly Document[]): readonly Document[] {
  const key = (each: Document) => `${each.kind}/${(each.metadata as { name: string }).name}`;
  const kept = documents.filter((each) => !others.some((other) => key(other) === key(each)));
  return [...kept, ...others];
}

const without = (kind: string, name: string): readonly Document[] =>
  documents.filter(
    (each) => each.kind !== kind || (each.metadata as { name: string }).name !== name,
  );

/** Decisions of a real authorizer about real requests, as its decision log has them. */
async function decided(
  requests: readonly object[],
  sets: readonly string[] = ["decisionLogs.input=true"],
): Promise<LogRecord[]> {
  const pipeline = await startPipeline({ documents, sets });
  for (const request of requests) pipeline.ask(request);
  await pipeline.settled();
  return pipeline.decisions.records();
}

interface Told {
  readonly code: number;
  readonly err: string;
  readonly replayed: number;
  readonly differences: readonly {
    readonly id: string;
    readonly principal: string;
    readonly action: string;
    readonly before: { readonly decision: string; readonly deniedBy: string | null };
    readonly after: {
      readonly decision: string;
      readonly deniedBy: string | null;
      readonly reason: string;
    };
  }[];
  readonly notReplayed: readonly {
    readonly line: number;
    readonly id: string | null;
    readonly why: string;
  }[];
}

async function replay(
  records: readonly (LogRecord | string)[],
  by: readonly Document[] = documents,
): Promise<Told> {
  const args = [
    "simulate",
    "--json",
    "--documents",
    writeDocuments(by),
    "--replay",
    writeLog(records),
  ];
  const { code, out, err } = await runCommand(args);
  return { code, err, ...JSON.parse(out) };
}

const put = { method: "PUT", ...one };
let records: LogRecord[] = [];
beforeAll(async () => {
  records = await decided([
    { ...one, ...as("ana") },
    { ...put, ...as("ana") },
    { ...put, ...as("bob") },
    { ...one, ...as("x", { role: "courier", email: "c@d.e" }) },
    { method: "DELETE", path: "/orders", ...as("ana") },
    { path: "/catalogue" },
    { ...one },
    { path: "/healthz" },
  ]);
});

describe("replay of logged decisions", () => {
  test("by the same documents nothing differs", async () => {
    const { code, replayed, differences, notReplayed } = await replay(records);
    expect([replayed, differences, notReplayed]).toEqual([8, [], []]);
    expect(code).toBe(0);
  });

  test("by other policies, the decisions that they change are told, and nothing else", async () => {
    const { code, differences } = await replay(
      records,
      changed(
        user("ana", [allow("orders:Put*")]),
        withSpec(
          documents.find((each) => (each.metadata as { name: string }).name === "bob") as Document,
          {
            permissionsBoundary: null,
          },
        ),
      ).map((each) => JSON.parse(JSON.stringify(each, (_k, v) => (v === null ? undefined : v)))),
    );
    const told = differences.map(({ principal, action, before, after }) => [
      principal.slice(principal.lastIndexOf(":") + 1),
      action,
      before.decision,
      before.deniedBy,
      after.decision,
      after.deniedBy,
    ]);
    expect(told).toEqual([
      ["user/ana", "orders:GetOrder", "allowed", null, "implicitDeny", "identity"],
      ["user/ana", "orders:PutOrder", "implicitDeny", "identity", "allowed", null],
      ["user/bob", "orders:PutOrder", "implicitDeny", "permissionsBoundary", "allowed", null],
    ]);
    expect(code).toBe(5);
  });

  test.each([
    ["an SCP", guard("ServiceControlPolicy", "no-get", "orders:GetOrder"), "serviceControl"],
    [
      "an RCP",
      guard("ResourceControlPolicy", "no-get", "orders:GetOrder", { Principal: "*" }),
      "resourceControl",
    ],
    [
      "the resource's policy",
      withSpec(orders, { resourcePolicy: policy(deny("orders:GetOrder", { Principal: "*" })) }),
      "resource",
    ],
  ])("%s of the other documents counts", async (_why, other, layer) => {
    const { differences } = await replay(records.slice(0, 1), changed(other));
    expect(differences).toMatchObject([
      { before: { decision: "allowed" }, after: { decision: "explicitDeny", deniedBy: layer } },
    ]);
  });

  test("a denial by another layer is a difference", async () => {
    const by = changed(guard("ServiceControlPolicy", "no-put", "orders:PutOrder"));
    const { differences } = await replay(records.slice(1, 2), by);
    expect(differences).toMatchObject([
      {
        before: { decision: "implicitDeny", deniedBy: "identity" },
        after: { decision: "explicitDeny", deniedBy: "serviceControl" },
      },
    ]);
  });

  test("the text says who, what, before, after and which statements decide", async () => {
    const log = writeLog(records);
    const by = writeDocuments(changed(user("ana", [deny("orders:Get*", { Sid: "Never" })])));
    const { code, out } = await runCommand(["simulate", "--replay", log, "--documents", by]);
    expect(out).toMatch(
      /\(line 1\): arn:aws:iam::111122223333:user\/ana asks for orders:GetOrder on arn:aws:orders:eu-west-1:111122223333:order\/1\nallowed \(identity-policy\) → explicitDeny by identity \(explicit-deny\)\n/,
    );
    expect(out).toContain(
      "├─ was decided by Allow statement 0 of arn:aws:iam::111122223333:user/ana/own (identity)",
    );
    expect(out).toContain(
      "└─ is decided by Deny Never of arn:aws:iam::111122223333:user/ana/own (identity)",
    );
    expect(out).toContain("8 decisions made again: 1 differs");
    expect(code).toBe(5);
  });

  test("standard input, and a bundle instead of documents", async () => {
    const by = writeDocuments(changed(user("ana", [])));
    const bundle = join(folder, "bundle");
    expect((await runCommand(["bundle", "build", "--documents", by, "--out", bundle])).code).toBe(
      0,
    );
    const text = records.map((each) => JSON.stringify(each)).join("\n");
    const { code, out } = await runCommand(
      ["simulate", "--replay", "-", "--folder", bundle, "--json"],
      text,
    );
    expect(JSON.parse(out)).toMatchObject({ replayed: 8, differences: [{ line: 1 }] });
    expect(code).toBe(5);
  });

  test("--partition is that of the documents", async () => {
    const china = changed(user("ana", [allow("orders:*")]));
    const first = JSON.stringify(records[0]).replaceAll(/arn:aws:(iam|orders)/g, "arn:aws-cn:$1");
    const args = ["simulate", "--json", "--replay", writeLog([JSON.parse(first)])];
    const by = ["--documents", writeDocuments(china)];
    const { out } = await runCommand([...args, ...by, "--partition", "aws-cn"]);
    expect(JSON.parse(out)).toMatchObject({ replayed: 1, differences: [] });
    expect(JSON.parse((await runCommand([...args, ...by])).out)).toMatchObject({ replayed: 0 });
  });

  test("in shadow mode what would have been told is what is compared", async () => {
    const [shadowed = {}] = await decidedInShadow();
    expect(shadowed).toMatchObject({ decision: "allowed", shadow: { decision: "implicitDeny" } });
    const shadow = changed(withSpec(orders, { mode: "shadow" }));
    expect((await replay([shadowed], shadow)).differences).toEqual([]);
    const allowing = [
      ...shadow.filter((each) => each.kind !== "User"),
      user("ana", [allow("orders:*")]),
    ];
    expect((await replay([shadowed], allowing)).differences).toMatchObject([
      {
        before: { decision: "implicitDeny", deniedBy: "identity" },
        after: { decision: "allowed" },
      },
    ]);
  });

  test("a route that opens lets everybody pass, and says why", async () => {
    const routes = [route("GET /orders/{id}", "GetOrder", "order/{id}", { authType: "NONE" })];
    const { differences } = await replay(
      records.slice(6, 7),
      changed(withSpec(orders, { routes })),
    );
    expect(differences).toMatchObject([
      {
        principal: "anonymous",
        after: { decision: "allowed", reason: "authentication-not-required" },
      },
    ]);
    // what the caller's own policies denied counts no more: nobody asks who it is
    const denied = [
      ...changed(withSpec(orders, { routes })).filter((each) => each.kind !== "User"),
      user("ana", [deny("orders:*")]),
    ];
    const opened = await replay(records.slice(0, 1), denied);
    expect([opened.replayed, opened.differences]).toEqual([1, []]);
  });
});

async function decidedInShadow(): Promise<LogRecord[]> {
  const pipeline = await startPipeline({
    documents: changed(withSpec(orders, { mode: "shadow" })),
    sets: ["decisionLogs.input=true"],
  });
  pipeline.ask({ ...put, ...as("ana") });
  await pipeline.settled();
  return pipeline.decisions.records();
}

describe("what cannot be replayed is counted and named:", () => {
  const named = async (rows: readonly (LogRecord | string)[], by?: readonly Document[]) =>
    (await replay([...rows, ...records.slice(3, 4)], by)).notReplayed;

  test.each([
    [
      "a user who is not there",
      0,
      without("User", "ana"),
      "no user `arn:aws:iam::111122223333:user/ana`",
    ],
    [
      "a user who is disabled",
      0,
      changed(withSpec(user("ana", []), { state: "disabled" })),
      "is disabled",
    ],
    [
      "an action without a route",
      0,
      changed(
        withSpec(orders, {
          routes: [route("GET /o", "GetOrders", "o"), route("GET /x/{id}", "PutOrder", "x")],
        }),
      ),
      "no route for `orders:GetOrder`, did you mean `orders:GetOrders`?",
    ],
    [
      "a route that was open",
      7,
      changed(
        withSpec(orders, {
          routes: [
            route("GET /healthz", "Probe", "probe"),
            route("GET /orders/{id}", "GetOrder", "o"),
          ],
        }),
      ),
      "nobody was authenticated then",
    ],
  ])("%s", async (_why, row, by, says) => {
    const rows = await named(records.slice(row, row + 1), by);
    expect(rows[0]).toMatchObject({ line: 1, id: records[row]?.eventID });
    expect(rows[0]?.why).toContain(says);
  });

  test("a key that no statement of then could read, where one of now could matter", async () => {
    const asks = (condition: object) =>
      changed(user("ana", [allow("orders:Get*", { Condition: condition })]));
    const why = async (condition: object) =>
      (await named(records.slice(0, 1), asks(condition)))[0]?.why;
    expect(await why({ IpAddress: { "aws:SourceIp": "10.0.0.0/8" } })).toBe(
      "a statement reads aws:sourceip, which was not logged",
    );
    expect(await why({ StringEquals: { "mesh:JwtClaim/team": "blue" } })).toContain(
      "mesh:jwtclaim/team",
    );
    expect(await why({ StringEquals: { "orders:Flag": "go" } })).toContain("orders:flag");
    expect(await why({ Bool: { "aws:MultiFactorAuthPresent": "true" } })).toContain(
      "aws:multifactorauthpresent",
    );
    // what follows from caller, documents and time is known, and so is what nothing fills
    expect(await why({ StringEquals: { "aws:PrincipalTag/team": "blue" } })).toBeUndefined();
    expect(await why({ StringEquals: { "aws:PrincipalOrgID": "o-acme123456" } })).toBeUndefined();
    expect(
      await why({ DateGreaterThan: { "aws:CurrentTime": "2026-01-01T00:00:00Z" } }),
    ).toBeUndefined();
    expect(await why({ StringEquals: { "s3:prefix": "x" } })).toBeUndefined();
    expect(await why({ StringEquals: { "aws:SourceVpc": "x" } })).toBeUndefined();
  });

  test("of a key that could be read then, the absence is known", async () => {
    const [flagged = {}] = await decided([{ path: "/flagged", ...as("ana") }]);
    const by = changed(
      user("ana", [allow("orders:*", { Condition: { StringEquals: { "orders:Flag": "go" } } })]),
    );
    const { replayed, notReplayed } = await replay([flagged], by);
    expect([replayed, notReplayed]).toEqual([1, []]);
  });

  test("rows of another kind", async () => {
    const [first = {}] = records;
    const { input, ...bare } = first;
    const rows = await named([
      "no JSON",
      "[]",
      '{"eventID":"e1"}',
      { ...bare, eventID: "e2" },
      { ...first, eventID: "e3", input: { omitted: "too-large" } },
      { ...first, eventID: "e4", masked: ["input.context.aws:sourceip"] },
      {
        ...first,
        eventID: "e5",
        input: { ...(input as object), context: { "mesh:requestheader/x": "[redacted]" } },
      },
      { ...first, eventID: "e6", input: { ...(input as object), principal: { type: "user" } } },
      { ...first, eventID: "e7", input: 7 },
      { ...first, eventID: "e8", decision: "maybe" },
      { eventID: "self-check", selfCheck: {} },
      `"${"x".repeat(5 << 20)}"`,
    ]);
    expect(rows.map(({ line, id, why }) => [line, id, why.slice(0, 32)])).toEqual([
      [1, null, "it is no JSON object"],
      [2, null, "it is no JSON object"],
      [3, "e1", "it is no record of a decision"],
      [4, "e2", "it was logged without its input:"],
      [5, "e3", "its input was not written: too-l"],
      [6, "e4", "its input was masked"],
      [7, "e5", "a part of its input was redacted"],
      [8, "e6", "its input is not accepted: expec"],
      [9, "e7", "its input is no scenario"],
      [10, "e8", "it is no record of a decision"],
      [12, null, "it is longer than any record"],
    ]);
  });

  test("rows that no policy decided", async () => {
    const [lost = {}] = await decided([{ path: "/nowhere", ...as("ana") }]);
    expect((await named([lost]))[0]).toMatchObject({ why: "no policy was asked" });
  });

  test("nothing that could be replayed is no success", async () => {
    const { code, err, replayed } = await replay(["no JSON"]);
    expect(err).toContain("has no decision that could be made again");
    expect([code, replayed]).toEqual([3, 0]);
  });

  test("many of one cause are named in part, and all in JSON", async () => {
    const many = Array.from({ length: 12 }, (_, index) => ({ eventID: `e${index}` }));
    const log = writeLog([...many, ...records]);
    const { out } = await runCommand([
      "simulate",
      "--replay",
      log,
      "--documents",
      writeDocuments(documents),
    ]);
    expect(out).toContain(
      "12 could not be made again:\n└─ 12 × it is no record of a decision: e0, e1,",
    );
    expect(out).toContain("e9, and 2 more");
  });
});

describe("usage", () => {
  test.each([
    ["no documents", ["--replay", "x"], 1, "one of --documents and --folder"],
    [
      "both",
      ["--replay", "x", "--documents", "a", "--folder", "b"],
      1,
      "one of --documents and --folder",
    ],
    [
      "a partition for a bundle",
      ["--replay", "x", "--folder", "b", "--partition", "aws-cn"],
      1,
      "a bundle has its own",
    ],
    ["a file as well", ["q.json", "--replay", "x", "--documents", "a"], 1, "--replay alone"],
    ["documents without a log", ["--documents", "a"], 1, "--replay with"],
    [
      "a log that is not there",
      ["--replay", "/nowhere.jsonl", "--documents", "examples/quickstart"],
      3,
      "no such file",
    ],
    [
      "documents that are not there",
      ["--replay", "/nowhere.jsonl", "--documents", "/nowhere"],
      3,
      "/nowhere",
    ],
    [
      "a bundle that is none",
      ["--replay", "/nowhere.jsonl", "--folder", "examples"],
      3,
      "has no head",
    ],
  ])("%s", async (_why, args, code, says) => {
    const ran = await runCommand(["simulate", ...args]);
    expect(ran.err).toContain(says);
    expect(ran.code).toBe(code);
  });

  test("documents that are not accepted are told with every problem", async () => {
    const by = writeDocuments([document("User", "ana", { grups: [] })]);
    const { code, err } = await runCommand([
      "simulate",
      "--replay",
      writeLog([]),
      "--documents",
      by,
    ]);
    expect(err).toContain("the documents are not accepted");
    expect(err).toContain("`grups`");
    expect(code).toBe(3);
  });
});
