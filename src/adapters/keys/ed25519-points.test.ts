import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { isSmallOrder } from "./ed25519-points.ts";

// The group law itself (RFC 8032, 5.1.4, affine), so that the constants are computed, not copied.
const p = 2n ** 255n - 19n;
const mod = (n: bigint): bigint => ((n % p) + p) % p;
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let b = mod(base), e = exponent; e > 0n; e >>= 1n, b = mod(b * b)) {
    if (e & 1n) result = mod(result * b);
  }
  return result;
}
const inverse = (n: bigint): bigint => power(n, p - 2n);
const d = mod(-121665n * inverse(121666n));
type Point = readonly [bigint, bigint];
function add([x1, y1]: Point, [x2, y2]: Point): Point {
  const t = mod(d * x1 * x2 * y1 * y2);
  return [mod((x1 * y2 + x2 * y1) * inverse(1n + t)), mod((y1 * y2 + x1 * x2) * inverse(1n - t))];
}
function pointOf(y: bigint): Point | null {
  const square = mod((y * y - 1n) * inverse(d * y * y + 1n));
  let x = power(square, (p + 3n) / 8n);
  if (mod(x * x) !== square) x = mod(x * power(2n, (p - 1n) / 4n));
  return mod(x * x) === square ? [x, y] : null;
}
function times8(point: Point): Point {
  const twice = add(point, point);
  const four = add(twice, twice);
  return add(four, four);
}
function encode(y: bigint, sign: 0 | 1): Uint8Array {
  const number = y | (BigInt(sign) << 255n);
  return Uint8Array.from({ length: 32 }, (_, i) => Number((number >> BigInt(8 * i)) & 0xffn));
}

/** All y whose point vanishes when it is multiplied by the cofactor, found from random points. */
function smallOrderYs(): ReadonlySet<bigint> {
  // l·P has an order that divides 8, and running over many P reaches the whole small subgroup.
  const l = 2n ** 252n + 27742317777372353535851937790883648493n;
  const found = new Set<bigint>();
  for (let y = 2n; found.size < 5; y++) {
    const point = pointOf(y);
    if (point === null) continue;
    let sum: Point = [0n, 1n];
    for (let bit = point, n = l; n > 0n; n >>= 1n, bit = add(bit, bit)) {
      if (n & 1n) sum = add(sum, bit);
    }
    for (let i = 0, multiple = sum; i < 8; i++, multiple = add(multiple, sum))
      found.add(multiple[1]);
  }
  return found;
}

const ys = smallOrderYs();

test("the subgroup of small order is what it should be: 8 points with 5 values of y", () => {
  expect(ys.size).toBe(5);
  for (const y of ys) {
    const point = pointOf(y);
    expect(point === null ? null : times8(point)).toEqual([0n, 1n]);
  }
});

test("every spelling of a point of small order is refused, whatever the sign bit says", () => {
  for (const y of ys) {
    expect(isSmallOrder(encode(y, 0))).toBe(true);
    expect(isSmallOrder(encode(y, 1))).toBe(true);
  }
});

test("a y that is not reduced is refused: it spells a point a second time", () => {
  for (let n = 0n; n < 19n; n++) expect(isSmallOrder(encode(p + n, 0))).toBe(true);
  expect(isSmallOrder(encode(p - 2n, 0))).toBe(false);
});

test("generated keys are not refused", () => {
  for (let i = 0; i < 50; i++) {
    const { x = "" } = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
    expect(isSmallOrder(Buffer.from(x, "base64url"))).toBe(false);
  }
});
