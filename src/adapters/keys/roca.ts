/**
 * The primes by which Infineon's generator of RSA keys (CVE-2017-15361, "ROCA") gives itself away: its
 * primes are k·M + 65537^a mod M, so modulo each of these the modulus is a power of 65537. A sound key
 * looks like that with a chance of about 2^-27.
 */
const primes = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157] as const;

const powers: readonly (readonly [bigint, ReadonlySet<bigint>])[] = primes.map((prime) => {
  const modulus = BigInt(prime);
  const found = new Set<bigint>();
  for (let power = 1n; !found.has(power); power = (power * 65_537n) % modulus) found.add(power);
  return [modulus, found];
});

/** True if an RSA modulus bears the fingerprint of the weak generator. */
export function hasRocaFingerprint(modulus: bigint): boolean {
  return powers.every(([prime, subgroup]) => subgroup.has(modulus % prime));
}
