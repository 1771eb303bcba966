import fc from "fast-check";
import { expect, test } from "vitest";
import { isSecretName, redactFields, redactText } from "./redact.ts";

const canary = "c4n4ry-5ecret-VALUE";
const jwt = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLWJ5dGVz";

test.each([
  { why: "a bearer token", text: `Authorization: Bearer ${canary}` },
  { why: "basic credentials", text: "authorization: Basic YTpiYzQ=", secret: "YTpiYzQ=" },
  { why: "a scheme in capitals", text: `BEARER ${canary}` },
  { why: "a query parameter", text: `GET /v1/orders?a=1&access_token=${canary}&b=2` },
  { why: "an AWS signature", text: `/x?X-Amz-Signature=${canary}` },
  { why: "an AWS session token", text: `/x?X-Amz-Security-Token=${canary}` },
  { why: "a JWT alone", text: `token was ${jwt}`, secret: "c2lnbmF0dXJl" },
  { why: "a JWT behind an equals sign", text: `x=${jwt}`, secret: "eyJzdWIi" },
  { why: "an encrypted JWT", text: "eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.dGFn", secret: "dGFn" },
  { why: "a user and a password in a URL", text: `https://alice:${canary}@example.com/keys` },
  {
    why: "a private key",
    text: `-----BEGIN EC PRIVATE KEY-----\n${canary.replaceAll("-", "")}\n-----END EC PRIVATE KEY-----`,
    secret: canary.replaceAll("-", ""),
  },
  { why: "a token inside a line of JSON", text: JSON.stringify({ a: `Bearer ${canary}`, b: 1 }) },
])("BND-025 no text keeps $why", ({ text, secret = canary }) => {
  expect(text).toContain(secret);
  expect(redactText(text)).not.toContain(secret);
});

test.each([
  "the bearer token expired",
  "expected basic auth, got nothing",
  "arn:aws:orders:eu-west-1:111122223333:order/42",
  "arn:aws:sts::111122223333:assumed-role/app/session-1",
  "4bf92f3577b34da6a3ce929d0e0e4736",
  "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  "spiffe://cluster.local/ns/shop/sa/orders",
  "2026-11-24T00:00:00.000Z",
  "a key such as eyJust is no token",
])("a text without a secret stays as it is: %s", (text) => {
  expect(redactText(text)).toBe(text);
});

test.each([
  ["authorization", true],
  ["Proxy-Authorization", true],
  ["set-cookie", true],
  ["x-amz-security-token", true],
  ["accessToken", true],
  ["client_secret", true],
  ["tokenType", false],
  ["principalId", false],
  ["secretary", false],
  ["authMethod", false],
])("the name %s is secret: %s", (name, want) => {
  expect(isSecretName(name)).toBe(want);
});

test("BND-025 fields of a secret name are replaced at every depth, condition keys among them", () => {
  const fields = {
    headers: { Authorization: canary, accept: "text/html", "set-cookie": [canary] },
    list: [{ token: { inner: canary } }],
    context: { "mesh:JwtClaim/access_token": canary, "mesh:JwtClaim/sub": "alice" },
    map: new Map([["cookie", canary]]),
  };
  const safe = JSON.stringify(redactFields(fields));
  expect(safe).not.toContain(canary);
  expect(safe).toContain("text/html");
  expect(safe).toContain("alice");
});

test("an object without end is cut, not followed", () => {
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  expect(JSON.stringify(redactFields(loop)).length).toBeLessThan(1_000);
});

test("a redacted line of JSON is still a line of JSON", () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom(`Bearer ${canary}`, `?token=${canary}"`, jwt, "\\", '"', "Basic \\", "token="),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.array(text)), (value) => {
      const line = redactText(JSON.stringify(value));
      expect(() => JSON.parse(line)).not.toThrow();
    }),
  );
});

test.each([
  { why: "eyJ without end", text: "eyJ-".repeat(100_000) },
  { why: "dots without end", text: ".".repeat(400_000) },
  { why: "schemes without end", text: "bearer ".repeat(60_000) },
  { why: "spaces behind a scheme", text: `bearer${" ".repeat(400_000)}"` },
  { why: "parameters without end", text: "token=".repeat(60_000) },
  { why: "beginnings of keys", text: "-----BEGIN A".repeat(30_000) },
  { why: "beginnings of URLs", text: "://a".repeat(100_000) },
])("hostile length is read in linear time: $why", ({ text }) => {
  expect(redactText(text).length).toBeGreaterThan(0);
});
