import { BlockList, isIP } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { containsAddress, hasHostBits, parseIpAddress, parseIpBlock } from "./ip-address.ts";

test.each([
  ["empty", ""],
  ["POL-046 a leading zero", "010.0.0.1"],
  ["POL-046 hexadecimal", "0x7f.1"],
  ["POL-046 two parts", "127.1"],
  ["one number", "2130706433"],
  ["five parts", "1.2.3.4.5"],
  ["256", "1.2.3.256"],
  ["four digits", "1.2.3.1000"],
  ["a blank", " 1.2.3.4"],
  ["a newline", "1.2.3.4\n"],
  ["an empty part", "1..2.3"],
  ["a point behind", "1.2.3.4."],
  ["a prefix", "10.0.0.0/8"],
  ["POL-048 a zone id", "fe80::1%eth0"],
  ["brackets", "[::1]"],
  ["one colon", ":"],
  ["three colons", ":::"],
  ["two gaps", "1::2::3"],
  ["two gaps, the first in front", "::1::2"],
  ["five digits", "12345::"],
  ["a letter beyond f", "g::"],
  ["seven groups", "1:2:3:4:5:6:7"],
  ["nine groups", "1:2:3:4:5:6:7:8:9"],
  ["a gap for no group", "1:2:3:4::5:6:7:8"],
  ["a colon before", ":1:2:3:4:5:6:7"],
  ["a colon behind", "1:2:3:4:5:6:7:"],
  ["a quad in the middle", "::1.2.3.4:1"],
  ["a quad after seven groups", "1:2:3:4:5:6:7:1.2.3.4"],
  ["a quad with a leading zero", "::ffff:010.0.0.1"],
  ["a quad of three parts", "::1.2.3"],
  ["host and port", "1.2.3.4:80"],
  ["very long", `${"0:".repeat(100)}1`],
])("VAL-4 no address: %s", (_why, text) => {
  expect(parseIpAddress(text)).toBeNull();
});

test.each([
  ["POL-048 /33", "10.0.0.0/33"],
  ["POL-048 /08", "10.0.0.0/08"],
  ["/129", "::/129"],
  ["no number", "10.0.0.0/"],
  ["a minus", "10.0.0.0/-1"],
  ["a mask", "10.0.0.0/255.0.0.0"],
  ["two prefixes", "10.0.0.0/8/8"],
  ["four digits", "::/0128"],
  ["letters", "::/x"],
  ["a bad address", "10.0.0/8"],
  ["a bad IPv6 address", "1::2::3/8"],
  ["very long", `${"0".repeat(100)}/8`],
])("VAL-4 no block: %s", (_why, text) => {
  expect(parseIpBlock(text)).toBeNull();
});

test.each([
  ["T-CON-44", "10.0.0.0/8", "10.1.2.3", true],
  ["T-CON-44 host bits are ignored", "10.9.9.9/8", "10.1.2.3", true],
  ["outside", "10.0.0.0/8", "11.0.0.0", false],
  ["T-CON-45 everything", "0.0.0.0/0", "10.1.2.3", true],
  ["T-CON-45 all of IPv6", "::/0", "2001:db8::1", true],
  ["one address", "10.0.0.1", "10.0.0.1", true],
  ["another address", "10.0.0.1", "10.0.0.2", false],
  ["the highest bit", "128.0.0.0/1", "255.255.255.255", true],
  ["not the highest bit", "128.0.0.0/1", "127.255.255.255", false],
  ["T-CON-46", "2001:0db8:0:0:0:0:0:1", "2001:db8::1", true],
  ["upper case", "2001:DB8::A", "2001:db8::a", true],
  ["within a word", "2001:db8::/33", "2001:db8:7fff::1", true],
  ["beyond a word", "2001:db8::/33", "2001:db8:8000::1", false],
  ["T-CON-47 the families never match", "::/0", "10.0.0.1", false],
  ["T-CON-47 the families never match", "0.0.0.0/0", "2001:db8::1", false],
  ["T-CON-49, POL-047 a mapped address", "10.0.0.0/8", "::ffff:10.1.2.3", true],
  ["T-CON-49, POL-047 in hexadecimal", "10.0.0.0/8", "::ffff:a01:203", true],
  ["a mapped block", "::ffff:10.0.0.0/104", "10.1.2.3", true],
  ["a mapped block, outside", "::ffff:10.0.0.0/104", "11.1.2.3", false],
  ["all mapped addresses", "::ffff:0:0/96", "1.2.3.4", true],
  ["a wider block is IPv6's", "::ffff:0:0/95", "1.2.3.4", false],
  ["an embedded quad elsewhere", "64:ff9b::/96", "64:ff9b::1.2.3.4", true],
])("VAL-4 %s: %s has %s", (_why, block, address, want) => {
  const [left, right] = [parseIpBlock(block), parseIpAddress(address)];
  if (left === null || right === null) throw new Error("expected addresses");
  expect(containsAddress(left, right)).toBe(want);
});

test.each([
  ["10.0.0.0/8", false],
  ["10.9.9.9/8", true],
  ["10.0.0.1", false],
  ["0.0.0.0/0", false],
  ["0.0.0.1/0", true],
  ["2001:db8::/32", false],
  ["2001:db8::1/64", true],
])("%s has host bits: %s", (block, want) => {
  const parsed = parseIpBlock(block);
  expect(parsed !== null && hasHostBits(parsed)).toBe(want);
});

const quad = fc.ipV4();
const ipv6 = fc.ipV6();

test("addresses are what the platform takes for addresses", () => {
  const letters = fc.constantFrom(..."0123456789abcdefABCDEFg:.%x/ ");
  const scrap = fc.array(letters, { maxLength: 20 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.oneof(quad, ipv6, scrap), (text) => {
      expect(parseIpAddress(text) !== null).toBe(isIP(text) !== 0 && !text.includes("%"));
    }),
    { numRuns: 3000 },
  );
});

test("POL-011 blocks hold what the platform's blocks hold", () => {
  fc.assert(
    fc.property(quad, fc.integer({ min: 0, max: 32 }), quad, (network, prefix, address) => {
      const list = new BlockList();
      list.addSubnet(network, prefix, "ipv4");
      const [block, found] = [parseIpBlock(`${network}/${prefix}`), parseIpAddress(address)];
      if (block === null || found === null) throw new Error("expected addresses");
      expect(containsAddress(block, found)).toBe(list.check(address, "ipv4"));
    }),
  );
  fc.assert(
    fc.property(ipv6, fc.integer({ min: 0, max: 128 }), ipv6, (network, prefix, address) => {
      const [block, found] = [parseIpBlock(`${network}/${prefix}`), parseIpAddress(address)];
      if (block === null || found === null) throw new Error("expected addresses");
      fc.pre(block.family === 6 && found.family === 6);
      const list = new BlockList();
      list.addSubnet(network, prefix, "ipv6");
      expect(containsAddress(block, found)).toBe(list.check(address, "ipv6"));
    }),
  );
});
