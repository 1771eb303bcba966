import { write, writeSync } from "node:fs";

/** Writes whole lines to a file descriptor, in order, without ever blocking the event loop. */
export interface LineWriter {
  /**
   * Takes `lines` (each ended by a newline) or, when full, drops them. `settled` is called once:
   * with null when everything is written, else with why not. Never throws.
   */
  write(lines: string, settled?: (failure: Error | null) => void): void;
  /** Resolves when nothing waits. */
  flush(): Promise<void>;
  /** Writes what waits, blocking: for the last moments of a process. */
  flushSync(): void;
  /** Lines dropped because the writer was full. */
  readonly droppedWrites: number;
}

export interface LineWriterOptions {
  /** Bytes that may wait; default 4 MiB. */
  readonly maxBufferedBytes?: number;
}

interface Pending {
  readonly bytes: Buffer;
  readonly settled: ((failure: Error | null) => void) | undefined;
}

const retryMs = 10;

/**
 * Returns a writer on `fd`, which stays the caller's to close.
 *
 * `process.stdout` writes to a pipe synchronously on Linux: a reader that stops would stop every
 * Check. Here writes go through the thread pool, one at a time, and a full queue drops.
 */
export function createLineWriter(fd: number, options: LineWriterOptions = {}): LineWriter {
  return new FdLineWriter(fd, options.maxBufferedBytes ?? 4_194_304);
}

class FdLineWriter implements LineWriter {
  readonly #fd: number;
  readonly #maxBufferedBytes: number;
  readonly #queue: Pending[] = [];
  #bufferedBytes = 0;
  #writing = false;
  #idle: (() => void)[] = [];
  droppedWrites = 0;

  constructor(fd: number, maxBufferedBytes: number) {
    this.#fd = fd;
    this.#maxBufferedBytes = maxBufferedBytes;
  }

  write(lines: string, settled?: (failure: Error | null) => void): void {
    const bytes = Buffer.from(lines);
    if (this.#bufferedBytes + bytes.length > this.#maxBufferedBytes) {
      this.droppedWrites++;
      settled?.(new Error("the writer is full"));
      return;
    }
    this.#bufferedBytes += bytes.length;
    this.#queue.push({ bytes, settled });
    if (!this.#writing) this.#next();
  }

  flush(): Promise<void> {
    if (this.#queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  flushSync(): void {
    // The head may be half-way through the thread pool: writing it again would write it twice.
    for (const { bytes, settled } of this.#queue.splice(this.#writing ? 1 : 0)) {
      this.#bufferedBytes -= bytes.length;
      const failure = writeAllSync(this.#fd, bytes);
      settled?.(failure);
    }
  }

  #next(): void {
    const head = this.#queue[0];
    if (head === undefined) {
      this.#writing = false;
      for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    this.#writing = true;
    this.#writeFrom(head, 0);
  }

  #writeFrom(head: Pending, offset: number): void {
    write(this.#fd, head.bytes, offset, (failure, written) => {
      if (failure?.code === "EAGAIN") {
        setTimeout(() => this.#writeFrom(head, offset), retryMs);
      } else if (failure === null && offset + written < head.bytes.length) {
        this.#writeFrom(head, offset + written);
      } else {
        this.#queue.shift();
        this.#bufferedBytes -= head.bytes.length;
        head.settled?.(failure);
        this.#next();
      }
    });
  }
}

/** Attempts on a full pipe before the rest is given up: a process must be able to end. */
const maxSyncAttempts = 1_000;

function writeAllSync(fd: number, bytes: Buffer): Error | null {
  let offset = 0;
  for (let attempt = 0; attempt < maxSyncAttempts; attempt++) {
    try {
      offset += writeSync(fd, bytes, offset);
      if (offset >= bytes.length) return null;
    } catch (reason) {
      const failure = reason as NodeJS.ErrnoException;
      if (failure.code !== "EAGAIN") return failure;
    }
  }
  return new Error("the reader does not read");
}
