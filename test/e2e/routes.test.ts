import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { shop } from "../fakes/documents.ts";
import { headerValues } from "../fakes/http-client.ts";
import { expectAnswer, type Question, requestOf } from "./answers.ts";
import { type Mesh, startMesh, startTimeoutMs, variants } from "./authorizer.ts";
import { credentials, policies } from "./decision-rows.ts";
import { envoyForTests } from "./envoy.ts";
import { issueTokens, shopDocuments } from "./shop.ts";

/*
 * What else an Envoy is configured to do with a request: answer or redirect it by itself, rewrite it
 * behind us, withhold headers from us. The decision is the same, and it comes first.
 */

const binary = (await envoyForTests()) ?? "";
const { tokens, jwks } = issueTokens(Date.now());
const order = `arn:aws:orders:eu-west-1:${shop}:order/`;

const routes = [
  {
    match: { path: "/v1/orders/direct" },
    direct_response: { status: 200, body: { inline_string: "by Envoy" } },
  },
  { match: { path: "/v1/orders/moved" }, redirect: { path_redirect: "/elsewhere" } },
  {
    match: { prefix: "/v1/orders/rewritten" },
    route: { cluster: "app", prefix_rewrite: "/internal", host_rewrite_literal: "internal" },
  },
];

describe.skipIf(binary === "")("routes behind the real Envoy", () => {
  describe.each(variants)("$name", ({ shape, unix }) => {
    let mesh: Mesh;

    beforeAll(async () => {
      mesh = await startMesh({ binary, shape, unix, documents: shopDocuments(jwks), routes });
    }, startTimeoutMs);
    afterAll(async () => {
      await mesh?.close();
    });

    const ask = (question: Question) => mesh.ask(requestOf(question, tokens));

    test.each([
      { why: "a response of Envoy's own", path: "direct", status: 200 },
      { why: "a redirect", path: "moved", status: 301 },
      { why: "a rewritten request", path: "rewritten", status: 200 },
    ])("$why is given to those who may have it", async ({ path, status }) => {
      const target = `GET /v1/orders/${path}`;
      const allowed = await ask({ caller: "ana", target });
      expect([allowed.reply.status, allowed.outcome?.resource]).toEqual([status, order + path]);
      const anonymous = await ask({ caller: null, target });
      expect([anonymous.reply.status, anonymous.seen]).toEqual([401, null]);
      expect(headerValues(anonymous.reply, "location")).toEqual([]);
      expect(anonymous.reply.body).not.toContain("by Envoy");
    });

    test("a rewrite comes behind the decision, which is about what the client asked", async () => {
      const { outcome, seen } = await ask({ caller: "ana", target: "GET /v1/orders/rewritten" });
      expect([outcome?.action, outcome?.resource]).toEqual([
        "orders:GetOrder",
        `${order}rewritten`,
      ]);
      expect(seen?.target).toBe("/internal");
      expect(headerValues(seen ?? { headers: [] }, "host")).toEqual(["internal"]);
    });
  });

  describe.each(variants)(
    "$name: the filter tells us of no header but the credential",
    (variant) => {
      let mesh: Mesh;

      beforeAll(async () => {
        const { shape, unix } = variant;
        const filter = { allowed_headers: { patterns: [{ exact: "authorization" }] } };
        mesh = await startMesh({ binary, shape, unix, documents: shopDocuments(jwks), filter });
      }, startTimeoutMs);
      afterAll(async () => {
        await mesh?.close();
      });

      test.each([...policies, ...credentials])("$why: $target is $status $reason", async (row) => {
        const forged = ["x-mesh-iam-principal", `arn:aws:iam::${shop}:root`] as const;
        const asked = await mesh.ask(
          requestOf({ ...row, headers: [...(row.headers ?? []), forged] }, tokens),
        );
        expectAnswer(row, asked);
      });
    },
  );
});
