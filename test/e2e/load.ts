import { type HttpRequest, http1Request } from "../fakes/http-client.ts";

/** Clients that ask without a pause until they are told to stop. */
export interface Load {
  /** How often each status came, and each failure by its code. */
  readonly statuses: ReadonlyMap<string, number>;
  /** Resolves when `count` more requests were answered. Rejects after `timeoutMs`. */
  answered(count: number, timeoutMs?: number): Promise<void>;
  /** Resolves when all `maxRequests` are answered. */
  finished(): Promise<void>;
  /** Ends asking; resolves when the last request is answered. */
  stop(): Promise<void>;
}

/**
 * Starts `clients` clients against an Envoy; each sends one request after the other, the `n`th of all as
 * `requestOf(n)` says. Nothing is retried here: a failure is a failure. Ends by itself at `maxRequests`.
 */
export function startLoad(
  address: string,
  requestOf: (n: number) => HttpRequest,
  clients = 6,
  maxRequests = 5_000,
): Load {
  const statuses = new Map<string, number>();
  let sent = 0;
  let answers = 0;
  let running = true;
  const client = async (): Promise<void> => {
    while (running && sent < maxRequests) {
      const word = await http1Request(address, requestOf(sent++)).then(
        ({ status }) => String(status),
        (cause: NodeJS.ErrnoException) => cause.code ?? cause.message,
      );
      statuses.set(word, (statuses.get(word) ?? 0) + 1);
      answers++;
    }
  };
  const all = Promise.all(Array.from({ length: clients }, client));
  return {
    statuses,
    async answered(count, timeoutMs = 15_000) {
      const wanted = answers + count;
      const deadline = Date.now() + timeoutMs;
      while (answers < wanted) {
        if (Date.now() > deadline) throw new Error(`${answers} of ${wanted} requests answered`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    async finished() {
      await all;
    },
    async stop() {
      running = false;
      await all;
    },
  };
}
