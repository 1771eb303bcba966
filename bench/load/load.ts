import { type AnswerCounts, GrpcConnection, type MessageSource } from "./grpc-connection.ts";

/** How much is asked at once: connections and streams on each. */
export interface Shape {
  readonly connections: number;
  readonly streams: number;
}

/** A sidecar's two workers (performance 4.3). */
export const twoByEight: Shape = { connections: 2, streams: 8 };

/** Load on one server, switched on for a while at a time. */
export class Load {
  readonly #connections: GrpcConnection[] = [];
  readonly #streams: number;
  #stopAtMs = 0;
  #inFlight = 0;
  #idle: (() => void) | null = null;

  private constructor(streams: number) {
    this.#streams = streams;
  }

  static async open(address: string, shape: Shape, source: () => MessageSource): Promise<Load> {
    const load = new Load(shape.streams);
    const onEnd = (connection: GrpcConnection, ended: number) => load.#ended(connection, ended);
    for (let n = 0; n < shape.connections; n++) {
      load.#connections.push(await GrpcConnection.open(address, source(), onEnd));
    }
    return load;
  }

  /**
   * Asks as fast as the server answers, `streams` at a time on each connection, for `seconds`; resolves
   * when the last answer is there. Throws if a connection broke or an answer did not allow.
   */
  async run(seconds: number): Promise<AnswerCounts> {
    const before = this.#totals();
    this.#stopAtMs = performance.now() + seconds * 1000;
    for (const connection of this.#connections) {
      this.#inFlight += this.#streams;
      connection.send(this.#streams);
    }
    await this.#drained(seconds * 1000 + 10_000);
    return this.#since(before);
  }

  /**
   * Asks `perSecond` times a second for `seconds`, whether or not answers come; returns the latencies in
   * ms, each counted from when the question was due (no coordinated omission).
   */
  async runAtRate(perSecond: number, seconds: number): Promise<Float64Array> {
    const before = this.#totals();
    const latencies: number[] = [];
    for (const connection of this.#connections) {
      connection.onLatency = (ms) => void latencies.push(ms);
    }
    this.#stopAtMs = 0;
    const total = Math.round(perSecond * seconds);
    const startMs = performance.now();
    for (let sent = 0; sent < total; ) {
      const dueBy = Math.min(total, Math.floor(((performance.now() - startMs) * perSecond) / 1000));
      for (; sent < dueBy; sent++) {
        const connection = this.#connections[sent % this.#connections.length] as GrpcConnection;
        this.#inFlight += 1;
        connection.send(1, startMs + (sent * 1000) / perSecond);
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await this.#drained(10_000);
    for (const connection of this.#connections) connection.onLatency = null;
    this.#since(before);
    return Float64Array.from(latencies).sort();
  }

  /** Calls that were answered since the load was opened. */
  get asked(): number {
    return this.#totals().answered;
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  #ended(connection: GrpcConnection, ended: number): void {
    if (performance.now() < this.#stopAtMs) {
      connection.send(ended);
      return;
    }
    this.#inFlight -= ended;
    if (this.#inFlight === 0) this.#idle?.();
  }

  async #drained(timeoutMs: number): Promise<void> {
    if (this.#inFlight === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idle = resolve;
    const timer = setTimeout(resolve, timeoutMs);
    await promise;
    clearTimeout(timer);
    this.#idle = null;
    for (const connection of this.#connections) connection.check();
    if (this.#inFlight > 0) throw new Error(`${this.#inFlight} calls were never answered`);
  }

  #totals(): AnswerCounts {
    const totals = { answered: 0, allowed: 0 };
    for (const { counts } of this.#connections) {
      totals.answered += counts.answered;
      totals.allowed += counts.allowed;
    }
    return totals;
  }

  #since(before: AnswerCounts): AnswerCounts {
    const now = this.#totals();
    const answered = now.answered - before.answered;
    const allowed = now.allowed - before.allowed;
    if (answered === 0) throw new Error("nothing was answered");
    if (allowed !== answered) throw new Error(`${answered - allowed} of ${answered} did not allow`);
    return { answered, allowed };
  }
}
