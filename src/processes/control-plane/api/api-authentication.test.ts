import { expect, test } from "vitest";
import { spiffeIdIn } from "./api-authentication.ts";

const id = "spiffe://cluster.local/ns/shop/sa/orders";

test.each([
  { why: "the only name", names: `URI:${id}`, is: id },
  { why: "beside a host name", names: `DNS:orders.shop, URI:${id}`, is: id },
  { why: "none", names: "DNS:orders.shop", is: "" },
  { why: "no names", names: "", is: "" },
  { why: "two", names: `URI:${id}, URI:spiffe://cluster.local/ns/shop/sa/admin`, is: "" },
  { why: "inside of a host name (CVE-2021-44532)", names: `DNS:"a, URI:${id}, b"`, is: "" },
  { why: "beside a name in quotes", names: `DNS:"a, b", URI:${id}`, is: "" },
])("the SPIFFE id of a certificate: $why", ({ names, is }) => {
  expect(spiffeIdIn(names)).toBe(is);
});
