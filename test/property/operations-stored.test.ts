import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readDocuments } from "../../src/domain/directory/documents.ts";
import { createLookup } from "../../src/domain/directory/lookup.ts";
import type { Directory } from "../../src/domain/directory/model.ts";
import { directoryOf } from "../../src/domain/directory/state/directory-of.ts";
import type { Entity } from "../../src/domain/directory/state/entity.ts";
import { lookupOf } from "../../src/domain/directory/state/lookup-of.ts";
import { Replica } from "../../src/domain/directory/state/organization-state.ts";
import { createReader, readRow, writeRow } from "../../src/domain/directory/state/stored-form.ts";
import { arbitraryDirectory } from "./arbitrary-directory.ts";
import { caseCount, seed } from "./settings.ts";
import { asStored, entitiesOfDirectory } from "./stored-directory.ts";

const everyKind = join(import.meta.dirname, "../../src/domain/directory/every-kind.yaml");
const drawn = { seed, numRuns: caseCount(300) };

/** Through its stored form and back. */
function carried(entity: Entity) {
  const { references, ...row } = writeRow(entity);
  const { createRevision, modRevision } = entity;
  return { references, object: readRow({ ...row, createRevision, modRevision }, createReader()) };
}

function replicaOf(entities: readonly Entity[]): Replica {
  const replica = new Replica();
  const changes = entities.map((one) => ({ type: "put", object: carried(one).object }) as const);
  replica.apply(changes, 1);
  return replica;
}

function everyKindDirectory(): Directory {
  const loaded = readDocuments([{ path: "a.yaml", text: readFileSync(everyKind, "utf8") }], {
    readFile: () => ({ ok: true, value: '{"keys":[]}' }),
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return asStored(withoutSource(loaded.value));
}

function withoutSource<T>(value: T): T {
  if (value instanceof Map) return value;
  if (Array.isArray(value)) return value.map(withoutSource) as T;
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([name, item]) => [
    name,
    name === "source" && typeof item === "string" ? null : withoutSource(item),
  ]);
  return Object.fromEntries(members) as T;
}

test("every entity is the same after writing and reading, member by member", () => {
  fc.assert(
    fc.property(arbitraryDirectory.map(asStored), (directory) => {
      for (const entity of entitiesOfDirectory(directory)) {
        const { object } = carried(entity);
        expect({ ...object, size: 0 }).toEqual(entity);
      }
    }),
    drawn,
  );
});

test("what is written again is the same text", () => {
  fc.assert(
    fc.property(arbitraryDirectory.map(asStored), (directory) => {
      for (const entity of entitiesOfDirectory(directory)) {
        const { object } = carried(entity);
        const once = writeRow(object as Entity);
        expect(writeRow(carried(object as Entity).object as Entity)).toEqual(once);
      }
    }),
    drawn,
  );
});

test("the directory of a state is the directory that was put into it", () => {
  const directory = everyKindDirectory();
  const replica = replicaOf(entitiesOfDirectory(directory));
  expect(directoryOf(replica)).toEqual(directory);
});

test("the lookup of a state answers as the lookup of its directory", () => {
  const directory = everyKindDirectory();
  const live = lookupOf(replicaOf(entitiesOfDirectory(directory)));
  const built = createLookup(directory);
  const { users, groups, roles, workloads, managedPolicies, oidcProviders } = directory;
  const asked: [string, ...unknown[]][] = [
    ...users.flatMap(({ id, account, name }): [string, ...unknown[]][] => [
      ["userById", id],
      ["userByName", account, name],
      ["userByName", account, name.toUpperCase()],
    ]),
    ...groups.map(({ id }): [string, string] => ["groupById", id]),
    ...roles.flatMap(({ id, account, name, arn }): [string, ...unknown[]][] => [
      ["roleById", id],
      ["roleByName", account, name],
      ["roleByArn", arn],
      ["roleByArn", arn.replace("role/", "role/x/")],
    ]),
    ...workloads.map(({ spiffeId }): [string, string] => ["workloadBySpiffeId", spiffeId]),
    ...managedPolicies.map(({ id }): [string, string] => ["managedPolicyById", id]),
    ...oidcProviders.flatMap(({ id, arn, issuer }): [string, string][] => [
      ["providerById", id],
      ["providerByArn", arn],
      ["providerByIssuer", issuer],
    ]),
    ...directory.accounts.flatMap(({ id }): [string, string][] => [
      ["accountById", id],
      ["placeOf", id],
    ]),
    ...directory.services.flatMap(({ arn, account, name, workloads: served }) => [
      ["serviceByArn", arn] as [string, string],
      ["serviceByName", account, name] as [string, ...unknown[]],
      ...served.map((id): [string, string] => ["serviceArnOfSpiffeId", id]),
    ]),
    ["trustDomainByName", "cluster.local"],
    ["accountOfSpiffeId", "cluster.local", "shop"],
    ["accountOfSpiffeId", "cluster.local", null],
    ["accountOfSpiffeId", "elsewhere", null],
    ["userById", "nobody"],
    ["serviceByArn", "nothing"],
    ["workloadBySpiffeId", "spiffe://elsewhere/a"],
  ];
  const call = (lookup: unknown, name: string, rest: readonly unknown[]) =>
    (lookup as Record<string, (...args: unknown[]) => unknown>)[name]?.(...rest);
  expect(asked.length).toBeGreaterThan(30);
  for (const [name, ...rest] of asked) {
    expect([name, rest, call(live, name, rest)]).toEqual([name, rest, call(built, name, rest)]);
  }
  expect({ ...live.directory }).toEqual(directory);
});
