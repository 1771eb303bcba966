import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { bundleOf, expecting } from "../../../test/fakes/bundle.ts";
import { partner, sampleDirectory, service, shop } from "../../../test/fakes/bundle-directory.ts";
import { root } from "../../../test/fakes/bundle-keys.ts";
import { sliceDirectory, sliceName } from "./slice.ts";
import { verifyBundle } from "./verify.ts";

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

test("a slice knows the places of all accounts, and the facts of those in scope only", () => {
  const sliced = sliceDirectory(sampleDirectory({ services: [service("orders")] }), [
    `${shop}/orders`,
  ]);
  if (!sliced.ok) throw new Error(sliced.message);
  const { slice, directory } = sliced.value;
  expect(slice).toBe(`${shop}.orders`);
  const bundle = bundleOf(directory, { slice });
  const anchors = { rootFingerprints: [root.keyId], org: null };
  const verified = verifyBundle(bundle, anchors, null, expecting({ slice }));
  if (!verified.ok) throw new Error(verified.detail);
  expect([...verified.parts.values()].map(({ ref }) => ref.name)).not.toContain(
    `account/${partner}/index`,
  );
  expect(verified.directory.accounts).toMatchObject([
    { id: shop, name: "shop", parentId: "ou-1" },
    { id: partner, name: "", email: "", parentId: "r-1", state: "disabled" },
  ]);
  expect(verified.directory.serviceIdentities.size).toBe(2);
});

test.each([
  { why: "unknown", services: [`${shop}/stock`] },
  { why: "one of them unknown", services: [`${shop}/orders`, `${partner}/orders`] },
  { why: "none named", services: [] },
])("a slice of services that are not there is refused: $why", ({ services }) => {
  expect(sliceDirectory(sampleDirectory(), services)).toMatchObject({
    ok: false,
    code: "service-unknown",
  });
});
