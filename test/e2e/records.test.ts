import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CheckOutcome } from "../../src/domain/request/outcome.ts";
import { arnOf } from "../../src/iam/principal.ts";
import { shop } from "../fakes/documents.ts";
import { metricSum } from "../fakes/metric-sum.ts";
import { type Question, requestOf } from "./answers.ts";
import { type Mesh, soon, startMesh, startTimeoutMs, variants } from "./authorizer.ts";
import { credentials, exemptions, policies, type Row, reports, shadow } from "./decision-rows.ts";
import { type AccessLogLine, envoyForTests } from "./envoy.ts";
import { issueTokens, shopDocuments } from "./shop.ts";

/*
 * What is left of a decision when it is over: Envoy's access log, the decision log, metrics, the word of
 * the second evaluator. They tell the same story, and no secret.
 */

const binary = (await envoyForTests()) ?? "";
const { tokens, jwks } = issueTokens(Date.now());
const forgedArn = `arn:aws:iam::${shop}:root`;

/** Every kind of answer: each reason of the tables once. */
const rows: readonly Row[] = [
  ...new Map(
    [
      ...policies,
      ...credentials,
      ...exemptions,
      ...shadow.map((row) => ({ ...row, host: reports })),
    ].map((row) => [`${row.reason} ${row.host} ${row.caller}`, row]),
  ).values(),
];

describe.skipIf(binary === "")("records of decisions behind the real Envoy", () => {
  describe.each(variants)("$name", ({ shape, unix }) => {
    let mesh: Mesh;

    beforeAll(async () => {
      mesh = await startMesh({ binary, shape, unix, documents: shopDocuments(jwks) });
    }, startTimeoutMs);
    afterAll(async () => {
      await mesh?.close();
    });

    async function outcomeOf(row: Question): Promise<CheckOutcome> {
      const { outcome } = await mesh.ask(requestOf(row, tokens));
      if (outcome === null) throw new Error("Envoy answered by itself");
      return outcome;
    }

    async function accessLine(outcome: CheckOutcome): Promise<AccessLogLine> {
      const find = async () =>
        (await mesh.envoy.accessLog(1)).find(({ decision_id: id }) => id === outcome.decisionId);
      await expect.poll(find, soon).toBeDefined();
      return (await find()) as AccessLogLine;
    }

    test.each(rows)("R8, $why: Envoy's access log says what was decided", async (row) => {
      const headers = [...(row.headers ?? []), ["x-mesh-iam-principal", forgedArn]] as const;
      const outcome = await outcomeOf({ ...row, headers });
      const { answer, decision, mode, principal } = outcome;
      const isAllowed = answer.type === "allow";
      const isShadow = mode === "shadow";
      const line = await accessLine(outcome);
      expect(line).toMatchObject({
        decision: isAllowed ? "allowed" : decision.decision,
        reason: row.reason,
        principal: principal === null ? null : arnOf(principal),
        action: outcome.action,
        resource: outcome.resource,
        cache: outcome.cache,
        mode,
        bundle_revision: `${outcome.epoch}.${outcome.revision}`,
        shadow_decision: isShadow ? decision.decision : null,
        shadow_reason: isShadow ? decision.reason : null,
        // Envoy adds its own figure where it lets a request pass.
        authz_ms: isAllowed ? expect.any(Number) : null,
        details: isAllowed ? "via_upstream" : "ext_authz_denied",
        flags: isAllowed ? "-" : "UAEX",
      });
      // HDR-007
      expect(JSON.stringify(line)).not.toContain(forgedArn);
    });

    test.each(rows)("$why: the decision log and the caller have the same id", async (row) => {
      const { reply, outcome } = await mesh.ask(requestOf(row, tokens));
      const record = () =>
        mesh.authorizer.decisions.records().find(({ eventID }) => eventID === outcome?.decisionId);
      await expect.poll(record, soon).toMatchObject({
        reason: row.reason,
        outcome: row.status === 200 ? "allow" : expect.stringMatching(/^(deny|error)$/),
        ...(outcome?.service ? { eventSource: outcome.service.name } : {}),
        sourceIPAddress: "127.0.0.1",
      });
      if (row.status !== 200) expect(JSON.parse(reply.body).decisionId).toBe(outcome?.decisionId);
    });

    test("what a service in shadow mode would have done is counted", async () => {
      const before = await mesh.authorizer.page("/metrics");
      for (const row of shadow) await outcomeOf({ ...row, host: reports });
      const after = await mesh.authorizer.page("/metrics");
      for (const word of ["allowed", "implicitDeny", "explicitDeny"]) {
        const labels = { enforced: "allowed", shadow: word };
        const counted = (text: string) =>
          metricSum(text, "mesh_iam_shadow_decisions_total", labels);
        expect(counted(after) - counted(before)).toBe(
          shadow.filter(({ decided }) => decided[0] === word).length,
        );
      }
    });

    test("each Check is counted once and written once", async () => {
      const counts = async () => {
        const text = await mesh.authorizer.page("/metrics");
        const sum = (name: string, labels = {}) => metricSum(text, `mesh_iam_${name}`, labels);
        return {
          allowed: sum("checks_total", { reason: "identity-policy", service: "orders" }),
          scp: sum("checks_total", { outcome: "deny", reason: "scp", auth_method: "jwt" }),
          all: sum("checks_total"),
          written: sum("decision_log_events_total", { result: "written" }),
          lost: sum("decision_log_events_total", { result: "dropped" }),
        };
      };
      const behind = async () => {
        const { all, written } = await counts();
        return all - written;
      };
      await expect.poll(behind, soon).toBe(0);
      const before = await counts();
      await outcomeOf({ caller: "ana", target: "GET /v1/orders" });
      await outcomeOf({ caller: "carol", target: "DELETE /v1/orders" });
      await expect.poll(behind, soon).toBe(0);
      expect(await counts()).toEqual({
        allowed: before.allowed + 1,
        scp: before.scp + 1,
        all: before.all + 2,
        written: before.written + 2,
        lost: 0,
      });
    });

    test("the second evaluator agrees with every live decision", async () => {
      const before = (await mesh.authorizer.status()).selfCheck.samples;
      const { decision } = await outcomeOf({ caller: "ana", target: "GET /v1/orders/self-check" });
      expect(decision.decision).toBe("allowed");
      await expect
        .poll(async () => (await mesh.authorizer.status()).selfCheck.samples, soon)
        .toBeGreaterThan(before);
      expect((await mesh.authorizer.status()).selfCheck.mismatches).toBe(0);
    });

    test("no token is in a log or on a page, and Envoy has nothing to complain of", async () => {
      for (const caller of ["ana", "tampered"] as const) {
        await outcomeOf({ caller, target: "GET /v1/orders" });
      }
      const { authorizer, envoy } = mesh;
      const pages = await Promise.all(["/metrics", "/status"].map((path) => authorizer.page(path)));
      const all = [authorizer.log.text(), authorizer.decisions.text(), ...pages].join("\n");
      for (const token of Object.values(tokens)) {
        expect(all).not.toContain(token.split(".")[1]);
        expect(all).not.toContain(token.split(".")[2]);
      }
      expect(envoy.log()).toBe("");
    });
  });
});
