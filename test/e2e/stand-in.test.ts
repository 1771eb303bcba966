import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, get, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type SampleRequest,
  type SampleResponse,
  send,
} from "../../src/processes/cli/quickstart/client.ts";
import { type RunningProxy, startEnvoy } from "../../src/processes/cli/quickstart/envoy.ts";
import { requestOf, rows } from "../../src/processes/cli/quickstart/rows.ts";
import {
  type SampleAuthorizer,
  startSampleAuthorizer,
} from "../../src/processes/cli/quickstart/sample-authorizer.ts";
import { startStandIn } from "../../src/processes/cli/quickstart/stand-in/start.ts";
import {
  type SeenRequest,
  startUpstream,
  type Upstream,
} from "../../src/processes/cli/quickstart/upstream.ts";
import { createWorkspace, type Workspace } from "../../src/processes/cli/quickstart/workspace.ts";
import { type HttpReply, http1Request, http2Request } from "../fakes/http-client.ts";
import { envoyForTests } from "./envoy.ts";

/*
 * The stand-in plays Envoy's part where none can be had. Here both stand before the same authorizer and
 * the same application: every request gets the same reply through either, and the application sees the
 * same of it (envoy-ext-authz 8.4).
 */

const binary = await envoyForTests();

describe.skipIf(binary === null)("the stand-in beside the real Envoy", () => {
  const folder = mkdtempSync(join(tmpdir(), "mi-"));
  let workspace: Workspace;
  let upstream: Upstream;
  let authorizer: SampleAuthorizer;
  let isGone = false;
  let envoy: RunningProxy;
  let standIn: RunningProxy;

  beforeAll(async () => {
    workspace = await createWorkspace(join(folder, "quickstart"), Date.now);
    upstream = await startUpstream();
    authorizer = await startSampleAuthorizer(workspace);
    const layout = {
      upstreamPort: upstream.port,
      serverCertificate: workspace.serverCertificate,
      serverKey: workspace.serverKey,
      clientCa: workspace.authorityFile,
    };
    envoy = await startEnvoy(
      binary ?? "",
      workspace.folder,
      { ...layout, authorizerSocket: workspace.socket },
      new AbortController().signal,
    );
    standIn = await startStandIn({
      ...layout,
      authorizer: { type: "unix", path: workspace.socket },
    });
  });

  afterAll(async () => {
    await standIn.stop();
    await envoy.stop();
    if (!isGone) await authorizer.close();
    await upstream.close();
    workspace.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What came of one request through one of them. */
  interface Came {
    readonly status: number;
    readonly headers: object;
    readonly body: string;
    readonly reason: string | null;
    readonly seen: readonly object[];
  }

  function came(status: number, headers: object, body: string): Came {
    return {
      status,
      headers: replyHeaders(headers),
      body: withoutIds(isSeenRequest(body) ? "what the application saw" : body),
      reason: authorizer.takeOutcome()?.answer.reason ?? null,
      seen: upstream.takeSeen().map(comparable),
    };
  }

  async function both(ask: (proxy: RunningProxy) => Promise<Came>): Promise<[Came, Came]> {
    authorizer.takeOutcome();
    upstream.takeSeen();
    return [await ask(envoy), await ask(standIn)];
  }

  async function sendTo(proxy: RunningProxy, request: SampleRequest): Promise<Came> {
    const reply: SampleResponse = await send({ ...proxy, serverCa: workspace.authority }, request);
    return came(reply.grpcStatus ?? reply.status, reply.headers, reply.body);
  }

  test.each(rows)("the table's row: $caller, $method $path", async (row) => {
    const request = requestOf(row, workspace.credentials);
    const [real, ours] = await both((proxy) => sendTo(proxy, request));
    expect(real).toMatchObject({ status: row.status, reason: row.reason });
    expect(ours).toEqual(real);
  });

  const bearer = () => ({ authorization: `Bearer ${workspace.credentials.tokens.ana}` });

  test.each<{ why: string; request: Partial<SampleRequest>; expected: object }>([
    {
      why: "a body reaches the application",
      request: {
        method: "GET",
        headers: { "content-length": "11", "content-type": "text/plain" },
        body: "hello there",
      },
      expected: { status: 200, seen: [{ bodyBytes: 11 }] },
    },
    {
      why: "a body in chunks",
      request: { headers: { "transfer-encoding": "chunked" }, body: "hello there" },
      expected: { status: 200, seen: [{ bodyBytes: 11 }] },
    },
    { why: "HEAD follows GET", request: { method: "HEAD" }, expected: { status: 200, body: "" } },
    {
      why: "a denied HEAD has no body",
      request: { method: "HEAD", path: "/v1/orders/secret" },
      expected: { status: 403, body: "", reason: "explicit-deny" },
    },
    {
      why: "the query is passed on",
      request: { path: "/v1/orders?state=open&state=paid" },
      expected: { status: 200, seen: [{ path: "/v1/orders?state=open&state=paid" }] },
    },
    {
      why: "an encoded path is passed on as it is",
      request: { path: "/v1/orders/a%20b" },
      expected: { status: 200, seen: [{ path: "/v1/orders/a%20b" }] },
    },
    {
      why: "a fragment",
      request: { path: "/v1/orders#x" },
      expected: { status: 400, reason: null },
    },
    {
      why: "a header with an underscore",
      request: { headers: { x_mesh_iam_principal: "forged" } },
      expected: { status: 400, reason: null, seen: [] },
    },
    {
      why: "forged identity headers in every spelling",
      request: {
        headers: {
          "X-Mesh-Iam-Principal": "forged",
          "x-mesh-iam-account": "forged",
          "x-mesh-iam-anything": "forged",
        },
      },
      expected: { status: 200 },
    },
    {
      why: "a client's word about its certificate, in clear text",
      request: { headers: { "x-forwarded-client-cert": "By=a;URI=spiffe://shop.example/forged" } },
      expected: { status: 200 },
    },
    {
      why: "a client's word about scheme, address and id",
      request: {
        headers: {
          "x-forwarded-proto": "https",
          "x-forwarded-for": "198.51.100.7",
          "x-request-id": "mine",
        },
      },
      expected: { status: 200 },
    },
    {
      why: "a header that is there twice and bytes beyond ASCII",
      request: { headers: { "x-a": "1, 2", "x-b": "caf\u00e9" } },
      expected: { status: 200 },
    },
    {
      why: "Host with a port",
      request: { host: "orders.example.com:8080" },
      expected: { status: 200 },
    },
    { why: "a malformed Host", request: { host: "a..b" }, expected: { status: 400 } },
    {
      why: "a gRPC call that is malformed",
      request: { method: "POST", path: "/shop.orders.v1.Orders/../Get", grpc: true },
      expected: { status: 3 },
    },
    {
      why: "a gRPC call without a credential",
      request: { method: "POST", path: "/shop.orders.v1.Orders/Get", grpc: true, headers: {} },
      expected: { status: 16 },
    },
    {
      why: "a gRPC body reaches the application",
      request: {
        method: "POST",
        path: "/shop.orders.v1.Orders/Get",
        grpc: true,
        body: "\0\0\0\0\u0003abc",
      },
      expected: { status: 0, seen: [{ bodyBytes: 8 }] },
    },
  ])("$why", async ({ request, expected }) => {
    const credential = request.headers !== undefined && Object.keys(request.headers).length === 0;
    const sample: SampleRequest = {
      method: "GET",
      path: "/v1/orders",
      host: "orders.example.com",
      certificate: null,
      grpc: false,
      ...request,
      headers: { ...(credential ? {} : bearer()), ...request.headers },
    };
    const [real, ours] = await both((proxy) => sendTo(proxy, sample));
    expect(real).toMatchObject(expected);
    expect(ours).toEqual(real);
  });

  test("a target that is no path is refused by either's codec, in its own words", async () => {
    const replies = await both(async ({ httpPort }) =>
      came((await http1Request(`127.0.0.1:${httpPort}`, { target: "v1/orders" })).status, {}, ""),
    );
    for (const reply of replies) {
      expect(reply).toMatchObject({ status: 400, reason: null, seen: [] });
    }
  });

  test("a forged word about the certificate is replaced under mTLS", async () => {
    const sample: SampleRequest = {
      ...{ method: "POST", path: "/v1/orders", host: "orders.example.com", grpc: false },
      headers: { "x-forwarded-client-cert": "By=a;URI=spiffe://shop.example/forged" },
      certificate: workspace.credentials.certificates.checkout,
    };
    const [real, ours] = await both((proxy) => sendTo(proxy, sample));
    const hash = "[0-9a-f]{64}";
    const element = `^By=spiffe://shop.example/ns/edge/sa/envoy;Hash=${hash};URI=spiffe://shop.example/ns/shop/sa/checkout$`;
    expect(real.seen).toMatchObject([
      { headers: { "x-forwarded-client-cert": expect.stringMatching(element) } },
    ]);
    expect(ours).toEqual(real);
  });

  describe("by other clients", () => {
    const tls = () => ({
      ca: workspace.authority,
      cert: workspace.credentials.certificates.checkout.certificate,
      key: workspace.credentials.certificates.checkout.privateKey,
    });
    const of = ({ status, headers, body }: HttpReply): Came =>
      came(status, Object.fromEntries(headers.filter(([name]) => !name.startsWith(":"))), body);

    test("HTTP/2 in clear text", async () => {
      const headers = { "x-a": ["1", "2"], ...bearer() };
      const [real, ours] = await both(async (proxy) =>
        of(
          await http2Request(`127.0.0.1:${proxy.httpPort}`, {
            ...{ target: "/v1/orders", authority: "orders.example.com", headers },
          }),
        ),
      );
      expect(real).toMatchObject({ status: 200, seen: [{ method: "GET" }] });
      expect(ours).toEqual(real);
    });

    test("HTTP/2 over mTLS", async () => {
      const [real, ours] = await both(async (proxy) =>
        of(
          await http2Request(`127.0.0.1:${proxy.tlsPort}`, {
            ...{ method: "POST", target: "/v1/orders", authority: "orders.example.com" },
            tls: tls(),
            body: "an order",
          }),
        ),
      );
      expect(real).toMatchObject({ status: 200, seen: [{ bodyBytes: 8 }] });
      expect(ours).toEqual(real);
    });

    test("without a client certificate no TLS connection comes about", async () => {
      for (const { tlsPort } of [envoy, standIn]) {
        const asked = http1Request(`127.0.0.1:${tlsPort}`, {
          target: "/v1/orders",
          tls: { ca: workspace.authority },
        });
        await expect(asked.then(({ status }) => status)).rejects.toThrow();
      }
      expect(upstream.takeSeen()).toEqual([]);
    });

    test("two requests on one connection", async () => {
      const [real, ours] = await both(async ({ httpPort }) => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        const ports = new Set<number | undefined>();
        let last: Came | undefined;
        for (const path of ["/v1/orders/secret", "/v1/orders"]) {
          const headers = { host: "orders.example.com", ...bearer() };
          const request = get({ host: "127.0.0.1", port: httpPort, path, headers, agent });
          const [response] = (await once(request, "response")) as [IncomingMessage];
          ports.add(response.socket.localPort);
          last = came(response.statusCode ?? 0, response.headers, await text(response));
        }
        agent.destroy();
        expect(ports.size).toBe(1);
        return last as Came;
      });
      expect(real.status).toBe(200);
      expect(ours).toEqual(real);
    });
  });

  test("with the authorizer gone both answer 503, a gRPC caller 14, and nothing passes", async () => {
    await authorizer.close();
    isGone = true;
    const http = { method: "GET", path: "/v1/orders", grpc: false };
    const grpc = { method: "POST", path: "/shop.orders.v1.Orders/Get", grpc: true };
    for (const [asked, status] of [
      [http, 503],
      [grpc, 14],
    ] as const) {
      const sample = {
        ...asked,
        ...{ host: "orders.example.com", headers: bearer(), certificate: null },
      };
      const [real, ours] = await both((proxy) => sendTo(proxy, sample));
      expect(real).toMatchObject({ status, body: "", seen: [] });
      expect(ours).toEqual(real);
    }
  });
});

/** Headers that are about the proxy or the moment, not about the answer. */
const proxysOwn = /^(:status|date|server|connection|keep-alive|transfer-encoding|x-envoy-.*)$/;

function replyHeaders(headers: object): object {
  const kept = Object.entries(headers).filter(([name]) => !proxysOwn.test(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, withoutIds(String(value))]));
}

/** What the application saw, but for ids and addresses that no two requests share. */
function comparable({ headers, ...request }: SeenRequest): object {
  const shown = Object.entries(headers)
    .filter(([name]) => !name.startsWith("x-envoy-"))
    .map(([name, value]) => {
      if (name === "x-request-id") return [name, value.length];
      if (name === "x-forwarded-for") return [name, value.split(",").length];
      return [name, withoutIds(value)];
    });
  return { ...request, headers: Object.fromEntries(shown) };
}

function isSeenRequest(body: string): boolean {
  return body.startsWith('{"method":');
}

/** Decision ids have a fixed width (envoy-ext-authz R9). */
function withoutIds(text: string): string {
  return text.replaceAll(/[0-9a-f]{16}-[0-9a-f]{11}/g, "<decision>");
}
