import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { runCommand } from "../../../test/fakes/command-line.ts";
import { sampleDocuments } from "./quickstart/workspace.ts";

const folder = mkdtempSync(join(tmpdir(), "mesh-iam-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const scenario = (id: string, effect: string) => ({
  id,
  principal: { type: "user", arn: "arn:aws:iam::111122223333:user/ana" },
  action: "orders:GetOrder",
  resource: { arn: "arn:aws:orders::111122223333:order/42", account: "111122223333" },
  policies: {
    identity: [
      {
        id: "p1",
        document: {
          Version: "2012-10-17",
          Statement: [{ Sid: "S", Effect: effect, Action: "orders:Get*", Resource: "*" }],
        },
      },
    ],
  },
});

function write(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

describe("simulate", () => {
  test("one allowed scenario: the answer in AWS's words, exit code 0", async () => {
    const { code, out } = await runCommand([
      "simulate",
      write("allow.json", scenario("row-1", "Allow")),
    ]);
    expect(JSON.parse(out)).toEqual({
      id: "row-1",
      decision: "allowed",
      deniedBy: null,
      deniedLevel: null,
      matchedStatements: [
        { policyType: "identity", policyId: "p1", sid: "S", index: 0, effect: "Allow" },
      ],
      missingContextKeys: [],
      errors: [],
    });
    expect(code).toBe(0);
  });

  test("a denial has the exit code 2", async () => {
    const { code, out } = await runCommand(
      ["simulate", "-"],
      JSON.stringify(scenario("r", "Deny")),
    );
    expect(JSON.parse(out)).toMatchObject({ decision: "explicitDeny", deniedBy: "identity" });
    expect(code).toBe(2);
  });

  test("--stdin: one answer a line; a row that is not accepted is an error row and exit code 3", async () => {
    const lines = [scenario("a", "Allow"), scenario("b", "Deny"), scenario("c", "allow")];
    const { code, out } = await runCommand(
      ["simulate", "--stdin"],
      lines.map((l) => JSON.stringify(l)).join("\n"),
    );
    const answers = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(answers.map(({ id, decision, error }) => [id, decision ?? error])).toEqual([
      ["a", "allowed"],
      ["b", "explicitDeny"],
      ["c", "scenario-invalid"],
    ]);
    expect(answers[2].problems[0].code).toBe("INVALID_EFFECT");
    expect(code).toBe(3);
  });

  test("--stdin: rows go by the lines of the input, and a line without end is refused", async () => {
    const endless = `"${"x".repeat(5 << 20)}"`;
    const { code, out, err } = await runCommand(["simulate", "--stdin"], `\n\n{}\n\n${endless}\n`);
    expect(err.match(/line \d+/g)).toEqual(["line 3", "line 3", "line 5", "line 5"]);
    const [, last = ""] = out.trim().split("\n");
    expect(JSON.parse(last)).toMatchObject({
      id: "line 5",
      problems: [{ code: "TEXT_SIZE_LIMIT" }],
    });
    expect(code).toBe(3);
  });

  test("a decision never sets the exit code of --stdin", async () => {
    const { code } = await runCommand(
      ["simulate", "--stdin"],
      JSON.stringify(scenario("b", "Deny")),
    );
    expect(code).toBe(0);
  });

  test("an invalid scenario names file, line, column and field, and exits 3", async () => {
    const path = write("bad.json", '{\n "id": "x",\n "principul": {}\n}');
    const { code, err } = await runCommand(["simulate", path]);
    expect(err).toContain(`${path}:3:`);
    expect(err).toContain("`principul`");
    expect(err).toContain("`principal`");
    expect(code).toBe(3);
  });
});

describe("explain", () => {
  test("a tree: layers, statements, what was wanted and what was found", async () => {
    const asked = scenario("row-2", "Allow");
    const [policy] = asked.policies.identity;
    Object.assign(policy?.document.Statement[0] ?? {}, {
      Condition: { StringEquals: { "aws:PrincipalTag/team": "blue" } },
    });
    const { code, out } = await runCommand(["explain", write("explain.json", asked)]);
    expect(out).toContain("implicitDeny by the identity policies (implicit-deny)");
    expect(out).toContain(
      "StringEquals aws:PrincipalTag/team: the policy says blue, the request has no such key",
    );
    expect(out).toContain("because no identity-based policy allows the orders:GetOrder action");
    expect(code).toBe(2);
  });

  test("--json holds the decision and every layer", async () => {
    const { out } = await runCommand([
      "explain",
      "--json",
      write("explain2.json", scenario("r", "Allow")),
    ]);
    const explanation = JSON.parse(out);
    expect(explanation.decision.decision).toBe("allowed");
    expect(explanation.layers.map((layer: { policyType: string }) => layer.policyType)).toContain(
      "identity",
    );
  });
});

describe("validate", () => {
  const documents = join(folder, "documents");
  cpSync(sampleDocuments, documents, { recursive: true });
  writeFileSync(join(documents, "jwks.json"), '{"keys":[]}');

  test("the sample documents are accepted, their finding shown", async () => {
    const { code, out } = await runCommand(["validate", documents]);
    expect(out).toContain("SECURITY_WARNING orders.yaml:");
    expect(out).toContain("accepted, 1 finding");
    expect(code).toBe(0);
    expect((await runCommand(["validate", documents, "--fail-on", "SECURITY_WARNING"])).code).toBe(
      3,
    );
  });

  test("every mistake is told with file, line, column and field", async () => {
    const broken = join(folder, "broken");
    cpSync(documents, broken, { recursive: true });
    const people = readFileSync(join(broken, "people.yaml"), "utf8");
    writeFileSync(
      join(broken, "people.yaml"),
      people
        .replace("groups: [developers]", "grups: [developers]")
        .replace("Effect: Deny", "Effect: deny"),
    );
    const { code, out } = await runCommand(["validate", broken]);
    expect(out).toMatch(/people\.yaml:\d+:\d+ User\/ana spec.*`grups`.*`groups`/);
    expect(out).toMatch(/people\.yaml:\d+:\d+ User\/carol .*Statement\[0\]\.Effect.*`deny`/);
    expect(out).toContain("refused");
    expect(code).toBe(3);
  });

  test("one policy by its type", async () => {
    const policy = write(
      "policy.json",
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"a:B"}]}',
    );
    const { code, out } = await runCommand(["validate", policy, "--policy-type", "identity"]);
    expect(out).toContain("MISSING_RESOURCE");
    expect(code).toBe(3);
    expect((await runCommand(["validate", policy, "--policy-type", "idenity"])).code).toBe(1);
  });
});

describe("bundle", () => {
  test("documents to a verified bundle, and each wrong step refused", async () => {
    const keys = join(folder, "keys");
    const bundle = join(folder, "bundle");
    const documents = join(folder, "documents");
    const made = await runCommand([
      "keys",
      "generate",
      "--out",
      keys,
      "--org",
      "o-acme123456",
      "--json",
    ]);
    const { rootFingerprint } = JSON.parse(made.out);
    expect(rootFingerprint).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(
      (await runCommand(["bundle", "build", "--documents", documents, "--out", bundle])).code,
    ).toBe(0);

    const verify = ["bundle", "verify", "--root-fingerprint", rootFingerprint, bundle];
    const unsigned = await runCommand(verify);
    expect(unsigned.code).toBe(3);
    expect(
      (await runCommand(["bundle", "sign", "--key", join(keys, "bundle.pem"), bundle])).code,
    ).toBe(0);
    const verified = await runCommand(verify);
    expect(verified.out).toContain("verified");
    expect(verified.code).toBe(0);
    const inspected = JSON.parse((await runCommand(["bundle", "inspect", "--json", bundle])).out);
    expect(inspected).toMatchObject({ org: "o-acme123456", slice: "all", epoch: 1 });

    const other = `sha256:${"0".repeat(64)}`;
    const wrongRoot = await runCommand(["bundle", "verify", "--root-fingerprint", other, bundle]);
    expect(wrongRoot.err).toContain("(bundle-signature)");
    expect(wrongRoot.code).toBe(3);
    // The root key may not sign heads, and no key is ever overwritten.
    expect(
      (await runCommand(["bundle", "sign", "--key", join(keys, "root.pem"), bundle])).code,
    ).toBe(3);
    expect((await runCommand(["keys", "generate", "--out", keys])).err).toContain("exists already");
  });
});

describe("words", () => {
  test.each([
    { why: "help teaches", args: ["--help"], code: 0, says: "mesh-iam quickstart" },
    {
      why: "help of a command shows an example",
      args: ["simulate", "--help"],
      code: 0,
      says: "row-1",
    },
    { why: "an unknown command names the nearest", args: ["simulat"], code: 1, says: "simulate" },
    { why: "an unknown option", args: ["validate", "--jsn", "."], code: 1, says: "--json" },
    { why: "a file without end", args: ["explain", "/dev/zero"], code: 3, says: "more than" },
    { why: "a missing file", args: ["simulate", "/nowhere.json"], code: 3, says: "no such file" },
    { why: "no source", args: ["authorizer"], code: 3, says: "`documents`" },
    {
      why: "a folder that is not there",
      args: ["authorizer", "--documents", "/nowhere"],
      code: 3,
      says: "`/nowhere`",
    },
  ])("$why: exit code $code", async ({ args, code, says }) => {
    const ran = await runCommand(args);
    expect(ran.out + ran.err).toContain(says);
    expect(ran.code).toBe(code);
  });

  test("the configuration file may be named by MESH_IAM_CONFIG, which --config overrules", async () => {
    const path = write("named.yaml", "documents: ./x\ndrainSecond: 3\n");
    const other = write("other.yaml", "nothing: 1\n");
    const named = (text: string, ...args: string[]) =>
      runCommand(["authorizer", ...args], "", { MESH_IAM_CONFIG: text });
    expect((await named(path)).err).toContain(`${path}:2:1 drainSecond`);
    expect((await named(path, "--config", other)).err).toContain(`${other}:1:1 nothing`);
    expect((await named("/nowhere.yaml")).err).toContain("cannot read `/nowhere.yaml`");
    expect((await named("")).err).toContain("expected a source");
  });

  test("an unknown configuration key names file, line, column and the nearest key", async () => {
    const path = write("authorizer.yaml", "documents: ./x\ndrainSecond: 3\n");
    const { code, err } = await runCommand(["authorizer", "--config", path]);
    expect(err).toContain(`${path}:2:1 `);
    expect(err).toContain("`drainSeconds`");
    expect(code).toBe(3);
  });
});
