/** The prime of the curve's field (RFC 8032, 5.1). */
const p = 2n ** 255n - 19n;
/** y of the points of order 8, up to sign. */
const eighth = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n;

/** y of every point whose order divides the cofactor: orders 1, 2, 4, 8 and 8. */
const smallOrderY: ReadonlySet<bigint> = new Set([1n, p - 1n, 0n, eighth, p - eighth]);

/**
 * True if the 32 bytes of an Ed25519 public key spell a point of small order, in whatever spelling, or
 * no point's one spelling. Under such a key a signature can be made without a private key (JWT-037),
 * and not every OpenSSL refuses it.
 */
export function isSmallOrder(publicKey: Uint8Array): boolean {
  let y = 0n;
  for (let i = 31; i >= 0; i--) y = (y << 8n) | BigInt(publicKey[i] ?? 0);
  // The top bit is the sign of x.
  y &= (1n << 255n) - 1n;
  return y >= p || smallOrderY.has(y);
}
