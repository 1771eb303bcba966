import fc from "fast-check";
import { expect, test } from "vitest";
import type { Loaded } from "../../iam/problem.ts";
import { configFlags } from "./flags.ts";
import { type ConfigInput, formatConfigProblem, loadConfig } from "./load.ts";
import { type AuthorizerConfig, authorizerSettings } from "./schema.ts";
import { namedSettings } from "./setting.ts";

const settings = namedSettings(authorizerSettings);
const fingerprint = `sha256:${"0a".repeat(32)}`;

function file(text: string): ConfigInput {
  return { file: { path: "/etc/mesh-iam/authorizer.yaml", text } };
}

function config(input: ConfigInput): AuthorizerConfig {
  const loaded = loadConfig(input);
  if (!loaded.ok) throw new Error(printed(loaded).join("\n"));
  return loaded.value;
}

function printed(loaded: Loaded<unknown>, path = "/etc/mesh-iam/authorizer.yaml"): string[] {
  const problems = loaded.ok ? loaded.findings : loaded.problems;
  return problems.map((problem) => formatConfigProblem(problem, path));
}

test("the defaults and a source are a complete configuration", () => {
  const value = config(file("documents: /etc/mesh-iam/documents\n"));
  expect(value.addr).toEqual({ type: "tcp", host: "127.0.0.1", port: 9191 });
  expect(value.diagnosticAddr).toEqual({ type: "tcp", host: "0.0.0.0", port: 8282 });
  expect(value.source).toEqual({ type: "documents", path: "/etc/mesh-iam/documents" });
  expect(value.staleness).toEqual({ denyAfterSeconds: null, denyHighRiskAfterSeconds: null });
  expect(value.drainSeconds).toBe(15);
  expect(value.selfCheck.sampleRate).toBe(0.001);
  expect(value.verbose).toBe(false);
  expect(value).not.toHaveProperty("documents");
});

test("every default is of its own kind, in a file as well as in a text", () => {
  for (const { key, setting } of settings) {
    const shown = setting.kind.show(setting.default);
    expect(setting.kind.fromValue(shown), key).toEqual(setting.default);
    const text = shown === null ? "" : Array.isArray(shown) ? shown.join(",") : String(shown);
    expect(setting.kind.fromText(text), key).toEqual(setting.default);
  }
});

test("the whole configuration is frozen", () => {
  const value = config(file("documents: /d\nservices: [111122223333/orders]\n"));
  const open: string[] = [];
  const visit = (part: unknown, path: string): void => {
    if (typeof part !== "object" || part === null) return;
    if (!Object.isFrozen(part)) open.push(path);
    for (const [key, inner] of Object.entries(part)) visit(inner, `${path}.${key}`);
  };
  visit(value, "config");
  expect(open).toEqual([]);
});

test("file < environment < --set < flag, key by key", () => {
  const layers: ConfigInput = {
    ...file(
      "documents: /d\ndrainSeconds: 1\nregion: r1\npartition: p1\ntrustedHops: 1\nverbose: true\n",
    ),
    env: {
      MESH_IAM_DRAIN_SECONDS: "2",
      MESH_IAM_REGION: "r2",
      MESH_IAM_PARTITION: "p2",
      PATH: "/bin",
    },
    sets: ["drainSeconds=3", "region=r3"],
    flags: { drainSeconds: "4" },
  };
  expect(config(layers)).toMatchObject({
    drainSeconds: 4,
    region: "r3",
    partition: "p2",
    trustedHops: 1,
    verbose: true,
  });
});

test("the names follow from the table", () => {
  const named = settings.find(({ key }) => key === "jwks.refreshMinIntervalSeconds");
  expect(named).toMatchObject({
    flag: "--jwks-refresh-min-interval-seconds",
    env: "MESH_IAM_JWKS_REFRESH_MIN_INTERVAL_SECONDS",
  });
  for (const pick of ["flag", "env", "key"] as const) {
    expect(new Set(settings.map((one) => one[pick])).size).toBe(settings.length);
  }
  expect(configFlags().find(({ option }) => option === "bundleRootFingerprints")).toMatchObject({
    usage: "--bundle-root-fingerprints <fingerprint>",
    many: true,
  });
  expect(configFlags().find(({ option }) => option === "verbose")?.usage).toBe(
    "--verbose [boolean]",
  );
});

test.each([
  { why: "a bare flag", flags: { verbose: true }, want: { verbose: true } },
  { why: "a flag that says no", flags: { verbose: "false" }, want: { verbose: false } },
  {
    why: "a list in one text",
    flags: { services: "111122223333/a, 111122223333/b" },
    want: { services: ["111122223333/a", "111122223333/b"] },
  },
  {
    why: "a repeated flag",
    flags: { services: ["111122223333/a", "111122223333/b"] },
    want: { services: ["111122223333/a", "111122223333/b"] },
  },
  {
    why: "an empty text for nothing",
    flags: { stalenessDenyAfterSeconds: "" },
    want: { staleness: { denyAfterSeconds: null, denyHighRiskAfterSeconds: null } },
  },
  {
    why: "a socket",
    flags: { addr: "unix:///run/a.sock" },
    want: { addr: { type: "unix", path: "/run/a.sock" } },
  },
  {
    why: "an abstract socket",
    flags: { addr: "unix://@mesh-iam" },
    want: { addr: { type: "abstract", name: "mesh-iam" } },
  },
  {
    why: "an IPv6 listener",
    flags: { diagnosticAddr: "[::]:8282" },
    want: { diagnosticAddr: { type: "tcp", host: "::", port: 8282 } },
  },
])("a text is read: $why", ({ flags, want }) => {
  expect(config({ flags: { documents: "/d", ...flags } })).toMatchObject(want);
});

test("a relative path of the file is taken from the file's folder, one of a flag as it is", () => {
  const { source } = config(file("documents: ./documents\n"));
  expect(source).toEqual({ type: "documents", path: "/etc/mesh-iam/documents" });
  expect(config({ flags: { documents: "documents" } }).source).toMatchObject({ path: "documents" });
});

test("JSON is a configuration file as well", () => {
  expect(config(file('{"documents": "/d", "log": {"level": "debug"}}')).log.level).toBe("debug");
});

test.each([
  {
    why: "an unknown key with a near one",
    text: "documents: /d\ndrainSecond: 4\n",
    want: "/etc/mesh-iam/authorizer.yaml:2:1 drainSecond: unknown key `drainSecond`, did you mean `drainSeconds`?",
  },
  {
    why: "an unknown key inside a group",
    text: "documents: /d\nbundle:\n  persists: true\n",
    want: "/etc/mesh-iam/authorizer.yaml:3:3 bundle.persists: unknown key `persists`, did you mean `persist`?",
  },
  {
    why: "OPA's spelling",
    text: "documents: /d\ndry-run: true\n",
    want: "/etc/mesh-iam/authorizer.yaml:2:1 dry-run: unknown key `dry-run`, did you mean `dryRun`?",
  },
  {
    why: "a key on the wrong level",
    text: "documents: /d\nrootFingerprints: []\n",
    want: "/etc/mesh-iam/authorizer.yaml:2:1 rootFingerprints: unknown key `rootFingerprints`, did you mean `bundle.rootFingerprints`?",
  },
  {
    why: "an unknown key near to nothing",
    text: "documents: /d\ncolour: red\n",
    want: "/etc/mesh-iam/authorizer.yaml:2:1 colour: unknown key `colour`",
  },
  {
    why: "a name every object has",
    text: "documents: /d\nconstructor: {}\n__proto__: {}\n",
    want: "/etc/mesh-iam/authorizer.yaml:2:1 constructor: unknown key `constructor`",
  },
  {
    why: "a text for a number",
    text: 'documents: /d\ndrainSeconds: "15"\n',
    want: '/etc/mesh-iam/authorizer.yaml:2:15 drainSeconds: expected a whole number from 0 to 3600, got `"15"`',
  },
  {
    why: "a number out of range",
    text: "documents: /d\ntrustedHops: 17\n",
    want: "/etc/mesh-iam/authorizer.yaml:2:14 trustedHops: expected a whole number from 0 to 16, got `17`",
  },
  {
    why: "a share above one",
    text: "documents: /d\nselfCheck: { sampleRate: 1.5 }\n",
    want: "/etc/mesh-iam/authorizer.yaml:2:26 selfCheck.sampleRate: expected a number from 0 to 1, got `1.5`",
  },
  {
    why: "YAML 1.1's yes",
    text: "documents: /d\nverbose: yes\n",
    want: "/etc/mesh-iam/authorizer.yaml:2:10 verbose: expected true or false, got `yes`",
  },
  {
    why: "a word that is not one of them",
    text: "documents: /d\nlog:\n  level: trace\n",
    want: "/etc/mesh-iam/authorizer.yaml:3:10 log.level: expected one of `debug`, `info`, `warn`, `error`, got `trace`",
  },
  {
    why: "nothing where something is needed",
    text: "documents: /d\nregion:\n",
    want: "/etc/mesh-iam/authorizer.yaml:2:8 region: expected a region like `eu-west-1`, or nothing, got ``",
  },
  {
    why: "a mapping for a list",
    text: "documents: /d\nservices: { a: b }\n",
    want: "/etc/mesh-iam/authorizer.yaml:2:11 services: expected a list of at most 1000, each a service as `{account}/{name}`, like `111122223333/orders`, got `{ a: b }`",
  },
  {
    why: "a scalar for a group",
    text: "documents: /d\ntls: true\n",
    want: "/etc/mesh-iam/authorizer.yaml:2:6 tls: expected a mapping of keys to values",
  },
  {
    why: "a key given twice",
    text: "documents: /d\nregion: a\nregion: b\n",
    want: "/etc/mesh-iam/authorizer.yaml:3:1 region: `region` is given twice, first on line 2",
  },
  {
    why: "a list as the whole file",
    text: "- documents: /d\n",
    want: "/etc/mesh-iam/authorizer.yaml:1:1: expected a mapping of keys to values",
  },
  {
    why: "an alias",
    text: "documents: &d /d\nregion: *d\n",
    want: "/etc/mesh-iam/authorizer.yaml:2:9: expected a plain value, got the alias `*d`",
  },
  {
    why: "no source",
    text: "region: eu-west-1\n",
    want: "/etc/mesh-iam/authorizer.yaml: expected a source: one of `documents`, `folder`, `controlPlane`, `http`",
  },
  {
    why: "an empty file",
    text: "",
    want: "/etc/mesh-iam/authorizer.yaml: expected a source: one of `documents`, `folder`, `controlPlane`, `http`",
  },
  {
    why: "two sources",
    text: "documents: /d\nfolder: /f\n",
    want: "/etc/mesh-iam/authorizer.yaml:2:9 folder: expected one source, got `documents` and `folder`",
  },
  {
    why: "a control plane of no organization",
    text: `controlPlane: https://iam.example.com\nbundle: { rootFingerprints: [${fingerprint}] }\n`,
    want: "/etc/mesh-iam/authorizer.yaml bundle.organization: expected the organization that `controlPlane` is asked about",
  },
  ...["https://iam:99999", "https://iam.example.com/?org=o-1", "https://iam/#x"].map((url) => ({
    why: `a control plane at ${url}`,
    text: `controlPlane: "${url}"\nbundle: { organization: o-1, rootFingerprints: [${fingerprint}] }\n`,
    want: `/etc/mesh-iam/authorizer.yaml:1:15 controlPlane: expected a host, a port up to 65535 and a path, got \`${url}\``,
  })),
  {
    why: "a control plane that nobody can verify",
    text: "controlPlane: https://iam.example.com\nbundle: { organization: o-1 }\n",
    want: "/etc/mesh-iam/authorizer.yaml bundle.rootFingerprints: expected the root keys behind `controlPlane`",
  },
  {
    why: "a web server that would choose the slice (BUN-32)",
    text: `http: https://files.example.com\nbundle: { organization: o-1, rootFingerprints: [${fingerprint}] }\n`,
    want: "/etc/mesh-iam/authorizer.yaml bundle.slice: expected the slice that `http` is asked for",
  },
  {
    why: "an own certificate without its key",
    text: "documents: /d\nbundle: { tls: { certFile: /c } }\n",
    want: "/etc/mesh-iam/authorizer.yaml bundle.tls.keyFile: expected `bundle.tls.certFile` and `bundle.tls.keyFile` together",
  },
  {
    why: "polling from late to early",
    text: "documents: /d\nbundle: { polling: { minDelaySeconds: 60 } }\n",
    want: "/etc/mesh-iam/authorizer.yaml bundle.polling.maxDelaySeconds: expected at least `bundle.polling.minDelaySeconds` (60), got `17`",
  },
  {
    why: "a folder that nobody can verify",
    text: "folder: /f\n",
    want: "/etc/mesh-iam/authorizer.yaml bundle.rootFingerprints: expected the root keys behind `folder`",
  },
  {
    why: "a certificate without its key",
    text: "documents: /d\ntls: { certFile: /c }\n",
    want: "/etc/mesh-iam/authorizer.yaml tls.keyFile: expected `tls.certFile` and `tls.keyFile` together",
  },
  {
    why: "a message limit that makes gRPC errors of Checks",
    text: "documents: /d\ngrpcMaxRecvMsgSize: 65536\n",
    want: "/etc/mesh-iam/authorizer.yaml:2:21 grpcMaxRecvMsgSize: expected more than `limits.maxCheckBytes` (262144): a message above it is a gRPC error, which a fail-open Envoy lets pass",
  },
  {
    why: "a head that expires before it is renewed",
    text: "documents: /d\nbundle: { headValidSeconds: 30 }\n",
    want: "/etc/mesh-iam/authorizer.yaml:2:29 bundle.headValidSeconds: expected more than `bundle.headRenewSeconds` (30), got `30`",
  },
])("a file is refused: $why", ({ text, want }) => {
  const loaded = loadConfig(file(text));
  expect(loaded.ok).toBe(false);
  expect(printed(loaded)[0]).toBe(want);
});

test.each([
  { why: "an unclosed list", text: "services: [a\n" },
  { why: "a tab for indentation", text: "log:\n\tlevel: info\n" },
  { why: "a tag of somebody's own", text: "documents: !secret /d\n" },
  { why: "two documents", text: "documents: /d\n---\nregion: a\n" },
  { why: "a megabyte and more", text: `documents: /d\n#${"x".repeat(1_048_576)}` },
  { why: "brackets without end", text: `services: ${"[".repeat(200_000)}` },
])("a text that is no configuration file is refused: $why", ({ text }) => {
  const loaded = loadConfig(file(text));
  expect(loaded.ok).toBe(false);
  expect(printed(loaded)[0]).toMatch(/^\/etc\/mesh-iam\/authorizer\.yaml/);
});

test.each([
  {
    why: "a misspelt variable",
    input: { env: { MESH_IAM_DRAIN_SECOND: "1" } },
    want: "MESH_IAM_DRAIN_SECOND: unknown variable `MESH_IAM_DRAIN_SECOND`, did you mean `MESH_IAM_DRAIN_SECONDS`?",
  },
  {
    why: "a wrong value of a variable",
    input: { env: { MESH_IAM_DRAIN_SECONDS: "soon" } },
    want: "MESH_IAM_DRAIN_SECONDS: expected a whole number from 0 to 3600, got `soon`",
  },
  {
    why: "a hexadecimal number",
    input: { flags: { drainSeconds: "0x10" } },
    want: "--drain-seconds: expected a whole number from 0 to 3600, got `0x10`",
  },
  {
    why: "an unknown key of --set",
    input: { sets: ["bundle.persists=false"] },
    want: "--set bundle.persists: unknown key `bundle.persists`, did you mean `bundle.persist`?",
  },
  {
    why: "--set without a value",
    input: { sets: ["verbose"] },
    want: "--set: expected `key=value`, got `verbose`",
  },
  {
    why: "an address without a port",
    input: { flags: { addr: "grpc://127.0.0.1" } },
    want: "--addr: expected `grpc://host:port`, `unix:///path` or `unix://@name`, got `grpc://127.0.0.1`",
  },
  {
    why: "a host behind an `@` that looks like loopback",
    input: { flags: { http: "http://localhost:80@evil.example.com" } },
    want: "--http: expected an address that begins with `https://`, or with `http://` on loopback, got `http://evil.example.com`",
  },
  {
    why: "a password in an address is not repeated",
    input: { flags: { http: "ftp://user:hunter2@example.com" } },
    want: "--http: expected an address that begins with `https://`, or with `http://` on loopback, got `ftp://example.com`",
  },
  {
    why: "a password in the address of a control plane: `/status` would show it",
    input: { flags: { controlPlane: "https://user:hunter2@example.com" } },
    want: "--control-plane: expected an address that begins with `https://`, or with `http://` on loopback, got `https://example.com`",
  },
] satisfies { why: string; input: ConfigInput; want: string }[])(
  "variables and flags are refused: $why",
  ({ input, want }) => {
    const loaded = loadConfig({ ...file("documents: /d\n"), ...input });
    expect(loaded.ok).toBe(false);
    expect(printed(loaded)).toEqual([want]);
  },
);

test("every problem of every layer is told at once", () => {
  const loaded = loadConfig({
    ...file("documents: /d\ncolour: red\nverbose: 1\n"),
    env: { MESH_IAM_REGION: "EU WEST" },
    sets: ["trustedHops=-1"],
    flags: { addr: "nowhere" },
  });
  expect(loaded.ok).toBe(false);
  expect(printed(loaded)).toHaveLength(5);
});

test("the service links of Kubernetes are no settings", () => {
  const env = {
    MESH_IAM_SERVICE_HOST: "10.0.0.1",
    MESH_IAM_SERVICE_PORT: "9191",
    MESH_IAM_SERVICE_PORT_GRPC: "9191",
    MESH_IAM_PORT: "tcp://10.0.0.1:9191",
    MESH_IAM_PORT_9191_TCP: "tcp://10.0.0.1:9191",
    MESH_IAM_CONTROL_PLANE_PORT: "tcp://10.0.0.2:443",
    MESH_IAM_CONTROL_PLANE_PORT_443_TCP_ADDR: "10.0.0.2",
    MESH_IAM_CONFIG: "/etc/mesh-iam/authorizer.yaml",
    MESH_IAM_COMMIT: "0123456",
  };
  expect(loadConfig({ ...file("documents: /d\n"), env })).toMatchObject({ ok: true, findings: [] });
});

test("a variable near to no setting is a warning: the namespace is shared", () => {
  const env = { MESH_IAM_QUICKSTART_COLOUR: "red" };
  const loaded = loadConfig({ ...file("documents: /d\n"), env });
  expect(loaded).toMatchObject({ ok: true, findings: [{ severity: "WARNING" }] });
});

test("a flag's source takes the place of the file's", () => {
  const loaded = config({ ...file("documents: /d\n"), flags: { documents: "/other" } });
  expect(loaded.source).toEqual({ type: "documents", path: "/other" });
  const bundle = config({
    ...file(`documents: /d\nbundle: { rootFingerprints: ["sha256:${"a".repeat(64)}"] }\n`),
    env: { MESH_IAM_FOLDER: "/f" },
  });
  expect(bundle.source).toEqual({ type: "folder", path: "/f" });
});

test("a Check listener that others reach without a certificate is a security warning", () => {
  const loaded = loadConfig(file("documents: /d\naddr: grpc://0.0.0.0:9191\n"));
  expect(loaded).toMatchObject({
    ok: true,
    findings: [{ code: "EXPOSED", severity: "SECURITY_WARNING", position: { line: 2 } }],
  });
  const local = loadConfig(file("documents: /d\naddr: grpc://[::1]:9191\n"));
  expect(local).toMatchObject({ ok: true, findings: [] });
});

test("whatever text is given, the answer is a value, never a throw", () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "documents: /d",
      "log:",
      "  level: info",
      "- a",
      "? b",
      "<<: *a",
      "{",
      "]",
      "&a",
    ),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
      const loaded = loadConfig(file(lines.join("\n")));
      expect(loaded.ok || loaded.problems.length > 0).toBe(true);
    }),
  );
});

test("what is shown of a value in a file reads back as that value, in JSON too", () => {
  const values = fc.record({
    drainSeconds: fc.integer({ min: 0, max: 3600 }),
    verbose: fc.boolean(),
    log: fc.record({ level: fc.constantFrom("debug", "info", "warn", "error") }),
    selfCheck: fc.record({ sampleRate: fc.double({ min: 0, max: 1, noNaN: true }) }),
    services: fc.array(fc.constantFrom("111122223333/a", "444455556666/b"), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(values, (value) => {
      const text = JSON.stringify({ documents: "/d", ...value });
      expect(config(file(text))).toMatchObject(value);
    }),
  );
});
