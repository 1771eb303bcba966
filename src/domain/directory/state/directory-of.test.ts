import { expect, test } from "vitest";
import { allowRead, createOrganization, shop } from "../../../../test/fakes/organization.ts";
import { policiesOfUser } from "../apply.ts";
import { createLookup } from "../lookup.ts";
import { directoryOf } from "./directory-of.ts";
import { lookupOf } from "./lookup-of.ts";
import { createReader, readRow, writeRow } from "./stored-form.ts";

/** A user with a group that has an attached policy; `damage` makes one of the docs unreadable. */
function damaged(kind: "group" | "managedPolicy" | "user", name: string) {
  const org = createOrganization();
  org.call("iam:CreatePolicy", { policyName: "read", policyDocument: allowRead });
  org.call("iam:CreateGroup", { groupName: "devs" });
  org.call("iam:AttachGroupPolicy", {
    groupName: "devs",
    policyArn: `arn:aws:iam::${shop}:policy/read`,
  });
  org.call("iam:CreateUser", { userName: "bob" });
  org.call("iam:AddUserToGroup", { groupName: "devs", userName: "bob" });
  const entity = org.replica.named(kind, shop, name);
  if (entity === undefined || entity.kind === "poisoned") throw new Error("not there");
  const { createRevision, modRevision } = entity;
  const row = { ...writeRow(entity), createRevision, modRevision, doc: '{"name":7}' };
  org.replica.apply([{ type: "put", object: readRow(row, createReader()) }], 99);
  return { org, id: entity.id };
}

test.each([
  { kind: "managedPolicy", name: "read" },
  { kind: "group", name: "devs" },
] as const)(
  "BUN-5 TOK-3 a $kind that cannot be read is an error for whom it applies to",
  (what) => {
    const { org, id } = damaged(what.kind, what.name);
    const directory = directoryOf(org.replica);
    expect(directory.poison).toEqual([
      { objectId: id, kind: what.kind, reason: expect.stringContaining("name: expected a text") },
    ]);
    for (const lookup of [lookupOf(org.replica), createLookup(directory)]) {
      const user = lookup.userByName(shop, "bob");
      if (user === null) throw new Error("no user");
      expect(policiesOfUser(lookup, user).identity).toContainEqual({
        id,
        poisoned: expect.stringContaining("expected a text"),
      });
    }
  },
);

test("an object that cannot be read keeps its name, and is no user", () => {
  const { org, id } = damaged("user", "bob");
  expect(directoryOf(org.replica).users).toEqual([]);
  expect(org.try("iam:CreateUser", { userName: "Bob" })).toMatchObject({
    code: "EntityAlreadyExists",
    resource: id,
  });
  expect(org.try("iam:GetUser", { userName: "bob" })).toMatchObject({ code: "ServiceFailure" });
  expect(org.try("iam:DeleteUser", { userName: "bob" })).toMatchObject({ code: "ServiceFailure" });
});

test("permission sets that cannot be read poison no decision", () => {
  const org = createOrganization();
  org.call("sso:CreatePermissionSet", { name: "s" });
  const set = org.replica.named("permissionSet", "", "s");
  if (set === undefined || set.kind === "poisoned") throw new Error("not there");
  const row = { ...writeRow(set), createRevision: 1, modRevision: 1, doc: "{}" };
  org.replica.apply([{ type: "put", object: readRow(row, createReader()) }], 99);
  expect([...org.replica.unreadable()]).toHaveLength(1);
  expect(directoryOf(org.replica).poison).toEqual([]);
});
