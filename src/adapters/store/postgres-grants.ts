import { ask, type Plan } from "./sql.ts";

/** What a role does with the store (STO-34). The owner of the tables is a third one. */
export type StoreDuty = "runtime" | "retention";

/** History can be added to and read, and by the running control plane not be changed or removed. */
const history = "mi_rev, mi_change, mi_idempotency, mi_audit";

const grants: Readonly<Record<StoreDuty, readonly string[]>> = {
  runtime: [
    "SELECT ON mi_schema",
    "SELECT, INSERT, UPDATE ON mi_org, mi_lease",
    "SELECT, INSERT, UPDATE, DELETE ON mi_object, mi_ref, mi_last_access, mi_fleet",
    `SELECT, INSERT ON ${history}`,
  ],
  retention: [
    "SELECT ON mi_schema, mi_org",
    // All that a compaction moves; the lock of the row needs it as well.
    "UPDATE (compacted_rev) ON mi_org",
    "SELECT, INSERT, UPDATE ON mi_lease",
    `SELECT, DELETE ON ${history}`,
  ],
};

/** Grants a role what its duty needs, and no more. Repeatable; run as the owner of the tables. */
export function* grantDuty(duty: StoreDuty, role: string): Plan<void> {
  const name = `"${role.replaceAll('"', '""')}"`;
  for (const grant of grants[duty]) yield* ask(`GRANT ${grant} TO ${name}`);
}
