/** The calls of the store that are timed. */
export const storeOperations = [
  "create-org",
  "heads",
  "head",
  "snapshot",
  "oldest",
  "changes",
  "transact",
  "lease",
  "compact",
  "expire",
  "set-state",
  "new-epoch",
  "audit-append",
  "audit-streams",
  "audit-read",
  "fleet-upsert",
  "fleet-read",
] as const;
/** `refused`: an error with a code of its own. `failed`: anything else that was thrown. */
export const storeResults = ["ok", "refused", "unavailable", "failed"] as const;

export type StoreOperation = (typeof storeOperations)[number];
export type StoreResult = (typeof storeResults)[number];
