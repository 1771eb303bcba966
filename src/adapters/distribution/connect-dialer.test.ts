import {
  type ClientHttp2Session,
  connect,
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
} from "node:http2";
import { type AddressInfo, createServer as createTcp } from "node:net";
import type { TLSSocket } from "node:tls";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterEach, describe, expect, test } from "vitest";
import { sampleDirectory, user } from "../../../test/fakes/bundle-directory.ts";
import { nowMs } from "../../../test/fakes/bundle-keys.ts";
import { ManualClock } from "../../../test/fakes/manual-clock.ts";
import { org, peer, ServedOrganization } from "../../../test/fakes/served-organization.ts";
import { createTcpRelay, type TcpRelay } from "../../../test/fakes/tcp-relay.ts";
import { createTlsFiles, noFiles } from "../../../test/fakes/tls-files.ts";
import { WatchRequestSchema } from "../../gen/meshiam/bundle/v1/bundle_service_pb.ts";
import type { BundleServerParts } from "./bundle-server.ts";
import { type ConnectDialerOptions, createConnectDialer } from "./connect-dialer.ts";
import type { Peer } from "./fleet.ts";
import { nodeDisk } from "./node-disk.ts";
import { type RequestHandler, serveBundles } from "./serve-bundles.ts";
import { pingSessions } from "./session-ping.ts";
import { systemClock } from "./system-clock.ts";
import type { WatchConnection, WatchNews } from "./watch-carrier.ts";

// What is relied upon of Connect and of HTTP/2, on real sockets (docs/decisions/0013).

const named = (name: string) => sampleDirectory({ users: [user(name)] });
const question = { org, instance: "pod-1", have: null, keySet: 0 };
const watchPath = "/meshiam.bundle.v1.BundleService/Watch";

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

interface Serving {
  readonly served: ServedOrganization;
  readonly server: Http2Server;
  readonly relay: TcpRelay;
  readonly failures: unknown[];
  /** The clock of the listener's own bounds. */
  readonly clock: ManualClock;
  /** Headers of every request that came. */
  readonly requests: IncomingHttpHeaders[];
}

/** An honest server behind a network that the test holds. */
async function serving(
  parts: Partial<BundleServerParts> = {},
  authenticate: () => Peer | null = () => peer,
  wrap: (handler: RequestHandler) => RequestHandler = (handler) => handler,
): Promise<Serving> {
  const served = new ServedOrganization(systemClock, parts);
  served.publish(named("first"));
  const failures: unknown[] = [];
  const requests: IncomingHttpHeaders[] = [];
  const onError = (failure: unknown) => failures.push(failure);
  const clock = new ManualClock(nowMs);
  const server = createServer(wrap(serveBundles(served.server, { authenticate, onError, clock })));
  server.on("stream", (_, headers) => requests.push(headers));
  const port = await listening(server);
  const relay = await createTcpRelay(port);
  opened.push(() => served.server.close(), relay.close);
  return { served, server, relay, failures, requests, clock };
}

async function listening(server: Http2Server | Http2SecureServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  opened.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function dialed(
  url: string,
  changes: Partial<ConnectDialerOptions> = {},
): Promise<WatchConnection> {
  const options = { url, files: noFiles, ...changes };
  const made = await createConnectDialer(options, nodeDisk, systemClock).dial();
  if (!made.ok) throw new Error(made.detail);
  opened.push(() => made.connection.close());
  return made.connection;
}

const to = ({ relay }: Serving) => `http://127.0.0.1:${relay.port}`;
const headIn = (news: WatchNews) => (news.type === "head" ? news.news : null);

describe("a stream and what goes beside it", () => {
  test("events, fetches and reports share one connection over mTLS; the token is read for each", async () => {
    const tls = await createTlsFiles("spiffe://cluster.local/ns/shop/sa/orders");
    opened.push(tls.remove);
    const served = new ServedOrganization(systemClock);
    const { head, sealedHead, objects } = served.publish(named("first"));
    opened.push(() => served.server.close());
    const tokens: unknown[] = [];
    const handler = serveBundles(served.server, {
      authenticate({ socket, headers }) {
        tokens.push(headers.authorization);
        const { subjectaltname = "" } = (socket as TLSSocket).getPeerCertificate();
        return { identity: subjectaltname.replace("URI:", ""), instance: null };
      },
      onError: () => {},
      clock: systemClock,
    });
    const server = createSecureServer(
      {
        cert: tls.server.certificate,
        key: tls.server.privateKey,
        ca: tls.authority.certificate,
        requestCert: true,
        allowHTTP1: true,
      },
      handler,
    );
    let connections = 0;
    server.on("secureConnection", () => connections++);
    const port = await listening(server);
    const connection = await dialed(`https://localhost:${port}`, { files: tls.files });
    const stream = connection.watch(question);
    const news = headIn(await stream.next());
    expect(Buffer.from(news?.head ?? [])).toEqual(Buffer.from(sealedHead));
    expect(new Set(news?.objects.keys())).toEqual(new Set(objects.keys()));

    tls.writeToken("token-2");
    const fetched = await connection.get({ type: "object", digest: head.manifestDigest }, 10_000);
    expect(fetched.ok && Buffer.from(fetched.bytes)).toEqual(
      Buffer.from(objects.get(head.manifestDigest) ?? []),
    );
    expect(await connection.get({ type: "key-set", org, number: 9 }, 10_000)).toMatchObject({
      ok: false,
      detail: "answered with status 404",
    });
    const report = { org, instance: "pod-1", slice: "all", active: null };
    const nothing = { nacks: [], poisoned: [], activity: [], selfCheckMismatches: 0 };
    expect(await connection.report({ ...report, ...nothing })).toBe(true);
    expect(served.reports).toMatchObject([
      { ...report, identity: "spiffe://cluster.local/ns/shop/sa/orders" },
    ]);
    expect(connections).toBe(1);
    expect(tokens).toEqual(["Bearer token-1", ...Array(3).fill("Bearer token-2")]);

    const next = stream.next();
    served.publish(named("second"));
    expect(headIn(await next)?.objects.size).toBeGreaterThan(0);
  });

  test("a server that goes away tells when to come again", async () => {
    const it = await serving();
    const stream = (await dialed(to(it))).watch(question);
    await stream.next();
    it.served.server.drain();
    expect(await stream.next()).toEqual({ type: "go-away", retryAfterMs: 15_000 });
    expect(await stream.next()).toMatchObject({ type: "ended", result: "network" });
  });

  test.each([
    { why: "nobody knows it", authenticate: () => null, want: { result: "auth" } },
    {
      why: "it has no slice",
      parts: { scopeOf: () => null },
      want: { result: "auth", detail: "ended with code PermissionDenied" },
    },
    {
      why: "too many come at once",
      parts: { limits: { maxAdmissionsPerSecond: 0 } },
      want: { result: "network", retryAfterMs: 16_000 },
    },
  ])("a stream is refused: $why", async ({ parts = {}, authenticate, want }) => {
    const it = await serving(parts, authenticate);
    const news = await (await dialed(to(it))).watch(question).next();
    expect(news).toMatchObject({ type: "ended", ...want });
    expect(it.failures).toEqual([]);
    expect(it.served.server.counts().streams).toBe(0);
  });

  test("a redirect is not followed", async () => {
    const elsewhere = await serving();
    const it = await serving({}, undefined, () => (_, response) => {
      response.writeHead(307, { location: `${to(elsewhere)}${watchPath}` });
      response.end();
    });
    const connection = await dialed(to(it));
    expect(await connection.watch(question).next()).toMatchObject({ type: "ended" });
    expect(await connection.get({ type: "head", org, slice: "all" }, 10_000)).toMatchObject({
      detail: "answered with status 307",
    });
    expect(elsewhere.requests).toEqual([]);
  });
});

describe("nothing is compressed on the way (BUN-8)", () => {
  test("the client does not ask for it", async () => {
    const it = await serving();
    await (await dialed(to(it))).watch(question).next();
    const [request] = it.requests;
    expect(request?.["connect-accept-encoding"]).toBeUndefined();
    expect(request?.["connect-content-encoding"]).toBeUndefined();
  });

  test("the server does not do it for one that asks", async () => {
    const it = await serving();
    const { headers, body } = await rawWatch(it, { "connect-accept-encoding": "gzip, br" });
    expect(headers["connect-content-encoding"]).toBeUndefined();
    // Flags of the first envelope: bit 0 would say compressed.
    expect((await body)[0]).toBe(0);
  });
});

/** Opens a stream by hand, so that what Connect hides can be seen. */
async function rawWatch({ relay }: Serving, more: Record<string, string> = {}) {
  const session: ClientHttp2Session = connect(`http://127.0.0.1:${relay.port}`);
  session.on("error", () => {});
  opened.push(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":path": watchPath,
    "content-type": "application/connect+proto",
    "connect-protocol-version": "1",
    ...more,
  });
  stream.on("error", () => {});
  const message = toBinary(
    WatchRequestSchema,
    create(WatchRequestSchema, { org, instanceId: "p" }),
  );
  const envelope = Buffer.alloc(5);
  envelope.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([envelope, message]));
  const headers = await new Promise<IncomingHttpHeaders>((resolve) => {
    stream.once("response", resolve);
  });
  const body = new Promise<Buffer>((resolve) => {
    stream.once("readable", () => resolve(stream.read()));
  });
  return { session, stream, headers, body };
}

describe("a connection that dies", () => {
  test("connect-es#463 reset in the middle of a stream: the stream ends", async () => {
    const it = await serving();
    const connection = await dialed(to(it));
    const stream = connection.watch(question);
    await stream.next();
    const next = stream.next();
    it.relay.cut();
    expect(await next).toMatchObject({ type: "ended", result: "network" });
    expect(await connection.get({ type: "head", org, slice: "all" }, 10_000)).toMatchObject({
      ok: false,
    });
    // No second connection behind the back of whoever counts attempts.
    expect(it.relay.connections).toBe(1);
    await expect.poll(() => it.served.server.counts().streams).toBe(0);
    expect(it.failures).toEqual([]);
  });

  test("BUN-14 connect-es#673 without a word: the PING finds out", async () => {
    const it = await serving();
    const ping = { intervalMs: 30, timeoutMs: 30 };
    const stream = (await dialed(to(it), { ping })).watch(question);
    await stream.next();
    const next = stream.next();
    it.relay.stall();
    expect(await next).toMatchObject({ type: "ended", result: "network" });
  });

  test("BUN-14 a PING that is answered keeps it", async () => {
    const it = await serving();
    let pings = 0;
    it.server.on("session", (session) => session.on("ping", () => pings++));
    const stream = (await dialed(to(it), { ping: { intervalMs: 5, timeoutMs: 5_000 } })).watch(
      question,
    );
    await stream.next();
    const next = stream.next();
    await expect.poll(() => pings).toBeGreaterThan(5);
    // The bound of a request is none of its answer.
    await it.clock.advance(60_000);
    it.served.renew();
    expect(await next).toMatchObject({ type: "head" });
  });

  test("BUN-14 the server drops a peer that does not answer its PING", async () => {
    const clock = new ManualClock(nowMs);
    const it = await serving();
    pingSessions(it.server, clock);
    await (await dialed(to(it))).watch(question).next();
    await clock.advance(30_000);
    await expect.poll(() => clock.pending).toBe(1);
    expect(it.served.server.counts().streams).toBe(1);
    it.relay.stall();
    await clock.advance(40_000);
    await expect.poll(() => it.served.server.counts().streams).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test("close ends a stream that waits, and a connection that never was", async () => {
    const it = await serving();
    const connection = await dialed(to(it));
    const stream = connection.watch(question);
    await stream.next();
    const next = stream.next();
    await connection.close();
    expect(await next).toMatchObject({ type: "ended" });

    const mute = createTcp(() => {});
    await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
    opened.push(() => mute.close());
    const hanging = await dialed(`http://127.0.0.1:${(mute.address() as AddressInfo).port}`);
    const waiting = hanging.watch(question).next();
    await hanging.close();
    expect(await waiting).toMatchObject({ type: "ended" });
  });

  test("nobody listens: the reason is named", async () => {
    const it = await serving();
    it.relay.close();
    const news = await (await dialed(to(it))).watch(question).next();
    expect(news).toMatchObject({ type: "ended", detail: "failed: `ECONNREFUSED`" });
  });

  test("a server that does not speak HTTP/2", async () => {
    const odd = createTcp((socket) => socket.end("220 smtp ready\r\n"));
    await new Promise<void>((resolve) => odd.listen(0, "127.0.0.1", resolve));
    opened.push(() => odd.close());
    const connection = await dialed(`http://127.0.0.1:${(odd.address() as AddressInfo).port}`);
    expect(await connection.watch(question).next()).toMatchObject({ type: "ended" });
  });
});

describe("messages have a bound", () => {
  test("spire#2675 spire#6552 no event comes near 4 MiB, however much there is", async () => {
    const users = Array.from({ length: 60_000 }, (_, i) => user(`user-${i}-${i * 7919}`));
    const it = await serving();
    const { objects } = it.served.publish(sampleDirectory({ users }));
    const bytes = [...objects.values()].reduce((sum, frame) => sum + frame.length, 0);
    expect(bytes).toBeGreaterThan(512 * 1024);
    const connection = await dialed(to(it));
    const news = headIn(await connection.watch(question).next());
    expect(news?.objects.size).toBe(0);
    const { manifestDigest } = it.served.last.head;
    expect(await connection.get({ type: "object", digest: manifestDigest }, 1 << 20)).toMatchObject(
      {
        ok: true,
      },
    );
  });

  test("BND-039 an event above the client's bound ends the stream before it is read", async () => {
    const it = await serving({ limits: { maxEventBytes: 64 * 1024 * 1024 } });
    const users = Array.from({ length: 20_000 }, (_, i) => user(`user-${i}-${i * 7919}`));
    it.served.publish(sampleDirectory({ users }));
    const connection = await dialed(to(it), { maxMessageBytes: 65_536 });
    expect(await connection.watch(question).next()).toMatchObject({
      type: "ended",
      detail: "ended with code ResourceExhausted",
    });
  });

  test("a request above the server's bound is refused", async () => {
    const it = await serving();
    const connection = await dialed(to(it));
    const activity = Array.from({ length: 2_000 }, () => ({
      principalId: "x".repeat(1_000),
      serviceArn: "",
      action: "",
      hourAtMs: 0,
    }));
    const report = { org, instance: "p", slice: "", active: null, nacks: [], poisoned: [] };
    expect(await connection.report({ ...report, activity, selfCheckMismatches: 0 })).toBe(false);
    expect(it.served.reports).toEqual([]);
  });
});

test("BND-016 BUN-34 a peer that reads nothing is cut, and nothing is queued for it", async () => {
  const it = await serving({ limits: { drainMs: 100 } });
  let events = 0;
  const { stream } = await rawWatch(it);
  stream.pause();
  // Whatever the socket and the windows take is taken; then the server asks for no more.
  const timer = setInterval(() => {
    events++;
    it.served.publish(named(`user-${events}`));
  }, 1);
  opened.push(() => clearInterval(timer));
  await expect.poll(() => it.served.server.counts().streams, { timeout: 10_000 }).toBe(0);
  expect(it.failures).toEqual([]);
});

test("a peer that goes while it waits leaves nothing behind", async () => {
  const it = await serving();
  const { session } = await rawWatch(it);
  expect(it.served.server.counts().streams).toBe(1);
  session.destroy();
  await expect.poll(() => it.served.server.counts().streams).toBe(0);
  expect(it.failures).toEqual([]);
});
