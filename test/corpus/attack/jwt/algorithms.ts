import { createSecretKey } from "node:crypto";
import { createTestKey, encode, renamed, signBytes, type TestKey } from "./keys.ts";
import type { Row } from "./row.ts";
import {
  allAlgorithms,
  createWorld,
  ec,
  edwards,
  json,
  keysOf,
  mallory,
  mint,
  now,
  provider,
  providers,
  rsa,
} from "./world.ts";

/** One key a family; an algorithm's key is that of its family under the algorithm's name. */
const families: Readonly<Record<string, TestKey>> = {
  RS: rsa,
  PS: rsa,
  ES256: ec,
  ES384: createTestKey("ec-384", "ES384"),
  ES512: createTestKey("ec-521", "ES512"),
  Ed: edwards,
};

const bound = allAlgorithms.map((algorithm) => {
  const key = families[algorithm] ?? families[algorithm.slice(0, 2)] ?? rsa;
  return renamed(key, `for-${algorithm}`, algorithm);
});

const everything = provider("everything", { algorithms: [...allAlgorithms, "HS256", "none"] });

/** Every key bound to one algorithm by its JWK. */
const boundWorld = () =>
  createWorld({ providers: [everything], keys: new Map([[everything.id, boundKeys]]) });
const boundKeys = await keysOf(
  "jwks",
  ...bound.map((key) => ({ ...key.jwk, alg: key.algorithm, use: "sig" })),
);

/** The same keys without `alg`: only the family binds. */
const unboundKeys = await keysOf("jwks", ...bound.map((key) => key.jwk));

function familyOf(algorithm: string): string {
  if (algorithm.startsWith("RS") || algorithm.startsWith("PS")) return "RSA";
  return algorithm.startsWith("Ed") ? "Ed" : algorithm;
}

function cross(
  id: string,
  keys: typeof boundKeys,
  fits: (algorithm: string, key: TestKey) => boolean,
): Row[] {
  const sets = new Map([[everything.id, keys]]);
  return allAlgorithms.flatMap((algorithm) =>
    bound.map((key): Row => {
      const signer = bound.find((one) => one.algorithm === algorithm) ?? key;
      return {
        id,
        title: `${algorithm} under a key ${key.id}`,
        world: createWorld({ providers: [everything], keys: sets }),
        token: () =>
          mint("generic", {
            key: signer,
            algorithm,
            header: { kid: key.id },
            claims: { iss: everything.issuer },
          }),
        expect: fits(algorithm, key) ? "accept" : "token-algorithm",
      };
    }),
  );
}

/** An HMAC over the token, keyed with something public. */
function hmac(algorithm: string, secret: Uint8Array, kid: string, iss: string): string {
  const head = encode(json({ alg: algorithm, kid }));
  const body = encode(json({ iss, sub: "root", aud: "mesh", exp: now + 60 }));
  const signature = signBytes(algorithm, createSecretKey(secret), `${head}.${body}`);
  return `${head}.${body}.${encode(signature)}`;
}

const rsaPem = Buffer.from(rsa.publicKey.export({ type: "spki", format: "pem" }));
const weak = createTestKey("weak", "RS256", 1024);
const twoBytes = { kty: "oct", k: "AAE", kid: "secret", alg: "HS256" };
const longSecret = { kty: "oct", k: encode(Buffer.alloc(64, 7)), kid: "secret", alg: "HS256" };

export const algorithmRows: readonly Row[] = [
  ...["HS256", "HS384", "HS512"].map(
    (algorithm, i): Row => ({
      id: `JWT-002.${i + 1}`,
      title: `${algorithm} with the RSA public key as secret`,
      token: () => hmac(algorithm, rsaPem, rsa.id, providers.generic.issuer),
      expect: "token-algorithm",
    }),
  ),
  {
    id: "JWT-002.4",
    title: "HS256 with the RSA public key as secret, at a provider that pins HS256",
    world: boundWorld(),
    token: () => hmac("HS256", rsaPem, "for-RS256", everything.issuer),
    expect: "token-algorithm",
  },
  {
    id: "JWT-012",
    title: "an RSA key of 1024 bits is refused when its set is loaded",
    world: createWorld({
      keys: new Map([[providers.generic.id, await keysOf("jwks", weak.jwk, ec.jwk)]]),
    }),
    token: () => mint("generic", { key: weak }),
    expect: "token-key",
  },
  {
    id: "JWT-031",
    title: "a secret of two bytes in a key set verifies nothing",
    world: createWorld({
      providers: [provider("generic", { algorithms: ["HS256"] })],
      keys: new Map([[providers.generic.id, await keysOf("jwks", twoBytes)]]),
    }),
    token: () => hmac("HS256", Buffer.of(0, 1), "secret", providers.generic.issuer),
    expect: "token-algorithm",
  },
  {
    id: "JWT-143",
    title: "a long secret in a remote key set is no key",
    world: createWorld({
      providers: [provider("generic", { algorithms: ["RS256", "HS256"] })],
      keys: new Map([[providers.generic.id, await keysOf("jwks", longSecret)]]),
    }),
    token: () => mint("generic", { header: { kid: "secret" } }),
    expect: "token-key",
  },
  ...cross("JWT-100.1", boundKeys, (algorithm, key) => algorithm === key.algorithm),
  ...cross(
    "JWT-100.2",
    unboundKeys,
    (algorithm, key) => familyOf(algorithm) === familyOf(key.algorithm),
  ),
  ...bound.map(
    (key): Row => ({
      id: "JWT-100.3",
      title: `HS256 under a key ${key.id}`,
      world: boundWorld(),
      token: () => hmac("HS256", rsaPem, key.id, everything.issuer),
      expect: "token-algorithm",
    }),
  ),
  {
    id: "JWT-101",
    title: "PS256 under a key bound to RS256",
    world: boundWorld(),
    token: () =>
      mint("generic", {
        key: rsa,
        algorithm: "PS256",
        header: { kid: "for-RS256" },
        claims: { iss: everything.issuer },
      }),
    expect: "token-algorithm",
  },
  {
    id: "JWT-142",
    title: "the JWK's alg differs from the header's",
    world: boundWorld(),
    token: () =>
      mint("generic", {
        key: rsa,
        algorithm: "RS256",
        header: { kid: "for-PS256" },
        claims: { iss: everything.issuer },
      }),
    expect: "token-algorithm",
  },
  ...["PS256", "EdDSA", "Ed25519"].map(
    (algorithm, i): Row => ({
      id: `JWT-101.${i + 1}`,
      title: `${algorithm}, which the provider does not pin`,
      token: () => mint("generic", { key: algorithm === "PS256" ? rsa : edwards, algorithm }),
      expect: "token-algorithm",
    }),
  ),
  ...["rs256", "RS256 ", "RS1", "ES256K", "RSA-OAEP", "", "toString", "__proto__"].map(
    (algorithm, i): Row => ({
      id: `JWT-101.${i + 4}`,
      title: `alg ${JSON.stringify(algorithm)}`,
      token: () => mint("generic", { header: { alg: algorithm }, algorithm: "RS256" }),
      expect: "token-algorithm",
    }),
  ),
  {
    id: "JWT-107",
    title: "our session's typ is no JWT of a provider, whatever signs it",
    token: () => mint("generic", { header: { typ: "mi-session+jwt" } }),
    expect: "token-kind",
  },
  {
    id: "JWT-006.4",
    title: "a key of the same name from elsewhere",
    token: () => mint("generic", { key: mallory }),
    expect: "token-signature",
  },
];
