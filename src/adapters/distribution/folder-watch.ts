import type { Clock, Timer } from "./clock.ts";
import { type Disk, errorCodeOf } from "./disk.ts";

/** One look at what is watched. */
export interface Sight {
  /** Equal fingerprints: nothing was written in between. */
  readonly fingerprint: string;
  /** Real paths of the folders whose changes are to be noticed at once. */
  readonly folders: readonly string[];
}

export interface FolderWatchOptions {
  /** How long a burst of changes has to be over. Default 50 ms. */
  readonly quietMs: number;
  /** How long a burst can put off the work at most. Default 500 ms. */
  readonly maxDelayMs: number;
  /** The safety net for file systems that tell nothing. Default 1 s. */
  readonly pollMs: number;
  /** After work that failed it is done again, though nothing changed (BND-015). Default 5 s. */
  readonly retryMs: number;
}

/** The defaults: a change is noticed well under a second, an idle folder costs a few `stat`s. */
export const defaultFolderWatchOptions: FolderWatchOptions = Object.freeze({
  quietMs: 50,
  maxDelayMs: 500,
  pollMs: 1_000,
  retryMs: 5_000,
});

/**
 * Does some work whenever a folder changes: told by the file system, found out by looking now and
 * then, and again after a failure. Never two at a time.
 */
export class FolderWatch {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #options: FolderWatchOptions;
  readonly #look: () => Promise<Sight>;
  readonly #work: () => Promise<boolean>;
  readonly #watches = new Map<string, { close(): void }>();
  #seen: string | null = null;
  #burst: { readonly timer: Timer; readonly deadlineMs: number } | null = null;
  #poll: Timer | null = null;
  #retry: Timer | null = null;
  #closed = false;
  #working: Promise<void> = Promise.resolve();

  /**
   * `look` may reject while the folder is away; the work then has to say so. `work` returns whether it
   * succeeded, and tells a failure itself.
   */
  constructor(
    disk: Disk,
    clock: Clock,
    options: FolderWatchOptions,
    look: () => Promise<Sight>,
    work: () => Promise<boolean>,
  ) {
    this.#disk = disk;
    this.#clock = clock;
    this.#options = options;
    this.#look = look;
    this.#work = work;
  }

  /**
   * Does the work, unless what there is has the fingerprint `seen`, and keeps doing it. With null the
   * work is done whatever there is.
   */
  async start(seen: string | null): Promise<void> {
    this.#seen = seen;
    await this.#run(seen === null);
    this.#pollLater();
  }

  /** Stops watching and waits for the work under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#burst?.timer.cancel();
    this.#poll?.cancel();
    this.#retry?.cancel();
    for (const watch of this.#watches.values()) watch.close();
    this.#watches.clear();
    await this.#working;
  }

  #run(force: boolean): Promise<void> {
    this.#working = this.#working.then(async () => {
      if (this.#closed) return;
      // Looked at before the work: what changes meanwhile is another sight, and is worked on next.
      const sight = await this.#look().catch((error: unknown) => {
        return { fingerprint: `unreadable ${errorCodeOf(error)}`, folders: [] };
      });
      if (this.#closed) return;
      this.#watch(sight.folders);
      if (!force && sight.fingerprint === this.#seen) return;
      this.#seen = sight.fingerprint;
      this.#retry?.cancel();
      // Work tells its failures itself; whatever it throws is one more reason to try again.
      const succeeded = await this.#work().catch(() => false);
      if (succeeded || this.#closed) return;
      this.#retry = this.#clock.after(this.#options.retryMs, () => void this.#run(true));
    });
    return this.#working;
  }

  #pollLater(): void {
    if (this.#closed) return;
    this.#poll = this.#clock.after(this.#options.pollMs, () => {
      void this.#run(false).then(() => this.#pollLater());
    });
  }

  #watch(folders: readonly string[]): void {
    for (const [folder, watch] of this.#watches) {
      if (folders.includes(folder)) continue;
      watch.close();
      this.#watches.delete(folder);
    }
    for (const folder of folders) {
      if (this.#watches.has(folder)) continue;
      try {
        this.#watches.set(
          folder,
          this.#disk.watch(folder, () => this.#changed()),
        );
      } catch {
        // Out of watches, or none to be had on this file system: looking now and then remains.
      }
    }
  }

  #changed(): void {
    if (this.#closed) return;
    const { quietMs, maxDelayMs } = this.#options;
    const nowMs = this.#clock.monotonicMs();
    const deadlineMs = this.#burst?.deadlineMs ?? nowMs + maxDelayMs;
    this.#burst?.timer.cancel();
    const delayMs = Math.max(0, Math.min(quietMs, deadlineMs - nowMs));
    const timer = this.#clock.after(delayMs, () => {
      this.#burst = null;
      void this.#run(false);
    });
    this.#burst = { timer, deadlineMs };
  }
}
