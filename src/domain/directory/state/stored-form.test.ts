import { expect, test } from "vitest";
import type { EntityOf, StateObject } from "./entity.ts";
import { storedChange } from "./stored-change.ts";
import { createReader, nameKeyOf, readRow, type StoredRow, writeRow } from "./stored-form.ts";

const arn = "arn:aws:iam::111122223333:user/Bob";
const bob: StoredRow = {
  id: "AIDABOB",
  kind: "user",
  account: "111122223333",
  nameKey: "bob",
  doc: `{"groupIds":["AGPA1"],"name":"Bob","arn":"${arn}","attachedPolicyIds":["ANPA1"],"inlinePolicies":[{"policyName":"own","policyDocument":"{}"}],"createdAtMs":5,"permissionsBoundaryId":"ANPA2","tags":{"team":"blue"},"sessionsValidFrom":{"epoch":1,"revision":9}}`,
  createRevision: 3,
  modRevision: 4,
};

function read(row: Partial<StoredRow>): StateObject {
  return readRow({ ...bob, ...row }, createReader());
}

function readUser(doc: string): EntityOf<"user"> {
  const object = read({ doc });
  if (object.kind !== "user") throw new Error(JSON.stringify(object));
  return object;
}

test("a user is read with its record, its facts and its place in the log", () => {
  expect(read({})).toEqual({
    kind: "user",
    id: "AIDABOB",
    account: "111122223333",
    nameKey: "bob",
    record: {
      id: "AIDABOB",
      account: "111122223333",
      name: "Bob",
      path: "/",
      arn,
      groupIds: ["AGPA1"],
      attachedPolicyIds: ["ANPA1"],
      inlinePolicies: [{ id: `${arn}/own`, text: "{}", source: null }],
      permissionsBoundaryId: "ANPA2",
      tags: new Map([["team", "blue"]]),
      state: "active",
    },
    manager: "api",
    createdAtMs: 5,
    labels: new Map(),
    description: "",
    sessionsValidFrom: { epoch: 1, revision: 9 },
    createRevision: 3,
    modRevision: 4,
    size: bob.doc.length,
    foreign: null,
  });
});

test("a user is written as it was read, its references by unique id", () => {
  const { createRevision, modRevision, ...columns } = bob;
  expect(writeRow(readUser(bob.doc))).toEqual({
    ...columns,
    references: [
      { rel: "member", to: "AGPA1" },
      { rel: "attached", to: "ANPA1" },
      { rel: "boundary", to: "ANPA2" },
    ],
  });
});

test("a change goes to the store as its row with the references beside", () => {
  const { createRevision, modRevision, ...object } = bob;
  const change = storedChange({ type: "put", object: readUser(bob.doc) });
  expect(change).toMatchObject({ type: "put", object });
  expect(change).toHaveProperty("references.length", 3);
  expect(storedChange({ type: "remove", id: "AIDABOB" })).toEqual({
    type: "remove",
    id: "AIDABOB",
  });
  const unreadable = read({ doc: "{}" });
  expect(() => storedChange({ type: "put", object: unreadable })).toThrow(TypeError);
});

test("what many users have is one in memory", () => {
  const reader = createReader();
  const [one, two] = [readRow(bob, reader), readRow({ ...bob, id: "AIDA2" }, reader)];
  if (one.kind !== "user" || two.kind !== "user") throw new Error("unreadable");
  expect(one.record.tags).toBe(two.record.tags);
  expect(one.record.groupIds).toBe(two.record.groupIds);
  expect(one.record.permissionsBoundaryId).toBe(two.record.permissionsBoundaryId);
});

test.each([
  { why: "no JSON", doc: "{", path: "", at: 2 },
  { why: "no mapping", doc: "[]", path: "", at: 1 },
  { why: "a member that is missing", doc: '{"arn":"a"}', path: "", at: 1 },
  { why: "a name that is a number", doc: '{"name":7,"arn":"a"}', path: "name", at: 9 },
  {
    why: "an item of the wrong sort",
    doc: '{"name":"Bob","arn":"a","groupIds":["a",null]}',
    path: "groupIds[1]",
    at: 41,
  },
  {
    why: "an unknown state",
    doc: '{"name":"Bob","arn":"a","state":"sleeping"}',
    path: "state",
    at: 33,
  },
  {
    why: "a time that is no whole number",
    doc: '{"name":"Bob","arn":"a","createdAtMs":1.5}',
    path: "createdAtMs",
    at: 39,
  },
  {
    why: "a member twice",
    doc: '{"name":"Bob","arn":"a","name":"Bob"}',
    path: "name",
    at: 25,
  },
])("a doc with $why is poisoned, with the place in it", ({ doc, path, at }) => {
  const object = read({ doc });
  expect(object).toMatchObject({
    kind: "poisoned",
    storedKind: "user",
    id: "AIDABOB",
    nameKey: "bob",
    doc,
    problem: { severity: "ERROR", path, position: { line: 1, column: at } },
  });
});

test("an object under another name than its own is poisoned", () => {
  expect(read({ nameKey: "alice" })).toMatchObject({
    kind: "poisoned",
    problem: { message: "expected the name key `bob`" },
  });
});

test("a managed policy without its default version is poisoned", () => {
  const doc =
    '{"name":"p","arn":"a","versions":[{"versionId":"v1","text":"{}","createdAtMs":1}],"defaultVersionId":"v2"}';
  expect(read({ kind: "managedPolicy", nameKey: "p", doc })).toMatchObject({
    kind: "poisoned",
    problem: { path: "defaultVersionId" },
  });
});

test("a kind that has its own keeper is opaque", () => {
  expect(read({ kind: "signingKey", doc: '{"kid":"1"}' })).toMatchObject({
    kind: "opaque",
    storedKind: "signingKey",
    doc: '{"kid":"1"}',
  });
});

test("STO-53 members of a newer release survive a rewrite, at every depth", () => {
  const doc = `{"name":"Bob","arn":"${arn}","inlinePolicies":[{"policyName":"a","policyDocument":"{}","hint":[1]},{"policyName":"b","policyDocument":"{}","hint":[2]}],"shoe":{"size":43}}`;
  const user = readUser(doc);
  expect(writeRow(user).doc).toBe(
    `{"name":"Bob","arn":"${arn}","inlinePolicies":[{"policyName":"a","policyDocument":"{}","hint":[1]},{"policyName":"b","policyDocument":"{}","hint":[2]}],"shoe":{"size":43}}`,
  );
  const [, second] = user.record.inlinePolicies;
  const without = { ...user.record, state: "disabled", inlinePolicies: [second] };
  expect(writeRow({ ...user, record: without } as EntityOf<"user">).doc).toBe(
    `{"name":"Bob","arn":"${arn}","inlinePolicies":[{"policyName":"b","policyDocument":"{}","hint":[2]}],"state":"disabled","shoe":{"size":43}}`,
  );
});

test("a doc that is written with blanks is read, and has no foreign member", () => {
  expect(readUser(`{ "name": "Bob", "arn": "${arn}" }`).foreign).toBeNull();
});

test("names are keys in lower case, long ones by their digest", () => {
  expect(nameKeyOf("Ärger/Bob")).toBe("ärger/bob");
  expect(nameKeyOf("a".repeat(512))).toBe("a".repeat(512));
  expect(nameKeyOf("ä".repeat(257))).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(nameKeyOf("Ä".repeat(257))).toBe(nameKeyOf("ä".repeat(257)));
});
