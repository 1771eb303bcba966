import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { defaultKeySetLimits, type KeySetForm, loadKeySet } from "./key-set.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const rsaJwk = { ...rsa.publicKey.export({ format: "jwk" }), kid: "r" };
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ecJwk = { ...ec.publicKey.export({ format: "jwk" }), kid: "e" };
const ecPrivate = { ...ec.privateKey.export({ format: "jwk" }), kid: "e" };
const edJwk = { ...generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" }), kid: "d" };

const jwkOf = (pair: { publicKey: { export(o: { format: "jwk" }): object } }) =>
  pair.publicKey.export({ format: "jwk" });
const smallRsa = jwkOf(generateKeyPairSync("rsa", { modulusLength: 1024 }));
const p384 = jwkOf(generateKeyPairSync("ec", { namedCurve: "P-384" }));
const secp256k1 = jwkOf(generateKeyPairSync("ec", { namedCurve: "secp256k1" }));
const ed448 = jwkOf(generateKeyPairSync("ed448"));
const x25519 = jwkOf(generateKeyPairSync("x25519"));

async function load(keys: readonly unknown[], form: KeySetForm = "jwks", rest: object = {}) {
  const text = JSON.stringify({ keys, ...rest });
  const loaded = await loadKeySet(text, form, defaultKeySetLimits, null);
  if (!loaded.ok) throw new Error(loaded.message);
  return loaded.value;
}

test("sound keys are loaded with what binds them", async () => {
  const { keys, refused } = await load([
    { ...rsaJwk, alg: "RS256", use: "sig" },
    { ...ecJwk, key_ops: ["verify"] },
    { ...edJwk, alg: "EdDSA", x5c: ["ignored"] },
    { ...p384, kid: "p384" },
  ]);
  expect(refused).toEqual([]);
  expect(keys.all.map(({ id, algorithm, family }) => [id, algorithm, family])).toEqual([
    ["r", "RS256", "RSA"],
    ["e", null, "P-256"],
    ["d", "EdDSA", "Ed25519"],
    ["p384", null, "P-384"],
  ]);
  expect(keys.all.every(({ key }) => key.type === "public")).toBe(true);
});

const point = (hex: string): string => Buffer.from(hex, "hex").toString("base64url");
const identity = `01${"00".repeat(31)}`;

test.each([
  ["JWT-012 RSA of 1,024 bits", smallRsa, "rsa-size"],
  ["RSA of 16,384 bits", { ...rsaJwk, n: point(`80${"01".repeat(2047)}`) }, "rsa-size"],
  ["RSA with exponent 1", { ...rsaJwk, e: "AQ" }, "rsa-exponent"],
  ["RSA with an even exponent", { ...rsaJwk, e: "BA" }, "rsa-exponent"],
  ["RSA with an exponent of 5 bytes", { ...rsaJwk, e: "AQAAAAE" }, "rsa-exponent"],
  ["RSA with an even modulus", { ...rsaJwk, n: point(`80${"00".repeat(255)}`) }, "rsa-weak"],
  ["RSA without a modulus", { kty: "RSA", e: "AQAB" }, "shape"],
  ["RSA in padded base64", { ...rsaJwk, e: "AQAB==" }, "shape"],
  ["RSA in plain base64", { ...rsaJwk, n: `${rsaJwk.n}+/` }, "shape"],
  ["JWT-037 Ed25519 of small order", { ...edJwk, x: point(identity) }, "point"],
  ["JWT-037 Ed25519 of zeros", { ...edJwk, x: point("00".repeat(32)) }, "point"],
  ["Ed25519 of 31 bytes", { ...edJwk, x: point("02".repeat(31)) }, "point"],
  ["a point off its curve", { ...ecJwk, y: ecJwk.x }, "unusable"],
  ["a short coordinate", { ...ecJwk, x: point("01".repeat(31)) }, "point"],
  ["a coordinate with a leading zero", { ...ecJwk, x: point("00".repeat(33)) }, "point"],
  ["a curve under another's name", { ...ecJwk, crv: "P-384" }, "point"],
  ["secp256k1", secp256k1, "curve"],
  ["Ed448", ed448, "curve"],
  ["X25519", x25519, "curve"],
  ["JWT-143 a secret", { kty: "oct", k: "AAAA" }, "secret"],
  ["a private key", ecPrivate, "private"],
  ["an unknown type", { kty: "AKP" }, "key-type"],
  ["no type", {}, "key-type"],
  ["a type that is a number", { ...ecJwk, kty: 2 }, "key-type"],
  ["JWT-140 use: enc", { ...ecJwk, use: "enc" }, "use"],
  ["JWT-141 key_ops without verify", { ...ecJwk, key_ops: ["sign"] }, "use"],
  ["JWT-144 use: jwt-svid at a provider", { ...ecJwk, use: "jwt-svid" }, "use"],
  ["JWT-144 use: x509-svid at a provider", { ...ecJwk, use: "x509-svid" }, "use"],
  ["an algorithm of another family", { ...ecJwk, alg: "RS256" }, "algorithm"],
  ["an algorithm of another curve", { ...ecJwk, alg: "ES384" }, "algorithm"],
  ["HS256 on a public key", { ...ecJwk, alg: "HS256" }, "algorithm"],
  ["an unknown algorithm", { ...ecJwk, alg: "ES521" }, "algorithm"],
  ["a kid that is a number", { ...ecJwk, kid: 1 }, "key-id"],
  ["a kid of 1,025 characters", { ...ecJwk, kid: "k".repeat(1025) }, "key-id"],
  ["a text for a key", "key", "shape"],
  ["null for a key", null, "shape"],
])("an entry is left out and the others serve: %s", async (_why, entry, cause) => {
  const { keys, refused } = await load([entry, rsaJwk]);
  expect(refused.map((one) => one.cause)).toEqual([cause]);
  expect(keys.all.map(({ id }) => id)).toEqual(["r"]);
});

test.each([
  ["use: jwt-svid (JWT-144.1)", { ...ecJwk, use: "jwt-svid" }, null],
  ["no kid (JWT-284)", { ...ecJwk, kid: undefined, use: "jwt-svid" }, "key-id"],
  ["an unknown use (JWT-284)", { ...ecJwk, use: "spiffe" }, "use"],
  ["use: sig", { ...ecJwk, use: "sig" }, "use"],
  ["no use", ecJwk, "use"],
  ["use: x509-svid (JWT-144.3)", { ...ecJwk, use: "x509-svid" }, "use"],
])("a trust bundle's entry with %s", async (_why, entry, cause) => {
  const { keys, refused } = await load([entry], "spiffe");
  expect(refused.map((one) => one.cause)).toEqual(cause === null ? [] : [cause]);
  expect(keys.all.length).toBe(cause === null ? 1 : 0);
});

test("JWT-126 an id that two keys claim is ambiguous, one that is listed twice is not", async () => {
  const other = { ...jwkOf(generateKeyPairSync("ec", { namedCurve: "P-256" })), kid: "e" };
  const { keys } = await load([ecJwk, other, rsaJwk]);
  expect(keys.byId.get("e")).toBe("ambiguous");
  // Nor is either found by whoever remembers it, or by a token without a name.
  expect(keys.all.map(({ id }) => id)).toEqual(["r"]);
  expect((await load([ecJwk, { ...ecJwk, alg: "ES256" }])).keys.byId.get("e")).toBe("ambiguous");
  const twice = await load([ecJwk, ecJwk]);
  expect(twice.keys.byId.get("e")).toMatchObject({ family: "P-256" });
  expect(twice.refused).toEqual([{ keyId: "e", cause: "repeated" }]);
});

test.each([
  ["no JSON", "keys", "key-set-syntax"],
  ["a name twice", '{"keys":[],"keys":[]}', "key-set-syntax"],
  ["a name twice in a key", '{"keys":[{"kty":"EC","kty":"RSA"}]}', "key-set-syntax"],
  ["a list", "[]", "key-set-shape"],
  ["no list of keys", '{"keys":{}}', "key-set-shape"],
  ["a sequence that is a text", '{"keys":[],"spiffe_sequence":"1"}', "key-set-shape"],
  ["a negative sequence", '{"keys":[],"spiffe_sequence":-1}', "key-set-shape"],
  ["a sequence above 2^53", '{"keys":[],"spiffe_sequence":9007199254740993}', "key-set-shape"],
  ["a hint with a fraction", '{"keys":[],"spiffe_refresh_hint":1.5}', "key-set-shape"],
  ["deep nesting", `{"keys":${"[".repeat(100)}${"]".repeat(100)}}`, "key-set-syntax"],
  ["more than the limit of bytes", `{"keys":[]}${" ".repeat(600_000)}`, "key-set-syntax"],
  ["257 keys", JSON.stringify({ keys: Array(257).fill({}) }), "key-set-shape"],
])("a text is refused as a whole: %s", async (_why, text, code) => {
  expect(await loadKeySet(text, "jwks", defaultKeySetLimits, null)).toMatchObject({
    ok: false,
    code,
  });
});

test("sequence and hint of a bundle are read", async () => {
  const rest = { spiffe_sequence: 12, spiffe_refresh_hint: 600 };
  expect(await load([], "spiffe", rest)).toMatchObject({ sequence: 12, refreshHintSeconds: 600 });
  expect(await load([], "spiffe")).toMatchObject({ sequence: null, refreshHintSeconds: null });
});

test("an equal key of a later set is the same object, a key bound otherwise is not", async () => {
  const { keys } = await load([rsaJwk, ecJwk]);
  const text = JSON.stringify({ keys: [ecJwk, { ...rsaJwk, alg: "RS256" }] });
  const later = await loadKeySet(text, "jwks", defaultKeySetLimits, keys);
  if (!later.ok) throw new Error(later.message);
  expect(later.value.keys.byId.get("e")).toBe(keys.byId.get("e"));
  expect(later.value.keys.byId.get("r")).not.toBe(keys.byId.get("r"));

  const shuffled = JSON.stringify({ keys: [{ ...ecJwk, x5t: "other" }, rsaJwk] });
  const same = await loadKeySet(shuffled, "jwks", defaultKeySetLimits, keys);
  expect(same).toMatchObject({ ok: true });
  if (same.ok) expect(same.value.keys).toBe(keys);
});
