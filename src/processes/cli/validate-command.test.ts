import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type Ran, runCommand } from "../../../test/fakes/command-line.ts";
import { undecidedChecks } from "../../iam/policy/checks/undecided.ts";

const folder = mkdtempSync(join(tmpdir(), "mesh-iam-validate-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** The quickstart's documents with `change` made to people.yaml. */
function documents(name: string, change: (people: string) => string): string {
  const at = join(folder, name);
  cpSync("examples/quickstart", at, { recursive: true });
  writeFileSync(join(at, "jwks.json"), '{"keys":[]}');
  const people = readFileSync(join(at, "people.yaml"), "utf8");
  writeFileSync(join(at, "people.yaml"), change(people));
  return at;
}

const misspelt = documents("misspelt", (people) =>
  people
    .replace("orders:RefundOrder", "orders:RefundOrdr")
    .replace("mesh:SourceServiceAccount", "mesh:SourceServiceAccont"),
);
const policy = write(
  "policy.json",
  `{
  "Version": "2012-10-17",
  "Statement": [{ "Sid": "", "Effect": "Allow", "Action": "orders:GetOrdr", "Resource": "*",
    "Condition": { "ForAllValues:StringEquals": { "aws:PrincipalArn": "x" } } }]
}`,
);
const one = ["validate", policy, "--policy-type", "identity"];

test("--partition is that of the documents' ARNs, and of those in a policy", async () => {
  const china = mkdtempSync(join(folder, "china-"));
  const statement = `{ Effect: Allow, Action: "a:B", Resource: "arn:aws-cn:a:::b" }`;
  const document = `{ Version: "2012-10-17", Statement: [${statement}] }`;
  writeFileSync(
    join(china, "a.yaml"),
    `apiVersion: mesh-iam.io/v1
kind: ManagedPolicy
metadata: { name: reads, account: "111122223333" }
spec: { policyDocument: ${document} }
---
apiVersion: mesh-iam.io/v1
kind: User
metadata: { name: ana, account: "111122223333" }
spec: { managedPolicyArns: ["arn:aws-cn:iam::111122223333:policy/reads"] }
`,
  );
  const refused = await runCommand(["validate", china]);
  expect(refused.out).toContain("expected the ARN of a managed policy that exists");
  expect(refused.code).toBe(3);
  const accepted = await runCommand(["validate", china, "--partition", "aws-cn"]);
  expect(accepted.out).toContain("accepted, 1 finding");
  const none = await runCommand(["validate", china, "--partition", "AWS"]);
  expect([none.code, none.err]).toEqual([1, expect.stringContaining("expected a partition")]);
  const single = write(
    "china.json",
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"a:B","Resource":"arn:aws-cn:a:::b"}]}',
  );
  const of = (...more: string[]) =>
    runCommand(["validate", single, "--policy-type", "identity", ...more]);
  expect((await of()).out).toContain("INVALID_ARN_PARTITION");
  expect((await of("--partition", "aws-cn")).out).toContain("accepted, 1 finding");
});

describe("findings in policies of documents", () => {
  test("are told at their places in the files, each once, with level and code", async () => {
    const { code, out } = await runCommand(["validate", misspelt]);
    const people = readFileSync(join(misspelt, "people.yaml"), "utf8").split("\n");
    const lines = out.split("\n");
    const action = lines.find((line) => line.includes("INVALID_ACTION")) ?? "";
    expect(action).toMatch(
      /^ERROR people\.yaml:\d+:21 User\/carol spec\.policies\[0\]\.policyDocument\.Statement\[0\]\.Action: .*`orders:RefundOrdr`.*`orders:RefundOrder` \(INVALID_ACTION\)$/,
    );
    const [, row = "0"] = /people\.yaml:(\d+)/.exec(action) ?? [];
    expect(people[Number(row) - 1]).toContain("orders:RefundOrdr");
    expect(lines.filter((line) => line.includes("INVALID_GLOBAL_CONDITION_KEY"))).toHaveLength(1);
    expect(lines.at(-2)).toMatch(/^accepted, \d+ findings$/);
    expect(code).toBe(3);
  });

  test("what the loader finds already is not told twice", async () => {
    const at = documents("twice", (people) =>
      people.replace('"orders:RefundOrder"', '["orders:RefundOrder", "order*:X"]'),
    );
    const { out } = await runCommand(["validate", at, "--json"]);
    const { findings } = JSON.parse(out);
    const places = findings.map(({ file, position, code, message }: never) =>
      JSON.stringify([file, position, code, message]),
    );
    expect(new Set(places).size).toBe(places.length);
    expect(findings.map(({ code }: { code: string }) => code)).toContain(
      "WILDCARD_IN_SERVICE_NAME",
    );
  });
});

describe("outputs", () => {
  test("JSON, by either flag, names file, place, level and code", async () => {
    const { out, code } = await runCommand([...one, "--json"]);
    expect((await runCommand([...one, "--output", "json"])).out).toBe(out);
    const { accepted, findings, notApplicable } = JSON.parse(out);
    expect(accepted).toBe(true);
    expect(notApplicable).toBeUndefined();
    expect(findings[0]).toEqual({
      code: "EMPTY_SID_VALUE",
      severity: "SUGGESTION",
      file: policy,
      subject: "",
      path: "Statement[0].Sid",
      message: expect.any(String),
      position: { line: 3, column: 26, offset: expect.any(Number) },
    });
    expect(code).toBe(0);
  });

  test("all four levels count for --fail-on", async () => {
    const codes = await Promise.all(
      ["ERROR", "SECURITY_WARNING", "WARNING", "SUGGESTION"].map(async (level) => {
        const plain = write(
          "p.json",
          '{"Version":"2012-10-17","Statement":{"Sid":"","Effect":"Allow","Action":"*","Resource":"*"}}',
        );
        return (
          await runCommand(["validate", plain, "--policy-type", "identity", "--fail-on", level])
        ).code;
      }),
    );
    expect(codes).toEqual([0, 0, 0, 3]);
    expect((await runCommand([...one, "--fail-on", "SECURITY_WARNING"])).code).toBe(3);
    expect((await runCommand([...one, "--fail-on", "HIGH"])).code).toBe(1);
  });

  test("--verbose lists the checks that are not made, and why", async () => {
    const text = await runCommand([...one, "--verbose"]);
    expect(text.out).toContain("not checked INVALID_ACTION (ERROR): no services are given");
    expect(text.out).toContain("not checked PRIVATE_IP_ADDRESS (ERROR): private addresses");
    const json = JSON.parse((await runCommand([...one, "--verbose", "--json"])).out);
    expect(json.notApplicable).toEqual(undecidedChecks());
    // services of documents decide what single policies cannot
    const folderOutput = await runCommand(["validate", misspelt, "--verbose"]);
    expect(folderOutput.out).not.toContain("not checked INVALID_ACTION");
  });

  test.each([
    ["an unknown output", ["--output", "xml"], "text, json, sarif"],
    ["two outputs", ["--output", "sarif", "--json"], "one of --json and --output"],
    ["services for documents", ["--services", "x.yaml"], "--policy-type with --services"],
  ])("%s is a mistake of usage", async (_why, args, says) => {
    const target = args[0] === "--services" ? misspelt : policy;
    const more = args[0] === "--services" ? args : ["--policy-type", "identity", ...args];
    const { code, err } = await runCommand(["validate", target, ...more]);
    expect(err).toContain(says);
    expect(code).toBe(1);
  });
});

describe("--services", () => {
  const found = async (services: string, ...more: string[]): Promise<Ran & { codes: string[] }> => {
    const ran = await runCommand([...one, "--services", services, "--json", ...more]);
    const codes =
      ran.out === "" ? [] : JSON.parse(ran.out).findings.map(({ code }: { code: string }) => code);
    return { ...ran, codes };
  };

  test("a file of Service documents says which actions there are", async () => {
    const file = "examples/quickstart/orders.yaml";
    expect((await runCommand([...one, "--json"])).out).toContain("INVALID_SERVICE_IN_ACTION");
    const { codes, out, code } = await found(file);
    expect(codes).toContain("INVALID_ACTION");
    expect(codes).not.toContain("INVALID_SERVICE_IN_ACTION");
    expect(out).toContain("`orders:GetOrder`");
    expect(code).toBe(3);
  });

  test("so does a folder of documents, without its keys", async () => {
    expect((await found("examples/quickstart")).codes).toContain("INVALID_ACTION");
  });

  test("services that are not accepted are told with every problem", async () => {
    const bad = write("bad.yaml", "kind: Service\nmetadata: { name: orders }\n");
    const { code, err } = await found(bad);
    expect(err).toContain("the services are not accepted");
    expect(err).toContain("`apiVersion`");
    expect(code).toBe(3);
    expect((await found(join(folder, "none.yaml"))).code).toBe(3);
  });
});

describe("SARIF 2.1.0", () => {
  interface Sarif {
    readonly version: string;
    readonly $schema: string;
    readonly runs: readonly {
      readonly tool: {
        readonly driver: { readonly name: string; readonly rules: readonly Rule[] };
      };
      readonly columnKind: string;
      readonly results: readonly Result[];
    }[];
  }
  interface Rule {
    readonly id: string;
    readonly name: string;
    readonly shortDescription: { readonly text: string };
    readonly defaultConfiguration: { readonly level: string };
  }
  interface Result {
    readonly ruleId: string;
    readonly ruleIndex: number;
    readonly level: string;
    readonly kind?: string;
    readonly message: { readonly text: string };
    readonly properties?: { readonly severity: string };
    readonly locations?: readonly {
      readonly physicalLocation: {
        readonly artifactLocation: { readonly uri: string };
        readonly region?: { readonly startLine: number; readonly startColumn: number };
      };
    }[];
  }
  const sarif = async (...args: string[]): Promise<Sarif> =>
    JSON.parse((await runCommand(["validate", ...args, "--output", "sarif"])).out);

  test("has a tool with rules, and results that point into them and into the files", async () => {
    const log = await sarif(misspelt);
    expect(log.version).toBe("2.1.0");
    expect(log.$schema).toContain("sarif-schema-2.1.0.json");
    expect(log.runs).toHaveLength(1);
    const [run] = log.runs;
    if (run === undefined) return;
    const { name, rules } = run.tool.driver;
    expect(name).toBe("mesh-iam");
    expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
    expect(run.columnKind).toBe("utf16CodeUnits");
    expect(run.results.length).toBeGreaterThan(2);
    for (const { ruleId, ruleIndex, level, message, locations, properties } of run.results) {
      expect(rules[ruleIndex]?.id).toBe(ruleId);
      expect(["error", "warning", "note"]).toContain(level);
      expect(message.text.length).toBeGreaterThan(0);
      const [location] = locations ?? [];
      expect(location?.physicalLocation.artifactLocation.uri).toMatch(/^file:\/\/\/.*\.yaml$/);
      expect(location?.physicalLocation.region?.startLine).toBeGreaterThan(0);
      expect(location?.physicalLocation.region?.startColumn).toBeGreaterThan(0);
      expect(["ERROR", "SECURITY_WARNING", "WARNING", "SUGGESTION"]).toContain(
        properties?.severity,
      );
    }
    const invalid = run.results.find(({ ruleId }) => ruleId === "INVALID_ACTION");
    expect(invalid?.level).toBe("error");
    expect(rules[invalid?.ruleIndex ?? -1]).toEqual({
      id: "INVALID_ACTION",
      name: "InvalidAction",
      shortDescription: { text: "invalid action" },
      defaultConfiguration: { level: "error" },
      properties: { severity: "ERROR" },
    });
  });

  test("names relative paths as relative references, whatever is in them", async () => {
    const { runs } = await sarif("examples/quickstart", "--verbose");
    const uris = runs[0]?.results.flatMap(({ locations = [] }) =>
      locations.map(({ physicalLocation }) => physicalLocation.artifactLocation.uri),
    );
    // its key set is made by the quickstart
    expect(uris).toEqual(["examples/quickstart/login.yaml"]);
    const odd = write("a b#c.json", '{"Version":"2012-10-17","Statement":[]}');
    const [run] = (await sarif(odd, "--policy-type", "identity")).runs;
    const [result] = run?.results ?? [];
    expect(result?.locations?.[0]?.physicalLocation.artifactLocation.uri).toMatch(
      /\/a%20b%23c\.json$/,
    );
  });

  test("--verbose adds what is not checked as results that are not applicable", async () => {
    const [run] = (await sarif(policy, "--policy-type", "identity", "--verbose")).runs;
    const left = run?.results.filter(({ kind }) => kind === "notApplicable") ?? [];
    expect(left.map(({ ruleId }) => ruleId)).toEqual(undecidedChecks().map(({ code }) => code));
    expect(new Set(left.map(({ level }) => level))).toEqual(new Set(["none"]));
    expect(
      (await sarif(policy, "--policy-type", "identity")).runs[0]?.results.every(
        ({ kind }) => kind === undefined,
      ),
    ).toBe(true);
  });
});
