import type { BundleServer } from "../../adapters/distribution/bundle-server.ts";
import type { Clock, Timer } from "../../adapters/distribution/clock.ts";
import type { Scope } from "../../adapters/distribution/scope.ts";
import type { Log } from "../../adapters/telemetry/log.ts";
import { type BuiltBundle, buildBundle, sealHeadOf } from "../../domain/bundle/build.ts";
import { sliceName } from "../../domain/bundle/slice.ts";
import type { Directory, Service } from "../../domain/directory/model.ts";
import { scopeOf } from "../../domain/directory/scope.ts";
import {
  directoryOf,
  organizationPart,
  recordsOf,
} from "../../domain/directory/state/directory-of.ts";
import type { BundleKeys } from "./bundle-keys.ts";
import type { FollowedReplica } from "./followed-replica.ts";

export interface BundlePublisherParts {
  readonly replica: FollowedReplica;
  readonly keys: BundleKeys;
  readonly server: Pick<BundleServer, "publish" | "withdraw" | "rescope">;
  readonly clock: Clock;
  readonly log: Log;
  readonly headValidMs: number;
}

interface Slice {
  readonly services: readonly Service[];
  /** Null: nobody has asked for it yet. */
  built: BuiltBundle | null;
}

const quietMs = 10;
const longestMs = 100;

/**
 * Publishes the slices of one organization that somebody asks for, anew with every revision: 10 ms after
 * the last of some, 100 ms after the first at most (control-plane 2.6).
 */
export class BundlePublisher {
  readonly #parts: BundlePublisherParts;
  #slices = new Map<string, Slice>();
  #sliceOfIdentity = new Map<string, string>();
  #timer: Timer | null = null;
  #firstAtMs: number | null = null;

  constructor(parts: BundlePublisherParts) {
    this.#parts = parts;
    this.#rescope();
  }

  /** Returns the slice that an identity may receive (BUN-15), null for one that serves nothing. */
  scopeOf(identity: string): Scope | null {
    const slice = this.#sliceOfIdentity.get(identity);
    return slice === undefined ? null : { org: this.#parts.replica.org, slice };
  }

  /** The replica has moved. */
  moved(): void {
    const { clock } = this.#parts;
    const nowMs = clock.monotonicMs();
    this.#firstAtMs ??= nowMs;
    const leftMs = Math.max(0, this.#firstAtMs + longestMs - nowMs);
    this.#timer?.cancel();
    this.#timer = clock.after(Math.min(quietMs, leftMs), () => this.#publishAll());
  }

  /** Somebody asks for a slice that is not published. */
  async want({ slice }: Scope): Promise<void> {
    // Whoever asks begins to wait only after this call: a build within it would wake nobody.
    await Promise.resolve();
    const wanted = this.#slices.get(slice);
    if (wanted === undefined) return;
    this.#guarded(() => this.#build(slice, wanted, directoryOf(this.#parts.replica.state)));
  }

  close(): void {
    this.#timer?.cancel();
  }

  #publishAll(): void {
    this.#firstAtMs = null;
    this.#guarded(() => {
      this.#rescope();
      const published = [...this.#slices].filter(([, { built }]) => built !== null);
      if (published.length === 0) return;
      // Of the whole organization: made once, however many slices are cut out of it.
      const directory = directoryOf(this.#parts.replica.state);
      for (const [name, slice] of published) this.#build(name, slice, directory);
    });
  }

  /** What could not be built is told; the bundles before it stay, and say up to where they reach. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (err) {
      const { log, replica } = this.#parts;
      log.error("bundle-failed", "bundles could not be built", { organization: replica.org, err });
    }
  }

  #build(name: string, slice: Slice, directory: Directory): void {
    const { replica, keys, server, clock, headValidMs, log } = this.#parts;
    const { signer } = keys;
    const { position, org } = replica;
    const before = slice.built;
    const made = buildBundle(scopeOf(directory, slice.services), {
      slice: name,
      epoch: position.epoch,
      revision: position.revision,
      coveredRevision: position.revision,
      chain: Buffer.from(position.chain).subarray(0, 16).toString("hex"),
      issuedAtMs: Math.max(clock.nowMs(), before?.head.issuedAtMs ?? 0),
      validForMs: headValidMs,
      signer,
      ...(before === null ? {} : { frames: before.objects }),
    });
    if (!made.ok) {
      log.error("bundle-refused", "a slice could not be built", {
        organization: org,
        slice: name,
        reason: made.detail,
      });
      return;
    }
    const { bundle } = made;
    const isSame = before?.head.manifestDigest === bundle.head.manifestDigest;
    // Its content did not change: the head says so, and covers the revision nevertheless.
    const head = isSame ? { ...bundle.head, revision: before.head.revision } : bundle.head;
    slice.built = { ...bundle, head, sealedHead: sealHeadOf(head, signer) };
    server.publish(slice.built);
  }

  /** Who may receive what, as the services now say it. */
  #rescope(): void {
    const { replica, server } = this.#parts;
    const served = new Map<string, Service[]>();
    for (const service of recordsOf(replica.state, "service")) {
      for (const identity of new Set([...service.workloads, ...service.gateways])) {
        served.set(identity, [...(served.get(identity) ?? []), service]);
      }
    }
    const { partition } = organizationPart(replica.state);
    const slices = new Map<string, Slice>();
    const sliceOfIdentity = new Map<string, string>();
    for (const [identity, services] of served) {
      const name = sliceName(partition, services);
      sliceOfIdentity.set(identity, name);
      if (!slices.has(name)) {
        slices.set(name, { services, built: this.#slices.get(name)?.built ?? null });
      }
    }
    for (const name of this.#slices.keys()) {
      if (!slices.has(name)) server.withdraw({ org: replica.org, slice: name });
    }
    this.#slices = slices;
    this.#sliceOfIdentity = sliceOfIdentity;
    server.rescope();
  }
}
