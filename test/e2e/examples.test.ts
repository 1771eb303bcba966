import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments, parse as parseYaml } from "yaml";
import { http1Request } from "../fakes/http-client.ts";
import { startUpstream, type Upstream } from "../fakes/upstream.ts";
import {
  createRunDir,
  type EnvoyProcess,
  envoyForTests,
  startEnvoy,
  validateConfig,
} from "./envoy.ts";
import type { EnvoyConfig } from "./envoy-config.ts";

/* The shipped examples are what they say: the Envoy configuration runs, the policies decide. */
const envoyYaml = "examples/envoy/envoy.yaml";
const binary = await envoyForTests();

/** Ends the child and waits for it. */
function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}

describe.skipIf(binary === null)("examples/envoy", () => {
  let upstream: Upstream | undefined;
  let envoy: EnvoyProcess | undefined;
  let authorizer: ChildProcess | undefined;

  beforeAll(async () => {
    upstream = await startUpstream();
    const runDir = createRunDir();
    authorizer = spawn(process.execPath, [
      "src/processes/cli/main.ts",
      ...["authorizer", "--documents", "examples/envoy/policies", "--addr", "grpc://127.0.0.1:0"],
      ...["--diagnostic-addr", "127.0.0.1:0", "--drain-seconds", "0"],
    ]);
    const checkPort = await portInLog(authorizer);
    // The ports of the example are those a reader expects; here they are what is free.
    const text = withPorts(readFileSync(envoyYaml, "utf8"), [
      [9901, 0],
      [10000, 0],
      [9191, Number(checkPort)],
      [8080, Number(upstream.http1.split(":")[1])],
    ]);
    const config = parseYaml(text) as EnvoyConfig;
    envoy = await startEnvoy({ binary: binary as string, config, runDir, concurrency: 1 });
  }, 60_000);

  afterAll(async () => {
    await envoy?.stop();
    await end(authorizer);
    await upstream?.close();
  });

  test("the configuration as it is shipped is accepted without a warning", () => {
    const runDir = createRunDir();
    const file = join(runDir, "envoy.yaml");
    writeFileSync(file, readFileSync(envoyYaml));
    expect(validateConfig(binary as string, file)).toBe("");
    rmSync(runDir, { recursive: true });
  });

  test.each([
    { why: "everybody may read", method: "GET", target: "/notes/1", status: 200 },
    {
      why: "nobody may write, so a credential is asked for",
      method: "PUT",
      target: "/notes/1",
      status: 401,
    },
    { why: "what no route maps is denied", method: "GET", target: "/admin", status: 403 },
  ])("$why: $method $target is $status", async ({ method, target, status }) => {
    const reply = await http1Request(envoy?.address ?? "", {
      method,
      target,
      host: "notes.example.com",
    });
    expect(reply.status).toBe(status);
  });
});

describe("examples/istio", () => {
  test("says what a mesh needs: a bounded, fail-closed provider and one policy for every request", () => {
    const text = readFileSync("examples/istio/mesh-iam.yaml", "utf8");
    const [entry, rule, policy] = parseAllDocuments(text).map((document) => document.toJS());
    expect(entry.spec.ports[0]).toMatchObject({ number: 9191, protocol: "GRPC" });
    expect(rule.spec.host).toBe(entry.spec.hosts[0]);
    expect(policy.spec).toMatchObject({ action: "CUSTOM", rules: [{}] });
    for (const setting of ["timeout: 0.25s", "failOpen: false", 'statusOnError: "503"']) {
      expect(text).toContain(setting);
    }
    expect(text).toContain(`name: ${policy.spec.provider.name}`);
  });
});

/** Replaces ports in a text that names each of them once. */
function withPorts(text: string, ports: readonly (readonly [was: number, is: number])[]): string {
  return ports.reduce((changed, [was, is]) => {
    const parts = changed.split(`port_value: ${was} `);
    expect(parts, `the example names port ${was} once`).toHaveLength(2);
    return parts.join(`port_value: ${is} `);
  }, text);
}

/** The port of the Check listener, out of the line that says that the authorizer has started. */
async function portInLog(child: ChildProcess): Promise<string> {
  let seen = "";
  for await (const chunk of child.stdout ?? []) {
    seen += String(chunk);
    const port = /"event":"authorizer-started".*?"address":"[^"]*:(\d+)"/.exec(seen)?.[1];
    if (port !== undefined) return port;
  }
  throw new Error(`the authorizer did not start: ${seen}`);
}
