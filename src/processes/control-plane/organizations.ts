import type { Timer } from "../../adapters/distribution/clock.ts";
import type { StoreHead } from "../../adapters/store/store.ts";
import { MeshIamError } from "../../iam/error.ts";
import {
  type LiveOrganization,
  type OrganizationParts,
  openOrganization,
} from "./live-organization.ts";

export interface OrganizationsParts extends OrganizationParts {
  /** From 0 up to, but not, 1: jitter. */
  readonly random: () => number;
  /** Told of every organization when it is opened, and when its replica has moved. */
  readonly onMoved: (organization: LiveOrganization) => void;
}

const pollMs = 250;

/**
 * The organizations of the store, followed: truth is a poll of all heads every 250 ms (3.8), hints are
 * nothing but an earlier look.
 */
export class Organizations {
  readonly #parts: OrganizationsParts;
  readonly #live = new Map<string, LiveOrganization>();
  readonly #told = new Map<string, string>();
  #timer: Timer | null = null;
  #looking: Promise<void> | null = null;
  #unsubscribe: () => void = () => undefined;
  #isClosed = false;

  constructor(parts: OrganizationsParts) {
    this.#parts = parts;
  }

  /** Returns when every organization that is there is loaded; throws what the store throws. */
  async start(): Promise<void> {
    await this.#look();
    this.#unsubscribe = this.#parts.engine.store.onHeadMoved(() => this.#soon(0));
    this.#soon(pollMs);
  }

  /** Returns the organization `org`, or null; without a name the only one there is. */
  find(org: string | null): LiveOrganization | null {
    if (org !== null) return this.#live.get(org) ?? null;
    const [only, second] = this.#live.values();
    return second === undefined ? (only ?? null) : null;
  }

  /** How many there are. */
  get count(): number {
    return this.#live.size;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unsubscribe();
    this.#timer?.cancel();
    await this.#looking?.catch(() => undefined);
    for (const live of this.#live.values()) await live.close();
  }

  #soon(delayMs: number): void {
    if (this.#isClosed) return;
    this.#timer?.cancel();
    const { clock, random } = this.#parts;
    this.#timer = clock.after(delayMs * (0.75 + random() / 2), () => void this.#poll());
  }

  async #poll(): Promise<void> {
    if (this.#looking !== null) return;
    this.#looking = this.#look()
      .catch((reason: unknown) => {
        const err = MeshIamError.from(reason);
        this.#parts.log.warn("store-poll-failed", "the store could not be looked at", { err });
      })
      .finally(() => {
        this.#looking = null;
        this.#soon(pollMs);
      });
    await this.#looking;
  }

  /** Looks after every organization, whatever becomes of the others; throws the first failure. */
  async #look(): Promise<void> {
    const heads = await this.#parts.engine.store.heads();
    const followed = await Promise.allSettled(heads.map((head) => this.#follow(head)));
    for (const one of followed) if (one.status === "rejected") throw one.reason;
  }

  async #follow(head: StoreHead): Promise<void> {
    const live = this.#live.get(head.org) ?? (await openOrganization(head.org, this.#parts));
    this.#live.set(head.org, live);
    await live.replica.reach(head);
    const { epoch, revision } = live.replica.position;
    const place = `${epoch}.${revision}`;
    if (this.#told.get(head.org) === place) return;
    this.#told.set(head.org, place);
    this.#parts.onMoved(live);
  }
}
