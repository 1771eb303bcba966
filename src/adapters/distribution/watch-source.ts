import { decodeHead } from "../../domain/bundle/head.ts";
import { type BundleLimits, defaultBundleLimits } from "../../domain/bundle/limits.ts";
import { openEnvelope } from "../../domain/bundle/signed.ts";
import { Backoff, defaultBackoff } from "./backoff.ts";
import type { Clock, Timer } from "./clock.ts";
import type { Disk } from "./disk.ts";
import { firstTry } from "./first-try.ts";
import type { BundleFollower } from "./follower.ts";
import { createRemoteFollower, type RemoteOptions, startFromCache } from "./remote-follower.ts";
import { RemoteOffers } from "./remote-offer.ts";
import type { BundleListener, BundleSource, PullResult, SourceStatus } from "./source.ts";
import { StatusReporter } from "./status-reporter.ts";
import type { Dialer, WatchConnection } from "./watch-carrier.ts";
import type { HeadNews } from "./watch-messages.ts";

export interface WatchSourceOptions extends RemoteOptions {
  /** Names this process among those that share its identity. */
  readonly instance: string;
  /** The first event of a stream has to come within this. Default 10 s. */
  readonly firstEventMs?: number;
  /** A stream that brings no newer head for this long is ended: three renewals. Default 90 s. */
  readonly lateMs?: number;
  /** What was refused is tried again after this. Default 5 s. */
  readonly retryMs?: number;
}

/**
 * Returns the source that watches a control plane (`controlPlane: URL`, control-plane 2.4, 1): heads
 * come over a stream, together with what they need or else by GET over the same connection.
 *
 * `start` throws `config-invalid` without root fingerprints. It resolves after the first head, or the
 * first failure; with a bundle from the cache in force it waits a second for the carrier, not longer.
 */
export function createWatchSource(
  options: WatchSourceOptions,
  dialer: Dialer,
  disk: Disk,
  clock: Clock,
  random: () => number,
): BundleSource {
  return new WatchSource(options, dialer, disk, clock, random);
}

/** A head that these refuse has been verified: the carrier is alive and brings what is new. */
const bringsNews: ReadonlySet<PullResult> = new Set(["applied", "digest", "parse", "network"]);

class WatchSource implements BundleSource {
  readonly #options: WatchSourceOptions;
  readonly #limits: BundleLimits;
  readonly #dialer: Dialer;
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #follower: BundleFollower;
  readonly #offers: RemoteOffers;
  readonly #backoff: Backoff;
  readonly #reporter: StatusReporter;
  readonly #tried = Promise.withResolvers<void>();
  #connection: WatchConnection | null = null;
  #connected = false;
  /** When the stream is given up, unless a newer head comes before. */
  #deadlineMonotonicMs = 0;
  #watchdog: Timer | null = null;
  #isLate = false;
  #retry: Timer | null = null;
  /** The head that is being worked on, for the report of its refusal. */
  #offered: Uint8Array | null = null;
  #sleep: { readonly timer: Timer; readonly wake: () => void } | null = null;
  #closed = false;
  #running: Promise<void> = Promise.resolve();
  #turn: Promise<void> = Promise.resolve();

  constructor(
    options: WatchSourceOptions,
    dialer: Dialer,
    disk: Disk,
    clock: Clock,
    random: () => number,
  ) {
    const { org, instance } = options;
    this.#options = options;
    this.#limits = options.limits ?? defaultBundleLimits;
    this.#dialer = dialer;
    this.#disk = disk;
    this.#clock = clock;
    this.#random = random;
    this.#backoff = new Backoff(random);
    this.#follower = createRemoteFollower(options, "controlPlane", clock);
    this.#offers = new RemoteOffers(this.#follower, org, this.#limits, clock);
    this.#reporter = new StatusReporter({
      org,
      instance,
      clock,
      random,
      send: async (report) => (await this.#connection?.report(report)) ?? false,
    });
  }

  async start(listener: BundleListener): Promise<void> {
    await startFromCache(this.#follower, this.#options, this.#disk, this.#reporting(listener));
    this.#running = this.#run();
    await firstTry(this.#tried.promise, this.#follower.status().active !== null, this.#clock);
  }

  status(): SourceStatus {
    return { ...this.#follower.status(), connected: this.#connected, findings: [] };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#watchdog?.cancel();
    this.#retry?.cancel();
    this.#sleep?.timer.cancel();
    this.#sleep?.wake();
    await this.#connection?.close();
    await this.#running;
    await this.#turn;
    this.#retry?.cancel();
    await this.#reporter.close();
    await this.#follower.close();
  }

  /** Tells `listener`, and afterwards the control plane, what becomes of each head. */
  #reporting(listener: BundleListener): BundleListener {
    return {
      activated: async (bundle) => {
        await listener.activated(bundle);
        this.#reporter.activated(bundle);
      },
      refreshed: (head) => {
        this.#reporter.refreshed(head);
        listener.refreshed(head);
      },
      refused: (refusal) => {
        if (this.#offered !== null) this.#reporter.refused(refusal, this.#claimedRevision());
        listener.refused(refusal);
      },
    };
  }

  /** What an unverified head says of itself: good enough for a report to whoever sent it. */
  #claimedRevision(): number {
    const { maxHeadBytes } = this.#limits;
    const bytes = this.#offered ?? new Uint8Array();
    const opened = openEnvelope(bytes, maxHeadBytes, this.#limits, "head");
    const decoded = opened.ok ? decodeHead(opened.envelope.payload) : opened;
    return decoded.ok ? decoded.head.revision : 0;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      // Nothing is expected to throw; whatever does is one more reason to try again.
      const retryAfterMs = await this.#connect().catch(() => null);
      this.#tried.resolve();
      this.#connected = false;
      if (!this.#closed) await this.#wait(this.#backoff.nextMs(retryAfterMs));
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((wake) => {
      this.#sleep = { timer: this.#clock.after(ms, wake), wake };
    });
  }

  /** Follows one stream to its end, and returns how long the other side asked to be left alone. */
  async #connect(): Promise<number | null> {
    const dialed = await this.#dialer.dial();
    if (!dialed.ok) return this.#lost(dialed);
    const { connection } = dialed;
    if (this.#closed) {
      await connection.close();
      return null;
    }
    this.#connection = connection;
    const { firstEventMs = 10_000, lateMs = 90_000 } = this.#options;
    const openedAtMs = this.#clock.monotonicMs();
    this.#isLate = false;
    this.#giveUpAt(openedAtMs + firstEventMs);
    const { org, instance } = this.#options;
    const active = this.#follower.status().active;
    const stream = connection.watch({
      org,
      instance,
      have: active,
      keySet: this.#follower.keySetNumber(),
    });
    try {
      for (;;) {
        this.#watch(connection);
        const event = await stream.next();
        this.#watchdog?.cancel();
        if (this.#closed) return null;
        if (event.type === "ended") return this.#lost(event);
        if (event.type === "go-away") return event.retryAfterMs;
        if (!this.#connected) {
          this.#connected = true;
          this.#giveUpAt(this.#clock.monotonicMs() + lateMs);
          this.#reporter.connected();
        }
        this.#reporter.setAwaited(event.news.promptStatus);
        await this.#take(connection, event.news);
        this.#tried.resolve();
      }
    } finally {
      // Only a stream that lasted shows that the server bears us: else one that accepts and ends would
      // be asked again at once, for ever.
      const lastedMs = this.#clock.monotonicMs() - openedAtMs;
      if (this.#connected && lastedMs >= defaultBackoff.maxMs) this.#backoff.reset();
      this.#connection = null;
      await connection.close();
    }
  }

  #lost(failure: {
    readonly result: "network" | "auth";
    readonly detail: string;
    readonly retryAfterMs: number | null;
  }): number | null {
    const detail = this.#isLate ? "no newer head came in time" : failure.detail;
    if (!this.#closed) {
      this.#follower.refuse("bundle-unreadable", failure.result, `stream: ${detail}`);
    }
    return failure.retryAfterMs;
  }

  #giveUpAt(atMonotonicMs: number): void {
    this.#deadlineMonotonicMs = atMonotonicMs;
  }

  #watch(connection: WatchConnection): void {
    const leftMs = Math.max(0, this.#deadlineMonotonicMs - this.#clock.monotonicMs());
    this.#watchdog = this.#clock.after(leftMs, () => {
      this.#isLate = true;
      void connection.close();
    });
  }

  /** Works on a head when those before are done with, and again later if it is refused. */
  #take(connection: WatchConnection, news: HeadNews): Promise<void> {
    this.#retry?.cancel();
    this.#turn = this.#turn.then(() => this.#offer(connection, news)).catch(() => {});
    return this.#turn;
  }

  async #offer(connection: WatchConnection, news: HeadNews): Promise<void> {
    if (this.#closed) return;
    const { lateMs = 90_000, retryMs = 5_000 } = this.#options;
    const before = this.#follower.status().active?.issuedAtMs ?? 0;
    this.#offered = news.head;
    const result = await this.#offers.take(connection, news.head, news);
    this.#offered = null;
    const isGood = result === "applied" || result === "unchanged";
    const isNewer = (this.#follower.status().active?.issuedAtMs ?? 0) > before;
    // A head that is only repeated is no renewal, however often it comes (BND-045).
    if (bringsNews.has(result) || isNewer) this.#giveUpAt(this.#clock.monotonicMs() + lateMs);
    if (isGood || this.#closed) return;
    const waitMs = retryMs * (0.8 + 0.2 * this.#random());
    this.#retry = this.#clock.after(waitMs, () => void this.#take(connection, news));
  }
}
