import { describe, expect, test } from "vitest";
import { audience, issuer, organization } from "../../../test/fakes/documents.ts";
import { directoryOf, startMs } from "../../../test/fakes/pipeline.ts";
import { defaultKeySetLimits, loadKeySet } from "../../adapters/keys/key-set.ts";
import { createIssuers, type Issuers } from "../../domain/credentials/issuers.ts";
import { verifyToken } from "../../domain/credentials/jwt.ts";
import type { VerificationKeys } from "../../domain/credentials/verification-key.ts";
import type { OidcProvider } from "../../domain/directory/model.ts";
import { isDenied } from "../../domain/request/denied.ts";
import { createTokenIssuer, type TokenIssuer } from "../cli/quickstart/tokens.ts";
import { TokenCache, type TokenCacheOptions } from "./token-cache.ts";

const login = createTokenIssuer(issuer, audience, "key-1", () => startMs);
const hourMs = 3_600_000;
const skewMs = 60_000;
const lifeMs = 8 * hourMs;

/** A cache with an issuer whose keys and rules the test moves, and a count of signature checks. */
async function createCache(options: Partial<TokenCacheOptions> = {}) {
  const [provider] = directoryOf(organization(login.jwks)).oidcProviders;
  if (provider === undefined) throw new Error("no provider");
  let keys: VerificationKeys | null = await keysOf(login);
  const issuersOf = (changes: Partial<OidcProvider> = {}, present = true): Issuers =>
    createIssuers({
      providers: present ? [{ ...provider, ...changes }] : [],
      trustDomains: [],
      accountOfSpiffeId: () => null,
      keys: { keysOf: (id) => (id === provider.id ? keys : null), noteUnknownKey: () => {} },
      listener: { embeddedKey: () => {} },
    });
  const counts = { hit: 0, miss: 0, refused: 0 };
  let verifications = 0;
  const cache = new TokenCache(
    {
      options: { capacity: 100, maxBytes: 1_000_000, maxTtlMs: hourMs, ...options },
      // Every verification is charged, and nothing else is.
      budget: { admits: () => true, spend: () => void verifications++ },
      monotonicMs: () => 0,
      count: (result) => counts[result]++,
      seed: 7,
    },
    issuersOf(),
  );
  return {
    cache,
    counts,
    issuersOf,
    setKeys(next: VerificationKeys | null) {
      keys = next;
    },
    verifications: () => verifications,
    /** Returns `ok`, or the reason of the denial. */
    verify(token: string, nowMs = startMs): string {
      const credential = cache.verify(token, nowMs);
      return isDenied(credential) ? credential.reason : "ok";
    },
  };
}

/** Returns the key set; keys that `before` has too are the same objects, as the key cache makes it. */
async function keysOf(...issuers: readonly TokenIssuer[]): Promise<VerificationKeys> {
  return loaded(issuers, null);
}

async function loaded(issuers: readonly TokenIssuer[], before: Parameters<typeof loadKeySet>[3]) {
  const keys = issuers.flatMap(({ jwks }) => JSON.parse(jwks).keys);
  const set = await loadKeySet(JSON.stringify({ keys }), "jwks", defaultKeySetLimits, before);
  if (!set.ok) throw new Error(set.message);
  return set.value.keys;
}

const ana = { sub: "ana", preferred_username: "ana" };

test("a token is verified once, and known from then on by every character of its text", async () => {
  const { verify, verifications, counts, cache } = await createCache();
  const token = login.issue(ana);
  expect([verify(token), verify(token), verify(token)]).toEqual(["ok", "ok", "ok"]);
  expect(verifications()).toBe(1);
  expect(counts).toEqual({ hit: 2, miss: 1, refused: 0 });
  expect(cache.verify(token, startMs)).toBe(cache.verify(token, startMs));
  const last = token.at(-1) === "A" ? "Q" : "A";
  expect(verify(`${token.slice(0, -1)}${last}`)).not.toBe("ok");
  expect(verifications()).toBe(2);
});

describe("by the bytes of the header", () => {
  const spanOf = (text: string) => {
    const bytes = Buffer.from(`:${text}:`, "latin1");
    return { bytes, start: 1, end: bytes.length - 1 };
  };

  test("a known token is found, and only by all of them", async () => {
    const { cache, verify, verifications, counts } = await createCache();
    const token = login.issue(ana);
    const header = spanOf(`Bearer ${token}`);
    expect(cache.knownHeader(header, startMs)).toBeNull();
    verify(token);
    expect(cache.knownHeader(header, startMs)).toBe(cache.verify(token, startMs));
    expect(verifications()).toBe(1);
    expect(counts).toEqual({ hit: 2, miss: 1, refused: 0 });
    for (const text of [token, `bearer ${token}`, `Bearer ${token} `, `Bearer ${token.slice(1)}`]) {
      expect(cache.knownHeader(spanOf(text), startMs)).toBeNull();
    }
    expect(counts).toEqual({ hit: 2, miss: 1, refused: 0 });
  });

  test("looking alone does not count", async () => {
    const { cache, verify, counts } = await createCache();
    const token = login.issue(ana);
    verify(token);
    expect(cache.recallHeader(spanOf(`Bearer ${token}`), startMs)).not.toBeNull();
    expect(counts).toEqual({ hit: 0, miss: 1, refused: 0 });
  });

  test("a token that its issuer's rules refuse now is refused", async () => {
    const { cache, verify, counts, issuersOf } = await createCache();
    const token = login.issue(ana);
    verify(token);
    cache.issuers = issuersOf({ audiences: ["other"] });
    expect(cache.knownHeader(spanOf(`Bearer ${token}`), startMs)).toMatchObject({
      reason: "token-audience",
    });
    expect(counts).toEqual({ hit: 0, miss: 1, refused: 1 });
  });
});

test("a refused token is not kept", async () => {
  const { verify, verifications, counts, cache } = await createCache();
  const token = login.issue({ ...ana, aud: "other" });
  expect([verify(token), verify(token)]).toEqual(["token-audience", "token-audience"]);
  expect(verifications()).toBe(2);
  expect(counts).toEqual({ hit: 0, miss: 0, refused: 2 });
  expect(cache.size).toBe(0);
});

test("looking alone neither verifies nor counts", async () => {
  const { cache, verifications, counts, verify } = await createCache();
  const token = login.issue(ana);
  expect(isDenied(cache.recall(token, startMs))).toBe(true);
  expect(verifications()).toBe(0);
  verify(token);
  expect(isDenied(cache.recall(token, startMs))).toBe(false);
  expect(counts).toEqual({ hit: 0, miss: 1, refused: 0 });
});

describe("how long a token counts as known", () => {
  test("the time to live ends exactly at its bound", async () => {
    const { verify, verifications } = await createCache({ maxTtlMs: 1_000 });
    const token = login.issue(ana);
    verify(token, startMs);
    verify(token, startMs + 999);
    expect(verifications()).toBe(1);
    verify(token, startMs + 1_000);
    expect(verifications()).toBe(2);
    verify(token, startMs + 1_999);
    expect(verifications()).toBe(2);
  });

  test("without a time to live each use verifies", async () => {
    const { verify, verifications, cache } = await createCache({ maxTtlMs: 0 });
    const token = login.issue(ana);
    verify(token);
    verify(token);
    expect(verifications()).toBe(2);
    expect(cache.size).toBe(0);
  });

  test("a clock that is set back makes the token new", async () => {
    const { verify, verifications } = await createCache();
    const token = login.issue(ana);
    verify(token, startMs + 30_000);
    expect(verify(token, startMs)).toBe("ok");
    expect(verifications()).toBe(2);
  });

  test("a token longer than the bound is verified each time", async () => {
    const { verify, verifications, cache } = await createCache({ maxTokenChars: 600 });
    const [short, long] = [login.issue(ana), login.issue({ ...ana, pad: "x".repeat(600) })];
    for (const token of [short, long, short, long]) expect(verify(token)).toBe("ok");
    expect(verifications()).toBe(3);
    expect(cache.size).toBe(1);
  });
});

describe("keys (POL-096)", () => {
  const next = createTokenIssuer(issuer, audience, "key-2", () => startMs);

  test("after a rotation that keeps the key nothing is verified again", async () => {
    const { verify, verifications, setKeys } = await createCache();
    const before = (await loaded([login], null)) as Parameters<typeof loadKeySet>[3];
    setKeys(before as VerificationKeys);
    const tokens = Array.from({ length: 20 }, (_, n) => login.issue({ ...ana, n }));
    for (const token of tokens) verify(token);
    expect(verifications()).toBe(20);
    setKeys(await loaded([next, login], before));
    for (const token of tokens) expect(verify(token)).toBe("ok");
    expect(verifications()).toBe(20);
  });

  test("a key that is gone takes its tokens along, and only these", async () => {
    const { verify, verifications, setKeys } = await createCache();
    const both = (await loaded([login, next], null)) as Parameters<typeof loadKeySet>[3];
    setKeys(both as VerificationKeys);
    const [old, fresh] = [login.issue(ana), next.issue(ana)];
    expect([verify(old), verify(fresh)]).toEqual(["ok", "ok"]);
    setKeys(await loaded([next], both));
    expect([verify(old), verify(fresh)]).toEqual(["token-key", "ok"]);
    // One look at the signature's key for the old one, none for the other.
    expect(verifications()).toBe(3);
  });

  test("keys that became too old to be believed refuse, and are believed again when they are back", async () => {
    const { verify, setKeys } = await createCache();
    const keys = await keysOf(login);
    setKeys(keys);
    const token = login.issue(ana);
    expect(verify(token)).toBe("ok");
    setKeys(null);
    expect(verify(token)).toBe("token-key");
    setKeys(keys);
    expect(verify(token)).toBe("ok");
  });
});

describe("rules of issuers (POL-096)", () => {
  test.each<[why: string, changes: Partial<OidcProvider>, reason: string]>([
    ["another audience", { audiences: ["other"] }, "token-audience"],
    ["a shorter life", { maxTokenLifetimeSeconds: 60 }, "token-time"],
    ["another algorithm", { algorithms: ["EdDSA"] }, "token-algorithm"],
    ["another kind", { tokenKind: "rfc9068" }, "token-kind"],
  ])(
    "%s refuses known tokens without a signature check, for as long as it holds",
    async (_why, changes, reason) => {
      const { cache, verify, verifications, issuersOf } = await createCache();
      const token = login.issue(ana);
      expect(verify(token)).toBe("ok");
      cache.issuers = issuersOf(changes);
      expect([verify(token), verify(token)]).toEqual([reason, reason]);
      expect(verifications()).toBe(1);
      cache.issuers = issuersOf();
      expect(verify(token)).toBe("ok");
      expect(verifications()).toBe(1);
    },
  );

  test("an issuer that is gone refuses, whether its tokens were known or not", async () => {
    const { cache, verify, issuersOf, setKeys } = await createCache();
    const token = login.issue(ana);
    verify(token);
    cache.issuers = issuersOf({}, false);
    setKeys(null);
    expect(verify(token)).toBe("token-issuer");
    expect(verify(login.issue({ ...ana, n: 1 }))).toBe("token-issuer");
  });

  test("a change that leaves a token good gives it the new rules' facts", async () => {
    const { cache, verify, verifications, issuersOf } = await createCache();
    const token = login.issue(ana);
    verify(token);
    cache.issuers = issuersOf({ clockSkewSeconds: 0 });
    expect(cache.verify(token, startMs)).toMatchObject({ expiresAtMs: startMs + lifeMs });
    expect(verifications()).toBe(1);
  });
});

describe("bounds (POL-068)", () => {
  test("the least recently used leave when there are too many", async () => {
    const { verify, verifications, cache } = await createCache({ capacity: 3 });
    const tokens = Array.from({ length: 4 }, (_, n) => login.issue({ ...ana, n }));
    const [first = "", second = "", third = "", fourth = ""] = tokens;
    for (const token of [first, second, third]) verify(token);
    verify(first);
    verify(fourth);
    expect(cache.size).toBe(3);
    verify(first);
    expect(verifications()).toBe(4);
    verify(second);
    expect(verifications()).toBe(5);
  });

  test("their bytes stay within the bound, claims reckoned apart", async () => {
    const { verify, cache } = await createCache({ maxBytes: 100_000, capacity: 1_000 });
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`c${n}`, n]));
    for (let n = 0; n < 60; n++) {
      verify(login.issue({ ...ana, n, ...(n % 2 === 0 ? many : {}) }));
      expect(cache.bytes).toBeLessThanOrEqual(100_000);
    }
    expect(cache.size).toBeGreaterThan(2);
    expect(cache.bytes).toBeGreaterThan(50_000);
    const plain = await createCache();
    plain.verify(login.issue(ana));
    const rich = await createCache();
    rich.verify(login.issue({ ...ana, ...many }));
    expect(rich.cache.bytes - plain.cache.bytes).toBeGreaterThan(200 * 128);
  });
});

test("a verified token is what verification without a cache gives, times included", async () => {
  const { cache, issuersOf } = await createCache();
  const token = login.issue(ana);
  const credential = cache.verify(token, startMs);
  const bare = verifyToken(token, issuersOf(), startMs);
  if (isDenied(bare)) throw new Error(bare.reason);
  expect(credential).toEqual(bare.credential);
  expect(credential).toMatchObject({ expiresAtMs: startMs + lifeMs + skewMs });
});
