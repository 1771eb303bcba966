import { listOf } from "../shape/collections.ts";
import { accountId, displayName, unitPath } from "../shape/names.ts";
import { record } from "../shape/record.ts";
import { placed, text, word } from "../shape/scalars.ts";
import { optional, required } from "../shape/shape.ts";
import { tags } from "../shape/tags.ts";
import { defineKind } from "./kind.ts";
import { unitPaths } from "./organizational-unit.ts";
import { unless, unlessEmptyMap } from "./written-value.ts";

/** `Account`: needed for each account in an organization, optional without one (FILE-10). */
export const accountKind = defineKind({
  kind: "Account",
  summary:
    "An account and its place in the organization's tree. With an `Organization` each account that is named needs its document.",
  scope: "organization",
  name: displayName,
  hasPath: false,
  spec: record({
    accountId: required(placed(accountId), "12 digits, quoted."),
    parentIds: optional(
      listOf(placed(unitPath), { min: 1, max: 1 }),
      null,
      "Path of the organizational unit, one of them. Absent: the root.",
    ),
    email: optional(
      text("an address", /^[^\p{C}\p{Z}@]+@[^\p{C}\p{Z}@]+$/u, 64),
      "",
      "Whom to write to.",
    ),
    tags: optional(tags, new Map<string, string>(), "Tags of the account."),
    state: optional(
      word("active", "disabled"),
      "active",
      "`disabled` denies every principal of the account.",
    ),
  }),
  declare: (_header, spec, world) => {
    world.addAccount(spec.accountId.value, spec.accountId.place);
  },
  resolve: (header, spec, world) => {
    const { accountId: id, parentIds, email, tags: accountTags, state } = spec;
    const parent = parentIds?.[0];
    const root = world.organization?.rootId ?? null;
    const parentId = parent === undefined ? root : world.referUnit(parent);
    world.draft.accounts.push({
      id: id.value,
      name: header.name,
      parentId,
      email,
      tags: accountTags,
      state,
    });
  },
  write: (directory) => {
    const paths = unitPaths(directory);
    return directory.accounts.map(({ id, name, parentId, email, tags: accountTags, state }) => ({
      metadata: { name },
      spec: {
        accountId: id,
        parentIds: parentId === null ? undefined : [paths.get(parentId) ?? parentId],
        email: unless(email, ""),
        tags: unlessEmptyMap(accountTags),
        state: unless(state, "active"),
      },
    }));
  },
});
