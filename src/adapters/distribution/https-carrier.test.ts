import { execFile } from "node:child_process";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import { createTlsFiles, noFiles } from "../../../test/fakes/tls-files.ts";
import type { CarrierPath } from "./carrier-path.ts";
import { createHttpsCarrier, type HttpsCarrierOptions } from "./https-carrier.ts";
import { nodeDisk } from "./node-disk.ts";
import { systemClock } from "./system-clock.ts";

const path: CarrierPath = { type: "head", org: "o-acme", slice: "all" };

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

function carrierTo(url: string, changes: Partial<HttpsCarrierOptions> = {}) {
  const options = { url, files: noFiles, ...changes };
  const carrier = createHttpsCarrier(options, nodeDisk, systemClock);
  opened.push(() => carrier.close());
  return carrier;
}

/** Returns the address of a server that does with each connection what it is told. */
async function rawServer(serve: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => serve(socket));
  });
  opened.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function httpServer(serve: RequestListener): Promise<string> {
  const server = createHttpServer(serve);
  opened.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("bytes of a declared length arrive as they were sent, under the prefix of the address", async () => {
  const asked: (string | undefined)[] = [];
  const url = await httpServer((request, response) => {
    asked.push(request.url, request.headers["accept-encoding"]);
    response.setHeader("content-length", 3);
    response.end("abc");
  });
  const fetched = await carrierTo(`${url}/bundles/`).get(path, 3);
  expect(fetched).toEqual({ ok: true, bytes: Buffer.from("abc") });
  expect(asked).toEqual(["/bundles/v1/heads/o-acme/all", "identity"]);
});

const answer = (head: string, body: string) => (socket: Socket) => {
  socket.write(`HTTP/1.1 ${head}\r\n\r\n${body}`);
};

describe("an answer that is not taken", () => {
  test.each([
    {
      why: "BND-039 a redirect is not followed",
      serve: answer("302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0", ""),
      want: "answered with status 302",
    },
    {
      why: "BND-039.2 a declared length above the bound, before a byte of it is read",
      serve: answer("200 OK\r\ncontent-length: 5000000000", "x".repeat(1000)),
      want: "declared 5000000000 bytes, expected at most 100",
    },
    {
      why: "BND-039.5 a body that never ends, without a length",
      serve: answer("200 OK\r\ntransfer-encoding: chunked", "a\r\n0123456789\r\n".repeat(100)),
      want: "answered without a declared length",
    },
    {
      why: "a body until the connection ends",
      serve: answer("200 OK\r\nconnection: close", "abc"),
      want: "answered without a declared length",
    },
    {
      why: "BND-008 a content coding nobody asked for: a bomb of another kind",
      serve: answer("200 OK\r\ncontent-length: 3\r\ncontent-encoding: br", "abc"),
      want: "answered with a content coding, which was not asked for",
    },
    {
      why: "two lengths, a smuggler's pair",
      serve: answer("200 OK\r\ncontent-length: 3\r\ncontent-length: 4", "abcd"),
      want: "cannot fetch",
    },
    {
      why: "BND-039.1 less than it declared",
      serve: (socket: Socket) => {
        socket.end("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc");
      },
      want: "sent 3 bytes|broke off|cannot fetch",
    },
    {
      why: "headers without an end",
      serve: (socket: Socket) => {
        socket.write(`HTTP/1.1 200 OK\r\n${"x-more: and more\r\n".repeat(5_000)}`);
      },
      want: "cannot fetch: `HPE_HEADER_OVERFLOW`",
    },
    {
      why: "no HTTP at all",
      serve: (socket: Socket) => {
        socket.write("220 smtp ready\r\n");
      },
      want: "cannot fetch",
    },
    {
      why: "an end without an answer",
      serve: (socket: Socket) => {
        socket.destroy();
      },
      want: "cannot fetch: `ECONNRESET`",
    },
  ])("$why", async ({ serve, want }) => {
    const carrier = carrierTo(await rawServer(serve), { timeoutMs: 5_000 });
    const fetched = await carrier.get(path, 100);
    expect(fetched).toMatchObject({ ok: false, result: "network" });
    expect(fetched.ok ? "" : fetched.detail).toMatch(new RegExp(want));
  });

  test.each([
    { status: 401, result: "auth", retryAfterMs: null },
    { status: 403, result: "auth", retryAfterMs: null },
    { status: 404, result: "network", retryAfterMs: 7_000 },
    { status: 429, result: "network", retryAfterMs: 7_000 },
    { status: 503, result: "network", retryAfterMs: 7_000 },
  ])("status $status", async ({ status, result, retryAfterMs }) => {
    const url = await httpServer((_, response) => {
      response.writeHead(status, { "retry-after": "7", "content-length": 0 });
      response.end();
    });
    expect(await carrierTo(url).get(path, 100)).toEqual({
      ok: false,
      result,
      detail: `answered with status ${status}`,
      retryAfterMs,
    });
  });
});

test.each([
  { why: "says nothing", serve: () => {} },
  {
    why: "drips its headers",
    serve: (socket: Socket) => {
      const timer = setInterval(() => socket.write("x"), 5);
      socket.on("close", () => clearInterval(timer));
      socket.write("HTTP/1.1 200 OK\r\nx-slow: ");
    },
  },
  {
    why: "drips its body",
    serve: (socket: Socket) => {
      const timer = setInterval(() => socket.write("x"), 5);
      socket.on("close", () => clearInterval(timer));
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n");
    },
  },
])("BND-039.5 slowloris: a server that $why is cut at the time-out", async ({ serve }) => {
  let closed = 0;
  const url = await rawServer((socket) => {
    socket.once("close", () => closed++);
    serve(socket);
  });
  const fetched = await carrierTo(url, { timeoutMs: 100 }).get(path, 1_000_000);
  expect(fetched).toMatchObject({ ok: false, detail: "expected an answer within 100 ms" });
  await expect.poll(() => closed).toBe(1);
});

test("nobody listens: the reason is named, no address", async () => {
  const url = await rawServer(() => {});
  await opened.pop()?.();
  const fetched = await carrierTo(url).get(path, 100);
  expect(fetched).toMatchObject({ ok: false, detail: "cannot fetch: `ECONNREFUSED`" });
});

test("no proxy of the environment is asked", async () => {
  let asked = 0;
  const proxy = await rawServer((socket) => {
    asked++;
    socket.destroy();
  });
  const url = await httpServer((_, response) => {
    response.setHeader("content-length", 2);
    response.end("ok");
  });
  const modules = import.meta.dirname;
  const script = `
    import { createHttpsCarrier } from "${modules}/https-carrier.ts";
    import { nodeDisk } from "${modules}/node-disk.ts";
    import { systemClock } from "${modules}/system-clock.ts";
    const files = ${JSON.stringify(noFiles)};
    const carrier = createHttpsCarrier({ url: "${url}", files }, nodeDisk, systemClock);
    const fetched = await carrier.get(${JSON.stringify(path)}, 100);
    await carrier.close();
    console.log(fetched.ok ? Buffer.from(fetched.bytes).toString() : fetched.detail);
  `;
  const environment = { NODE_USE_ENV_PROXY: "1", HTTP_PROXY: proxy, http_proxy: proxy };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "--eval", script],
    { env: environment },
  );
  expect([stdout.trim(), asked]).toEqual(["ok", 0]);
});

test("close ends what is under way, and nothing is fetched afterwards", async () => {
  const carrier = carrierTo(await rawServer(() => {}));
  const fetching = carrier.get(path, 100);
  await new Promise((resolve) => setTimeout(resolve, 20));
  await carrier.close();
  expect(await fetching).toMatchObject({ ok: false, detail: "closed" });
  expect(await carrier.get(path, 100)).toMatchObject({ ok: false, detail: "closed" });
});

describe("over TLS", () => {
  const spiffeId = "spiffe://cluster.local/ns/shop/sa/orders";

  async function secured(requestCert = true) {
    const tls = await createTlsFiles(spiffeId);
    opened.push(tls.remove);
    const seen: { readonly name: string; readonly token: string | undefined }[] = [];
    let connections = 0;
    const server = createHttpsServer(
      {
        cert: tls.server.certificate,
        key: tls.server.privateKey,
        ca: tls.authority.certificate,
        requestCert,
        rejectUnauthorized: requestCert,
      },
      (request, response) => {
        const peer = (request.socket as TLSSocket).getPeerCertificate();
        seen.push({ name: peer.subjectaltname ?? "", token: request.headers.authorization });
        response.writeHead(200, { "content-length": 2 }).end("ok");
      },
    );
    server.on("secureConnection", () => connections++);
    opened.push(
      () => server.closeAllConnections(),
      () => server.close(),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `https://localhost:${(server.address() as AddressInfo).port}`;
    return { tls, url, seen, connections: () => connections };
  }

  test("certificate and token are read again when they change, a connection is kept else", async () => {
    const { tls, url, seen, connections } = await secured();
    const carrier = carrierTo(url, { files: tls.files });
    expect((await carrier.get(path, 100)).ok).toBe(true);
    tls.writeToken("token-2");
    expect((await carrier.get(path, 100)).ok).toBe(true);
    expect(connections()).toBe(1);
    await tls.rotate(`${spiffeId}-2`);
    expect((await carrier.get(path, 100)).ok).toBe(true);
    expect(connections()).toBe(2);
    expect(seen).toEqual([
      { name: `URI:${spiffeId}`, token: "Bearer token-1" },
      { name: `URI:${spiffeId}`, token: "Bearer token-2" },
      { name: `URI:${spiffeId}-2`, token: "Bearer token-2" },
    ]);
  });

  test("a server whose certificate nobody vouches for gets no request and no token", async () => {
    const { tls, url, seen } = await secured(false);
    const carrier = carrierTo(url, { files: { ...noFiles, tokenFile: tls.files.tokenFile } });
    expect(await carrier.get(path, 100)).toMatchObject({ ok: false, result: "network" });
    expect(seen).toEqual([]);
  });

  test("a server of another name gets none either", async () => {
    const { tls, url, seen } = await secured(false);
    const carrier = carrierTo(url.replace("localhost", "127.0.0.2"), {
      files: { ...noFiles, caFile: tls.files.caFile },
    });
    expect(await carrier.get(path, 100)).toMatchObject({ ok: false });
    expect(seen).toEqual([]);
  });

  test.each([
    { why: "a token with a line break", name: "token", text: "a\r\nx-evil: 1" },
    { why: "an empty token", name: "token", text: "\n" },
    { why: "no certificate", name: "cert.pem", text: "hunter2" },
    { why: "the key of another certificate", name: "key.pem", text: "hunter2" },
    { why: "no authority", name: "ca.pem", text: "hunter2" },
  ])("$why: nothing is sent, and no byte of it is told", async ({ name, text }) => {
    const { tls, url, seen } = await secured();
    const { writeFileSync } = await import("node:fs");
    writeFileSync(`${tls.folder}/${name}`, text);
    const fetched = await carrierTo(url, { files: tls.files }).get(path, 100);
    expect(fetched).toMatchObject({ ok: false, result: "auth" });
    expect(fetched.ok ? "" : fetched.detail).not.toMatch(/hunter2|evil/);
    expect(seen).toEqual([]);
  });

  test("a file that is not there is named", async () => {
    const { tls, url } = await secured();
    const files = { ...tls.files, tokenFile: `${tls.folder}/gone` };
    const fetched = await carrierTo(url, { files }).get(path, 100);
    expect(fetched).toMatchObject({
      ok: false,
      detail: `cannot read \`${files.tokenFile}\`: ENOENT`,
    });
  });
});
