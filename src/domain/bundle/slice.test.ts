import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { sliceName } from "./slice.ts";

const orders = { account: "111122223333", name: "orders" };
const stock = { account: "111122223333", name: "stock" };

test("one service gives its account and name", () => {
  expect(sliceName("aws", [orders])).toBe("111122223333.orders");
  expect(sliceName("aws", [orders, orders])).toBe("111122223333.orders");
});

test("several give 16 bytes of the digest of their sorted ARNs, in any order", () => {
  const arns =
    "arn:aws:mesh-iam::111122223333:service/orders\narn:aws:mesh-iam::111122223333:service/stock";
  const digest = createHash("sha256").update(arns).digest("hex");
  expect(sliceName("aws", [stock, orders])).toBe(`set-${digest.slice(0, 32)}`);
  expect(sliceName("aws", [orders, stock])).toBe(`set-${digest.slice(0, 32)}`);
  expect(sliceName("aws-cn", [orders, stock])).not.toBe(sliceName("aws", [orders, stock]));
});
