import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { shop } from "../fakes/documents.ts";
import { bearerOf, expectAnswer, requestOf } from "./answers.ts";
import {
  askGrpc,
  identitySeen,
  type Mesh,
  otherVariants,
  soon,
  startMesh,
  startTimeoutMs,
  variants,
} from "./authorizer.ts";
import {
  credentials,
  exemptions,
  policies,
  type Row,
  reports,
  requestHeaders,
  shadow,
} from "./decision-rows.ts";
import { envoyForTests } from "./envoy.ts";
import { issueTokens, shopDocuments } from "./shop.ts";

/*
 * Policies on disk, an answer at the real Envoy: each row is one request of one caller, what the caller
 * hears, why, and what reaches the application. Every row runs in both shapes of the filter and over
 * both transports, and must come out alike.
 */

const binary = (await envoyForTests()) ?? "";
const { tokens, jwks } = issueTokens(Date.now());
const forgedArn = `arn:aws:iam::${shop}:root`;

describe.skipIf(binary === "")("decisions behind the real Envoy", () => {
  describe.each([...variants, ...otherVariants])("$name", ({ shape, unix }) => {
    let mesh: Mesh;

    beforeAll(async () => {
      mesh = await startMesh({ binary, shape, unix, documents: shopDocuments(jwks) });
    }, startTimeoutMs);
    afterAll(async () => {
      await mesh?.close();
    });

    const ask = (row: Row) => mesh.ask(requestOf(row, tokens));

    test.each([...policies, ...credentials, ...exemptions, ...requestHeaders])(
      "$why: $target is $status $reason",
      async (row) => {
        expectAnswer(row, await ask(row));
      },
    );

    test.each(exemptions.filter(({ status, host }) => status === 200 && host !== reports))(
      "$why: neither credential nor forged identity reaches the application",
      async (row) => {
        const credential = row.caller === null ? [bearerOf(tokens.ana)] : [];
        const headers = [
          ...credential,
          ["x-mesh-iam-principal", forgedArn],
          ["x-amz-security-token", "t"],
          ...(row.headers ?? []),
        ] as const;
        const asked = await ask({ ...row, headers });
        expectAnswer(row, asked);
        const names = asked.seen?.headers.map(([name]) => name) ?? [];
        expect(names).toContain("host");
        expect(names).not.toContain("authorization");
        expect(names).not.toContain("x-amz-security-token");
      },
    );

    test.each(shadow)("shadow mode, $why: passes, and $decided is recorded", async (row) => {
      const headers = [["x-mesh-iam-principal", forgedArn]] as const;
      const asked = await ask({ ...row, host: reports, headers });
      const outcome = expectAnswer({ ...row, principal: row.principal ?? null }, asked);
      expect(outcome.mode).toBe("shadow");
      const [decision, reason] = row.decided;
      expect(outcome.decision).toMatchObject({ decision, reason });
      const record = () =>
        mesh.authorizer.decisions.records().find(({ eventID }) => eventID === outcome.decisionId);
      await expect.poll(record, soon).toMatchObject({
        mode: "shadow",
        decision: "allowed",
        shadow: { decision, reason },
      });
    });

    test.each([
      { why: "allowed", caller: "ana", rpc: "Get", want: "0", reason: "identity-policy" },
      { why: "open to all", caller: null, rpc: "Catalogue", want: "0", reason: "resource-policy" },
      { why: "denied", caller: "ana", rpc: "Cancel", want: "7", reason: "implicit-deny" },
      { why: "unmapped", caller: "ana", rpc: "Unknown", want: "7", reason: "route-not-found" },
      { why: "anonymous", caller: null, rpc: "Get", want: "16", reason: "unauthenticated" },
      { why: "a bad token", caller: "expired", rpc: "Get", want: "16", reason: "token-expired" },
      { why: "ambiguous", caller: "ana", rpc: "Get;x", want: "3", reason: "ambiguous-path" },
    ] as const)("over gRPC, $why: $want $reason", async ({ caller, rpc, want, reason }) => {
      const { reply, outcome, seen } = await askGrpc(mesh, `/shop.orders.v1.Orders/${rpc}`, {
        ":authority": "orders.example.com",
        ...(caller === null ? {} : { authorization: `Bearer ${tokens[caller]}` }),
        "x-mesh-iam-principal": forgedArn,
      });
      expect(outcome?.answer.reason).toBe(reason);
      expect(reply).toMatchObject({ httpStatus: 200, grpcStatus: want });
      if (want === "0") {
        const principal = identitySeen(seen)["x-mesh-iam-principal"];
        expect(principal).toBe(caller === null ? undefined : `arn:aws:iam::${shop}:user/ana`);
      } else {
        expect(seen).toBeNull();
        expect(reply.grpcMessage).toContain(`(decision ${outcome?.decisionId})`);
      }
    });

    test("a gRPC call that hides behind another content type is the same RPC", async () => {
      const { reply, outcome } = await mesh.ask({
        method: "POST",
        target: "/shop.orders.v1.Orders/Cancel",
        host: "orders.example.com",
        headers: [bearerOf(tokens.ana), ["content-type", "application/json"]],
      });
      expect([reply.status, outcome?.action]).toEqual([403, "orders:CancelOrder"]);
    });
  });
});
