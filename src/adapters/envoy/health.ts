import { WireReader } from "./wire-reader.ts";

/** The names that answer: the process, and the service that Envoy checks (envoy-ext-authz 10). */
const services: ReadonlySet<string> = new Set(["", "envoy.service.auth.v3.Authorization"]);

/** Serialised `HealthCheckResponse`s: field 1, `SERVING`, `NOT_SERVING`, `SERVICE_UNKNOWN`. */
const serving = Buffer.from([8, 1]);
const notServing = Buffer.from([8, 2]);
const serviceUnknown = Buffer.from([8, 3]);

/** Bytes of a service name that is looked at; a longer one is unknown. */
const maxNameBytes = 256;

/** The state behind grpc.health.v1. A listener starts as NOT_SERVING. */
export class Health {
  #serving = false;
  readonly #watchers = new Set<(response: Buffer) => void>();

  get isServing(): boolean {
    return this.#serving;
  }

  set(isServing: boolean): void {
    if (isServing === this.#serving) return;
    this.#serving = isServing;
    for (const watcher of this.#watchers) watcher(this.#response());
  }

  /** Returns the answer to `Check`, or null for a service that does not exist (NOT_FOUND). */
  check(request: Uint8Array): Buffer | null {
    return isKnown(request) ? this.#response() : null;
  }

  /**
   * Sends the state now and after each change, as `Watch` does; returns what ends it. An unknown
   * service is told once so and stays open, since it might appear.
   */
  watch(request: Uint8Array, send: (response: Buffer) => void): () => void {
    if (!isKnown(request)) {
      send(serviceUnknown);
      return () => {};
    }
    send(this.#response());
    this.#watchers.add(send);
    return () => this.#watchers.delete(send);
  }

  #response(): Buffer {
    return this.#serving ? serving : notServing;
  }
}

function isKnown(request: Uint8Array): boolean {
  const name = serviceName(request);
  return name !== null && services.has(name);
}

/** Returns `service` of a serialised HealthCheckRequest, null when it is no such message. */
function serviceName(request: Uint8Array): string | null {
  const reader = new WireReader();
  const end = request.length;
  reader.start(Buffer.from(request.buffer, request.byteOffset, end));
  let name = "";
  while (reader.position < end) {
    const tag = reader.tag(end);
    if (tag !== 10) {
      reader.skip(tag, end);
      continue;
    }
    const stop = reader.payload(end);
    if (reader.failed || stop - reader.position > maxNameBytes) return null;
    name = reader.bytes.toString("utf8", reader.position, stop);
    reader.position = stop;
  }
  return reader.failed ? null : name;
}
