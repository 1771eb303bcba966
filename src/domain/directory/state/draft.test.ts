import { describe, expect, test } from "vitest";
import { Draft } from "./draft.ts";
import type { StateObject } from "./entity.ts";
import { type OrganizationState, Replica } from "./organization-state.ts";
import { createReader, readRow } from "./stored-form.ts";

const account = "111122223333";

function user(id: string, name: string, attached: readonly string[] = []): StateObject {
  const arn = `arn:aws:iam::${account}:user/${name}`;
  const doc = JSON.stringify({ name, arn, attachedPolicyIds: attached });
  const nameKey = name.toLowerCase();
  return readRow(
    { id, kind: "user", account, nameKey, doc, createRevision: 1, modRevision: 1 },
    createReader(),
  );
}

const put = (object: StateObject) => ({ type: "put", object }) as const;
const remove = (id: string) => ({ type: "remove", id }) as const;

function seen(state: OrganizationState) {
  const ids = (objects: Iterable<StateObject>) => [...objects].map(({ id }) => id).sort();
  return {
    size: state.size,
    list: ids(state.list("user", account)),
    all: ids(state.all("user")),
    count: state.count("user", account),
    attached: [...state.referrers("ANPA1")].sort(),
    bytes: state.sizeOf(account),
    bob: state.named("user", account, "bob")?.id,
    unreadable: ids(state.unreadable()),
  };
}

const base = [user("A", "bob", ["ANPA1"]), user("B", "carol", ["ANPA1"]), user("C", "dora")];
const bad = user("Z", "");
const cases = [
  { why: "nothing", changes: [] },
  { why: "a new object", changes: [put(user("D", "emil", ["ANPA1"]))] },
  { why: "another spelling of an attachment", changes: [put(user("A", "bob", ["ANPA2"]))] },
  { why: "a removal", changes: [remove("A")] },
  { why: "a name taken over by another object", changes: [remove("A"), put(user("E", "Bob"))] },
  {
    why: "a name that two objects exchange",
    changes: [put(user("A", "x")), put(user("B", "bob")), put(user("A", "carol"))],
  },
  { why: "an object that comes and goes", changes: [put(user("F", "fritz")), remove("F")] },
  { why: "an object that cannot be read", changes: [put({ ...bad, nameKey: "zoe" })] },
];

describe.each(cases)("with $why", ({ changes }) => {
  test("a draft reads like the replica after the commit", () => {
    const replica = new Replica();
    replica.apply(base.map(put), 1);
    const before = seen(replica);
    const draft = new Draft(replica);
    draft.apply(changes, 2);
    expect(seen(replica)).toEqual(before);
    const inDraft = seen(draft);
    replica.apply(draft.changes(), draft.revision);
    expect(inDraft).toEqual(seen(replica));
    expect(replica.revision).toBe(2);
  });

  test("a draft over a draft reads the same", () => {
    const replica = new Replica();
    replica.apply(base.map(put), 1);
    const outer = new Draft(replica);
    for (const change of changes) {
      const inner = new Draft(outer);
      inner.apply([change], 2);
      const inside = seen(inner);
      outer.apply(inner.changes(), 2);
      expect(inside).toEqual(seen(outer));
    }
    const once = new Draft(replica);
    once.apply(changes, 2);
    expect(seen(outer)).toEqual(seen(once));
  });
});
