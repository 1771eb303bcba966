import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { createDiagnostics, type Diagnostics, type DiagnosticsOptions } from "./diagnostics.ts";
import { createMetrics } from "./metrics.ts";

const canary = "c4n4ry-5ecret-VALUE";
const open: Diagnostics[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

const metrics = createMetrics({
  build: { component: "authorizer", version: "0.1.0", commit: "unknown" },
});

async function served(options: Partial<DiagnosticsOptions> = {}): Promise<number> {
  const diagnostics = createDiagnostics({
    closeGraceMs: 1_000,
    scrape: metrics.scrape,
    live: () => true,
    ready: () => true,
    status: () => ({ ready: true }),
    onError: () => {},
    ...options,
  });
  open.push(diagnostics);
  const { port } = await diagnostics.listen({ host: "127.0.0.1", port: 0 });
  return port;
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask(port: number, path: string, method = "GET", headers = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port, path, method, headers }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        body += part;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
    request.on("error", reject);
    request.end(method === "POST" ? "x" : undefined);
  });
}

test("metrics are served in the form that is asked for", async () => {
  const port = await served();
  const text = await ask(port, "/metrics");
  expect(text.status).toBe(200);
  expect(text.headers["content-type"]).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(text.body).toContain("mesh_iam_bundle_ready 0\n");
  const open = await ask(port, "/metrics", "GET", { accept: "application/openmetrics-text" });
  expect(open.headers["content-type"]).toMatch(/^application\/openmetrics-text/);
  expect(open.body.endsWith("# EOF\n")).toBe(true);
});

test.each([
  { path: "/health/live", part: { live: () => false }, body: '{"status":"not-live"}\n' },
  { path: "/health/ready", part: { ready: () => false }, body: '{"status":"not-ready"}\n' },
])("$path answers 200 while it is true and 503 while it is not", async ({ path, part, body }) => {
  expect((await ask(await served(), path)).status).toBe(200);
  const reply = await ask(await served(part), path);
  expect(reply).toMatchObject({ status: 503, body });
});

test("the status is JSON, and secrets in it are not shown", async () => {
  const port = await served({ status: () => ({ source: "documents", token: canary, at: 1 }) });
  const reply = await ask(port, "/status?pretty");
  expect(JSON.parse(reply.body)).toEqual({ source: "documents", token: "[redacted]", at: 1 });
  expect(reply.headers["cache-control"]).toBe("no-store");
});

test.each(["/", "/metrics/", "//metrics", "/health", "/status/../metrics", "/%6detrics", "*"])(
  "%s is not found",
  async (path) => {
    expect((await ask(await served(), path)).status).toBe(404);
  },
);

test.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])(
  "%s changes nothing: 405",
  async (method) => {
    const reply = await ask(await served(), "/status", method);
    expect(reply).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
  },
);

test("HEAD answers as GET does, without the body", async () => {
  const reply = await ask(await served(), "/health/ready", "HEAD");
  expect(reply).toMatchObject({ status: 200, body: "", headers: { "content-length": "19" } });
});

test("a handler that throws is a 500 that tells nothing, and its cause is reported", async () => {
  const failures: unknown[] = [];
  const port = await served({
    status: () => {
      throw new Error(canary);
    },
    onError: (failure) => failures.push(failure),
  });
  const reply = await ask(port, "/status");
  expect(reply).toMatchObject({ status: 500, body: '{"error":"internal"}\n' });
  expect(failures).toMatchObject([{ message: canary }]);
});

test("headers above the limit are refused, and the next request is answered", async () => {
  const port = await served();
  const reply = await ask(port, "/metrics", "GET", { "x-long": "a".repeat(9_000) });
  expect(reply.status).toBe(431);
  expect((await ask(port, "/health/live")).status).toBe(200);
});

test("bytes that are no HTTP close the connection, not the listener", async () => {
  const port = await served();
  await new Promise<void>((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("\u0016\u0003\u0001\u0002\u0000"));
    socket.on("close", () => resolve());
    socket.on("error", reject);
    socket.resume();
  });
  expect((await ask(port, "/health/live")).status).toBe(200);
});

test.each([
  { why: "says nothing", sent: "" },
  { why: "sent half a request", sent: "GET /metrics HTTP/1.1\r\nhost: a" },
])("a peer that $why does not hold up the end", async ({ sent }) => {
  const port = await served({ closeGraceMs: 20 });
  const socket = connect(port, "127.0.0.1");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  socket.write(sent);
  socket.on("error", () => {});
  // The server has the connection, and what was sent, once it answers a later one.
  expect((await ask(port, "/health/live")).status).toBe(200);
  await open.pop()?.close();
  await closed;
});

test("a request under way is answered before the end", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const port = await served({
    scrape: async (accept) => {
      await promise;
      return metrics.scrape(accept);
    },
  });
  const answer = ask(port, "/metrics");
  expect((await ask(port, "/health/live")).status).toBe(200);
  const closing = open.pop()?.close();
  resolve();
  expect((await answer).status).toBe(200);
  await closing;
});

test("a crowd of scrapers costs one scrape", async () => {
  let scrapes = 0;
  const crowded = createMetrics({
    level: "minimal",
    build: { component: "authorizer", version: "0.1.0", commit: "unknown" },
  });
  crowded.read({
    connections: () => {
      scrapes++;
      return scrapes;
    },
  });
  await crowded.scrape(undefined);
  const bodies = Array.from({ length: 20 }, () => crowded.scrape(undefined));
  expect(new Set((await Promise.all(bodies)).map(({ body }) => body)).size).toBe(1);
  expect(scrapes).toBe(2);
});

test("an address that is taken is said to be", async () => {
  const port = await served();
  const second = createDiagnostics({
    scrape: metrics.scrape,
    live: () => true,
    ready: () => true,
    status: () => ({}),
    onError: () => {},
  });
  await expect(second.listen({ host: "127.0.0.1", port })).rejects.toMatchObject({
    code: "address-in-use",
    message: `another process listens on \`127.0.0.1:${port}\``,
  });
  await expect(second.listen({ host: "203.0.113.1", port: 1 })).rejects.toMatchObject({
    code: "address-invalid",
  });
});
