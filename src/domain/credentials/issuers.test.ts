import { expect, test } from "vitest";
import { createWorld, trustDomain } from "../../../test/corpus/attack/jwt/world.ts";

test("a peer is the same object for the same text, so that caches can hang off it", () => {
  const { issuers } = createWorld();
  const peer = issuers.peerOf("spiffe://td-a/ns/shop/sa/orders");
  expect(peer).toMatchObject({ type: "mtls", spiffeId: { namespace: "shop" } });
  expect(issuers.peerOf("spiffe://td-a/ns/shop/sa/orders")).toBe(peer);
  expect(issuers.peerOf("spiffe://td-a/ns/shop/sa/other")).not.toBe(peer);
});

test("peers are remembered within a bound, and only those of our mesh", () => {
  const { issuers } = createWorld();
  const first = issuers.peerOf("spiffe://td-a/p0");
  for (let i = 0; i < 10_000; i++) issuers.peerOf(`spiffe://foreign/p${i}`);
  expect(issuers.peerOf("spiffe://td-a/p0")).toBe(first);
  for (let i = 1; i <= 4096; i++) issuers.peerOf(`spiffe://td-a/p${i}`);
  const again = issuers.peerOf("spiffe://td-a/p0");
  expect(again).not.toBe(first);
  expect(again).toEqual(first);
});

test("PRIN-9 an identity without a row in the account table is absent and says why", () => {
  const domain = trustDomain("td-a", { accounts: [{ namespace: "pay", account: "444455556666" }] });
  const { issuers } = createWorld({ trustDomains: [domain] });
  expect(issuers.peerOf("spiffe://td-a/ns/pay/sa/y")).toMatchObject({ type: "mtls" });
  expect(issuers.peerOf("spiffe://td-a/ns/payments/sa/y")).toEqual({
    type: "dropped",
    dropped: { type: "mtls", cause: "no-account" },
  });
  expect(issuers.peerOf("")).toEqual({ type: "none" });
});

test("a domain whose JWT-SVIDs are not taken still proves its peers", () => {
  const { issuers } = createWorld({ trustDomains: [trustDomain("td-a", { keys: null })] });
  expect(issuers.byTrustDomain.size).toBe(0);
  expect(issuers.peerOf("spiffe://td-a/a")).toMatchObject({ type: "mtls" });
});
