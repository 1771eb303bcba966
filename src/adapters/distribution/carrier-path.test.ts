import { expect, test } from "vitest";
import { type CarrierPath, formatCarrierPath, parseCarrierPath } from "./carrier-path.ts";

const digest = "0123456789abcdef".repeat(4);

test.each<{ text: string; path: CarrierPath }>([
  { text: "/v1/heads/o-acme/all", path: { type: "head", org: "o-acme", slice: "all" } },
  {
    text: "/v1/heads/o-acme/111122223333.orders",
    path: { type: "head", org: "o-acme", slice: "111122223333.orders" },
  },
  { text: `/v1/objects/${digest}`, path: { type: "object", digest } },
  { text: "/v1/keysets/o-acme/12", path: { type: "key-set", org: "o-acme", number: 12 } },
])("$text is written and read", ({ text, path }) => {
  expect(formatCarrierPath(path)).toBe(text);
  expect(parseCarrierPath(text)).toEqual(path);
});

test.each([
  "",
  "/",
  "/v1",
  "/v2/heads/o-acme/all",
  "v1/heads/o-acme/all",
  "/v1/heads/o-acme",
  "/v1/heads/o-acme/all/",
  "/v1/heads/../all",
  "/v1/heads/o-acme/..",
  "/v1/heads/o%2Dacme/all",
  `/v1/heads/${"o".repeat(129)}/all`,
  `/v1/objects/${digest.toUpperCase()}`,
  `/v1/objects/${digest}/x`,
  `/v1/objects/${digest.slice(1)}`,
  "/v1/keysets/o-acme/0",
  "/v1/keysets/o-acme/01",
  "/v1/keysets/o-acme/1e3",
  "/v1/keysets/o-acme/9999999999999999",
  `/v1/objects/${"a".repeat(1 << 20)}`,
])("no path of ours: %s", (text) => {
  expect(parseCarrierPath(text)).toBeNull();
});
