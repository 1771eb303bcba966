import { type BundleLimits, defaultBundleLimits } from "../../domain/bundle/limits.ts";
import { Backoff } from "./backoff.ts";
import type { Carrier } from "./carrier.ts";
import type { Clock, Timer } from "./clock.ts";
import type { Disk } from "./disk.ts";
import { firstTry } from "./first-try.ts";
import type { BundleFollower } from "./follower.ts";
import { createRemoteFollower, type RemoteOptions, startFromCache } from "./remote-follower.ts";
import { nothingWithHead, RemoteOffers } from "./remote-offer.ts";
import type { BundleListener, BundleSource, SourceStatus } from "./source.ts";

export interface HttpSourceOptions extends RemoteOptions {
  /** `bundle.slice`: this carrier is not believed about it (BUN-32). */
  readonly slice: string;
  /** The head is looked at after a wait drawn from these two. Default 13 and 17 s. */
  readonly minPollMs?: number;
  readonly maxPollMs?: number;
  /** What was refused is tried again after this, if that is sooner. Default 5 s. */
  readonly retryMs?: number;
}

/**
 * Returns the source that polls heads over HTTPS and fetches objects by digest (`http: URL`,
 * control-plane 2.4, 2): any web server or object store with the paths of `carrier-path.ts` will do.
 *
 * `start` throws `config-invalid` without root fingerprints. It resolves after the first attempt; with
 * a bundle from the cache in force it waits a second for the carrier, not longer.
 */
export function createHttpSource(
  options: HttpSourceOptions,
  carrier: Carrier,
  disk: Disk,
  clock: Clock,
  random: () => number,
): BundleSource {
  return new HttpSource(options, carrier, disk, clock, random);
}

class HttpSource implements BundleSource {
  readonly #options: HttpSourceOptions;
  readonly #limits: BundleLimits;
  readonly #carrier: Carrier;
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #follower: BundleFollower;
  readonly #offers: RemoteOffers;
  readonly #backoff: Backoff;
  #connected = false;
  #timer: Timer | null = null;
  #closed = false;
  #working: Promise<void> = Promise.resolve();

  constructor(
    options: HttpSourceOptions,
    carrier: Carrier,
    disk: Disk,
    clock: Clock,
    random: () => number,
  ) {
    this.#options = options;
    this.#limits = options.limits ?? defaultBundleLimits;
    this.#carrier = carrier;
    this.#disk = disk;
    this.#clock = clock;
    this.#random = random;
    this.#backoff = new Backoff(random);
    this.#follower = createRemoteFollower(options, "http", clock);
    this.#offers = new RemoteOffers(this.#follower, options.org, this.#limits, clock);
  }

  async start(listener: BundleListener): Promise<void> {
    await startFromCache(this.#follower, this.#options, this.#disk, listener);
    this.#run();
    await firstTry(this.#working, this.#follower.status().active !== null, this.#clock);
  }

  status(): SourceStatus {
    return { ...this.#follower.status(), connected: this.#connected, findings: [] };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#carrier.close();
    await this.#working;
    await this.#follower.close();
  }

  #run(): void {
    // Nothing is expected to throw; whatever does is one more reason to try again.
    const pulling = this.#pull().catch(() => this.#backoff.nextMs());
    this.#working = pulling.then((waitMs) => {
      if (!this.#closed) this.#timer = this.#clock.after(waitMs, () => this.#run());
    });
  }

  /** Looks once, and returns how long to wait before the next look. */
  async #pull(): Promise<number> {
    const { org, slice, minPollMs = 13_000, maxPollMs = 17_000, retryMs = 5_000 } = this.#options;
    const head = await this.#carrier.get({ type: "head", org, slice }, this.#limits.maxHeadBytes);
    if (this.#closed) return 0;
    this.#connected = head.ok;
    if (!head.ok) {
      this.#follower.refuse("bundle-unreadable", head.result, `head: ${head.detail}`);
      return this.#backoff.nextMs(head.retryAfterMs);
    }
    const result = await this.#offers.take(this.#carrier, head.bytes, nothingWithHead);
    if (result === "network") return this.#backoff.nextMs();
    this.#backoff.reset();
    const isGood = result === "applied" || result === "unchanged";
    const pollMs = minPollMs + this.#random() * (maxPollMs - minPollMs);
    return isGood ? pollMs : Math.min(retryMs, pollMs);
  }
}
