import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import { connect, createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, connect as connectSocket } from "node:net";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sampleDirectory, user } from "../../../test/fakes/bundle-directory.ts";
import { nowMs } from "../../../test/fakes/bundle-keys.ts";
import { ManualClock } from "../../../test/fakes/manual-clock.ts";
import { org, ServedOrganization } from "../../../test/fakes/served-organization.ts";
import {
  WatchEventSchema,
  WatchRequestSchema,
} from "../../gen/meshiam/bundle/v1/bundle_service_pb.ts";
import type { Scope } from "./scope.ts";
import { type ServeBundlesOptions, serveBundles } from "./serve-bundles.ts";
import { systemClock } from "./system-clock.ts";

const named = (name: string) => sampleDirectory({ users: [user(name)] });

const scopes: Readonly<Record<string, Scope>> = {
  orders: { org, slice: "all" },
  billing: { org, slice: "111122223333.billing" },
  foreign: { org: "o-other", slice: "all" },
};

let clock: ManualClock;
let served: ServedOrganization;
let failures: unknown[];
const opened: (() => unknown)[] = [];

beforeEach(() => {
  clock = new ManualClock(nowMs);
  served = new ServedOrganization(clock, { scopeOf: (identity) => scopes[identity] ?? null });
  failures = [];
});

afterEach(async () => {
  served.server.close();
  for (const close of opened.splice(0).reverse()) await close();
});

/** Who says so is who it is: the tests' authenticator. */
const byHeader: ServeBundlesOptions = {
  authenticate({ headers }) {
    const identity = headers["x-identity"];
    return typeof identity === "string" ? { identity, instance: null } : null;
  },
  onError: (failure) => failures.push(failure),
  clock: systemClock,
};

async function listening(changes: Partial<ServeBundlesOptions> = {}): Promise<string> {
  const server = createServer(serveBundles(served.server, { ...byHeader, ...changes }));
  opened.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const as = (identity: string, method = "GET") => ({ method, headers: { "x-identity": identity } });

test("a head is served as it is now, and never from a cache", async () => {
  const { sealedHead } = served.publish(named("first"));
  const url = await listening();
  const response = await fetch(`${url}/v1/heads/${org}/all`, as("orders"));
  expect(response.headers.get("cache-control")).toBe("private, no-store");
  expect(response.headers.get("content-encoding")).toBeNull();
  expect(response.headers.get("content-length")).toBe(String(sealedHead.length));
  expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from(sealedHead));
});

test("objects and key sets are what they are for ever", async () => {
  const { objects } = served.publish(named("first"));
  const url = await listening();
  for (const [digest, frame] of objects) {
    const response = await fetch(`${url}/v1/objects/${digest}`, as("orders"));
    expect(response.headers.get("cache-control")).toBe("private, max-age=31536000, immutable");
    expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from(frame));
  }
  const response = await fetch(`${url}/v1/keysets/${org}/1`, as("orders"));
  expect(response.status).toBe(200);
  expect(response.headers.get("cache-control")).toMatch(/immutable/);
});

describe("BND-018 BUN-37 what is not of the own slice is like what does not exist", () => {
  test.each([
    { why: "another slice's head", who: "billing", path: () => `/v1/heads/${org}/all` },
    { why: "another slice's object", who: "billing", path: () => objectPath() },
    {
      why: "a slice that is not its own",
      who: "orders",
      path: () => `/v1/heads/${org}/111122223333.billing`,
    },
    { why: "a guessed digest", who: "orders", path: () => `/v1/objects/${"0".repeat(64)}` },
    { why: "a key set that is not there", who: "orders", path: () => `/v1/keysets/${org}/2` },
    { why: "another organization's key set", who: "orders", path: () => "/v1/keysets/o-other/1" },
    { why: "an object, from another organization", who: "foreign", path: () => objectPath() },
    {
      why: "a key set, from another organization",
      who: "foreign",
      path: () => `/v1/keysets/${org}/1`,
    },
    { why: "no path of ours", who: "orders", path: () => "/" },
  ])("$who asks for $why", async ({ who, path }) => {
    served.publish(named("first"));
    const response = await fetch(`${await listening()}${path()}`, as(who));
    expect([response.status, await response.text()]).toEqual([404, ""]);
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  const objectPath = () => `/v1/objects/${served.last.head.manifestDigest}`;

  test("an object that the slice names no longer is served for ten minutes more", async () => {
    const first = served.publish(named("first"));
    const { manifestDigest } = first.head;
    const path = `/v1/objects/${manifestDigest}`;
    const url = await listening();
    await clock.advance(3_600_000);
    served.publish(named("second"));
    await clock.advance(599_000);
    expect((await fetch(url + path, as("orders"))).status).toBe(200);
    await clock.advance(1_001);
    expect((await fetch(url + path, as("orders"))).status).toBe(404);
  });
});

test.each([
  { why: "nobody", init: {}, status: 401 },
  { why: "somebody without a service", init: as("nobody"), status: 403 },
  { why: "a write", init: as("orders", "POST"), status: 405 },
])("$why is refused with $status", async ({ init, status }) => {
  served.publish(named("first"));
  const response = await fetch(`${await listening()}/v1/heads/${org}/all`, init);
  expect(response.status).toBe(status);
});

test("a slice that nobody has published yet is asked for, once, and the peer comes again", async () => {
  const wanted: Scope[] = [];
  served = new ServedOrganization(clock, {
    scopeOf: (identity) => scopes[identity] ?? null,
    wanted: async (scope) => {
      wanted.push(scope);
      await new Promise(() => {});
    },
  });
  const url = await listening();
  for (let i = 0; i < 3; i++) {
    const response = await fetch(`${url}/v1/heads/${org}/all`, as("orders"));
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
  }
  expect(wanted).toEqual([scopes.orders]);
});

test("an authenticator that fails is a 500 without a word, and is told", async () => {
  const bug = new Error("the key is hunter2");
  const authenticate = () => Promise.reject(bug);
  const response = await fetch(await listening({ authenticate }));
  expect([response.status, await response.text()]).toEqual([500, ""]);
  expect(failures).toEqual([bug]);
});

const watchPath = "/meshiam.bundle.v1.BundleService/Watch";

test("a request without an authority is answered, and ends no process", async () => {
  const url = new URL(await listening());
  const socket = connectSocket(Number(url.port), url.hostname);
  opened.push(() => socket.destroy());
  socket.write(`POST ${watchPath} HTTP/1.0\r\nx-identity: orders\r\ncontent-length: 0\r\n\r\n`);
  const [chunk] = await new Promise<[Buffer]>((resolve) => {
    socket.once("data", (data: Buffer) => resolve([data]));
  });
  expect(chunk.toString("latin1")).toMatch(/^HTTP\/1\.1 400 /);
  expect(failures).toEqual([]);
});

test.each(["1.1", "2"])(
  "slowloris over HTTP/%s: half a message is cut, and holds no stream",
  async (version) => {
    served.publish(named("first"));
    const requestClock = new ManualClock(nowMs);
    const handler = serveBundles(served.server, { ...byHeader, clock: requestClock });
    const server = version === "2" ? createHttp2Server(handler) : createServer(handler);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    opened.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const half = Buffer.from([0, 0, 0, 1, 0, 1]);
    const headers = { "x-identity": "orders", "content-type": "application/connect+proto" };
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    if (version === "2") {
      const session = connect(`http://127.0.0.1:${port}`);
      opened.push(() => session.destroy());
      const stream = session.request({ ":method": "POST", ":path": watchPath, ...headers });
      stream.on("error", () => {});
      stream.once("close", resolve);
      stream.write(half);
    } else {
      const call = request({ port, method: "POST", path: watchPath, headers, agent: false });
      call.on("error", () => {});
      call.once("close", resolve);
      call.write(half);
    }
    await expect.poll(() => requestClock.pending).toBe(1);
    await requestClock.advance(10_000);
    await closed;
    expect(served.server.counts().streams).toBe(0);
    expect(failures).toEqual([]);
  },
);

test("a stream passes over HTTP/1.1 too, uncompressed, event by event", async () => {
  served.publish(named("first"));
  const requestClock = new ManualClock(nowMs);
  const url = new URL(await listening({ clock: requestClock }));
  const message = toBinary(
    WatchRequestSchema,
    create(WatchRequestSchema, { org, instanceId: "p" }),
  );
  const envelope = Buffer.alloc(5);
  envelope.writeUInt32BE(message.length, 1);
  const headers = {
    "x-identity": "orders",
    "content-type": "application/connect+proto",
    "connect-accept-encoding": "gzip",
  };
  const call = request({ port: url.port, method: "POST", path: watchPath, headers, agent: false });
  call.on("error", () => {});
  opened.push(() => call.destroy());
  call.end(Buffer.concat([envelope, message]));
  const [response] = (await once(call, "response")) as [IncomingMessage];
  const [chunk] = (await once(response, "data")) as [Buffer];
  expect(response.headers["connect-content-encoding"]).toBeUndefined();
  const { event } = fromBinary(WatchEventSchema, chunk.subarray(5, 5 + chunk.readUInt32BE(1)));
  expect([chunk[0], event.case]).toEqual([0, "head"]);
  // The bound of a request is none of its answer.
  await requestClock.advance(60_000);
  expect(served.server.counts().streams).toBe(1);
  call.destroy();
  await expect.poll(() => served.server.counts().streams).toBe(0);
});

test("the same over HTTP/2", async () => {
  served.publish(named("first"));
  const server = createHttp2Server(serveBundles(served.server, byHeader));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  opened.push(
    () => server.close(),
    () => session.destroy(),
  );
  const stream = session.request({ ":path": `/v1/heads/${org}/all`, "x-identity": "orders" });
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const status = new Promise((resolve) => {
    stream.once("response", (headers) => resolve(headers[":status"]));
  });
  await new Promise((resolve) => stream.once("end", resolve));
  expect(await status).toBe(200);
  expect(Buffer.concat(chunks)).toEqual(Buffer.from(served.last.sealedHead));
});
