import { rmSync, writeFileSync } from "node:fs";
import { constants, createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createDecoder } from "../../src/adapters/envoy/decode.ts";
import { internalDenial } from "../../src/adapters/envoy/denial.ts";
import { createEncoder } from "../../src/adapters/envoy/encode.ts";
import type { CheckFunction, ListenAddress, Listener } from "../../src/adapters/envoy/listener.ts";
import { createListener } from "../../src/adapters/envoy/server.ts";
import { createCertificateAuthority } from "../../src/adapters/keys/certificate-authority.ts";
import type { CheckAttributes } from "../../src/domain/request/attributes.ts";
import { isDenied } from "../../src/domain/request/denied.ts";
import type { CheckOutcome, DenialStatus } from "../../src/domain/request/outcome.ts";
import { HeaderValueOptionSchema } from "../../src/gen/envoy/config/core/v3/base_pb.ts";
import {
  CheckRequestSchema,
  CheckResponseSchema,
} from "../../src/gen/envoy/service/auth/v3/external_auth_pb.ts";
import { type Reason, reasons } from "../../src/iam/reason.ts";
import { fakeOutcome, fakeRole } from "../fakes/check-outcome.ts";
import { headerNames, oracleView, scannerView } from "../fakes/check-views.ts";
import { grpcRequest, headerValues, http1Request, http2Request } from "../fakes/http-client.ts";
import { startUpstream, type Upstream } from "../fakes/upstream.ts";
import { soon } from "./authorizer.ts";
import { createRunDir, type EnvoyProcess, envoyForTests, startEnvoy } from "./envoy.ts";
import {
  type ConfigOptions,
  checkSettings,
  filterDisabled,
  http2Options,
  istioConfig,
  strictConfig,
  tcpConfig,
} from "./envoy-config.ts";

/*
 * The wire between a real Envoy and the adapter, with a scripted check instead of a policy engine:
 * what Envoy sends is what the scanner reads, and what the encoder writes is what Envoy does.
 */

const binary = (await envoyForTests()) ?? "";
const fixture = fileURLToPath(new URL("../fixtures/check-requests.json", import.meta.url));

const decoder = createDecoder();
const encoder = createEncoder();

/** The script: what the authorizer answers to the Check at hand. */
let answer: (attributes: CheckAttributes | null, message: Uint8Array) => ReturnType<CheckFunction>;
let messages: Buffer[] = [];
let cancels = 0;

function check(message: Uint8Array): ReturnType<CheckFunction> {
  messages.push(Buffer.from(message));
  const attributes = decoder.decode(message);
  return answer(isDenied(attributes) ? null : attributes, message);
}

function allow(attributes: CheckAttributes | null, parts: Partial<CheckOutcome> = {}): Uint8Array {
  return encoder.encode(
    fakeOutcome("identity-policy", {
      principal: fakeRole,
      identityHeaderNames: attributes?.identityHeaderNames ?? [],
      ...parts,
    }),
  );
}

function deny(reason: Reason, status: DenialStatus, grpc = false): Uint8Array {
  const outcome = fakeOutcome(reason, { principal: fakeRole, grpc });
  if (outcome.answer.type !== "deny") throw new Error(reason);
  return encoder.encode({ ...outcome, answer: { ...outcome.answer, status } });
}

/** An answer that our encoder would never give. */
function forced(response: MessageInitShape<typeof CheckResponseSchema>): Uint8Array {
  return toBinary(CheckResponseSchema, create(CheckResponseSchema, response));
}

function option(key: string, value: string) {
  const header = { key, value };
  return create(HeaderValueOptionSchema, { header, append: false, appendAction: 2 });
}

const kept: { name: string; base64: string; view: object }[] = [];
let upstream: Upstream;
const cleanups: (() => Promise<unknown>)[] = [];

async function listen(address: ListenAddress): Promise<{ listener: Listener; address: string }> {
  const listener = createListener({
    address,
    check,
    onCancel: () => {
      cancels += 1;
    },
    limits: { pendingTimeoutMs: 60_000 },
  });
  const started = await listener.start();
  listener.setServing(true);
  cleanups.push(() => listener.close());
  return { listener, address: started.address };
}

function socketFolder(): string {
  const folder = createRunDir();
  cleanups.push(async () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

type Shape = (options: ConfigOptions) => ReturnType<typeof strictConfig>;

async function start(
  shape: Shape,
  authorizers: readonly string[],
  options: Partial<ConfigOptions> & { readonly concurrency?: number } = {},
): Promise<EnvoyProcess> {
  const runDir = createRunDir();
  const { concurrency, ...rest } = options;
  const config = shape({ runDir, authorizers, upstream, ...rest });
  const envoy = await startEnvoy({
    binary,
    config,
    runDir,
    ...(concurrency === undefined ? {} : { concurrency }),
  });
  cleanups.push(() => envoy.stop());
  return envoy;
}

/** Without Envoy's own guard, which gives a slow peer up at 1,000 control frames that wait for it. */
const unguarded = {
  typed_extension_protocol_options: http2Options({ max_outbound_control_frames: 100_000 }),
};

const tcp: ListenAddress = { type: "tcp", host: "127.0.0.1", port: 0 };

function reset(): void {
  answer = (attributes) => allow(attributes);
  messages = [];
  cancels = 0;
  upstream?.forget();
}

/** The difference of Envoy's counters of one name over `act`. */
async function counted(
  envoy: EnvoyProcess,
  names: readonly string[],
  act: () => Promise<unknown>,
): Promise<number[]> {
  const read = async () => {
    const all = await envoy.counters("ext_authz");
    return names.map((name) => {
      const found = [...all].find(([key]) => key.startsWith("http.") && key.endsWith(`.${name}`));
      return found?.[1] ?? Number.NaN;
    });
  };
  const before = await read();
  await act();
  const after = await read();
  return after.map((value, at) => value - (before[at] ?? 0));
}

describe.skipIf(binary === "")("behind the real Envoy", () => {
  beforeAll(async () => {
    upstream = await startUpstream();
    reset();
  });

  afterAll(async () => {
    await upstream.close();
  });

  describe.each([
    { name: "strict, Unix socket", shape: strictConfig, raw: true, unix: true },
    { name: "strict, TCP", shape: strictConfig, raw: true, unix: false },
    { name: "Istio-shaped, Unix socket", shape: istioConfig, raw: false, unix: true },
    { name: "Istio-shaped, TCP", shape: istioConfig, raw: false, unix: false },
  ])("$name", ({ name, shape, raw, unix }) => {
    let envoy: EnvoyProcess;
    const own: (() => Promise<unknown>)[] = [];

    beforeAll(async () => {
      const runDir = socketFolder();
      const { address } = await listen(unix ? { type: "unix", path: join(runDir, "a.sock") } : tcp);
      envoy = await start(shape, [address], {
        contextExtensions: { "mesh-iam-service": "orders", "mesh-iam-account": "111122223333" },
        routes: [
          {
            match: { path: "/healthz" },
            direct_response: { status: 200, body: { inline_string: "ok" } },
            typed_per_filter_config: filterDisabled(),
          },
          {
            match: { prefix: "/merged" },
            route: { cluster: "app" },
            typed_per_filter_config: checkSettings({ "mesh-iam-service": "merged", toString: "x" }),
          },
        ],
      });
      own.push(...cleanups.splice(0));
    });

    afterEach(reset);
    afterAll(async () => {
      for (const clean of own.reverse()) await clean();
    });

    test("an allow reaches the application with who calls, and nothing forged", async () => {
      const reply = await http1Request(envoy.address, {
        target: "/v1/orders/42?a=b",
        headers: [
          ["x-mesh-iam-principal", "arn:aws:iam::111122223333:root"],
          ["X-Mesh-Iam-Principal", "arn:aws:iam::111122223333:root"],
          ["x-mesh-iam-context", "forged"],
          ["X-MESH-IAM-UNHEARD-OF", "forged"],
        ],
      });
      expect(reply.status).toBe(200);
      const [seen] = upstream.requests;
      expect(seen?.target).toBe("/v1/orders/42?a=b");
      const family = seen?.headers.filter(([key]) => key.replaceAll("_", "-").includes("mesh-iam"));
      expect(family?.toSorted()).toEqual([
        ["x-mesh-iam-account", "111122223333"],
        ["x-mesh-iam-decision-id", "00000000-0000-4000-8000-000000000001"],
        ["x-mesh-iam-principal", fakeRole.arn],
        ["x-mesh-iam-revision", "1.42"],
        ["x-mesh-iam-session", "s1"],
      ]);
    });

    test("HDR-002.4: the underscore form of an identity header never arrives", async () => {
      const reply = await http1Request(envoy.address, {
        headers: [["x_mesh_iam_principal", "forged"]],
      });
      expect(reply.status).toBe(raw ? 400 : 200);
      for (const { headers } of upstream.requests) {
        expect(headers.filter(([key]) => key.includes("_"))).toEqual([]);
      }
    });

    test("HDR-004: an anonymous allow strips all the same", async () => {
      answer = (attributes) => allow(attributes, { principal: { type: "anonymous" } });
      await http1Request(envoy.address, { headers: [["x-mesh-iam-principal", "forged"]] });
      const names = upstream.requests[0]?.headers.map(([key]) => key) ?? [];
      expect(names.filter((key) => key.startsWith("x-mesh-iam-")).toSorted()).toEqual([
        "x-mesh-iam-decision-id",
        "x-mesh-iam-revision",
      ]);
    });

    test("HDR-015: a header that is hidden from the application", async () => {
      answer = (attributes) => allow(attributes, { removeHeaders: ["authorization"] });
      await http1Request(envoy.address, { headers: [["authorization", "Bearer t"]] });
      expect(headerValues(upstream.requests[0] ?? { headers: [] }, "authorization")).toEqual([]);
    });

    test("HDR-008: a name with line breaks arrives as one escaped value", async () => {
      answer = (attributes) =>
        allow(attributes, { principal: { ...fakeRole, sessionName: "a\r\nx-admin: 1\0é" } });
      const reply = await http1Request(envoy.address);
      expect(reply.status).toBe(200);
      const seen = upstream.requests[0] ?? { headers: [] };
      expect(headerValues(seen, "x-mesh-iam-session")).toEqual(["a%0D%0Ax-admin: 1%00%C3%A9"]);
      expect(headerValues(seen, "x-admin")).toEqual([]);
    });

    test("a denial by policy: 403, AWS's body, not cached", async () => {
      answer = () => deny("explicit-deny", 403);
      const [ok, denied, error] = await counted(envoy, ["ok", "denied", "error"], async () => {
        const reply = await http1Request(envoy.address);
        expect(reply.status).toBe(403);
        expect(headerValues(reply, "content-type")).toEqual(["application/json"]);
        expect(headerValues(reply, "cache-control")).toEqual(["no-store"]);
        expect(JSON.parse(reply.body)).toEqual({
          __type: "AccessDeniedException",
          message: "not authorized to perform this action",
          decisionId: "00000000-0000-4000-8000-000000000001",
        });
      });
      expect([ok, denied, error]).toEqual([0, 1, 0]);
      expect(upstream.requests).toEqual([]);
    });

    test.each([
      { reason: "ambiguous-path", status: 400, want: "3" },
      { reason: "unauthenticated", status: 401, want: "16" },
      { reason: "implicit-deny", status: 403, want: "7" },
      { reason: "route-not-found", status: 404, want: "5" },
      { reason: "throttled", status: 429, want: "8" },
      { reason: "bundle-missing", status: 503, want: "14" },
      { reason: "internal", status: 503, want: "14" },
    ] as const)(
      "R2: gRPC and HTTP callers hear $status $reason",
      async ({ reason, status, want }) => {
        answer = (attributes) => deny(reason, status, attributes?.method === "POST");
        const grpc = await grpcRequest(envoy.address, "/shop.orders.v1.Orders/Get");
        expect(grpc).toMatchObject({ httpStatus: 200, grpcStatus: want });
        expect(grpc.grpcMessage).toContain("(decision 00000000-0000-4000-8000-000000000001)");
        const http = await http1Request(envoy.address);
        expect(http.status).toBe(status);
        expect(headerValues(http, "www-authenticate")).toEqual(status === 401 ? ["Bearer"] : []);
        expect(headerValues(http, "grpc-status")).toEqual([]);
      },
    );

    test("an allowed gRPC call reaches the application", async () => {
      const reply = await grpcRequest(envoy.address, "/shop.orders.v1.Orders/Get", {
        "x-mesh-iam-principal": "forged",
      });
      expect(reply).toMatchObject({ httpStatus: 200, grpcStatus: "0" });
      const seen = upstream.requests[0] ?? { headers: [] };
      expect(headerValues(seen, "x-mesh-iam-principal")).toEqual([fakeRole.arn]);
    });

    test("several headers of one name on a denial", async () => {
      answer = () =>
        forced({
          status: { code: 16 },
          httpResponse: {
            case: "deniedResponse",
            value: {
              status: { code: 401 },
              headers: [option("www-authenticate", "Bearer"), option("www-authenticate", "Basic")],
              body: "no",
            },
          },
        });
      const reply = await http1Request(envoy.address);
      expect(reply.status).toBe(401);
      expect(headerValues(reply, "www-authenticate")).toEqual(["Bearer", "Basic"]);
    });

    test.each([
      { why: "no status", bytes: forced({ httpResponse: { case: "okResponse", value: {} } }) },
      { why: "zero bytes", bytes: forced({}) },
      {
        why: "code 0 beside a denied response",
        bytes: forced({
          status: {},
          httpResponse: { case: "deniedResponse", value: { status: { code: 403 } } },
        }),
      },
    ])("why the encoder always writes the status: $why is an ALLOW", async ({ bytes }) => {
      // A listener refuses zero bytes, so an empty CheckResponse is sent as an unknown field.
      answer = () => (bytes.length > 0 ? bytes : Buffer.from("f80101", "hex"));
      expect((await http1Request(envoy.address)).status).toBe(200);
      expect(upstream.requests).toHaveLength(1);
    });

    test("HDR-006: why a name is never set and removed: it ends removed", async () => {
      answer = () =>
        forced({
          status: {},
          httpResponse: {
            case: "okResponse",
            value: {
              headers: [option("x-mesh-iam-principal", "ours")],
              headersToRemove: ["x-mesh-iam-principal"],
            },
          },
        });
      await http1Request(envoy.address);
      const seen = upstream.requests[0] ?? { headers: [] };
      expect(headerValues(seen, "x-mesh-iam-principal")).toEqual([]);
    });

    test("HDR-010: a check that throws denies with 503, and is no error to Envoy", async () => {
      answer = () => {
        throw new Error("boom");
      };
      const [denied, error] = await counted(envoy, ["denied", "error"], async () => {
        const reply = await http1Request(envoy.address);
        expect(reply.status).toBe(503);
        expect(JSON.parse(reply.body)).toMatchObject({ __type: "ServiceUnavailable" });
      });
      expect([denied, error]).toEqual([1, 0]);
      expect(upstream.requests).toEqual([]);
    });

    test("R3: a check that cannot finish in time denies before Envoy's timeout", async () => {
      answer = () => new Promise(() => {});
      const [denied, error] = await counted(envoy, ["denied", "error"], async () => {
        const reply = await http1Request(envoy.address);
        expect(reply.status).toBe(503);
        expect(JSON.parse(reply.body)).toMatchObject({ __type: "ServiceUnavailable" });
      });
      expect([denied, error]).toEqual([1, 0]);
      expect(upstream.requests).toEqual([]);
    });

    test("a client that goes away cancels its check", async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      answer = () => {
        resolve();
        return new Promise(() => {});
      };
      const [host = "", port = ""] = envoy.address.split(":");
      const socket = connect(Number(port), host);
      socket.on("error", () => {});
      socket.write("GET / HTTP/1.1\r\nhost: orders\r\n\r\n");
      await promise;
      socket.resetAndDestroy();
      await expect.poll(() => cancels).toBe(1);
    });

    test("R8: dynamic metadata is in the access log, on allow and on deny", async () => {
      const before = (await envoy.accessLog(0)).length;
      await http1Request(envoy.address, { target: "/allowed" });
      answer = () => deny("explicit-deny", 403);
      await http1Request(envoy.address, { target: "/denied" });
      const lines = (await envoy.accessLog(before + 2)).slice(before);
      const metadata = {
        principal: fakeRole.arn,
        account: "111122223333",
        action: "orders:GetOrder",
        resource: "arn:aws:orders:eu-west-1:111122223333:order/42",
        bundle_revision: "1.42",
        cache: "miss",
        mode: "enforce",
        decision_id: "00000000-0000-4000-8000-000000000001",
        shadow_decision: null,
      };
      expect(lines.find(({ path }) => path === "/allowed")).toMatchObject({
        ...metadata,
        status: 200,
        decision: "allowed",
        reason: "identity-policy",
        authz_ms: expect.any(Number),
      });
      expect(lines.find(({ path }) => path === "/denied")).toMatchObject({
        ...metadata,
        status: 403,
        details: "ext_authz_denied",
        flags: "UAEX",
        decision: "explicitDeny",
        reason: "explicit-deny",
        authz_ms: null,
      });
    });

    test("a route with the filter off and a request without a route are not checked", async () => {
      expect((await http1Request(envoy.address, { target: "/healthz" })).body).toBe("ok");
      expect((await http1Request(envoy.address, { method: "OPTIONS", target: "*" })).status).toBe(
        404,
      );
      expect(messages).toEqual([]);
    });

    test.runIf(raw)("context extensions of virtual host and route are merged", async () => {
      const seen: (string | undefined)[][] = [];
      answer = (attributes) => {
        seen.push(
          ["mesh-iam-service", "mesh-iam-account", "toString"].map((extension) =>
            attributes?.contextExtension(extension),
          ),
        );
        return allow(attributes);
      };
      await http1Request(envoy.address, { target: "/" });
      await http1Request(envoy.address, { target: "/merged/a" });
      expect(seen).toEqual([
        ["orders", "111122223333", undefined],
        ["merged", "111122223333", "x"],
      ]);
    });

    test("what Envoy sends is read alike by the scanner and by protobuf-es", async () => {
      await http1Request(envoy.address, {
        target: "/v1/orders/42?a=b&c=%2F",
        host: "Orders:8080",
        headers: [
          ["x-a", "1"],
          ["x-a", "2"],
          ["x-bytes", Buffer.from("61e9ff62e28228f09f98807a", "hex")],
          ["authorization", "Bearer a"],
          ["authorization", "Bearer b"],
          ["x-mesh-iam-principal", "forged"],
        ],
      });
      await http2Request(envoy.address, { method: "POST", target: "/v1/orders", body: "{}" });
      await grpcRequest(envoy.address, "/shop.orders.v1.Orders/Get");
      const names = [...headerNames, "x-bytes"];
      const captured = messages.map((message) => {
        const attributes = decoder.decode(message);
        if (isDenied(attributes)) throw new Error(attributes.detail);
        const view = scannerView(attributes, names);
        expect(view).toEqual(oracleView(fromBinary(CheckRequestSchema, message), names));
        return { name, base64: message.toString("base64"), view };
      });
      expect(captured).toHaveLength(3);
      expect(captured[0]?.view).toMatchObject({
        hasRequest: true,
        method: "GET",
        target: "/v1/orders/42?a=b&c=%2F",
        rawPath: "/v1/orders/42?a=b&c=%2F",
        rawPathCount: 1,
        rawHeaders: raw,
        host: raw ? "Orders" : "Orders:8080",
        scheme: "http",
        protocol: "HTTP/1.1",
        sourceAddress: "127.0.0.1",
        sourcePrincipal: "",
        identityHeaderNames: ["x-mesh-iam-principal"],
      });
      const attributes = decoder.decode(messages[0] ?? Buffer.alloc(0));
      if (isDenied(attributes)) throw new Error(attributes.detail);
      expect(attributes.header("x-a")).toEqual({ value: "1,2", count: raw ? 2 : 1 });
      expect(attributes.header("x-bytes")?.value).toBe("a!!b!!(😀z");
      expect(attributes.header("host")).toBeUndefined();
      if (process.env.MESH_IAM_UPDATE_FIXTURES === "true") keep(captured);
    });
  });

  function keep(captured: readonly { name: string; base64: string; view: object }[]): void {
    kept.push(...captured);
    const list = kept.map(({ name, base64, view }) => {
      const { destinationLabels, ...rest } = view as {
        destinationLabels: ReadonlyMap<string, string>;
      };
      return { name, base64, view: { ...rest, destinationLabels: [...destinationLabels] } };
    });
    writeFileSync(fixture, `${JSON.stringify(list, null, 2)}\n`);
  }

  describe("one by one", () => {
    afterEach(async () => {
      for (const clean of cleanups.splice(0).reverse()) await clean();
      reset();
    });

    test("mTLS: the client's URI SAN is the principal, the certificate is there", async () => {
      const authority = await createCertificateAuthority("e2e", new Date(), 3_600_000);
      const server = await authority.issue({
        commonName: "envoy",
        uris: ["spiffe://cluster.local/ns/shop/sa/orders"],
        dnsNames: ["localhost"],
        ipAddresses: [],
      });
      const client = await authority.issue({
        commonName: "cart",
        uris: ["spiffe://cluster.local/ns/shop/sa/cart"],
        dnsNames: ["cart.example.com"],
        ipAddresses: [],
      });
      const { address } = await listen(tcp);
      const tls = { ...server, clientAuthorities: authority.certificate };
      const envoy = await start(strictConfig, [address], { tls });
      let seen: object | null = null;
      answer = (attributes) => {
        if (attributes !== null) seen = scannerView(attributes, ["x-forwarded-client-cert"]);
        return allow(attributes);
      };
      const ca = authority.certificate;
      const withCertificate = { ca, cert: client.certificate, key: client.privateKey };
      expect((await http1Request(envoy.address, { tls: withCertificate })).status).toBe(200);
      expect(seen).toMatchObject({
        sourcePrincipal: "spiffe://cluster.local/ns/shop/sa/cart",
        destinationPrincipal: "spiffe://cluster.local/ns/shop/sa/orders",
        hasPeerCertificate: true,
        serverName: "localhost",
        scheme: "https",
        headers: [
          {
            count: 1,
            value: expect.stringContaining("URI=spiffe://cluster.local/ns/shop/sa/cart"),
          },
        ],
      });
      if (process.env.MESH_IAM_UPDATE_FIXTURES === "true") {
        keep([
          {
            name: "strict, mTLS",
            base64: messages[0]?.toString("base64") ?? "",
            view: viewOf(messages[0]),
          },
        ]);
      }
      expect((await http2Request(envoy.address, { tls: { ca } })).status).toBe(200);
      expect(seen).toMatchObject({ sourcePrincipal: "", hasPeerCertificate: false });
    });

    function viewOf(message: Buffer | undefined): object {
      const attributes = decoder.decode(message ?? Buffer.alloc(0));
      if (isDenied(attributes)) throw new Error(attributes.detail);
      return scannerView(attributes, [...headerNames, "x-bytes"]);
    }

    test("an authorizer that is not there: 503, counted as an error, nothing passes", async () => {
      const envoy = await start(strictConfig, [join(socketFolder(), "none.sock")]);
      const [denied, error] = await counted(envoy, ["denied", "error"], async () => {
        const reply = await http1Request(envoy.address);
        expect([reply.status, reply.body]).toEqual([503, ""]);
      });
      expect([denied, error]).toEqual([0, 1]);
      expect(upstream.requests).toEqual([]);
    });

    test("an authorizer that hangs: 503 by Envoy at its timeout, and it resets the call", async () => {
      const resets: number[] = [];
      const http2 = createHttp2Server();
      http2.on("stream", (stream) => {
        stream.on("error", () => {});
        stream.on("close", () => resets.push(stream.rstCode ?? -1));
      });
      await new Promise<void>((resolve) => http2.listen(0, "127.0.0.1", resolve));
      cleanups.push(async () => http2.close());
      const { port } = http2.address() as AddressInfo;
      const envoy = await start(istioConfig, [`127.0.0.1:${port}`]);
      const [denied, error] = await counted(envoy, ["denied", "error"], async () => {
        const reply = await http1Request(envoy.address);
        expect([reply.status, reply.body]).toEqual([503, ""]);
      });
      expect([denied, error]).toEqual([0, 1]);
      await expect.poll(() => resets.length).toBe(1);
      expect(resets[0]).not.toBe(constants.NGHTTP2_NO_ERROR);
      expect(upstream.requests).toEqual([]);
    });

    test("a fail-open filter lets errors pass, never our denials", async () => {
      const { address, listener } = await listen(tcp);
      const envoy = await start(strictConfig, [address], { filter: { failure_mode_allow: true } });
      answer = () => {
        throw new Error("boom");
      };
      expect((await http1Request(envoy.address)).status).toBe(503);
      answer = () => internalDenial("x");
      expect((await http1Request(envoy.address)).status).toBe(503);
      answer = () => deny("overloaded", 503);
      expect((await http1Request(envoy.address)).status).toBe(503);
      expect(upstream.requests).toEqual([]);

      // Why the encoder never sends `error_response`: from 1.37 on it is let through.
      answer = () =>
        forced({
          status: { code: 13 },
          httpResponse: { case: "errorResponse", value: { status: { code: 503 } } },
        });
      expect((await http1Request(envoy.address)).status).toBe(200);
      await listener.close();
      expect((await http1Request(envoy.address)).status).toBe(200);
    });

    test("HDR-013: a listener that hides identity headers from us still loses them", async () => {
      const { address } = await listen(tcp);
      const envoy = await start(strictConfig, [address], {
        filter: { allowed_headers: { patterns: [{ exact: "authorization" }] } },
      });
      let names: readonly string[] = ["unset"];
      answer = (attributes) => {
        names = attributes?.identityHeaderNames ?? [];
        return allow(attributes);
      };
      await http1Request(envoy.address, {
        headers: [
          ["x-mesh-iam-principal", "forged"],
          ["x-mesh-iam-context", "forged"],
        ],
      });
      expect(names).toEqual([]);
      const seen = upstream.requests[0] ?? { headers: [] };
      expect(headerValues(seen, "x-mesh-iam-principal")).toEqual([fakeRole.arn]);
      expect(headerValues(seen, "x-mesh-iam-context")).toEqual([]);
    });

    test("REL-004: one of two authorizers drains under load and no check fails", async () => {
      const first = await listen(tcp);
      const second = await listen(tcp);
      const envoy = await start(strictConfig, [first.address, second.address]);
      const statuses = new Map<number, number>();
      let running = true;
      const load = Array.from({ length: 8 }, async () => {
        while (running) {
          const { status } = await http1Request(envoy.address);
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
        }
      });
      const answered = () => [...statuses.values()].reduce((sum, count) => sum + count, 0);
      // Both have served and serve on: the drain falls into the middle of the load.
      await expect.poll(() => first.listener.counters().connections, soon).toBeGreaterThan(0);
      await expect.poll(answered, soon).toBeGreaterThan(50);
      await first.listener.drain({ drainSeconds: 0.6 });
      const whenDrained = answered();
      await expect.poll(answered, soon).toBeGreaterThan(whenDrained + 50);
      running = false;
      await Promise.all(load);
      expect([...statuses.keys()]).toEqual([200]);
      const errors = await envoy.counters("ext_authz.*error");
      expect([...errors.values()].every((value) => value === 0)).toBe(true);
    });

    test("H2-002: cancels of other clients never cut off an honest one", async () => {
      const { address } = await listen(tcp);
      const envoy = await start(istioConfig, [address], {
        concurrency: 1,
        timeout: "5s",
        cluster: unguarded,
      });
      answer = (attributes) =>
        attributes?.target === "/slow" ? new Promise(() => {}) : allow(attributes);
      const [host = "", port = ""] = envoy.address.split(":");
      let failures = 0;
      let asked = 0;
      for (let step = 0; step < 120; step++) {
        for (let n = 0; n < 25; n++) {
          const socket = connect(Number(port), host);
          socket.on("error", () => {});
          socket.write("GET /slow HTTP/1.1\r\nhost: orders\r\n\r\n");
          setTimeout(() => socket.resetAndDestroy(), 10);
        }
        asked += 1;
        if ((await http1Request(envoy.address)).status !== 200) failures += 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await expect.poll(() => cancels).toBeGreaterThan(2000);
      const connections = await envoy.counters("cluster.mesh_iam.upstream_cx_(total|destroy)$");
      expect(failures).toBe(0);
      expect(asked).toBe(120);
      expect([...connections.values()]).toEqual([0, 1]);
    });

    test("a TCP listener: the check has no request, a denial closes the connection", async () => {
      const { address } = await listen(tcp);
      const envoy = await start(tcpConfig, [address]);
      let seen: object | null = null;
      answer = (attributes) => {
        if (attributes !== null) seen = scannerView(attributes, []);
        return allow(attributes);
      };
      expect((await http1Request(envoy.address)).status).toBe(200);
      expect(seen).toMatchObject({
        hasRequest: false,
        method: "",
        target: "",
        rawPath: null,
        sourceAddress: "127.0.0.1",
        destinationPort: Number(envoy.address.split(":")[1]),
      });
      answer = () => deny("implicit-deny", 403);
      const refused = await http1Request(envoy.address).then(
        ({ status }) => status,
        (cause: NodeJS.ErrnoException) => cause.code,
      );
      expect([0, "ECONNRESET"]).toContain(refused);
      expect(upstream.requests).toHaveLength(1);
    });

    test("Envoy's counters have the names that our documentation tells", async () => {
      const { address } = await listen(tcp);
      const envoy = await start(strictConfig, [address]);
      await http1Request(envoy.address);
      const text = await envoy.admin("/stats/prometheus?filter=ext_authz");
      for (const name of ["ok", "denied", "error", "failure_mode_allowed", "invalid"]) {
        expect(text).toContain(
          `envoy_http_ext_authz_${name}{envoy_ext_authz_prefix="mesh_iam",envoy_http_conn_manager_prefix="ingress"}`,
        );
      }
      expect(text).toContain(
        `envoy_cluster_ext_authz_ok{envoy_cluster_name="app",envoy_ext_authz_prefix="mesh_iam"} 1`,
      );
      expect(envoy.log()).toBe("");
    });

    test("every reason's denial is a denial to Envoy", async () => {
      const { address } = await listen(tcp);
      const envoy = await start(istioConfig, [address]);
      let asked = 0;
      for (const reason of reasons) {
        if (fakeOutcome(reason).answer.type === "allow") continue;
        answer = () => deny(reason, 403);
        expect((await http1Request(envoy.address)).status).toBe(403);
        asked += 1;
      }
      expect(asked).toBeGreaterThan(30);
      expect(upstream.requests).toEqual([]);
    });
  });
});
