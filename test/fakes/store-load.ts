import { randomUUID } from "node:crypto";
import type { Commit, Position, Store } from "../../src/adapters/store/store.ts";
import { org } from "./store-commits.ts";

/** Three commits of one transaction: all of them are there, or none. */
function threeCommits(): readonly Commit[] {
  return [0, 1, 2].map((at) => {
    const id = randomUUID();
    const doc = JSON.stringify({ at, fill: "x".repeat(300) });
    return {
      id,
      actor: "arn:aws:iam::111122223333:root",
      audit: Buffer.from(id),
      changes: [
        {
          type: "put",
          object: { id: `AIDA${id}`, kind: "user", account: "", nameKey: id, doc },
          references: [],
        },
      ],
    };
  });
}

/**
 * Writes as a control plane does, until `isOver`: a replica's position, commits recognised when their
 * answer was lost. Says `kept REVISION ID…` for each transaction that was acknowledged; what the
 * store throws goes to `failed`, which decides whether to go on.
 */
export async function writeOn(
  store: Store,
  say: (line: string) => void,
  isOver: () => boolean,
  failed: (reason: unknown) => void,
): Promise<void> {
  let since: Position = await store.head(org);
  while (!isOver()) {
    const commits = threeCommits();
    const ids = commits.map(({ id }) => id);
    let endsAt = 0;
    try {
      since = await store.transact(
        org,
        { since, idempotencyKeys: [], fences: [] },
        ({ head, behind }) => {
          const own = behind.findLast(({ id }) => id === ids.at(-1));
          endsAt = own?.revision ?? head.revision + ids.length;
          return own === undefined ? commits : [];
        },
      );
      say(`kept ${endsAt} ${ids.join(" ")}`);
    } catch (reason) {
      failed(reason);
    }
  }
}
