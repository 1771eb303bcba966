import { expect } from "vitest";
import { createTestKey, renamed } from "./keys.ts";
import type { Row } from "./row.ts";
import { createWorld, ec, keysOf, mint, providers, rsa, type World } from "./world.ts";

async function worldWith(...jwks: readonly Readonly<Record<string, unknown>>[]): Promise<World> {
  const keys = await keysOf("jwks", ...jwks);
  return createWorld({ keys: new Map([[providers.generic.id, keys]]) });
}

const second = createTestKey("rsa-2", "RS256");
const plain = rsa.jwk;
const unnamed = { ...rsa.jwk, kid: undefined };

const traversal = ["../../dev/null", "/dev/null", "..\\..\\windows\\win.ini", "file:///dev/null"];
const injections = ["' UNION SELECT 'key' --", "rsa-1\0", "rsa-1\r\nx: y", "$(id)", "rsa-1 "];

export const keyChoiceRows: readonly (Row | Promise<Row>)[] = [
  ...traversal.map(
    (kid, i): Row => ({
      id: `JWT-120.${i + 1}`,
      title: `kid ${kid}`,
      token: () => mint("generic", { header: { kid } }),
      expect: "token-key",
    }),
  ),
  ...injections.map(
    (kid, i): Row => ({
      id: `JWT-121.${i + 1}`,
      title: `kid ${JSON.stringify(kid)}`,
      token: () => mint("generic", { header: { kid } }),
      expect: "token-key",
      check: (_result, world) => expect(world.unknownKeysOf).toEqual([providers.generic.id]),
    }),
  ),
  {
    id: "JWT-122.1",
    title: "kid of 100 kB",
    token: () => mint("generic", { header: { kid: "k".repeat(100_000) } }),
    expect: "token-too-large",
  },
  {
    id: "JWT-122.2",
    title: "kid of 10 kB",
    token: () => mint("generic", { header: { kid: "k".repeat(10_000) } }),
    expect: "token-key",
  },
  ...[7, null, ["rsa-1"], { kid: "rsa-1" }, true].map(
    (kid, i): Row => ({
      id: `JWT-123.${i + 1}`,
      title: `kid is ${JSON.stringify(kid)}`,
      token: () => mint("generic", { header: { kid } }),
      expect: "token-malformed",
    }),
  ),
  {
    id: "JWT-123.6",
    title: "kid holds a lone surrogate",
    token: () => mint("generic", { headerText: '{"alg":"RS256","kid":"\\ud800"}' }),
    expect: "token-malformed",
  },
  ...["__proto__", "constructor", "toString", ""].map(
    (kid, i): Row => ({
      id: `JWT-124.${i + 1}`,
      title: `kid ${JSON.stringify(kid)}`,
      token: () => mint("generic", { header: { kid } }),
      expect: "token-key",
    }),
  ),
  {
    id: "JWT-125.1",
    title: "the same kid at two providers: the other's key verifies nothing here",
    world: createWorld({
      keys: new Map([
        [providers.generic.id, await keysOf("jwks", renamed(rsa, "shared").jwk)],
        [providers.other.id, await keysOf("jwks", renamed(second, "shared").jwk)],
      ]),
    }),
    token: () => mint("generic", { key: renamed(second, "shared") }),
    expect: "token-signature",
  },
  {
    id: "JWT-125.2",
    title: "the same kid at two providers: the own one does",
    world: createWorld({
      keys: new Map([
        [providers.generic.id, await keysOf("jwks", renamed(rsa, "shared").jwk)],
        [providers.other.id, await keysOf("jwks", renamed(second, "shared").jwk)],
      ]),
    }),
    token: () => mint("generic", { key: renamed(rsa, "shared") }),
    expect: "accept",
  },
  {
    id: "JWT-125.3",
    title: "two issuers share keys, and the set of this one is not fetched yet",
    world: createWorld({
      keys: new Map([
        [providers.generic.id, await keysOf("jwks", rsa.jwk)],
        [providers.other.id, await keysOf("jwks", rsa.jwk, second.jwk)],
      ]),
    }),
    token: () => mint("generic", { key: second }),
    expect: "token-issuer",
    check: (_result, world) => expect(world.unknownKeysOf).toEqual([providers.generic.id]),
  },
  {
    id: "JWT-126.1",
    title: "two keys of one kid: the first",
    world: await worldWith(plain, renamed(second, rsa.id).jwk),
    token: () => mint("generic"),
    expect: "token-key",
  },
  {
    id: "JWT-126.2",
    title: "two keys of one kid: the second",
    world: await worldWith(plain, renamed(second, rsa.id).jwk),
    token: () => mint("generic", { key: renamed(second, rsa.id) }),
    expect: "token-key",
  },
  {
    id: "JWT-126.3",
    title: "two keys of one kid, one of them for encryption, is one key",
    world: await worldWith(plain, { ...renamed(second, rsa.id).jwk, use: "enc" }),
    token: () => mint("generic"),
    expect: "accept",
  },
  {
    id: "JWT-126.4",
    title: "one key listed twice is one key",
    world: await worldWith(plain, plain),
    token: () => mint("generic"),
    expect: "accept",
  },
  {
    id: "JWT-126.5",
    title: "no kid, and two keys that fit",
    world: await worldWith(plain, second.jwk),
    token: () => mint("generic", { header: { kid: undefined } }),
    expect: "token-key",
  },
  {
    id: "JWT-126.6",
    title: "no kid, and one key that fits",
    world: await worldWith(unnamed, ec.jwk),
    token: () => mint("generic", { header: { kid: undefined } }),
    expect: "accept",
  },
  {
    id: "JWT-126.7",
    title: "a kid, and only a key without one",
    world: await worldWith(unnamed),
    token: () => mint("generic"),
    expect: "token-key",
  },
  ...(
    [
      ["JWT-140", "use: enc", { use: "enc" }],
      ["JWT-042", "use: enc on the only key, no kid", { use: "enc", kid: undefined }],
      ["JWT-140.1", "use: an unknown word", { use: "verify" }],
      ["JWT-140.2", "use: a list", { use: ["sig"] }],
      ["JWT-141.1", "key_ops without verify", { key_ops: ["encrypt"] }],
      ["JWT-141.2", "key_ops: an empty list", { key_ops: [] }],
      ["JWT-141.3", "key_ops: a text", { key_ops: "verify" }],
      ["JWT-144.2", "use: jwt-svid at an OIDC provider", { use: "jwt-svid" }],
      ["JWT-144.4", "use: x509-svid at an OIDC provider", { use: "x509-svid" }],
      ["JWT-142.1", "alg: RSA-OAEP", { alg: "RSA-OAEP" }],
      ["JWT-142.2", "alg: ES256 on an RSA key", { alg: "ES256" }],
      ["JWT-142.3", "alg: a list", { alg: ["RS256"] }],
      ["JWT-012.1", "exponent 1", { e: "AQ" }],
      ["JWT-012.2", "exponent 2", { e: "Ag" }],
      ["JWT-012.3", "a private key, published", rsa.privateKey.export({ format: "jwk" })],
      ["JWT-123.7", "kid of the key is a number", { kid: 7 }],
    ] as const
  ).map(
    async ([id, title, change]): Promise<Row> => ({
      id,
      title: `key refused: ${title}`,
      world: await worldWith({ ...plain, ...change }),
      token: () => mint("generic"),
      expect: "token-key",
    }),
  ),
];
