import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalHost, isHost } from "./canonical-host.ts";

const label = "a".repeat(63);

test.each([
  ["Orders.EXAMPLE.com", "orders.example.com", null],
  ["orders.", "orders", null],
  ["orders:8080", "orders", 8080],
  ["App.:8080", "app", 8080],
  ["orders:65535", "orders", 65_535],
  ["[::1]:8443", "[::1]", 8443],
  ["[2001:DB8::A]", "[2001:db8::a]", null],
  ["[::ffff:10.0.0.1]", "[::ffff:10.0.0.1]", null],
  ["10.0.0.7:8080", "10.0.0.7", 8080],
  ["xn--caf-dma.example", "xn--caf-dma.example", null],
  ["my_service.ns", "my_service.ns", null],
  [label, label, null],
  [
    `${label}.${label}.${label}.${"b".repeat(61)}.:65535`,
    `${label}.${label}.${label}.${"b".repeat(61)}`,
    65_535,
  ],
])("the host `%s` is %s, port %s", (text, host, port) => {
  expect(canonicalHost(text)).toEqual({ host, port });
  expect(isHost(text)).toBe(true);
});

test.each([
  ["empty", ""],
  ["two trailing dots", "orders.."],
  ["only a dot", "."],
  ["a leading dot", ".orders"],
  ["a port with a leading zero", "orders:080"],
  ["port zero", "orders:0"],
  ["a port past the range", "orders:65536"],
  ["a port of six digits", "orders:100000"],
  ["no port behind the colon", "orders:"],
  ["a signed port", "orders:+80"],
  ["two colons", "orders:80:80"],
  ["IPv6 without brackets", "::1"],
  ["an open bracket", "[::1"],
  ["text behind the bracket", "[::1]x"],
  ["empty brackets", "[]"],
  ["a name in brackets", "[abc]"],
  ["a zone id", "[fe80::1%eth0]"],
  ["user information", "user@orders"],
  ["two hosts", "a,b"],
  ["two hosts with a blank", "a, b"],
  ["an empty label", "a..b"],
  ["a leading hyphen", "-a"],
  ["a trailing hyphen", "a-.b"],
  ["non-ASCII", "café"],
  ["U+212A, which lower-cases to k", "\u212Aafka"],
  ["a slash", "a/b"],
  ["an escape", "a%2eb"],
  ["a blank", "a b"],
  ["a NUL", "a\0"],
  ["a label of 64 bytes", "a".repeat(64)],
  ["a name of 255 bytes", `${label}.${label}.${label}.${label}`],
  ["a megabyte", "a.".repeat(1 << 19)],
])("not a host: %s", (_why, text) => {
  expect(canonicalHost(text)).toBeNull();
  expect(isHost(text)).toBe(false);
});

test("a canonical host is its own canonical form, and both functions agree", () => {
  const parts = fc.constantFrom(
    "a",
    "B",
    "-",
    "_",
    ".",
    ":",
    "[",
    "]",
    "1",
    "0",
    "8080",
    "::1",
    ",",
    "@",
    "é",
  );
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 8 }), (pieces) => {
      const text = pieces.join("");
      const found = canonicalHost(text);
      expect(isHost(text)).toBe(found !== null);
      if (found !== null) {
        expect(canonicalHost(found.host)).toEqual({ host: found.host, port: null });
      }
    }),
    { numRuns: 2000 },
  );
});
