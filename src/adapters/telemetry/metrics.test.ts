import fc from "fast-check";
import { Counter, Histogram, Registry } from "prom-client";
import { expect, test } from "vitest";
import { arbitraryOutcome, fakeOutcome, fakeService } from "../../../test/fakes/check-outcome.ts";
import { outcomeOf, reasons } from "../../iam/reason.ts";
import { reachableMethods } from "./check-counts.ts";
import { metricTable } from "./metric-table.ts";
import { createMetrics, type Metrics } from "./metrics.ts";

const build = { component: "authorizer", version: "0.1.0", commit: "unknown" };
const orders = fakeService("orders");
const stock = fakeService("stock");

/** The lines of a scrape, by name and labels in order. */
async function scraped(metrics: Metrics, accept?: string): Promise<Map<string, number>> {
  return lines((await metrics.scrape(accept)).body);
}

function lines(body: string): Map<string, number> {
  const values = new Map<string, number>();
  for (const line of body.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const space = line.lastIndexOf(" ");
    const [, name = "", labels = ""] = /^([^{]+)(?:\{(.*)\})?$/.exec(line.slice(0, space)) ?? [];
    const sorted =
      labels === ""
        ? ""
        : `{${labels
            .split(/,(?=[a-z_]+=)/)
            .sort()
            .join(",")}}`;
    expect(values.has(name + sorted), line).toBe(false);
    values.set(name + sorted, Number(line.slice(space + 1)));
  }
  return values;
}

function only(values: ReadonlyMap<string, number>, ...names: string[]): [string, number][] {
  return [...values].filter(([key]) => names.some((name) => key.startsWith(name)));
}

test("what is counted equals what prom-client would have counted", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(arbitraryOutcome([orders, stock]), { maxLength: 200 }),
      async (outcomes) => {
        const metrics = createMetrics({ build, level: "minimal" });
        metrics.setServices([orders, stock]);
        const registers = [new Registry()];
        const help = "twin";
        const checks = new Counter({
          name: metricTable.checks.name,
          help,
          labelNames: ["outcome", "reason", "auth_method", "service"],
          registers,
        });
        const duration = new Histogram({
          name: metricTable.checkDuration.name,
          help,
          labelNames: ["outcome", "cache"],
          buckets: [...metricTable.checkDuration.buckets],
          registers,
        });
        for (const outcome of outcomes) {
          const { answer, service, authMethod, cache, durationNs } = outcome;
          metrics.recordCheck(outcome);
          checks.inc({
            outcome: answer.outcome,
            reason: answer.reason,
            auth_method: authMethod,
            service: service?.name ?? "",
          });
          duration.observe(
            { outcome: answer.outcome, cache: cache === "hit" ? "hit" : "miss" },
            durationNs / 1e9,
          );
        }
        const ours = await scraped(metrics);
        const twin = lines(await (registers[0] as Registry).metrics());
        for (const [key, value] of twin) {
          if (key.startsWith(`${metricTable.checkDuration.name}_sum`)) {
            expect(ours.get(key), key).toBeCloseTo(value, 9);
          } else {
            expect(ours.get(key), key).toBe(value);
          }
        }
        const names = [metricTable.checks.name, metricTable.checkDuration.name];
        for (const [key, value] of only(ours, ...names)) {
          if (!twin.has(key)) expect(value, key).toBe(0);
        }
      },
    ),
    { numRuns: 40 },
  );
});

test("every reachable combination is there at zero before the first Check", async () => {
  const metrics = createMetrics({ build });
  metrics.setServices([orders]);
  const values = await scraped(metrics);
  for (const reason of reasons) {
    for (const method of reachableMethods(reason)) {
      const key = (service: string) =>
        `mesh_iam_checks_total{auth_method="${method}",outcome="${outcomeOf(reason)}",reason="${reason}",service="${service}"}`;
      const shown = [values.get(key("orders")), values.get(key(""))];
      expect(shown, key("orders")).toContain(0);
    }
  }
  for (const result of ["applied", "rollback"]) {
    expect(values.get(`mesh_iam_bundle_pulls_total{result="${result}"}`)).toBe(0);
  }
  expect(values.get("mesh_iam_self_check_mismatches_total")).toBe(0);
  expect(
    values.get('mesh_iam_check_duration_seconds_bucket{cache="hit",le="+Inf",outcome="deny"}'),
  ).toBe(0);
});

test("POL-099 a disabled principal can show any credential that gives a principal", () => {
  expect(reachableMethods("revoked")).toEqual(["jwt", "jwt-svid", "mtls"]);
});

test.each([
  { level: "minimal", most: 300 },
  { level: "standard", most: 450 },
] as const)(
  "a sidecar with one service shows at most $most series at level $level",
  async ({ level, most }) => {
    const metrics = createMetrics({ build, level });
    metrics.setServices([orders]);
    await metrics.scrape(undefined);
    const values = await scraped(metrics);
    expect(values.size).toBeLessThanOrEqual(most);
    expect(values.has("process_cpu_seconds_total")).toBe(level === "standard");
    expect([...values.keys()].some((key) => key.startsWith("grpc_server_"))).toBe(false);
  },
);

test("shadow mode is told apart: what was enforced and what was decided", async () => {
  const metrics = createMetrics({ build, level: "minimal" });
  metrics.recordCheck(fakeOutcome("shadow-mode"));
  metrics.recordCheck(fakeOutcome("identity-policy", { mode: "shadow" }));
  metrics.recordCheck(fakeOutcome("identity-policy"));
  const values = await scraped(metrics);
  expect(only(values, "mesh_iam_shadow")).toEqual([
    ['mesh_iam_shadow_decisions_total{enforced="allowed",shadow="allowed"}', 1],
    ['mesh_iam_shadow_decisions_total{enforced="allowed",shadow="explicitDeny"}', 0],
    ['mesh_iam_shadow_decisions_total{enforced="allowed",shadow="implicitDeny"}', 1],
  ]);
});

test("an authentication is counted once a credential was judged, by its own result", async () => {
  const metrics = createMetrics({ build, level: "minimal" });
  metrics.recordCheck(fakeOutcome("identity-policy", { authMethod: "mtls" }));
  metrics.recordCheck(fakeOutcome("scp", { authMethod: "jwt" }));
  metrics.recordCheck(fakeOutcome("token-expired", { authMethod: "jwt", principal: null }));
  metrics.recordCheck(fakeOutcome("unauthenticated", { authMethod: "none", principal: null }));
  metrics.recordCheck(fakeOutcome("route-not-found", { authMethod: "none", principal: null }));
  metrics.recordCheck(
    fakeOutcome("resource-policy", { authMethod: "none", principal: { type: "anonymous" } }),
  );
  const values = await scraped(metrics);
  const counted = only(values, "mesh_iam_authentications_total").filter(([, value]) => value > 0);
  expect(new Map(counted)).toEqual(
    new Map([
      ['mesh_iam_authentications_total{auth_method="none",result="unauthenticated"}', 1],
      ['mesh_iam_authentications_total{auth_method="jwt",result="ok"}', 1],
      ['mesh_iam_authentications_total{auth_method="jwt",result="token-expired"}', 1],
      ['mesh_iam_authentications_total{auth_method="mtls",result="ok"}', 1],
    ]),
  );
});

test("above twenty services the label is dropped, and nothing is lost from the sum", async () => {
  const many = Array.from({ length: 21 }, (_, at) => fakeService(`s${at}`));
  const metrics = createMetrics({ build, level: "minimal" });
  metrics.setServices(many);
  for (const service of many) metrics.recordCheck(fakeOutcome("identity-policy", { service }));
  const counted = only(await scraped(metrics), "mesh_iam_checks_total").filter(([, n]) => n > 0);
  expect(counted).toEqual([
    [
      'mesh_iam_checks_total{auth_method="jwt",outcome="allow",reason="identity-policy",service=""}',
      21,
    ],
  ]);
});

test("a new snapshot keeps the counts of the services that stay", async () => {
  const metrics = createMetrics({ build, level: "minimal" });
  const key = (service: string) =>
    `mesh_iam_checks_total{auth_method="jwt",outcome="allow",reason="identity-policy",service="${service}"}`;
  metrics.setServices([orders, stock]);
  metrics.recordCheck(fakeOutcome("identity-policy", { service: orders }));
  metrics.recordCheck(fakeOutcome("identity-policy", { service: stock }));
  metrics.setServices([fakeService("billing"), fakeService("orders")]);
  metrics.recordCheck(fakeOutcome("identity-policy", { service: orders }));
  const values = await scraped(metrics);
  expect(values.get(key("orders"))).toBe(2);
  expect(values.get(key("billing"))).toBe(0);
  expect(values.has(key("stock"))).toBe(false);
});

test("two services of one name are told apart by their accounts", async () => {
  const metrics = createMetrics({ build, level: "minimal" });
  const other = fakeService("orders", "444455556666");
  metrics.setServices([orders, other]);
  metrics.recordCheck(fakeOutcome("scp", { service: other }));
  const counted = only(await scraped(metrics), "mesh_iam_checks_total").filter(([, n]) => n > 0);
  expect(counted[0]?.[0]).toContain('service="444455556666/orders"');
});

test("the other counters and gauges show what they were given", async () => {
  const metrics = createMetrics({ build, level: "full" });
  metrics.recordStage("evaluate", 2_000);
  metrics.checkCancelled();
  metrics.selfCheck(true);
  metrics.selfCheck(false);
  metrics.decisionCache("stale");
  metrics.decisionCacheEviction("revision", 7);
  metrics.tokenCache("refused");
  metrics.embeddedKey("jku");
  metrics.jwksRefresh("example", "failed", 1_000);
  metrics.jwksRefresh("example", "ok", 5_500);
  metrics.bundlePull("applied", 2e6);
  metrics.bundlePull("rollback", 2e6);
  metrics.bundleCompiled(7e6);
  metrics.setBundle({
    ready: true,
    epoch: 1,
    revision: 42,
    coveredRevision: 43,
    headExpiresAtMs: 9_000,
    keySetExpiresAtMs: 10_000,
    poisonedObjects: 2,
    acceptStale: false,
    lastSuccessMs: 8_000,
    createdMs: 7_000,
    sizeBytes: 4096,
    objects: { policies: 1, principals: 2, roles: 3, resources: 4 },
  });
  metrics.setBundleFreshness({ headExpiresAtMs: 19_500, lastSuccessMs: 18_000, createdMs: 17_000 });
  metrics.rpcHandled("check", 0, 1e6);
  metrics.rpcHandled("healthWatch", 99, 1e6);
  metrics.read({
    checksInFlight: () => 3,
    connections: () => 2,
    controlPlaneConnected: () => 1,
    decisionCache: () => ({ entries: 5, maxEntries: 10 }),
    decisionLog: () => ({
      queueLength: 9,
      counts: [{ sink: "stdout", result: "sampled-out", count: 4 }],
    }),
    certificates: () => [{ certificate: "grpc", expiresAtMs: 1_500 }],
  });
  const values = await scraped(metrics);
  const want: Record<string, number> = {
    'mesh_iam_check_stage_duration_seconds_bucket{le="0.000001",stage="evaluate"}': 0,
    'mesh_iam_check_stage_duration_seconds_bucket{le="0.0000025",stage="evaluate"}': 1,
    mesh_iam_checks_cancelled_total: 1,
    mesh_iam_self_check_samples_total: 2,
    mesh_iam_self_check_mismatches_total: 1,
    'mesh_iam_decision_cache_requests_total{result="stale"}': 1,
    'mesh_iam_decision_cache_evictions_total{reason="revision"}': 7,
    'mesh_iam_token_cache_requests_total{result="refused"}': 1,
    'mesh_iam_token_embedded_keys_total{header="jku"}': 1,
    'mesh_iam_jwks_refresh_total{issuer="example",result="failed"}': 1,
    'mesh_iam_jwks_refresh_total{issuer="example",result="ok"}': 1,
    'mesh_iam_jwks_last_success_timestamp_seconds{issuer="example"}': 5.5,
    'mesh_iam_bundle_pulls_total{result="rollback"}': 1,
    'mesh_iam_bundle_pull_duration_seconds_count{result="applied"}': 1,
    mesh_iam_bundle_compile_duration_seconds_sum: 0.007,
    mesh_iam_bundle_ready: 1,
    mesh_iam_bundle_revision: 42,
    mesh_iam_bundle_covered_revision: 43,
    mesh_iam_bundle_head_expiry_timestamp_seconds: 19.5,
    mesh_iam_bundle_key_set_expiry_timestamp_seconds: 10,
    mesh_iam_bundle_last_success_timestamp_seconds: 18,
    mesh_iam_bundle_poisoned_objects: 2,
    'mesh_iam_bundle_objects{kind="roles"}': 3,
    mesh_iam_checks_in_flight: 3,
    mesh_iam_connections: 2,
    mesh_iam_decision_cache_entries: 5,
    mesh_iam_decision_log_queue_length: 9,
    'mesh_iam_decision_log_events_total{result="sampled-out",sink="stdout"}': 4,
    'mesh_iam_certificate_expiry_timestamp_seconds{certificate="grpc"}': 1.5,
    'grpc_server_handled_total{grpc_code="OK",grpc_method="Check",grpc_service="envoy.service.auth.v3.Authorization",grpc_type="unary"}': 1,
    'grpc_server_handled_total{grpc_code="Unknown",grpc_method="Watch",grpc_service="grpc.health.v1.Health",grpc_type="server_stream"}': 1,
    [`mesh_iam_build_info{commit="unknown",component="authorizer",node_version="${process.versions.node}",version="0.1.0"}`]: 1,
  };
  for (const [key, value] of Object.entries(want)) expect(values.get(key), key).toBe(value);
});

test("configured labels are bounded: the rest is counted as one", async () => {
  const metrics = createMetrics({ build, level: "minimal" });
  for (let at = 0; at < 1_000; at++) metrics.jwksRefresh(`i${at}`, "ok", 1_000);
  const values = only(await scraped(metrics), "mesh_iam_jwks_refresh_total");
  expect(values.length).toBeLessThanOrEqual(258);
  expect(values.reduce((sum, [, value]) => sum + value, 0)).toBe(1_000);
});

test("OpenMetrics ends with EOF, names counters without _total and agrees with the text", async () => {
  const metrics = createMetrics({ build });
  metrics.recordCheck(fakeOutcome("identity-policy"));
  const first = await metrics.scrape("application/openmetrics-text;version=1.0.0");
  expect(first.contentType).toMatch(/^application\/openmetrics-text; version=1\.0\.0/);
  expect(first.body.endsWith("# EOF\n")).toBe(true);
  expect(first.body).toContain("# TYPE mesh_iam_checks counter\n");
  expect(first.body).not.toContain("_total_total");
  expect(first.body).not.toContain("[object");
  // The other registry's names survive an OpenMetrics scrape.
  const text = await metrics.scrape(undefined);
  expect(text.contentType).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(text.body).toContain("# TYPE mesh_iam_checks_total counter\n");
  expect(text.body).toContain("# TYPE process_cpu_seconds_total counter\n");
  const ours = (body: string) => only(lines(body), "mesh_iam_");
  expect(ours(text.body)).toEqual(ours(first.body));
});

test("the table names each metric once, in base units, and each is shown at level full", async () => {
  const specs = Object.values(metricTable);
  const names = specs.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, type } of specs) {
    expect(name).toMatch(/^(mesh_iam|grpc_server)_[a-z_]+$/);
    expect(name.endsWith("_total"), name).toBe(type === "counter");
  }
  const shown = async (component: string) => {
    const metrics = createMetrics({ build: { ...build, component }, level: "full" });
    return (await metrics.scrape(undefined)).body;
  };
  const body = await shown("control-plane");
  for (const { name, type } of specs) expect(body).toContain(`# TYPE ${name} ${type}\n`);
  // A sidecar does not show hundreds of lines that nothing in it counts.
  const { name } = metricTable.storeOperationDuration;
  expect(await shown("authorizer")).not.toContain(name);
});
