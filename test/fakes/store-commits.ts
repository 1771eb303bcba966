import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import { firstPosition } from "../../src/adapters/store/chain.ts";
import type {
  Change,
  Commit,
  Locked,
  Position,
  Reference,
  Store,
  StoredObject,
  StoreHead,
} from "../../src/adapters/store/store.ts";

/** Matches an error by its code. */
export const failing = (code: string) => expect.objectContaining({ code });

export const org = "o-acme123456";

export function put(id: string, extra: Partial<StoredObject> = {}, ...to: Reference[]): Change {
  const object = {
    id,
    kind: "user",
    account: "111122223333",
    nameKey: id.toLowerCase(),
    doc: "{}",
  };
  return { type: "put", object: { ...object, ...extra }, references: to };
}

export function remove(id: string): Change {
  return { type: "remove", id };
}

export function commit(...changes: Change[]): Commit {
  return {
    id: randomUUID(),
    actor: "arn:aws:iam::111122223333:user/ana",
    audit: Buffer.from(`{"changes":${changes.length}}`),
    changes,
  };
}

/** Where a replica stands after it has read everything. */
export async function newest(store: Store, name = org): Promise<Position> {
  return await store.head(name);
}

/** Commits at the head, one transaction. */
export async function write(
  store: Store,
  commits: readonly Commit[] | ((locked: Locked) => readonly Commit[]),
  since?: Position,
): Promise<StoreHead> {
  const request = { since: since ?? (await newest(store)), idempotencyKeys: [], fences: [] };
  return await store.transact(
    org,
    request,
    typeof commits === "function" ? commits : () => commits,
  );
}

/** All objects of a snapshot, by id. */
export async function everything(store: Store): Promise<Map<string, StoredObject>> {
  const objects = new Map<string, StoredObject>();
  for await (const page of (await store.snapshot(org)).pages) {
    for (const object of page) objects.set(object.id, object);
  }
  return objects;
}

/** A replica that was built from nothing but changes. */
export async function replayed(store: Store): Promise<Map<string, StoredObject>> {
  const objects = new Map<string, StoredObject>();
  let at = firstPosition(org);
  for (;;) {
    const { records } = await store.changes(org, at, 7);
    for (const record of records) {
      for (const change of record.changes) {
        if ("removed" in change) objects.delete(change.removed);
        else objects.set(change.id, change);
      }
      at = record;
    }
    if (records.length === 0) return objects;
  }
}
