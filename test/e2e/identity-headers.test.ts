import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { shop } from "../fakes/documents.ts";
import { headerValues, http2Request } from "../fakes/http-client.ts";
import { expectIdentity, type Question, requestOf } from "./answers.ts";
import { identitySeen, type Mesh, startMesh, startTimeoutMs, variants } from "./authorizer.ts";
import { type Headers, userArn } from "./decision-rows.ts";
import { envoyForTests } from "./envoy.ts";
import { strictConfig } from "./envoy-config.ts";
import { issueTokens, shopDocuments } from "./shop.ts";

/*
 * Who calls is told to the application by headers that nobody else can set: the HDR rows of
 * security-and-reliability 6.2, and the rows on names of headers that only Envoy or only we refuse.
 */

const binary = (await envoyForTests()) ?? "";
const { tokens, jwks } = issueTokens(Date.now());
const forgedArn = `arn:aws:iam::${shop}:root`;

const forged: readonly { readonly id: string; readonly headers: Headers }[] = [
  ...["principal", "account", "session", "context", "decision-id", "revision"].map((name, i) => ({
    id: `HDR-001.${i + 1}: x-mesh-iam-${name}`,
    headers: [[`x-mesh-iam-${name}`, forgedArn]] as const,
  })),
  {
    id: "HDR-002.1: doubled",
    headers: [
      ["x-mesh-iam-principal", forgedArn],
      ["x-mesh-iam-principal", "second"],
    ],
  },
  { id: "HDR-002.2: comma-joined", headers: [["x-mesh-iam-principal", `${forgedArn},second`]] },
  { id: "HDR-002.3: mixed case", headers: [["X-Mesh-IAM-Principal", forgedArn]] },
  { id: "HDR-014: a name that nothing reads", headers: [["x-mesh-iam-min-revision", "9"]] },
];

describe.skipIf(binary === "")("identity headers behind the real Envoy", () => {
  describe.each(variants)("$name", ({ shape, unix }) => {
    const strict = shape === strictConfig;
    let mesh: Mesh;

    beforeAll(async () => {
      mesh = await startMesh({ binary, shape, unix, documents: shopDocuments(jwks) });
    }, startTimeoutMs);
    afterAll(async () => {
      await mesh?.close();
    });

    const ask = (row: Question) => mesh.ask(requestOf(row, tokens));

    test.each(forged)("$id: the application sees ours or none", async ({ headers }) => {
      const user = await ask({ caller: "ana", target: "GET /v1/orders", headers });
      expect(user.reply.status).toBe(200);
      expectIdentity(userArn("ana"), user);
      const anonymous = await ask({ caller: null, target: "GET /v1/catalogue", headers });
      expect(anonymous.reply.status).toBe(200);
      expectIdentity(null, anonymous);
    });

    test("HDR-002.4: names with underscores: refused by Envoy, or stripped", async () => {
      const headers = [
        ["x_mesh_iam_principal", forgedArn],
        ["x-mesh-iam_account", "999999999999"],
      ] as const;
      const asked = await ask({ caller: "ana", target: "GET /v1/orders", headers });
      expect(asked.reply.status).toBe(strict ? 400 : 200);
      if (strict) expect(asked.seen).toBeNull();
      else expectIdentity(userArn("ana"), asked);
    });

    test("HDR-003: an identity header among the trailers decides nothing", async () => {
      const { reply, outcome, seen } = await mesh.watch((address) =>
        http2Request(address, {
          method: "POST",
          target: "/v1/orders",
          authority: "orders.example.com",
          headers: { authorization: `Bearer ${tokens.ana}`, trailer: "x-mesh-iam-principal" },
          body: "{}",
          trailers: { "x-mesh-iam-principal": forgedArn },
        }),
      );
      expect([reply.status, outcome?.answer.reason, seen]).toEqual([403, "implicit-deny", null]);
      expect(outcome?.principal).toMatchObject({ type: "user", name: "ana" });
    });

    test("HDR-005: an answer from the decision cache strips and sets the same", async () => {
      const row = { caller: "ana", target: "GET /v1/orders/cached" } as const;
      const first = await ask(row);
      const second = await ask({ ...row, headers: [["x-mesh-iam-principal", forgedArn]] });
      expect([first.outcome?.cache, second.outcome?.cache]).toEqual(["miss", "hit"]);
      expectIdentity(userArn("ana"), first);
      expectIdentity(userArn("ana"), second);
    });

    test("HDR-006: a client may even guess our value: it arrives once", async () => {
      const headers = [["x-mesh-iam-principal", userArn("ana")]] as const;
      const asked = await ask({ caller: "ana", target: "GET /v1/orders", headers });
      expect(headerValues(asked.seen ?? { headers: [] }, "x-mesh-iam-principal")).toEqual([
        userArn("ana"),
      ]);
    });

    test("HDR-007: nothing that we add for the client's eyes names a caller", async () => {
      const headers = [["x-mesh-iam-principal", forgedArn]] as const;
      const { reply } = await ask({ caller: "ana", target: "GET /v1/orders", headers });
      expect(reply.status).toBe(200);
      expect(reply.headers.filter(([name]) => name.includes("mesh-iam"))).toEqual([]);
    });

    test("HDR-008: a session name with line breaks is no name, and starts no header", async () => {
      const asked = await ask({ caller: "crlf", target: "GET /v1/orders/42" });
      expect(asked.reply.status).toBe(200);
      const session = identitySeen(asked.seen)["x-mesh-iam-session"];
      expect(session).toMatch(/^s-[0-9a-f]{32}$/);
      expectIdentity(`arn:aws:sts::${shop}:assumed-role/courier/${session}`, asked);
      expect(headerValues(asked.seen ?? { headers: [] }, "x-admin")).toEqual([]);
    });

    test("HDR-012: what is injected is small", async () => {
      const { seen } = await ask({ caller: "courier", target: "GET /v1/orders/42" });
      const injected = Object.entries(identitySeen(seen));
      expect(injected).toHaveLength(5);
      expect(injected.flat().join("").length).toBeLessThan(4096);
    });

    test("HDR-015.3: a header that the service hides goes, an OIDC token stays", async () => {
      const headers = [["x-amz-hint", "secret"]] as const;
      const { seen } = await ask({ caller: "ana", target: "GET /v1/orders", headers });
      const message = seen ?? { headers: [] };
      expect(headerValues(message, "x-amz-hint")).toEqual([]);
      expect(headerValues(message, "authorization")).toEqual([`Bearer ${tokens.ana}`]);
    });

    test("PATH-121.2: the underscore twin of a header that a policy reads", async () => {
      const headers = [
        ["x-channel", "web"],
        ["x_channel", "shop"],
      ] as const;
      const { reply, outcome } = await ask({ caller: "ana", target: "GET /v1/channel", headers });
      expect(reply.status).toBe(400);
      expect(outcome?.answer.reason).toBe(strict ? undefined : "ambiguous-header");
    });

    test.each([
      { id: "PATH-122: a NUL in a value", headers: [["x-channel", "we\0b"]] as const, status: 400 },
      {
        id: "PATH-124: a thousand headers",
        headers: Array.from({ length: 1000 }, (_, i) => [`x-h${i}`, "1"] as const),
        status: 431,
      },
    ])("$id: refused by Envoy, before anybody is asked", async ({ headers, status }) => {
      const asked = await ask({ caller: "ana", target: "GET /v1/channel", headers });
      expect([asked.reply.status, asked.outcome, asked.seen]).toEqual([status, null, null]);
    });
  });
});
