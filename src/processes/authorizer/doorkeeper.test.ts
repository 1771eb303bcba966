import { expect, test } from "vitest";
import { Doorkeeper } from "./doorkeeper.ts";

test("a text is known from its second time on", () => {
  const door = new Doorkeeper();
  expect([door.knows("/a"), door.knows("/b"), door.knows("/a"), door.knows("/b")]).toEqual([
    false,
    false,
    true,
    true,
  ]);
});

test("of texts that all differ nearly none is taken for another", () => {
  const door = new Doorkeeper();
  let known = 0;
  for (let n = 0; n < 100_000; n++) if (door.knows(`/v1/orders/${n}`)) known++;
  expect(known).toBeLessThan(10);
});

test("a text that comes every thousandth time is remembered among new ones", () => {
  const door = new Doorkeeper();
  let known = 0;
  for (let round = 0; round < 50; round++) {
    if (door.knows("/v1/orders")) known++;
    for (let n = 0; n < 999; n++) door.knows(`/v1/orders/${round}-${n}`);
  }
  expect(known).toBeGreaterThan(40);
});
