import { afterEach, beforeEach, expect, test } from "vitest";
import {
  call,
  madeOrganization,
  organizationParts,
  shop,
} from "../../../test/fakes/control-plane.ts";
import { type SqlitePlace, sqlitePlace } from "../../../test/fakes/sqlite-place.ts";
import type { Store, StoreEngine } from "../../adapters/store/store.ts";
import { StoreUnavailable } from "../../adapters/store/unavailable.ts";
import { Organizations } from "./organizations.ts";

const [one, other] = ["o-acme123456", "o-other12345"];
let place: SqlitePlace;
let engine: StoreEngine;
beforeEach(async () => {
  place = await sqlitePlace();
  engine = await place.open();
});
afterEach(() => place.dispose());

test("TEN-8 an organization that cannot be followed holds up no other, and no name means the only one", async () => {
  const first = await madeOrganization(engine, one);
  const moved: string[] = [];
  let away = "";
  const store: Store = {
    ...engine.store,
    changes: async (org, after, limit) => {
      if (org === away) throw new StoreUnavailable("away", "not-applied");
      return await engine.store.changes(org, after, limit);
    },
  };
  const organizations = new Organizations({
    ...organizationParts({ ...engine, store }),
    random: () => 0,
    onMoved: ({ org }) => moved.push(org),
  });
  await organizations.start();
  expect(organizations.find(null)?.org).toBe(one);

  const second = await madeOrganization(engine, other);
  await expect.poll(() => organizations.find(other)?.org).toBe(other);
  expect(organizations.find(null)).toBeNull();
  expect(organizations.find("o-nowhere1234")).toBeNull();
  await expect
    .poll(() => organizations.find(other)?.replica.position.revision)
    .toBe(second.replica.position.revision);

  away = one;
  moved.length = 0;
  await call(first, "iam:CreateUser", { account: shop, userName: "ann" });
  await call(second, "iam:CreateUser", { account: shop, userName: "bob" });
  await expect.poll(() => moved).toEqual([other]);
  away = "";
  await expect.poll(() => moved).toEqual([other, one]);
  await organizations.close();
});
