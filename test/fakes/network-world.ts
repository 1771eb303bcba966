import type { BundleServerParts } from "../../src/adapters/distribution/bundle-server.ts";
import { failed } from "../../src/adapters/distribution/carrier.ts";
import { createHttpSource } from "../../src/adapters/distribution/http-source.ts";
import type { BundleSource } from "../../src/adapters/distribution/source.ts";
import { createWatchSource } from "../../src/adapters/distribution/watch-source.ts";
import type { BundleLimits } from "../../src/domain/bundle/limits.ts";
import type { Directory } from "../../src/domain/directory/model.ts";
import { sampleDirectory, user } from "./bundle-directory.ts";
import { nowMs, root } from "./bundle-keys.ts";
import { RecordingListener } from "./bundle-listener.ts";
import { FakeDisk } from "./fake-disk.ts";
import { ManualClock } from "./manual-clock.ts";
import {
  InProcessCarrier,
  InProcessDialer,
  org,
  ServedOrganization,
} from "./served-organization.ts";

/** How bundles come over the network. */
export const networkCarriers = ["http", "controlPlane"] as const;
export type NetworkCarrier = (typeof networkCarriers)[number];

/** What stands between a server and a sidecar. Each returns what is delivered; null: nothing. */
export interface Adversary {
  head(sealed: Uint8Array): Uint8Array | null;
  object(frame: Uint8Array, digest: string): Uint8Array | null;
  keySet(sealed: Uint8Array | null, number: number): Uint8Array | null;
}

const honest: Adversary = {
  head: (sealed) => sealed,
  object: (frame) => frame,
  keySet: (sealed) => sealed,
};

export interface NetworkWorldOptions {
  readonly acceptStale?: boolean;
  readonly limits?: BundleLimits;
  /** Of a control plane, which otherwise assigns it; polling always expects `all`. */
  readonly slice?: string;
}

/** An honest server, an adversary on the way, and one sidecar, whichever carrier it follows. */
export class NetworkWorld {
  readonly clock = new ManualClock(nowMs);
  readonly disk = new FakeDisk();
  readonly served: ServedOrganization;
  listener = new RecordingListener();
  #adversary: Adversary = honest;
  readonly #how: NetworkCarrier;
  readonly #carrier: InProcessCarrier;
  readonly #dialer: InProcessDialer;
  #source: BundleSource | null = null;

  constructor(how: NetworkCarrier, parts: Partial<BundleServerParts> = {}) {
    this.#how = how;
    // Renewed by hand, so that a test says which heads there are.
    this.served = new ServedOrganization(this.clock, {
      limits: { renewMs: 365 * 86_400_000 },
      ...parts,
    });
    this.#carrier = new InProcessCarrier(this.served);
    this.#dialer = new InProcessDialer(this.served);
    for (const carrier of [this.#carrier, this.#dialer.carrier]) {
      carrier.tamper = (path, fetched) => {
        const bytes = fetched.ok ? fetched.bytes : null;
        const made = this.#deliver(path.type === "object" ? path.digest : "", path, bytes);
        return made === null ? failed("network", "nothing") : { ok: true, bytes: made };
      };
    }
    this.#dialer.tamperHead = (news) => {
      const head = this.#adversary.head(news.head);
      if (head === null) return { ...news, head: new Uint8Array(), objects: new Map() };
      const objects = [...news.objects].flatMap(([digest, frame]) => {
        const made = this.#adversary.object(frame, digest);
        return made === null ? [] : [[digest, made] as const];
      });
      return { ...news, head, objects: new Map(objects) };
    };
  }

  #deliver(
    digest: string,
    path: Parameters<InProcessCarrier["get"]>[0],
    bytes: Uint8Array | null,
  ): Uint8Array | null {
    if (path.type === "key-set") return this.#adversary.keySet(bytes, path.number);
    if (bytes === null) return null;
    return path.type === "head"
      ? this.#adversary.head(bytes)
      : this.#adversary.object(bytes, digest);
  }

  /** From now on this is done on the way; nothing given: an honest network again. */
  attack(adversary: Partial<Adversary> = {}): void {
    this.#adversary = { ...honest, ...adversary };
  }

  publish(name: string, changes: Parameters<ServedOrganization["publish"]>[1] = {}) {
    return this.served.publish(named(name), changes);
  }

  /** Starts a sidecar, or starts it again. */
  async start({ acceptStale = false, limits, slice }: NetworkWorldOptions = {}): Promise<void> {
    await this.#source?.close();
    this.listener = new RecordingListener();
    const options = {
      address: "https://iam.example.com",
      org,
      rootFingerprints: [root.keyId],
      cacheFolder: "/state",
      acceptStale,
      ...(limits === undefined ? {} : { limits }),
    };
    const random = () => 0.5;
    const { disk, clock } = this;
    this.#source =
      this.#how === "http"
        ? createHttpSource({ ...options, slice: "all" }, this.#carrier, disk, clock, random)
        : createWatchSource(
            { ...options, slice: slice ?? null, instance: "pod-1" },
            this.#dialer,
            disk,
            clock,
            random,
          );
    const starting = this.#source.start(this.listener);
    await this.clock.advance(10_000);
    await starting;
  }

  async close(): Promise<void> {
    await this.#source?.close();
    this.served.server.close();
  }

  status() {
    if (this.#source === null) throw new Error("was started");
    return this.#source.status();
  }

  /** Lets the sidecar see what the network did: a poll, a retry, a reconnect. */
  soon(): Promise<void> {
    return this.clock.advance(40_000);
  }

  /** Lets it look again, with a newer head of the same content. */
  async renewed(): Promise<void> {
    this.served.renew();
    await this.soon();
  }

  /** What the sidecar decides with. */
  get inForce(): string {
    return this.listener.users.join();
  }

  /** The reason told last for which a head was refused; the end of a stream is none. */
  get refusal() {
    return this.listener.refusals.findLast(({ detail }) => !detail.startsWith("stream:"));
  }
}

/** Returns content in which the only user is `name`. */
export function named(name: string): Directory {
  return sampleDirectory({ users: [user(name)] });
}
