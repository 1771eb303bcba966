import type { IncomingHttpHeaders } from "node:http2";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { reader } from "../../domain/bundle/head.ts";
import { BundleService, type WatchEvent } from "../../gen/meshiam/bundle/v1/bundle_service_pb.ts";
import { quote } from "../../iam/problem.ts";
import { type Fetched, failed } from "./carrier.ts";
import { type CarrierPath, formatCarrierPath } from "./carrier-path.ts";
import { ClientSession, defaultPing, type PingOptions } from "./client-session.ts";
import type { Clock } from "./clock.ts";
import type { Disk } from "./disk.ts";
import { type PeerFiles, readPeerFiles } from "./peer-files.ts";
import { judgeAnswer, readDeclared, retryAfterMsOf } from "./response-body.ts";
import type {
  Dialer,
  WatchConnection,
  WatchNews,
  WatchQuestion,
  WatchStream,
} from "./watch-carrier.ts";
import { decodeHeadEvent, encodePosition, encodeReport, type OwnReport } from "./watch-messages.ts";

export interface ConnectDialerOptions {
  /** `https://host[:port][/prefix]`, or `http://` on loopback (HTTP/2 without TLS). */
  readonly url: string;
  readonly files: PeerFiles;
  /** Bound of one fetch and of one report. Default 30 s. */
  readonly timeoutMs?: number;
  readonly ping?: PingOptions;
  /** Largest message taken; an honest event has 256 KiB at most (BUN-7). Default 512 KiB. */
  readonly maxMessageBytes?: number;
}

/**
 * Returns what opens connections to a control plane: `BundleService` in the Connect protocol over
 * HTTP/2, and GETs over the same connection. TLS 1.2 or later, the certificate verified; no redirect is
 * followed, no proxy asked, nothing compressed.
 */
export function createConnectDialer(
  options: ConnectDialerOptions,
  disk: Disk,
  clock: Clock,
): Dialer {
  const { origin } = new URL(options.url);
  return {
    async dial() {
      const read = await readPeerFiles(disk, options.files);
      if (!read.ok) return failed("auth", read.message);
      const session = new ClientSession(origin, read.value, clock, options.ping ?? defaultPing);
      return { ok: true, connection: new ConnectConnection(options, session, disk, clock) };
    },
  };
}

class ConnectConnection implements WatchConnection {
  readonly #options: ConnectDialerOptions;
  readonly #session: ClientSession;
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #client: Client<typeof BundleService>;
  readonly #closing = new AbortController();
  readonly #timeoutMs: number;

  constructor(options: ConnectDialerOptions, session: ClientSession, disk: Disk, clock: Clock) {
    this.#options = options;
    this.#session = session;
    this.#disk = disk;
    this.#clock = clock;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    // The transport does not tell every end of a connection to the streams on it.
    session.onceClosed(() => this.#closing.abort());
    const transport = createConnectTransport({
      baseUrl: options.url,
      httpVersion: "2",
      sessionManager: session,
      acceptCompression: [],
      readMaxBytes: options.maxMessageBytes ?? 512 * 1024,
    });
    this.#client = createClient(BundleService, transport);
  }

  watch(question: WatchQuestion): WatchStream {
    let events: AsyncIterator<WatchEvent> | null = null;
    return {
      next: async () => {
        try {
          events ??= await this.#open(question);
          const { done, value } = await events.next();
          if (done === true) return ended(failed("network", "the stream ended"));
          return newsOf(value);
        } catch (error) {
          return ended(this.#failureOf(error));
        }
      },
    };
  }

  async get(path: CarrierPath, maxBytes: number): Promise<Fetched> {
    const headers = await this.#headers();
    if (headers === null) return failed("auth", "the token file cannot be used");
    const { promise, resolve } = Promise.withResolvers<Fetched>();
    const timer = this.#clock.after(this.#timeoutMs, () => {
      resolve(failed("network", `expected an answer within ${this.#timeoutMs} ms`));
    });
    const prefix = new URL(this.#options.url).pathname.replace(/\/$/, "");
    const requested = this.#session.request(
      "GET",
      prefix + formatCarrierPath(path),
      { ...headers, "accept-encoding": "identity" },
      { endStream: true },
    );
    requested.then(
      (stream) => {
        stream.on("error", (error) => resolve(this.#failureOf(error)));
        stream.once("response", (answer: IncomingHttpHeaders) => {
          const judged = judgeAnswer(Number(answer[":status"]), answer, maxBytes);
          if (judged.ok) readDeclared(stream, judged.bytes, resolve);
          else resolve(judged);
        });
        stream.once("close", () => resolve(failed("network", "the answer broke off")));
      },
      (error: unknown) => resolve(this.#failureOf(error)),
    );
    const fetched = await promise;
    timer.cancel();
    // Whatever is still on its way is not wanted any more.
    void requested.then((stream) => stream.close()).catch(() => {});
    return fetched;
  }

  async report(report: OwnReport): Promise<boolean> {
    const headers = await this.#headers();
    if (headers === null) return false;
    const { signal } = this.#closing;
    try {
      const call = { headers, signal, timeoutMs: this.#timeoutMs };
      await this.#client.reportStatus(encodeReport(report), call);
      return true;
    } catch {
      // What did not arrive is sent again with the next report.
      return false;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#session.close();
  }

  async #open({ org, instance, have, keySet }: WatchQuestion): Promise<AsyncIterator<WatchEvent>> {
    const headers = await this.#headers();
    if (headers === null) throw new ConnectError("no usable token", Code.Unauthenticated);
    const request = {
      org,
      instanceId: instance,
      reader,
      keySet: BigInt(keySet),
      ...(have === null ? {} : { have: encodePosition(have) }),
    };
    const events = this.#client.watch(request, { headers, signal: this.#closing.signal });
    return events[Symbol.asyncIterator]();
  }

  /** Returns the failure behind whatever was thrown; words of the other side are left out. */
  #failureOf(thrown: unknown): Fetched & { readonly ok: false } {
    const { failure } = this.#session;
    // What ended the connection says more than what that did to a stream.
    if (failure !== null) return failed("network", `failed: ${quote(failure)}`);
    const { code, metadata } = ConnectError.from(thrown);
    const isAuth = code === Code.Unauthenticated || code === Code.PermissionDenied;
    const retryAfterMs = retryAfterMsOf(metadata.get("retry-after") ?? undefined);
    return failed(isAuth ? "auth" : "network", `ended with code ${Code[code]}`, retryAfterMs);
  }

  /** The token as it is now: it rotates while the connection lives. */
  async #headers(): Promise<Record<string, string> | null> {
    const { tokenFile } = this.#options.files;
    const only = { tokenFile, caFile: null, certFile: null, keyFile: null };
    const read = await readPeerFiles(this.#disk, only);
    if (!read.ok) return null;
    const { token } = read.value;
    return token === null ? {} : { authorization: `Bearer ${token}` };
  }
}

function newsOf({ event }: WatchEvent): WatchNews {
  switch (event.case) {
    case "head": {
      const news = decodeHeadEvent(event.value);
      return news === null
        ? ended(failed("network", "an event has no head"))
        : { type: "head", news };
    }
    case "goAway": {
      const { seconds = 0n, nanos = 0 } = event.value.retryAfter ?? {};
      return { type: "go-away", retryAfterMs: Number(seconds) * 1000 + nanos / 1e6 };
    }
    case undefined:
      // A kind of event that is newer than this binary: nothing can be concluded from it.
      return ended(failed("network", "an event is of an unknown kind"));
  }
}

function ended({ result, detail, retryAfterMs }: Fetched & { readonly ok: false }): WatchNews {
  return { type: "ended", result, detail, retryAfterMs };
}
