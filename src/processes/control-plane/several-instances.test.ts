import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  call,
  madeOrganization,
  organizationParts,
  shop,
  tryCall,
} from "../../../test/fakes/control-plane.ts";
import {
  type PostgresServer,
  postgresMissing,
  startPostgres,
} from "../../../test/fakes/postgres.ts";
import { postgresPlace } from "../../../test/fakes/postgres-place.ts";
import { openOrganization } from "./live-organization.ts";

const org = "o-acme123456";

describe.skipIf(postgresMissing() !== null)("two instances on one PostgreSQL", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ fsync: false });
  });
  afterAll(() => server?.dispose());

  test("both write, each sees the other's change at once, and both end up the same", async () => {
    const place = await postgresPlace(server);
    const first = await madeOrganization(await place.open(), org);
    const second = await openOrganization(org, organizationParts(await place.open()));
    const instances = [first, second];

    const made = await Promise.all(
      Array.from({ length: 30 }, (_, index) => {
        const live = instances[index % 2] ?? first;
        // Every name twice: of each pair exactly one instance is the first.
        return tryCall(live, "iam:CreateUser", {
          account: shop,
          userName: `user-${Math.floor(index / 2)}`,
        });
      }),
    );
    expect(made.filter(({ ok }) => ok)).toHaveLength(15);
    const refused = made.flatMap((one) => (one.ok ? [] : [one.code]));
    expect(new Set(refused)).toEqual(new Set(["EntityAlreadyExists"]));
    const revisions = made.flatMap((one) => (one.ok ? [one.position.revision] : []));
    expect(new Set(revisions).size).toBe(15);

    for (const [index, live] of instances.entries()) {
      const bob = { account: shop, userName: `late-${index}` };
      await call(live, "iam:CreateUser", bob);
      const other = instances[1 - index] ?? first;
      expect(await call(other, "iam:GetUser", bob)).toEqual(await call(live, "iam:GetUser", bob));
    }
    const listed = await Promise.all(
      instances.map((live) => call(live, "iam:ListUsers", { account: shop })),
    );
    expect(listed[0]).toEqual(listed[1]);
    expect(first.replica.position.revision).toBe(second.replica.position.revision);
    expect(first.replica.position.chain).toEqual(second.replica.position.chain);
    await Promise.all(instances.map((live) => live.close()));
    await place.dispose();
  });
});
