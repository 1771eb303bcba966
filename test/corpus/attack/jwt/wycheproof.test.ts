import { createPublicKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadKeySet } from "../../../../src/adapters/keys/key-set.ts";
import {
  isTokenAlgorithm,
  type TokenAlgorithm,
  verifySignature,
} from "../../../../src/domain/credentials/algorithm.ts";
import { openCompact } from "../../../../src/domain/credentials/compact.ts";
import { chooseKey } from "../../../../src/domain/credentials/verification-key.ts";
import { isDenied } from "../../../../src/domain/request/denied.ts";

const folder = join(import.meta.dirname, "../../../fixtures/wycheproof");

interface Vector {
  readonly tcId: number;
  readonly result: "valid" | "invalid" | "acceptable";
  readonly msg: string;
  readonly sig: string;
  /** Compact text, or the object of a JSON serialization. */
  readonly jws?: string | object;
  readonly jwe?: string | object;
}

interface Group {
  readonly publicKeyPem?: string;
  readonly public?: object;
  readonly private?: object;
  readonly tests: readonly Vector[];
}

function groupsOf(name: string): readonly Group[] {
  const text = readFileSync(join(folder, `${name}_test.json`), "utf8");
  return (JSON.parse(text) as { readonly testGroups: readonly Group[] }).testGroups;
}

const primitives: readonly (readonly [string, string, TokenAlgorithm, number])[] = [
  ["JWT-300.1", "ecdsa_secp256r1_sha256_p1363", "ES256", 262],
  ["JWT-300.2", "ecdsa_secp384r1_sha384_p1363", "ES384", 280],
  ["JWT-300.3", "ecdsa_secp521r1_sha512_p1363", "ES512", 318],
  ["JWT-301", "ed25519", "Ed25519", 151],
  ["JWT-302", "rsa_signature_2048_sha256", "RS256", 259],
  ["JWT-303", "rsa_pss_2048_sha256_mgf1_32", "PS256", 108],
];

/** Returns the one key of a group; the RSA-PSS file binds its key to PSS in the PEM. */
function keyOf(group: Group): KeyObject {
  return createPublicKey(group.publicKeyPem ?? "");
}

describe("Wycheproof", () => {
  test.each(primitives)("%s %s: every vector agrees", (_id, name, algorithm, count) => {
    const wrong: number[] = [];
    let seen = 0;
    for (const group of groupsOf(name)) {
      const key = keyOf(group);
      for (const { tcId, result, msg, sig } of group.tests) {
        seen++;
        const data = Buffer.from(msg, "hex");
        const got = verifySignature(algorithm, key, data, Buffer.from(sig, "hex"));
        if (result !== "acceptable" && got !== (result === "valid")) wrong.push(tcId);
      }
    }
    expect(wrong).toEqual([]);
    expect(seen).toBe(count);
  });

  /** Valid tokens that are refused on purpose (security-and-reliability 3.3). */
  const refusedOnPurpose = [
    // An empty payload is no claims set.
    ...[259, 264, 268, 272, 320, 325],
    // The key is labelled with another algorithm than the header.
    ...[346, 347, 350, 351],
    // Characters inserted into the text.
    ...[372, 373],
  ];
  /** Valid HMACs: no secret verifies anything here, so these are refused as well. */
  const hmac = [1, 348, 352, 357, 358, 359, 376, 377];
  /** Invalid by their comment, but byte for byte the valid 357; refused here, being HMACs. */
  const sameAs357 = [367, 370];

  async function accepts(token: string, keySet: object): Promise<boolean> {
    const limits = { maxBytes: 1 << 20, maxKeys: 10 };
    const loaded = await loadKeySet(JSON.stringify(keySet), "jwks", limits, null);
    if (!loaded.ok) return false;
    const opened = openCompact(token, 16_384);
    if (isDenied(opened)) return false;
    const { algorithm, keyId } = opened.header;
    if (!isTokenAlgorithm(algorithm)) return false;
    const key = chooseKey(loaded.value.keys, keyId, algorithm);
    if (key === null || isDenied(key)) return false;
    const signed = Buffer.from(opened.signedText);
    return verifySignature(algorithm, key.key, signed, opened.signature);
  }

  async function answers(groups: readonly Group[]): Promise<Map<number, [boolean, Vector]>> {
    const all = new Map<number, [boolean, Vector]>();
    for (const group of groups) {
      const key = group.public ?? group.private ?? {};
      const set = "keys" in key ? key : { keys: [key] };
      for (const vector of group.tests) {
        const token = vector.jws ?? vector.jwe ?? "";
        const text = typeof token === "string" ? token : JSON.stringify(token);
        all.set(vector.tcId, [await accepts(text, set), vector]);
      }
    }
    return all;
  }

  test("JWT-304 json_web_signature: no invalid token is accepted, no other valid one refused", async () => {
    const all = await answers(groupsOf("json_web_signature"));
    expect(all.size).toBe(401);
    const accepted: number[] = [];
    const refused: number[] = [];
    for (const [id, [ok, { result }]] of all) {
      if (ok && result === "invalid") accepted.push(id);
      if (!ok && result === "valid") refused.push(id);
    }
    expect(accepted).toEqual([]);
    expect(refused).toEqual([...refusedOnPurpose, ...hmac].sort((a, b) => a - b));
    for (const id of sameAs357) expect(all.get(id)?.[1].jws).toBe(all.get(357)?.[1].jws);
  });

  test("JWT-305 json_web_key: a bad key verifies nothing", async () => {
    const all = await answers(groupsOf("json_web_key"));
    expect(all.size).toBe(26);
    const accepted = [...all].filter(([, [ok]]) => ok).map(([id]) => id);
    // The one valid case with a key that is no secret.
    expect(accepted).toEqual([5]);
  });

  test("JWT-305 json_web_crypto: encrypted tokens and bad signatures are refused", async () => {
    const all = await answers(groupsOf("json_web_crypto"));
    expect(all.size).toBe(83);
    const accepted = [...all.values()].filter(([ok]) => ok).map(([, vector]) => vector);
    expect(accepted.map(({ result, jwe }) => [result, jwe])).toEqual([
      ["valid", undefined],
      ["valid", undefined],
    ]);
  });
});
