import fc from "fast-check";
import { expect, test } from "vitest";
import { formatDocuments } from "../../src/domain/directory/format.ts";
import type { Directory } from "../../src/domain/directory/model.ts";
import { directoryOf } from "../../src/domain/directory/state/directory-of.ts";
import type { Entity, StateObject } from "../../src/domain/directory/state/entity.ts";
import { kindCodecs } from "../../src/domain/directory/state/kinds/registry.ts";
import { Replica } from "../../src/domain/directory/state/organization-state.ts";
import {
  createReader,
  nameKeyOf,
  readRow,
  referencesOf,
  writeRow,
} from "../../src/domain/directory/state/stored-form.ts";
import { FakeOrganization } from "../fakes/organization.ts";
import { apply, planOf, withoutIds } from "../fakes/planned-documents.ts";
import { played, sequence, started } from "./operation-calls.ts";
import { caseCount, seed } from "./settings.ts";

/**
 * Any sequence of operations: whatever is accepted leaves a
 * state in which every reference resolves, names are unique, and what is derived is as if made anew.
 */
const kinds = Object.keys(kindCodecs);
const objectsOf = (replica: Replica): StateObject[] =>
  kinds.flatMap((kind) => [...replica.all(kind)]);

function expectSound(replica: Replica): void {
  const objects = objectsOf(replica);
  expect(objects).toHaveLength(replica.size);
  const names = new Set<string>();
  const referrers = new Map<string, Set<string>>();
  const sizes = new Map<string, number>();
  for (const object of objects) {
    const { id, kind, account: owner, nameKey, size } = object;
    expect(replica.get(id)).toBe(object);
    expect(replica.named(kind as Entity["kind"], owner, nameKey)).toBe(object);
    const key = `${kind}\0${owner}\0${nameKey}`;
    expect(names.has(key)).toBe(false);
    names.add(key);
    sizes.set(owner, (sizes.get(owner) ?? 0) + size);
    for (const { to } of referencesOf(object)) {
      expect(replica.get(to), `${id} refers to ${to}`).toBeDefined();
      referrers.set(to, (referrers.get(to) ?? new Set()).add(id));
    }
    const { references, ...row } = writeRow(object as Entity);
    expect(references).toEqual(referencesOf(object));
    const { createRevision, modRevision } = object;
    const again = readRow({ ...row, createRevision, modRevision }, createReader());
    expect(again).toEqual(object);
    expect(nameKeyOf(nameKey)).toBe(nameKey);
  }
  for (const { id, account: owner } of objects) {
    expect(new Set(replica.referrers(id))).toEqual(referrers.get(id) ?? new Set());
    expect(replica.sizeOf(owner)).toBe(sizes.get(owner));
  }
}

test("whatever is accepted leaves references, names, indexes and docs sound", () => {
  let accepted = 0;
  let asked = 0;
  fc.assert(
    fc.property(sequence, (all) => {
      const org = started();
      accepted += played(org, all);
      asked += all.length;
      expectSound(org.replica);
      // A replica that is loaded is the replica that followed.
      const loaded = new Replica();
      const reader = createReader();
      for (const object of objectsOf(org.replica)) {
        const { createRevision, modRevision } = object;
        const row = { ...writeRow(object as Entity), createRevision, modRevision };
        loaded.apply([{ type: "put", object: readRow(row, reader) }], org.replica.revision);
      }
      expect(directoryOf(loaded)).toEqual(directoryOf(org.replica));
    }),
    { seed, numRuns: caseCount(60) },
  );
  // The sequences say something: a good part of them is accepted, and a good part refused.
  expect(accepted / asked).toBeGreaterThan(0.2);
  expect(accepted / asked).toBeLessThan(0.9);
});

test("the documents of a state, applied to nothing, are that state; a plan after that is empty", () => {
  fc.assert(
    fc.property(sequence, (all) => {
      const org = started();
      played(org, all);
      const directory = plain(org);
      const text = formatDocuments(directory);
      const other = new FakeOrganization("other");
      apply(other, text);
      expect(withoutIds(directoryOf(other.replica))).toEqual(withoutIds(directory));
      expectSound(other.replica);
      const again = planOf(other, text, { prune: true });
      expect(again.refused ? again.refusals : again.steps).toEqual([]);
    }),
    { seed, numRuns: caseCount(40) },
  );
});

/** What documents can say: no provisioned role, and no trust in somebody who is gone. */
function plain(org: FakeOrganization): Directory {
  const directory = directoryOf(org.replica);
  const roles = directory.roles.filter(
    ({ path, trustPolicy: { text } }) =>
      !path.startsWith("/aws-reserved/") && !/"A(IDA|ROA)/.test(text),
  );
  return { ...directory, roles };
}

test("documents that follow each other lead where the last ones alone lead", () => {
  let led = 0;
  fc.assert(
    fc.property(sequence, sequence, (before, after) => {
      const [first, last] = [started(), started()];
      played(first, before);
      played(last, after);
      const texts = [plain(first), plain(last)].map(formatDocuments);
      const [one = "", two = ""] = texts;
      const org = new FakeOrganization("three");
      apply(org, one);
      const taken = planOf(org, two, { prune: true });
      // Documents cannot bring about everything (a role's new path, say); then nothing is changed.
      if (taken.refused) return;
      apply(org, two, { prune: true });
      const again = planOf(org, two, { prune: true });
      expect(again.refused ? again.refusals : again.steps).toEqual([]);
      expectSound(org.replica);
      expect(withoutPlaces(org)).toEqual(withoutPlaces(last));
      led++;
    }),
    { seed, numRuns: caseCount(30) },
  );
  expect(led).toBeGreaterThan(15);
});

/** Accounts, units and FullAWSAccess are never pruned. */
function withoutPlaces(org: FakeOrganization): readonly unknown[] {
  const directory = plain(org);
  return withoutIds({
    ...directory,
    serviceControlPolicies: directory.serviceControlPolicies.filter(
      ({ policy }) => policy !== null,
    ),
  });
}
