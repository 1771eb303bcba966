import type { LineWriter } from "./line-writer.ts";
import type { SinkName } from "./metric-words.ts";
import { Ring } from "./ring.ts";

export interface SinkQueueOptions<T> {
  readonly name: SinkName;
  readonly writer: LineWriter;
  readonly maxItems: number;
  readonly maxBytes: number;
  /** Returns the line of an item, newline included. */
  readonly encode: (item: T) => string;
  /** False for items that are no part of the sums. */
  readonly isCounted: (item: T) => boolean;
  readonly onFailure: (sink: SinkName, failure: Error) => void;
}

const batchItems = 128;
const batchLength = 131_072;

/**
 * What waits for one sink. At most one batch is with the writer; the next one is encoded in a turn
 * of its own when that is settled, so a slow sink costs memory up to its bounds and nothing else.
 */
export class SinkQueue<T> {
  readonly name: SinkName;
  written = 0;
  dropped = 0;
  failed = 0;
  readonly #options: SinkQueueOptions<T>;
  readonly #ring: Ring<T>;
  #isBusy = false;
  #idle: (() => void)[] = [];

  constructor(options: SinkQueueOptions<T>) {
    this.name = options.name;
    this.#options = options;
    this.#ring = new Ring(options.maxItems, options.maxBytes, (item) => {
      if (options.isCounted(item)) this.dropped++;
    });
  }

  get length(): number {
    return this.#ring.length;
  }

  push(item: T, bytes: number): void {
    this.#ring.push(item, bytes);
    if (this.#isBusy) return;
    this.#isBusy = true;
    setImmediate(() => this.#writeBatch());
  }

  flush(): Promise<void> {
    if (!this.#isBusy) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #writeBatch(): void {
    const { encode, isCounted, writer, onFailure, name } = this.#options;
    let lines = "";
    let counted = 0;
    let encodeFailure: Error | null = null;
    for (let taken = 0; taken < batchItems && lines.length < batchLength; taken++) {
      const item = this.#ring.shift();
      if (item === undefined) break;
      try {
        lines += encode(item);
        if (isCounted(item)) counted++;
      } catch (reason) {
        // One record that cannot be encoded must not take the others with it.
        encodeFailure = reason instanceof Error ? reason : new Error(String(reason));
        if (isCounted(item)) this.failed++;
      }
    }
    if (encodeFailure !== null) onFailure(name, encodeFailure);
    writer.write(lines, (failure) => {
      if (failure === null) {
        this.written += counted;
      } else {
        this.failed += counted;
        onFailure(name, failure);
      }
      if (this.#ring.length > 0) {
        setImmediate(() => this.#writeBatch());
        return;
      }
      this.#isBusy = false;
      for (const resolve of this.#idle.splice(0)) resolve();
    });
  }
}
