import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  type CertificateAuthority,
  createCertificateAuthority,
} from "../../../../src/adapters/keys/certificate-authority.ts";
import {
  createFetchText,
  type FetchTextOptions,
} from "../../../../src/adapters/keys/fetch-text.ts";
import { KeyCache } from "../../../../src/adapters/keys/key-cache.ts";
import { defaultKeySetLimits } from "../../../../src/adapters/keys/key-set.ts";
import type { KeySourceSpec } from "../../../../src/adapters/keys/key-source.ts";
import {
  defaultRefreshOptions,
  type RefreshOptions,
} from "../../../../src/adapters/keys/refreshed-keys.ts";
import { type KeyServer, serveJson, startKeyServer } from "./key-server.ts";
import { createTestKey } from "./keys.ts";

const first = createTestKey("one", "ES256");
const second = createTestKey("two", "ES256");

function setOf(...keys: readonly { readonly jwk: object }[]): string {
  return JSON.stringify({ keys: keys.map((key) => key.jwk) });
}

let authority: CertificateAuthority;
let untrusted: CertificateAuthority;
let server: KeyServer;
let plain: KeyServer;

const host = { commonName: "keys", uris: [], dnsNames: ["localhost"], ipAddresses: ["127.0.0.1"] };

beforeAll(async () => {
  authority = await createCertificateAuthority("authority", new Date(), 3_600_000);
  untrusted = await createCertificateAuthority("mallory", new Date(), 3_600_000);
  server = await startKeyServer(await authority.issue(host));
  plain = await startKeyServer(null);
});

afterAll(async () => {
  await Promise.all([server?.close(), plain?.close()]);
});

beforeEach(async () => {
  server.asked.length = 0;
  plain.asked.length = 0;
  server.answer = serveJson(setOf(first));
  server.present(await authority.issue(host));
});

function fetcher(options: Partial<FetchTextOptions> = {}) {
  return createFetchText({
    timeoutMs: 2_000,
    maxBytes: defaultKeySetLimits.maxBytes,
    allowPrivateHosts: true,
    authorities: authority.certificate,
    ...options,
  });
}

/** A cache over the real network, with a clock and timers that the test moves. */
function createCache(refresh: Partial<RefreshOptions> = {}, fetchText = fetcher()) {
  const timers = new Map<() => void, number>();
  const told: string[] = [];
  let nowMs = 1_800_000_000_000;
  const cache = new KeyCache({
    fetchText,
    nowMs: () => nowMs,
    setTimer: (run, delayMs) => {
      timers.set(run, nowMs + delayMs);
      return () => timers.delete(run);
    },
    random: () => 0,
    listener: {
      refreshed: (_alias, result) =>
        told.push(result.type === "ok" ? (result.changed ? "changed" : "same") : result.code),
      keyRefused: (_alias, { keyId, cause }) => told.push(`refused ${keyId}: ${cause}`),
      keyReturned: (_alias, keyId) => told.push(`returned ${keyId}`),
    },
    limits: defaultKeySetLimits,
    refresh: { ...defaultRefreshOptions, ...refresh },
  });
  return {
    cache,
    told,
    timers,
    /** Lets time pass, and every timer that is due run until the network is quiet. */
    async pass(seconds: number): Promise<void> {
      nowMs += seconds * 1000;
      for (const [run, dueMs] of [...timers]) {
        if (dueMs > nowMs) continue;
        timers.delete(run);
        run();
      }
      await cache.idle();
    },
  };
}

function specOf(uri = `${server.origin}/keys`): KeySourceSpec {
  return {
    issuerId: "AOIP-1",
    alias: "login",
    form: "jwks",
    issuer: server.origin,
    source: { type: "uri", uri },
    refreshHintSeconds: null,
  };
}

function idsOf(cache: KeyCache): readonly string[] | null {
  const keys = cache.keysOf("AOIP-1");
  return keys === null ? null : [...keys.byId.keys()];
}

async function started(refresh: Partial<RefreshOptions> = {}) {
  const made = createCache(refresh);
  await made.cache.configure([specOf()]);
  expect(idsOf(made.cache)).toEqual(["one"]);
  return made;
}

test("JWT-039 fifty unknown key ids while the first set is fresh cause no more than one fetch", async () => {
  const { cache } = await started();
  for (let i = 0; i < 50; i++) cache.noteUnknownKey("AOIP-1");
  await cache.idle();
  for (let i = 0; i < 50; i++) cache.noteUnknownKey("AOIP-1");
  await cache.idle();
  expect(server.asked.length).toBe(2);
});

test("JWT-040 unknown key ids cost one fetch in 30 seconds, however many there are", async () => {
  const { cache, pass } = await started({ refreshSeconds: 3600 });
  for (let second = 0; second < 90; second++) {
    cache.noteUnknownKey("AOIP-1");
    await pass(1);
  }
  expect(server.asked.length).toBe(1 + 3);
});

test("JWT-041, JWT-240 an endpoint that answers 500 leaves the keys in force, up to their age", async () => {
  const { cache, told, pass } = await started();
  server.answer = (_request, response) => response.writeHead(500).end();
  for (let i = 0; i < 10; i++) await pass(300);
  expect(idsOf(cache)).toEqual(["one"]);
  expect(told.slice(1)).toEqual(Array(10).fill("status"));
  const asked = server.asked.length;
  for (let i = 0; i < 1000; i++) cache.keysOf("AOIP-1");
  await cache.idle();
  expect(server.asked.length).toBe(asked);

  const stamp = cache.stampOf("AOIP-1");
  await pass(86_400 - 3000);
  expect(idsOf(cache)).toEqual(["one"]);
  await pass(1);
  expect(idsOf(cache)).toBeNull();
  expect(cache.stampOf("AOIP-1")).toBeGreaterThan(stamp);
  server.answer = serveJson(setOf(first));
  await pass(300);
  expect(idsOf(cache)).toEqual(["one"]);
});

test("JWT-241 a redirect is not followed", async () => {
  const { cache, told, pass } = await started();
  server.answer = (request, response) => {
    if (request.url === "/keys") response.writeHead(301, { location: "/stolen" }).end();
    else serveJson(setOf(second))(request, response);
  };
  await pass(300);
  expect(told.at(-1)).toBe("redirect");
  expect(server.asked).not.toContain("/stolen");
  expect(idsOf(cache)).toEqual(["one"]);
});

test.each([
  ["HTML", "<html>sign in</html>", "text/html", "content-type"],
  ["HTML that says it is JSON", "<html>sign in</html>", "application/json", "key-set-syntax"],
  ["a key set as text", '{"keys":[]}', "text/plain", "content-type"],
  ["a key set without a type", '{"keys":[]}', "", "content-type"],
  ["JSON in another type's name", '{"keys":[]}', "application/jsonp", "content-type"],
  ["a list", "[]", "application/json", "key-set-shape"],
  ["no keys", "{}", "application/json", "key-set-shape"],
  ["keys that are no list", '{"keys":{}}', "application/json", "key-set-shape"],
  ["a member twice", '{"keys":[],"keys":[]}', "application/json", "key-set-syntax"],
  ["a byte order mark", '\ufeff{"keys":[]}', "application/json", "key-set-syntax"],
])("JWT-242 a set is refused and the keys serve on: %s", async (_why, body, type, code) => {
  const { cache, told, pass } = await started();
  server.answer = serveJson(body, type);
  await pass(300);
  expect(told.at(-1)).toBe(code);
  expect(idsOf(cache)).toEqual(["one"]);
});

test.each(["application/jwk-set+json", "application/json; charset=utf-8", "Application/JSON"])(
  "a key set of content type %s is read",
  async (type) => {
    const { cache, pass } = await started();
    server.answer = serveJson(setOf(second), type);
    await pass(300);
    expect(idsOf(cache)).toEqual(["two"]);
  },
);

test("JWT-243 a body of 10 MiB ends at the cap, announced or not", async () => {
  const { told, pass, cache } = await started();
  let sent = 0;
  server.answer = (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    const chunk = Buffer.alloc(65_536, 0x20);
    const write = (): void => {
      for (; sent < 10 << 20; sent += chunk.length) {
        if (!response.write(chunk)) return void response.once("drain", write);
      }
      response.end();
    };
    response.on("error", () => undefined);
    write();
  };
  await pass(300);
  expect(told.at(-1)).toBe("too-large");
  // What the sockets buffer, and not the body.
  expect(sent).toBeLessThan(8 << 20);

  server.answer = (_request, response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": 10 << 20 });
    response.write("{");
  };
  await pass(300);
  expect(told.at(-1)).toBe("too-large");
  expect(idsOf(cache)).toEqual(["one"]);
});

test("JWT-243 10,000 keys are refused as a whole", async () => {
  const { told, pass, cache } = await started();
  const small = Array.from({ length: 10_000 }, () => ({ kty: "EC" }));
  server.answer = serveJson(JSON.stringify({ keys: small }));
  await pass(300);
  expect(told.at(-1)).toBe("key-set-shape");
  expect(idsOf(cache)).toEqual(["one"]);
});

test("JWT-243 a compressed body is not unpacked", async () => {
  const { told, pass } = await started();
  server.answer = (_request, response) => {
    response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
    response.end(Buffer.of(0x1f, 0x8b));
  };
  await pass(300);
  expect(told.at(-1)).toBe("content-coding");
});

test("JWT-244 a slow drip and a silent connection end at the time-out", async () => {
  const made = createCache({}, fetcher({ timeoutMs: 200 }));
  await made.cache.configure([specOf()]);
  server.answer = (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    const drip = setInterval(() => response.write(" "), 20);
    response.on("close", () => clearInterval(drip));
  };
  await made.pass(300);
  expect(made.told.at(-1)).toBe("timeout");
  server.answer = () => undefined;
  await made.pass(300);
  expect(made.told.at(-1)).toBe("timeout");
  expect(idsOf(made.cache)).toEqual(["one"]);
});

test("JWT-244 a body that breaks off is no key set", async () => {
  const { told, pass, cache } = await started();
  server.answer = (_request, response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": 100 });
    response.write('{"keys":[]}');
    setTimeout(() => response.destroy(), 20);
  };
  await pass(300);
  expect(told.at(-1)).toBe("network");
  expect(idsOf(cache)).toEqual(["one"]);
});

test("JWT-245 a certificate of another authority ends the fetch", async () => {
  const { told, pass, cache } = await started();
  server.present(await untrusted.issue(host));
  server.answer = serveJson(setOf(second));
  await pass(300);
  expect(told.at(-1)).toBe("network");
  expect(idsOf(cache)).toEqual(["one"]);
  server.present(await authority.issue({ ...host, ipAddresses: ["127.0.0.2"], dnsNames: [] }));
  await pass(300);
  expect(told.at(-1)).toBe("network");
  expect(idsOf(cache)).toEqual(["one"]);
});

test("JWT-246 a removed key is gone with the next refresh, at most an interval later", async () => {
  server.answer = serveJson(setOf(first, second));
  const { cache, pass, timers } = createCache();
  await cache.configure([specOf()]);
  expect(idsOf(cache)).toEqual(["one", "two"]);
  const stamp = cache.stampOf("AOIP-1");
  server.answer = serveJson(setOf(second));
  await pass(299);
  expect(idsOf(cache)).toEqual(["one", "two"]);
  expect(Math.max(...timers.values())).toBeLessThanOrEqual(1_800_000_300_000);
  await pass(1);
  expect(idsOf(cache)).toEqual(["two"]);
  expect(cache.stampOf("AOIP-1")).toBeGreaterThan(stamp);
});

test("JWT-246 a set without keys withdraws all of them", async () => {
  const { cache, pass } = await started();
  server.answer = serveJson('{"keys":[]}');
  await pass(300);
  expect(idsOf(cache)).toEqual([]);
});

test("JWT-247 a rotation with overlap leaves no moment without either key", async () => {
  const { cache, pass } = await started();
  const kept = cache.keysOf("AOIP-1")?.byId.get("one");
  server.answer = serveJson(setOf(first, second));
  await pass(300);
  expect(idsOf(cache)).toEqual(["one", "two"]);
  // The same key is the same object: a token verified with it need not be verified again.
  expect(cache.keysOf("AOIP-1")?.byId.get("one")).toBe(kept);
  server.answer = serveJson(setOf(second));
  await pass(300);
  expect(idsOf(cache)).toEqual(["two"]);
});

test("JWT-248 an older set that is served again is taken, and the return of its key told", async () => {
  const { cache, told, pass } = await started();
  server.answer = serveJson(setOf(second));
  await pass(300);
  server.answer = serveJson(setOf(first));
  await pass(300);
  expect(idsOf(cache)).toEqual(["one"]);
  expect(told).toEqual(["changed", "changed", "returned one", "changed"]);
});

test("a set that is served again unchanged is the same set, with the same stamp", async () => {
  const { cache, told, pass } = await started();
  const keys = cache.keysOf("AOIP-1");
  const stamp = cache.stampOf("AOIP-1");
  await pass(300);
  expect(told).toEqual(["changed", "same"]);
  expect(cache.keysOf("AOIP-1")).toBe(keys);
  expect(cache.stampOf("AOIP-1")).toBe(stamp);
});

test.each([
  ["https://169.254.169.254/latest/meta-data"],
  ["https://[fe80::1]/keys"],
  ["https://[fd00:ec2::254]/keys"],
  ["https://[::ffff:169.254.169.254]/keys"],
  ["https://0xa9fea9fe/keys"],
  ["https://2852039166/keys"],
  ["https://0.0.0.0/keys"],
])("JWT-249 %s is refused whatever is allowed", async (url) => {
  expect(await fetcher()(url)).toMatchObject({ ok: false, code: "address" });
});

test("JWT-249 loopback and private addresses are refused unless they are allowed, names too", async () => {
  const closed = fetcher({ allowPrivateHosts: false });
  const { port } = new URL(server.origin);
  for (const name of ["127.0.0.1", "localhost", "[::1]", "127.1", "10.0.0.1"]) {
    expect(await closed(`https://${name}:${port}/keys`)).toMatchObject({ code: "address" });
  }
  expect(server.asked).toEqual([]);
  expect(await fetcher()(`https://localhost:${port}/keys`)).toMatchObject({ ok: true });
});

test("plain http is for loopback alone, and only where it is allowed", async () => {
  plain.answer = serveJson("{}");
  expect(await fetcher()(`${plain.origin}/keys`)).toMatchObject({ ok: true });
  const closed = fetcher({ allowPrivateHosts: false });
  expect(await closed(`${plain.origin}/keys`)).toMatchObject({ code: "address" });
  expect(await fetcher()("http://10.0.0.1/keys")).toMatchObject({ code: "address" });
});

test.each([
  ["no URL", "keys"],
  ["a file", "file:///etc/passwd"],
  ["data", 'data:application/json,{"keys":[]}'],
  ["credentials in it", "https://user:secret@login.example/keys"],
  ["credentials in it and no port", "https://user:secret@login.example:99999/keys"],
  ["a mail address", "mailto:user:secret@login.example"],
])("a URL that is %s is refused", async (_why, url) => {
  const fetched = await fetcher()(url);
  expect(fetched).toMatchObject({ ok: false, code: "url" });
  expect(JSON.stringify(fetched)).not.toContain("secret");
});

test("JWT-250 discovery must name the configured issuer, byte by byte", async () => {
  const spec: KeySourceSpec = { ...specOf(), source: { type: "discovery" } };
  for (const issuer of [`${server.origin}/`, server.origin.toUpperCase(), undefined, 7]) {
    server.answer = serveJson(JSON.stringify({ issuer, jwks_uri: `${server.origin}/keys` }));
    const { cache, told } = createCache();
    await cache.configure([spec]);
    expect(told).toEqual(["discovery"]);
    expect(idsOf(cache)).toBeNull();
  }
  expect(new Set(server.asked)).toEqual(new Set(["/.well-known/openid-configuration"]));
});

test("discovery leads to the keys, and not to a metadata service", async () => {
  const spec: KeySourceSpec = { ...specOf(), source: { type: "discovery" } };
  let uri = `${server.origin}/keys`;
  server.answer = (request, response) => {
    const text =
      request.url === "/keys"
        ? setOf(first)
        : JSON.stringify({ issuer: server.origin, jwks_uri: uri });
    serveJson(text)(request, response);
  };
  const { cache, told, pass } = createCache();
  await cache.configure([spec]);
  expect(idsOf(cache)).toEqual(["one"]);
  uri = "http://169.254.169.254/keys";
  await pass(300);
  expect(told.at(-1)).toBe("address");
});

test("JWT-284 a bundle with a lower sequence is refused, and its hint is kept within bounds", async () => {
  const bundle = (sequence: number, hint: number, key: object) =>
    serveJson(
      JSON.stringify({
        keys: [{ ...key, use: "jwt-svid" }],
        spiffe_sequence: sequence,
        spiffe_refresh_hint: hint,
      }),
    );
  const { cache, told, pass, timers } = createCache();
  server.answer = bundle(7, 0, first.jwk);
  await cache.configure([{ ...specOf(), form: "spiffe" }]);
  expect(idsOf(cache)).toEqual(["one"]);
  const startMs = 1_800_000_000_000;
  expect([...timers.values()]).toEqual([startMs + 30_000]);

  server.answer = bundle(6, 60, second.jwk);
  await pass(30);
  expect(told.at(-1)).toBe("sequence");
  expect(idsOf(cache)).toEqual(["one"]);

  server.answer = bundle(7, 31_536_000, second.jwk);
  await pass(30);
  expect(idsOf(cache)).toEqual(["two"]);
  expect([...timers.values()]).toEqual([startMs + 60_000 + 3_600_000]);
});
