import fc from "fast-check";
import { expect, test } from "vitest";
import { isTrustDomainName, parseSpiffeId, tableNamespaceOf } from "./spiffe-id.ts";

test.each([
  {
    text: "spiffe://cluster.local/ns/shop/sa/orders",
    want: {
      trustDomain: "cluster.local",
      path: "/ns/shop/sa/orders",
      namespace: "shop",
      serviceAccount: "orders",
    },
  },
  {
    text: "spiffe://td/a",
    want: { trustDomain: "td", path: "/a", namespace: null, serviceAccount: null },
  },
  {
    text: "spiffe://td/ns/shop/sa/orders/extra",
    want: { namespace: null, serviceAccount: null },
  },
  { text: "spiffe://td/ns/shop", want: { namespace: null, serviceAccount: null } },
  { text: "spiffe://td/NS/shop/SA/orders", want: { namespace: null, serviceAccount: null } },
  { text: "spiffe://a_b-c.9/X.y_z-1", want: { trustDomain: "a_b-c.9", path: "/X.y_z-1" } },
  { text: "spiffe://td/...", want: { path: "/..." } },
  { text: `spiffe://td/${"a".repeat(2036)}`, want: { trustDomain: "td" } },
])("a SPIFFE id: $text", ({ text, want }) => {
  expect(parseSpiffeId(text)).toMatchObject({ ok: true, value: { text, ...want } });
});

test.each([
  { why: "empty", text: "", code: "spiffe-scheme" },
  { why: "another scheme", text: "https://td/a", code: "spiffe-scheme" },
  { why: "upper-case scheme", text: "SPIFFE://td/a", code: "spiffe-scheme" },
  { why: "one slash", text: "spiffe:/td/a", code: "spiffe-scheme" },
  { why: "a DNS name", text: "orders.shop.svc", code: "spiffe-scheme" },
  { why: "a distinguished name", text: "CN=orders,O=shop", code: "spiffe-scheme" },
  { why: "leading space", text: " spiffe://td/a", code: "spiffe-scheme" },
  { why: "no trust domain", text: "spiffe:///a", code: "spiffe-trust-domain" },
  { why: "upper-case trust domain", text: "spiffe://Td/a", code: "spiffe-trust-domain" },
  { why: "port", text: "spiffe://td:8443/a", code: "spiffe-trust-domain" },
  { why: "user", text: "spiffe://u@td/a", code: "spiffe-trust-domain" },
  { why: "query behind the trust domain", text: "spiffe://td?x=1/a", code: "spiffe-trust-domain" },
  {
    why: "trust domain of 256",
    text: `spiffe://${"a".repeat(256)}/a`,
    code: "spiffe-trust-domain",
  },
  { why: "letter of another script", text: "spiffe://tԁ/a", code: "spiffe-trust-domain" },
  { why: "no path", text: "spiffe://td", code: "spiffe-path" },
  { why: "root path", text: "spiffe://td/", code: "spiffe-path" },
  { why: "trailing slash", text: "spiffe://td/a/", code: "spiffe-path" },
  { why: "empty segment", text: "spiffe://td/a//b", code: "spiffe-path" },
  { why: "dot segment", text: "spiffe://td/a/./b", code: "spiffe-path" },
  { why: "dot-dot segment", text: "spiffe://td/a/../b", code: "spiffe-path" },
  { why: "dot-dot at the end", text: "spiffe://td/a/..", code: "spiffe-path" },
  { why: "percent", text: "spiffe://td/a%2fb", code: "spiffe-path" },
  { why: "query", text: "spiffe://td/a?b", code: "spiffe-path" },
  { why: "fragment", text: "spiffe://td/a#b", code: "spiffe-path" },
  { why: "NUL", text: "spiffe://td/a\0b", code: "spiffe-path" },
  { why: "newline at the end", text: "spiffe://td/a\n", code: "spiffe-path" },
  { why: "backslash", text: "spiffe://td/a\\b", code: "spiffe-path" },
  { why: "comma", text: "spiffe://td/a,spiffe://td/b", code: "spiffe-path" },
  { why: "colon", text: "spiffe://td/a:b", code: "spiffe-path" },
  { why: "star", text: "spiffe://td/*", code: "spiffe-path" },
  { why: "variable", text: "spiffe://td/$" + "{aws:username}", code: "spiffe-path" },
  { why: "letter folded by | 0x20", text: "spiffe://td/a@b", code: "spiffe-path" },
  { why: "bracket next to the letters", text: "spiffe://td/a[b", code: "spiffe-path" },
  { why: "non-ASCII", text: "spiffe://td/ä", code: "spiffe-path" },
  { why: "2,049 bytes", text: `spiffe://td/${"a".repeat(2037)}`, code: "spiffe-length" },
  { why: "a megabyte", text: `spiffe://${"a".repeat(1 << 20)}`, code: "spiffe-length" },
])("not a SPIFFE id: $why", ({ text, code }) => {
  expect(parseSpiffeId(text)).toMatchObject({ ok: false, code });
});

test("every accepted text is its trust domain and path, nothing else", () => {
  const segment = fc.stringMatching(/^[A-Za-z0-9._%/-]{0,6}$/);
  fc.assert(
    fc.property(segment, fc.array(segment, { maxLength: 5 }), (domain, path) => {
      const text = `spiffe://${domain}/${path.join("/")}`;
      const parsed = parseSpiffeId(text);
      if (!parsed.ok) return;
      const { trustDomain, path: rest } = parsed.value;
      expect(`spiffe://${trustDomain}${rest}`).toBe(text);
      expect(
        rest
          .slice(1)
          .split("/")
          .every((s) => /^(?!\.{1,2}$)[A-Za-z0-9._-]+$/.test(s)),
      ).toBe(true);
    }),
  );
});

test.each([
  ["spiffe://td/ns/pay/sa/y", "pay"],
  ["spiffe://td/ns/pay", "pay"],
  ["spiffe://td/ns/pay/x/y/z", "pay"],
  ["spiffe://td/ns", null],
  ["spiffe://td/nsx/pay/sa/y", null],
  ["spiffe://td/x/ns/pay", null],
])("the account table is searched for %s with namespace %s", (text, namespace) => {
  const parsed = parseSpiffeId(text);
  if (!parsed.ok) throw new Error(parsed.message);
  expect(tableNamespaceOf(parsed.value)).toBe(namespace);
});

test.each([
  ["td", true],
  ["", false],
  ["TD", false],
  ["a/b", false],
  ["a".repeat(255), true],
])("trust domain name %s: %s", (text, want) => {
  expect(isTrustDomainName(text)).toBe(want);
});
