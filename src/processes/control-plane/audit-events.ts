import type { Timer } from "../../adapters/distribution/clock.ts";
import type { AuditEvent, AuditLog } from "../../adapters/store/store.ts";
import { MeshIamError } from "../../iam/error.ts";

export interface AuditEventsOptions {
  readonly log: AuditLog;
  readonly org: string;
  /** The instance: a stream has one writer. */
  readonly stream: string;
  readonly clock: { readonly nowMs: () => number; after(delayMs: number, run: () => void): Timer };
  readonly onFailure: (reason: MeshIamError, waiting: number) => void;
  /** Events that wait while the store is away; above it the oldest go. Default 10,000. */
  readonly maxWaiting?: number;
}

const flushMs = 500;
const batch = 500;

/**
 * Records of what changes nothing: reads, denials (AUD-3). Written behind the answer, half a second at
 * most while the store is there. What is lost is itself an event with a count (AUD-7).
 */
export class AuditEvents {
  readonly #options: AuditEventsOptions;
  readonly #waiting: AuditEvent[] = [];
  #lost = 0;
  #timer: Timer | null = null;
  #writing: Promise<void> | null = null;

  constructor(options: AuditEventsOptions) {
    this.#options = options;
  }

  add(atMs: number, record: Uint8Array): void {
    const { maxWaiting = 10_000, clock } = this.#options;
    if (this.#waiting.length >= maxWaiting) {
      this.#waiting.shift();
      this.#lost++;
    }
    this.#waiting.push({ atMs, record });
    this.#timer ??= clock.after(flushMs, () => void this.flush());
  }

  /** Returns when everything that waited is written, or could not be. Never throws. */
  async flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    while (this.#writing !== null) await this.#writing;
    this.#writing = this.#write();
    await this.#writing;
    this.#writing = null;
  }

  async #write(): Promise<void> {
    const { log, org, stream, clock, onFailure } = this.#options;
    try {
      while (this.#waiting.length > 0 || this.#lost > 0) {
        const lost = this.#lost;
        const events = this.#waiting.slice(0, batch);
        const all = lost === 0 ? events : [lossOf(lost, clock.nowMs()), ...events];
        await log.append(org, stream, all);
        this.#lost -= lost;
        this.#waiting.splice(0, events.length);
      }
    } catch (reason) {
      onFailure(MeshIamError.from(reason), this.#waiting.length);
      this.#timer ??= clock.after(flushMs * 10, () => void this.flush());
    }
  }
}

function lossOf(count: number, atMs: number): AuditEvent {
  const record = { eventVersion: "1.11", eventName: "AuditRecordsLost", meshIam: { count } };
  return { atMs, record: new TextEncoder().encode(JSON.stringify(record)) };
}
