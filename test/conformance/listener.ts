import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { ClientHttp2Session } from "node:http2";
import { connect as connectSocket, createServer as createNetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Listener, ListenerOptions } from "../../src/adapters/envoy/listener.ts";
import { createCertificateAuthority } from "../../src/adapters/keys/certificate-authority.ts";
import { CheckResponseSchema } from "../../src/gen/envoy/service/auth/v3/external_auth_pb.ts";
import { grpcFrame, openSession, rawCall, startCall } from "../fakes/grpc-client.ts";

/** What a listener is known to do less than the suite asks; each with its reason. */
export interface ListenerTraits {
  /** Resets of one connection at 500 a second that it stands. */
  readonly standsResets: boolean;
  /** Ends a call whose message stays incomplete although the caller set no deadline. */
  readonly boundsIncompleteMessages: boolean;
  /** Denies when incomplete messages take too much memory in all. */
  readonly boundsUnfinishedBytes: boolean;
  /** Refuses a method other than POST, and a content type that only begins like gRPC's. */
  readonly checksRequestLine: boolean;
  /** Tells of a call that is not well formed too. */
  readonly tellsOfBadCalls: boolean;
  /** grpc-status of a body that ends inside a message. */
  readonly cutMessageStatus: string;
  /** grpc-status of a compressed message: flag with `identity`, flag with `gzip`. */
  readonly compressed: readonly [withIdentity: string, withGzip: string];
}

const allow = Buffer.from("0a001a00", "hex");
const tcp = { type: "tcp", host: "127.0.0.1", port: 0 } as const;

/** The one suite of the seam between Envoy and `check`: every listener passes it. */
export function listenerConformance(
  name: string,
  create: (options: ListenerOptions) => Listener,
  traits: ListenerTraits,
): void {
  describe(`listener ${name}`, () => {
    const cleanups: (() => unknown)[] = [];
    const folder = mkdtempSync(join(tmpdir(), "mesh-iam-"));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    afterEach(async () => {
      for (const clean of cleanups.splice(0).reverse()) await clean();
    });

    async function serve(options: Partial<ListenerOptions> = {}) {
      const listener = create({ address: tcp, check: () => allow, ...options });
      const { address } = await listener.start();
      cleanups.push(() => listener.close());
      return { listener, address };
    }

    async function open(address: string, options = {}): Promise<ClientHttp2Session> {
      const session = await openSession(address, options);
      cleanups.push(() => session.destroy());
      return session;
    }

    function denial(message: Buffer | undefined) {
      const response = fromBinary(CheckResponseSchema, message ?? Buffer.alloc(0));
      if (response.httpResponse.case !== "deniedResponse") throw new Error("not denied");
      return {
        reason: response.status?.message,
        code: response.status?.code,
        status: response.httpResponse.value.status?.code,
      };
    }

    test("a check's bytes go in and out unchanged", async () => {
      const seen: Buffer[] = [];
      const { address } = await serve({
        check: (message) => {
          seen.push(Buffer.from(message));
          return allow;
        },
      });
      const reply = await rawCall(await open(address), { message: Buffer.from([1, 2, 3]) });
      expect(seen).toEqual([Buffer.from([1, 2, 3])]);
      expect(reply).toMatchObject({ httpStatus: 200, grpcStatus: "0", messages: [allow] });
      expect(reply.headers["content-type"]).toMatch(/^application\/grpc/);
    });

    test("an empty message is a check like any other", async () => {
      const { address } = await serve({ check: (message) => Buffer.from([message.length, 7]) });
      const reply = await rawCall(await open(address), { message: Buffer.alloc(0) });
      expect(reply).toMatchObject({ grpcStatus: "0", messages: [Buffer.from([0, 7])] });
    });

    test("a message in pieces, its prefix too", async () => {
      const { address } = await serve({ check: (message) => Buffer.from(message) });
      const message = Buffer.from("a message of some length");
      const pieces = Array.from(grpcFrame(message), (byte) => Buffer.from([byte]));
      const reply = await rawCall(await open(address), { pieces });
      expect(reply).toMatchObject({ grpcStatus: "0", messages: [message] });
    });

    test.each([
      {
        why: "throws",
        check: () => {
          throw new Error("boom");
        },
      },
      { why: "gives zero bytes", check: () => Buffer.alloc(0) },
      { why: "gives no bytes", check: () => undefined as unknown as Uint8Array },
      { why: "rejects", check: () => Promise.reject(new Error("boom")) },
      { why: "promises zero bytes", check: () => Promise.resolve(Buffer.alloc(0)) },
    ])("HDR-010: a check that $why is a denial, no gRPC error", async ({ check }) => {
      const causes: unknown[] = [];
      const { address } = await serve({
        check,
        log: (_level, _message, cause) => causes.push(cause),
      });
      const reply = await rawCall(await open(address));
      expect(reply.grpcStatus).toBe("0");
      expect(denial(reply.messages[0])).toEqual({ reason: "internal", code: 13, status: 503 });
      expect(causes).toHaveLength(1);
    });

    test("a denial of the owner's is preferred, and one that fails is replaced", async () => {
      let own: () => Uint8Array = () => Buffer.from("own");
      const { address } = await serve({
        check: () => {
          throw new Error("boom");
        },
        deny: () => own(),
      });
      const session = await open(address);
      expect((await rawCall(session)).messages).toEqual([Buffer.from("own")]);
      own = () => {
        throw new Error("boom again");
      };
      expect(denial((await rawCall(session)).messages[0])).toMatchObject({ reason: "internal" });
    });

    test("a check may answer later", async () => {
      const { address } = await serve({
        check: (message) => new Promise((resolve) => setImmediate(resolve, Buffer.from(message))),
      });
      const reply = await rawCall(await open(address), { message: Buffer.from("later") });
      expect(reply).toMatchObject({ grpcStatus: "0", messages: [Buffer.from("later")] });
    });

    test.each([
      { why: "the listener's bound", limits: { pendingTimeoutMs: 30 }, headers: {} },
      {
        why: "the caller's deadline",
        limits: { pendingTimeoutMs: 10_000 },
        headers: { "grpc-timeout": "1S" },
      },
    ])("HDR-011: a check still pending at $why is a denial", async ({ limits, headers }) => {
      const { address } = await serve({ check: () => new Promise(() => {}), limits });
      const reply = await rawCall(await open(address), { headers });
      expect(reply.grpcStatus).toBe("0");
      expect(denial(reply.messages[0])).toEqual({ reason: "deadline", code: 14, status: 503 });
    });

    test("a cancelled check is counted, and its answer is not sent", async () => {
      let cancels = 0;
      const { promise: called, resolve: onCall } = Promise.withResolvers<void>();
      const { promise: cancelled, resolve: onCancel } = Promise.withResolvers<void>();
      const { address, listener } = await serve({
        check: () => {
          onCall();
          return new Promise(() => {});
        },
        onCancel: () => {
          cancels += 1;
          onCancel();
        },
        limits: { pendingTimeoutMs: 5000 },
      });
      const session = await open(address);
      const call = startCall(session);
      await called;
      expect(listener.counters()).toEqual({ connections: 1, inFlight: 1, cancelled: 0 });
      call.cancel();
      await cancelled;
      expect((await call.reply).messages).toEqual([]);
      expect(cancels).toBe(1);
      expect(listener.counters()).toEqual({ connections: 1, inFlight: 0, cancelled: 1 });
    });

    test("every RPC is told of once, with its status and how long it took", async () => {
      const told: string[] = [];
      let nowMs = 0;
      const { promise: called, resolve: onCall } = Promise.withResolvers<void>();
      const { address, listener } = await serve({
        check: (message) => {
          nowMs += 5;
          if (message.length > 0) return allow;
          onCall();
          return new Promise(() => {});
        },
        onRpc: {
          monotonicMs: () => nowMs,
          handled: (rpc, code, durationNs) => told.push(`${rpc} ${code} ${durationNs}`),
        },
        limits: { pendingTimeoutMs: 5000 },
      });
      const session = await open(address);
      await rawCall(session, { message: Buffer.from("x") });
      const path = "/grpc.health.v1.Health/Check";
      await rawCall(session, { path, message: Buffer.alloc(0) });
      await rawCall(session, { path, message: Buffer.from([10, 1, 0x61]) });
      const given = startCall(session, { message: Buffer.alloc(0) });
      await called;
      given.cancel();
      await given.reply;
      await expect.poll(() => told).toHaveLength(4);
      const watching = { path: "/grpc.health.v1.Health/Watch", message: Buffer.alloc(0) };
      const left = startCall(session, watching);
      const ended = startCall(session, watching);
      await rawCall(session, { path, message: Buffer.alloc(0) });
      left.cancel();
      await expect.poll(() => told).toHaveLength(6);
      await listener.drain({ drainSeconds: 0 });
      await ended.reply;
      await expect.poll(() => told).toHaveLength(7);
      expect(told).toEqual([
        "check 0 5000000",
        "healthCheck 0 0",
        "healthCheck 5 0",
        "check 1 5000000",
        "healthCheck 0 0",
        "healthWatch 1 0",
        "healthWatch 0 0",
      ]);
    });

    test.runIf(traits.tellsOfBadCalls)("a call that is not well formed is told of", async () => {
      const told: string[] = [];
      const { address } = await serve({
        onRpc: { monotonicMs: () => 0, handled: (rpc, code) => told.push(`${rpc} ${code}`) },
      });
      const session = await open(address);
      for (const path of [undefined, "/grpc.health.v1.Health/Watch"]) {
        await rawCall(session, { pieces: [], ...(path === undefined ? {} : { path }) });
      }
      expect(told).toEqual(["check 12", "healthWatch 12"]);
    });

    const frame = grpcFrame(Buffer.from("x"));
    test.each([
      { why: "an unknown method", call: { path: "/a.B/C" }, want: "12" },
      { why: "no message", call: { pieces: [] }, want: "12" },
      { why: "a second message", call: { pieces: [frame, frame] }, want: "12" },
      {
        why: "a second message in the same frame",
        call: { pieces: [Buffer.concat([frame, frame])] },
        want: "12",
      },
      {
        why: "a body that ends inside a message",
        call: { pieces: [frame.subarray(0, 5)] },
        want: traits.cutMessageStatus,
      },
      {
        why: "a bad grpc-timeout",
        call: { headers: { "grpc-timeout": "soon" } },
        want: "13",
      },
      {
        why: "H2-008: a message over the limit",
        call: { pieces: [grpcFrame(Buffer.alloc(2049))] },
        want: "8",
      },
      {
        why: "H2-021: 4 GiB announced",
        call: { pieces: [Buffer.from("00ffffffff", "hex")] },
        want: "8",
      },
      {
        why: "a compressed flag without an encoding",
        call: { pieces: [grpcFrame(Buffer.from("x"), 1)] },
        want: traits.compressed[0],
      },
      {
        why: "a compressed flag with gzip",
        call: {
          pieces: [grpcFrame(Buffer.from("no gzip"), 1)],
          headers: { "grpc-encoding": "gzip" },
        },
        want: traits.compressed[1],
      },
    ])("a call that is not well formed: $why", async ({ call, want }) => {
      const { address } = await serve({ limits: { maxMessageBytes: 2048 } });
      const session = await open(address);
      const reply = await rawCall(session, call);
      expect(reply).toMatchObject({ httpStatus: 200, grpcStatus: want });
      // The connection is none the worse for it.
      expect(await rawCall(session)).toMatchObject({ grpcStatus: "0" });
    });

    test("another content type is HTTP 415", async () => {
      const { address } = await serve();
      const reply = await rawCall(await open(address), {
        headers: { "content-type": "application/json" },
      });
      expect(reply).toMatchObject({ httpStatus: 415, grpcStatus: undefined });
    });

    test.runIf(traits.checksRequestLine)("another method is HTTP 405, gRPC-Web 415", async () => {
      const { address } = await serve();
      const session = await open(address);
      expect(await rawCall(session, { headers: { ":method": "PUT" } })).toMatchObject({
        httpStatus: 405,
      });
      expect(
        await rawCall(session, { headers: { "content-type": "application/grpc-web" } }),
      ).toMatchObject({ httpStatus: 415 });
    });

    test.runIf(traits.boundsIncompleteMessages)(
      "H2-011: a message that stays incomplete ends with grpc-status 4",
      async () => {
        const { address } = await serve({ limits: { messageTimeoutMs: 1 } });
        const reply = await rawCall(await open(address), {
          pieces: [frame.subarray(0, 5)],
          open: true,
        });
        expect(reply.grpcStatus).toBe("4");
      },
    );

    test.runIf(traits.boundsUnfinishedBytes)(
      "H2-021: memory of incomplete messages is bounded; beyond it a denial",
      async () => {
        const { address } = await serve({ limits: { maxUnfinishedBytes: 4096 } });
        const session = await open(address);
        const half = grpcFrame(Buffer.alloc(3000)).subarray(0, 2500);
        const first = startCall(session, { pieces: [half], open: true });
        const second = await rawCall(session, { pieces: [half], open: true });
        expect(denial(second.messages[0])).toMatchObject({ reason: "overloaded", status: 503 });
        first.cancel();
        await first.reply;
        expect(await rawCall(session)).toMatchObject({ messages: [allow] });
      },
    );

    test("a thousand checks at once on one connection", async () => {
      const { address } = await serve({ check: (message) => Buffer.from(message) });
      const session = await open(address);
      const replies = await Promise.all(
        Array.from({ length: 1000 }, (_, n) => rawCall(session, { message: Buffer.from(`m${n}`) })),
      );
      expect(replies.map((reply) => String(reply.messages[0]))).toEqual(
        Array.from({ length: 1000 }, (_, n) => `m${n}`),
      );
    });

    test("H2-009: a connection may open 1,024 streams and more", async () => {
      const { address } = await serve();
      const session = await open(address);
      expect(session.remoteSettings.maxConcurrentStreams).toBeGreaterThanOrEqual(1024);
    });

    test(`H2-002: three thousand resets ${traits.standsResets ? "leave" : "close"} the connection`, async () => {
      const { address } = await serve({
        check: () => new Promise(() => {}),
        limits: { pendingTimeoutMs: 60_000 },
      });
      const session = await open(address);
      let goaways = 0;
      session.on("goaway", () => {
        goaways += 1;
      });
      for (let batch = 0; batch < 30 && !session.closed && !session.destroyed; batch++) {
        const calls = Array.from({ length: 100 }, () => startCall(session));
        await new Promise((resolve) => setTimeout(resolve, 5));
        for (const call of calls) call.cancel();
        await Promise.all(calls.map((call) => call.reply));
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(goaways === 0).toBe(traits.standsResets);
    });

    test("health tells whether it serves, for the two names that exist", async () => {
      const { address, listener } = await serve();
      const session = await open(address);
      const ask = (service: string) =>
        rawCall(session, {
          path: "/grpc.health.v1.Health/Check",
          message: Buffer.concat([Buffer.from([10, service.length]), Buffer.from(service)]),
        });
      for (const service of ["", "envoy.service.auth.v3.Authorization"]) {
        listener.setServing(false);
        expect((await ask(service)).messages).toEqual([Buffer.from([8, 2])]);
        listener.setServing(true);
        expect((await ask(service)).messages).toEqual([Buffer.from([8, 1])]);
      }
      expect(await ask("other")).toMatchObject({ grpcStatus: "5", messages: [] });
      expect(
        await rawCall(session, { path: "/grpc.health.v1.Health/Check", message: Buffer.alloc(0) }),
      ).toMatchObject({ messages: [Buffer.from([8, 1])] });
    });

    test("a watch of health tells each change", async () => {
      const { address, listener } = await serve();
      const session = await open(address);
      const watch = startCall(session, {
        path: "/grpc.health.v1.Health/Watch",
        message: Buffer.alloc(0),
      });
      const unknown = startCall(session, {
        path: "/grpc.health.v1.Health/Watch",
        message: Buffer.from([10, 1, 0x61]),
      });
      // Calls of one connection are taken in order, so the watch stands when this is answered.
      await rawCall(session);
      listener.setServing(true);
      listener.setServing(true);
      listener.setServing(false);
      await rawCall(session);
      await listener.drain({ drainSeconds: 0 });
      expect((await watch.reply).messages.map((message) => message[1])).toEqual([2, 1, 2]);
      unknown.cancel();
      expect((await unknown.reply).messages.map((message) => message[1])).toEqual([3]);
    });

    test("a drain loses no check: NOT_SERVING, serving on, GOAWAY, calls in flight finish", async () => {
      const { promise: release, resolve: finish } = Promise.withResolvers<Uint8Array>();
      let held = false;
      const { address, listener } = await serve({
        check: () => {
          if (held) return allow;
          held = true;
          return release;
        },
        limits: { pendingTimeoutMs: 10_000 },
      });
      listener.setServing(true);
      const session = await open(address);
      const { promise: goaway, resolve: onGoaway } = Promise.withResolvers<number>();
      session.once("goaway", (code) => onGoaway(code));
      const inFlight = startCall(session);
      await rawCall(session, { path: "/grpc.health.v1.Health/Check", message: Buffer.alloc(0) });

      const drained = listener.drain({ drainSeconds: 0.3 });
      const health = await rawCall(session, {
        path: "/grpc.health.v1.Health/Check",
        message: Buffer.alloc(0),
      });
      expect(health.messages).toEqual([Buffer.from([8, 2])]);
      // Still served, on this connection and on new ones.
      expect((await rawCall(session)).messages).toEqual([allow]);
      expect((await rawCall(await open(address))).messages).toEqual([allow]);

      expect(await goaway).toBe(0);
      finish(allow);
      expect((await inFlight.reply).messages).toEqual([allow]);
      await drained;
      await expect(openSession(address)).rejects.toThrow();
      expect(listener.counters().connections).toBe(0);
    });

    test("a close cuts a drain short", async () => {
      const { address, listener } = await serve();
      const session = await open(address);
      const drained = listener.drain({ drainSeconds: 3600 });
      await listener.close();
      await drained;
      if (!session.closed) await new Promise((resolve) => session.once("close", resolve));
      expect(listener.counters().inFlight).toBe(0);
    });

    test("connections are counted and capped", async () => {
      const opened: number[] = [];
      const { address, listener } = await serve({
        limits: { maxConnections: 2 },
        onConnection: (count) => opened.push(count),
      });
      const first = await open(address);
      await open(address);
      await expect(openSession(address)).rejects.toThrow();
      expect(listener.counters().connections).toBe(2);
      const { promise, resolve } = Promise.withResolvers<void>();
      first.once("close", resolve);
      first.close();
      await promise;
      await expect.poll(() => listener.counters().connections).toBe(1);
      expect(opened).toEqual([1, 2, 1]);
    });

    test("bytes that are no HTTP/2 end their connection alone", async () => {
      const { address } = await serve();
      const session = await open(address);
      const [host = "", port = ""] = address.split(":");
      const socket = connectSocket(Number(port), host);
      socket.end("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
      socket.resume();
      await new Promise((resolve) => socket.once("close", resolve));
      expect(await rawCall(session)).toMatchObject({ messages: [allow] });
    });

    test("a Unix socket: open to all, and gone after the close", async () => {
      const path = join(folder, "a.sock");
      const { address, listener } = await serve({ address: { type: "unix", path } });
      expect(address).toBe(path);
      expect(statSync(path).mode & 0o777).toBe(0o666);
      expect(await rawCall(await open(path))).toMatchObject({ messages: [allow] });
      await listener.close();
      await expect.poll(() => statSync(path, { throwIfNoEntry: false })).toBeUndefined();
    });

    test("an abstract socket", async () => {
      const { address } = await serve({
        address: { type: "abstract", name: `mesh-iam-test-${name}-${process.pid}` },
      });
      expect(await rawCall(await open(address))).toMatchObject({ messages: [allow] });
    });

    test("the socket of a dead process is replaced", async () => {
      const path = join(folder, "stale.sock");
      const dead = createNetServer();
      await new Promise<void>((resolve) => dead.listen(path, resolve));
      // Closing would remove the file: keep a copy of the name that nobody listens on.
      const kept = join(folder, "kept.sock");
      const { linkSync } = await import("node:fs");
      linkSync(path, kept);
      await new Promise((resolve) => dead.close(resolve));
      await serve({ address: { type: "unix", path: kept } });
      expect(await rawCall(await open(kept))).toMatchObject({ messages: [allow] });
    });

    test("an address in use is named", async () => {
      const first = await serve();
      const [host = "", port = ""] = first.address.split(":");
      const second = create({
        address: { type: "tcp", host, port: Number(port) },
        check: () => allow,
      });
      await expect(second.start()).rejects.toMatchObject({
        code: "address-in-use",
        message: `another process listens on \`${first.address}\``,
      });

      const path = join(folder, "live.sock");
      await serve({ address: { type: "unix", path } });
      const third = create({ address: { type: "unix", path }, check: () => allow });
      await expect(third.start()).rejects.toMatchObject({
        code: "address-in-use",
        message: `another process listens on \`${path}\``,
      });
    });

    test("a file that is no socket is left alone", async () => {
      const path = join(folder, "file");
      writeFileSync(path, "kept");
      chmodSync(path, 0o600);
      const listener = create({ address: { type: "unix", path }, check: () => allow });
      await expect(listener.start()).rejects.toMatchObject({ code: "address-in-use" });
      expect(statSync(path).size).toBe(4);
    });

    test.each([
      { why: "a socket path of 108 bytes", path: `/${"a".repeat(107)}` },
      { why: "a folder that does not exist", path: "/nowhere/at/all/a.sock" },
    ])("an address that cannot be bound: $why", async ({ path }) => {
      const listener = create({ address: { type: "unix", path }, check: () => allow });
      await expect(listener.start()).rejects.toMatchObject({ code: "address-invalid" });
    });

    describe("TLS", () => {
      let material: Awaited<ReturnType<typeof makeCertificates>>;
      beforeAll(async () => {
        material = await makeCertificates();
      });

      test("mutual: a client with a certificate is served, one without is not", async () => {
        const { address } = await serve({
          tls: { ...material.server, clientAuthorities: material.authority },
        });
        const session = await open(address, {
          ca: material.authority,
          cert: material.client.certificate,
          key: material.client.privateKey,
        });
        expect(await rawCall(session)).toMatchObject({ messages: [allow] });
        await expect(openSession(address, { ca: material.authority })).rejects.toThrow();
        await expect(openSession(address)).rejects.toThrow();
      });

      test("a certificate is replaced while connections live", async () => {
        const { address, listener } = await serve({
          tls: { ...material.server, clientAuthorities: null },
        });
        const before = await open(address, { ca: material.authority });
        listener.updateTls({ ...material.other.server, clientAuthorities: null });
        await expect(openSession(address, { ca: material.authority })).rejects.toThrow();
        const after = await open(address, { ca: material.other.authority });
        expect(await rawCall(before)).toMatchObject({ messages: [allow] });
        expect(await rawCall(after)).toMatchObject({ messages: [allow] });

        const bad = { certificate: "no PEM", privateKey: "no PEM", clientAuthorities: null };
        expect(() => listener.updateTls(bad)).toThrow(
          expect.objectContaining({ code: "certificate-invalid" }),
        );
        expect(await rawCall(await open(address, { ca: material.other.authority }))).toMatchObject({
          messages: [allow],
        });
      });

      test("a certificate that is none refuses the start", () => {
        const bad = { certificate: "no PEM", privateKey: "no PEM", clientAuthorities: null };
        expect(() => create({ address: tcp, check: () => allow, tls: bad })).toThrow(
          expect.objectContaining({ code: "certificate-invalid" }),
        );
      });
    });
  });
}

async function makeCertificates() {
  const [one, other] = await Promise.all([makePair(), makePair()]);
  return { ...one, other };
}

async function makePair() {
  const now = new Date();
  const authority = await createCertificateAuthority("listener test", now, 3_600_000);
  const request = { uris: [], dnsNames: ["localhost"], ipAddresses: ["127.0.0.1"] };
  const server = await authority.issue({ commonName: "server", ...request });
  const client = await authority.issue({ commonName: "client", ...request });
  return { authority: authority.certificate, server, client };
}
