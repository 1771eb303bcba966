import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { hasRocaFingerprint } from "./roca.ts";

test("a modulus made the weak way bears the fingerprint", () => {
  // The product of the generator's small primes, and two factors of its form (CVE-2017-15361).
  const primes = [
    2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79,
  ];
  const rest = [83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167];
  const m = [...primes, ...rest].reduce((product, prime) => product * BigInt(prime), 1n);
  let generator = 1n;
  for (let i = 0; i < 1234; i++) generator = (generator * 65_537n) % m;
  const factor = (k: bigint): bigint => k * m + generator;
  expect(hasRocaFingerprint(factor(12_345n) * factor(98_765n))).toBe(true);
  expect(hasRocaFingerprint(factor(12_345n) * factor(98_765n) + 2n)).toBe(false);
});

test("a generated modulus does not", () => {
  const { n = "" } = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({
    format: "jwk",
  });
  const modulus = BigInt(`0x${Buffer.from(n, "base64url").toString("hex")}`);
  expect(hasRocaFingerprint(modulus)).toBe(false);
});
