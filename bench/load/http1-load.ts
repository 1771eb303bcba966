import { connect, type Socket } from "node:net";

/**
 * HTTP/1.1 clients of Envoy, one request at a time each. Requests are bytes made beforehand; of answers
 * no more is read than that they are whole and 200.
 */
export class Http1Load {
  readonly #clients: Client[] = [];
  #stopAtMs = 0;
  #busy = 0;
  #idle: (() => void) | null = null;

  private constructor() {}

  /** Connects `connections` clients to a port of loopback; `next` gives each request's bytes. */
  static async open(port: number, connections: number, next: () => Buffer): Promise<Http1Load> {
    const load = new Http1Load();
    for (let n = 0; n < connections; n++) {
      load.#clients.push(await Client.open(port, next, (client) => load.#answered(client)));
    }
    return load;
  }

  /** Asks for `seconds` on every connection; resolves with the number of answers. */
  async run(seconds: number): Promise<number> {
    const before = this.#answers();
    this.#stopAtMs = performance.now() + seconds * 1000;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idle = resolve;
    this.#busy = this.#clients.length;
    for (const client of this.#clients) client.ask();
    const timer = setTimeout(resolve, seconds * 1000 + 10_000);
    await promise;
    clearTimeout(timer);
    for (const { failure } of this.#clients) if (failure !== null) throw new Error(failure);
    if (this.#busy > 0) throw new Error(`${this.#busy} requests were never answered`);
    return this.#answers() - before;
  }

  /** Requests that were answered since the load was opened. */
  get answered(): number {
    return this.#answers();
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  #answers(): number {
    return this.#clients.reduce((sum, client) => sum + client.answers, 0);
  }

  #answered(client: Client): void {
    if (client.failure === null && performance.now() < this.#stopAtMs) {
      client.ask();
      return;
    }
    this.#busy -= 1;
    if (this.#busy === 0 || client.failure !== null) this.#idle?.();
  }
}

class Client {
  answers = 0;
  failure: string | null = null;
  readonly #socket: Socket;
  readonly #next: () => Buffer;
  readonly #onAnswer: (client: Client) => void;
  #text = "";

  private constructor(socket: Socket, next: () => Buffer, onAnswer: (client: Client) => void) {
    this.#socket = socket;
    this.#next = next;
    this.#onAnswer = onAnswer;
    socket.setNoDelay(true);
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => this.#read(chunk));
    socket.on("error", (cause) => this.#fail(String(cause)));
    socket.on("close", () => this.#fail("Envoy closed the connection"));
  }

  static open(
    port: number,
    next: () => Buffer,
    onAnswer: (client: Client) => void,
  ): Promise<Client> {
    const socket = connect(port, "127.0.0.1");
    return new Promise((resolve, reject) => {
      socket.once("error", reject);
      socket.once("connect", () => resolve(new Client(socket, next, onAnswer)));
    });
  }

  ask(): void {
    this.#socket.write(this.#next());
  }

  close(): void {
    this.failure = "closed";
    this.#socket.destroy();
  }

  #read(chunk: string): void {
    this.#text += chunk;
    const end = this.#text.indexOf("\r\n\r\n");
    if (end < 0) return;
    const length = /\r\ncontent-length: (\d+)\r\n/i.exec(this.#text.slice(0, end + 2))?.[1];
    if (this.#text.length < end + 4 + Number(length ?? 0)) return;
    const status = this.#text.slice(9, 12);
    this.#text = "";
    if (status !== "200") {
      this.#fail(`answered with ${status}`);
      return;
    }
    this.answers += 1;
    this.#onAnswer(this);
  }

  #fail(why: string): void {
    if (this.failure !== null) return;
    this.failure = why;
    this.#onAnswer(this);
  }
}
