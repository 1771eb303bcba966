import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { quote } from "../../iam/problem.ts";
import { type Carrier, type Fetched, failed } from "./carrier.ts";
import { type CarrierPath, formatCarrierPath } from "./carrier-path.ts";
import type { Clock } from "./clock.ts";
import type { Disk } from "./disk.ts";
import { type PeerFiles, type PeerMaterial, readPeerFiles } from "./peer-files.ts";
import { judgeAnswer, readDeclared } from "./response-body.ts";

export interface HttpsCarrierOptions {
  /** `https://host[:port][/prefix]`, or `http://` on loopback. */
  readonly url: string;
  readonly files: PeerFiles;
  /** Bound of one fetch, from the connection to the last byte. Default 30 s. */
  readonly timeoutMs?: number;
}

/** A server that answers without an end in its headers is cut here. */
const maxHeaderBytes = 16_384;
const maxSockets = 8;

/**
 * Returns the carrier behind an address: GET over HTTP/1.1, connections kept, TLS 1.2 or later with a
 * verified certificate. Files are read again for each fetch; changed TLS files make new connections.
 *
 * No redirect is followed and no proxy of the environment asked: a sidecar talks to whom it was told.
 */
export function createHttpsCarrier(
  options: HttpsCarrierOptions,
  disk: Disk,
  clock: Clock,
): Carrier {
  return new HttpsCarrier(options, disk, clock);
}

class HttpsCarrier implements Carrier {
  readonly #options: HttpsCarrierOptions;
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #base: URL;
  readonly #underWay = new Set<() => void>();
  #agent: HttpAgent | null = null;
  /** What the agent's connections were made with. */
  #agentFor: PeerMaterial | null = null;
  #closed = false;

  constructor(options: HttpsCarrierOptions, disk: Disk, clock: Clock) {
    this.#options = options;
    this.#disk = disk;
    this.#clock = clock;
    this.#base = new URL(options.url);
  }

  async get(path: CarrierPath, maxBytes: number): Promise<Fetched> {
    const read = await readPeerFiles(this.#disk, this.#options.files);
    if (!read.ok) return failed("auth", read.message);
    if (this.#closed) return failed("network", "closed");
    return this.#fetch(path, maxBytes, read.value);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const abort of this.#underWay) abort();
    this.#agent?.destroy();
  }

  #fetch(path: CarrierPath, maxBytes: number, material: PeerMaterial): Promise<Fetched> {
    const { timeoutMs = 30_000 } = this.#options;
    const isPlain = this.#base.protocol === "http:";
    const prefix = this.#base.pathname.replace(/\/$/, "");
    const headers: Record<string, string> = { accept: "*/*", "accept-encoding": "identity" };
    if (material.token !== null) headers.authorization = `Bearer ${material.token}`;
    const { promise, resolve } = Promise.withResolvers<Fetched>();
    const request = (isPlain ? httpRequest : httpsRequest)({
      protocol: this.#base.protocol,
      hostname: this.#base.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: this.#base.port === "" ? undefined : this.#base.port,
      method: "GET",
      path: prefix + formatCarrierPath(path),
      headers,
      agent: this.#agentOf(material, isPlain),
      maxHeaderSize: maxHeaderBytes,
    });
    const finish = (fetched: Fetched): void => {
      timer.cancel();
      this.#underWay.delete(abort);
      resolve(fetched);
      // A connection whose answer was read to its end is kept; any other has bytes to come.
      if (!fetched.ok) request.destroy();
    };
    const abort = () => finish(failed("network", "closed"));
    const timer = this.#clock.after(timeoutMs, () => {
      finish(failed("network", `expected an answer within ${timeoutMs} ms`));
    });
    this.#underWay.add(abort);
    request.on("error", (error: NodeJS.ErrnoException) => {
      finish(failed("network", `cannot fetch: ${quote(error.code ?? "unknown")}`));
    });
    request.on("response", (response) => {
      const judged = judgeAnswer(response.statusCode ?? 0, response.headers, maxBytes);
      if (judged.ok) readDeclared(response, judged.bytes, finish);
      else finish(judged);
    });
    request.end();
    return promise;
  }

  #agentOf(material: PeerMaterial, isPlain: boolean): HttpAgent {
    const { ca, cert, key } = material;
    const former = this.#agentFor;
    const isSame =
      former !== null && former.ca === ca && former.cert === cert && former.key === key;
    if (this.#agent !== null && isSame) return this.#agent;
    this.#agent?.destroy();
    this.#agentFor = material;
    const shared = { keepAlive: true, maxSockets };
    this.#agent = isPlain
      ? new HttpAgent(shared)
      : new HttpsAgent({
          ...shared,
          minVersion: "TLSv1.2",
          rejectUnauthorized: true,
          ...(ca === null ? {} : { ca }),
          ...(cert === null || key === null ? {} : { cert, key }),
        });
    return this.#agent;
  }
}
