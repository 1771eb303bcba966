import { createPrivateKey, X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { createCertificateAuthority } from "./certificate-authority.ts";

const now = new Date("2026-11-24T00:00:00Z");

test("a leaf carries the names asked for and verifies under the authority alone", async () => {
  const authority = await createCertificateAuthority("test CA", now, 3_600_000);
  const stranger = await createCertificateAuthority("test CA", now, 3_600_000);
  const pair = await authority.issue({
    commonName: "orders",
    uris: ["spiffe://cluster.local/ns/shop/sa/orders"],
    dnsNames: ["orders.example.com"],
    ipAddresses: ["127.0.0.1"],
  });
  const leaf = new X509Certificate(pair.certificate);
  expect(leaf.subjectAltName).toBe(
    "URI:spiffe://cluster.local/ns/shop/sa/orders, DNS:orders.example.com, IP Address:127.0.0.1",
  );
  const root = new X509Certificate(authority.certificate);
  expect(root.ca).toBe(true);
  expect(leaf.ca).toBe(false);
  expect(leaf.verify(root.publicKey)).toBe(true);
  expect(leaf.verify(new X509Certificate(stranger.certificate).publicKey)).toBe(false);
  expect(leaf.checkPrivateKey(createPrivateKey(pair.privateKey))).toBe(true);
  expect(new Date(leaf.validTo).getTime()).toBe(now.getTime() + 3_600_000);
});

test("a leaf without names has a subject and no extension for names", async () => {
  const authority = await createCertificateAuthority("test CA", now, 3_600_000);
  const pair = await authority.issue({
    commonName: "orders",
    uris: [],
    dnsNames: [],
    ipAddresses: [],
  });
  const leaf = new X509Certificate(pair.certificate);
  expect(leaf.subjectAltName).toBeUndefined();
  expect(leaf.subject).toBe("CN=orders");
});
