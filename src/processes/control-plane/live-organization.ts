import type { Clock } from "../../adapters/distribution/clock.ts";
import type { StoreEngine } from "../../adapters/store/store.ts";
import type { Log } from "../../adapters/telemetry/log.ts";
import { createNewId } from "../../domain/directory/operations/new-id.ts";
import {
  defaultOperationQuotas,
  type OperationQuotas,
} from "../../domain/directory/operations/quotas.ts";
import { AuditEvents } from "./audit-events.ts";
import { CommitQueue } from "./commit-queue.ts";
import { DirectoryService } from "./directory-service.ts";
import { DocumentService } from "./document-service.ts";
import { FollowedReplica } from "./followed-replica.ts";
import { LockoutGuard } from "./lockout-guard.ts";

/** What every organization of a process shares. */
export interface OrganizationParts {
  readonly engine: Pick<StoreEngine, "store" | "auditLog">;
  readonly clock: Clock;
  readonly randomBytes: (bytes: number) => Uint8Array;
  readonly log: Log;
  /** The instance, a UUID: its stream of audit events. */
  readonly instance: string;
  readonly partition: string;
  readonly quotas?: OperationQuotas;
}

/** One organization as an instance serves it: replica, queue of changes, operations, audit. */
export interface LiveOrganization {
  readonly org: string;
  readonly replica: FollowedReplica;
  readonly service: DirectoryService;
  readonly documents: DocumentService;
  /** Writes what is left of the audit. */
  close(): Promise<void>;
}

/** Returns the organization, loaded. Throws `store-org-unknown`, `store-unavailable`. */
export async function openOrganization(
  org: string,
  { engine, clock, randomBytes, log, instance, partition, quotas }: OrganizationParts,
): Promise<LiveOrganization> {
  const replica = await FollowedReplica.open(engine.store, org);
  const queue = new CommitQueue(engine.store, replica, {
    monotonicMs: clock.monotonicMs,
    onSlow: (operation, tookMs) =>
      log.warn("operation-slow", "an operation took longer than its budget", {
        organization: org,
        operation,
        tookMs,
      }),
  });
  const events = new AuditEvents({
    log: engine.auditLog,
    org,
    stream: instance,
    clock,
    onFailure: (err, waiting) =>
      log.error("audit-failed", "audit events could not be written", {
        organization: org,
        waiting,
        err,
      }),
  });
  const shared = {
    replica,
    queue,
    events,
    newId: createNewId(randomBytes),
    quotas: quotas ?? defaultOperationQuotas,
    partition,
    nowMs: clock.nowMs,
    guard: new LockoutGuard(),
  };
  return {
    org,
    replica,
    service: new DirectoryService(shared),
    documents: new DocumentService(shared),
    close: () => events.flush(),
  };
}
