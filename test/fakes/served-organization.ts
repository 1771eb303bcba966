import { create } from "@bufbuild/protobuf";
import {
  BundleServer,
  type BundleServerParts,
} from "../../src/adapters/distribution/bundle-server.ts";
import { type Carrier, type Fetched, failed } from "../../src/adapters/distribution/carrier.ts";
import type { CarrierPath } from "../../src/adapters/distribution/carrier-path.ts";
import type { Clock } from "../../src/adapters/distribution/clock.ts";
import type { InstanceReport, Peer } from "../../src/adapters/distribution/fleet.ts";
import type {
  Dialer,
  WatchConnection,
  WatchNews,
  WatchQuestion,
} from "../../src/adapters/distribution/watch-carrier.ts";
import {
  decodeHeadEvent,
  encodeEvent,
  type HeadNews,
} from "../../src/adapters/distribution/watch-messages.ts";
import type { ServedEvent } from "../../src/adapters/distribution/watch-session.ts";
import {
  type BuiltBundle,
  type BundleOptions,
  renewHead,
  sealHeadOf,
} from "../../src/domain/bundle/build.ts";
import type { Head } from "../../src/domain/bundle/head.ts";
import type { Directory } from "../../src/domain/directory/model.ts";
import { WatchEventSchema } from "../../src/gen/meshiam/bundle/v1/bundle_service_pb.ts";
import { builtOf, hourMs } from "./bundle.ts";
import { bundleKey, sealedKeySet, thief } from "./bundle-keys.ts";

export const org = "o-acme";
export const peer: Peer = {
  identity: "spiffe://cluster.local/ns/shop/sa/orders",
  instance: null,
};

/** An honest control plane in this process: builds, signs and publishes to a server. */
export class ServedOrganization {
  /** Everything that was ever published, oldest first. */
  readonly history: BuiltBundle[] = [];
  readonly reports: InstanceReport[] = [];
  readonly #clock: Clock;
  readonly #parts: Partial<BundleServerParts>;
  readonly slice: string;
  server: BundleServer;
  #revision = 0;

  constructor(clock: Clock, parts: Partial<BundleServerParts> = {}, slice = "all") {
    this.#clock = clock;
    this.#parts = parts;
    this.slice = slice;
    this.server = this.#start();
  }

  /** Builds `directory` at the next revision and serves it. */
  publish(directory: Directory, changes: Partial<BundleOptions> = {}): BuiltBundle {
    this.#revision = changes.revision ?? this.#revision + 1;
    const bundle = builtOf(directory, {
      slice: this.slice,
      revision: this.#revision,
      issuedAtMs: this.#clock.nowMs(),
      ...changes,
    });
    this.history.push(bundle);
    this.server.publish(bundle);
    return bundle;
  }

  /** The bundle published last. */
  get last(): BuiltBundle {
    const last = this.history.at(-1);
    if (last === undefined) throw new Error("something was published");
    return last;
  }

  /** Signs and serves a new head over the content published last. */
  renew(): void {
    const head = renewHead(this.last.head, this.#clock.nowMs(), hourMs);
    const renewed = { ...this.last, head, sealedHead: sealHeadOf(head, bundleKey) };
    this.history.push(renewed);
    this.server.publish(renewed);
  }

  /** The process ends and another one begins, which knows what the store knows. */
  restart(): void {
    this.server.close();
    this.server = this.#start();
    const last = this.history.at(-1);
    if (last !== undefined) this.server.publish(last);
  }

  #start(): BundleServer {
    const server = new BundleServer({
      clock: this.#clock,
      random: () => 0.5,
      scopeOf: () => ({ org, slice: this.slice }),
      seal: (head) => sealHeadOf(head, bundleKey),
      fleet: { reported: (report) => this.reports.push(report) },
      onError: (failure) => {
        throw failure;
      },
      ...this.#parts,
    });
    server.publishKeySet(org, 1, sealedKeySet({ org }));
    return server;
  }
}

/** Returns a head over the last content that a thief has signed. */
export function stolenHead(head: Head): Uint8Array {
  const changed = { ...head, coveredRevision: 9_000, manifestDigest: "00".repeat(32) };
  return sealHeadOf(changed, thief);
}

/** What a dishonest carrier does with an answer; null: it delivers what it got. */
export type Tampering = (
  path: CarrierPath,
  honest: Fetched,
) => Fetched | null | Promise<Fetched | null>;

/** The HTTPS carrier of a served organization without sockets, under the test's hands. */
export class InProcessCarrier implements Carrier {
  readonly #of: ServedOrganization;
  readonly #peer: Peer;
  /** Every path asked for, in order. */
  readonly asked: CarrierPath[] = [];
  tamper: Tampering = () => null;
  /** Answers on the way. */
  open = 0;

  constructor(of: ServedOrganization, as: Peer = peer) {
    this.#of = of;
    this.#peer = as;
  }

  async get(path: CarrierPath, maxBytes: number): Promise<Fetched> {
    this.asked.push(path);
    this.open++;
    try {
      const served = this.#of.server.get(this.#peer, path);
      const honest: Fetched = served.ok
        ? { ok: true, bytes: served.bytes }
        : failed(
            served.type === "forbidden" ? "auth" : "network",
            served.type,
            served.retryAfterMs,
          );
      const fetched = (await this.tamper(path, honest)) ?? honest;
      // What a real carrier cuts is cut here.
      if (fetched.ok && fetched.bytes.length > maxBytes) return failed("network", "too long");
      return fetched;
    } finally {
      this.open--;
    }
  }

  async close(): Promise<void> {}
}

/** What a dishonest carrier does with a head on its way; null: it delivers what it got. */
export type HeadTampering = (news: HeadNews) => HeadNews | null;

/** The stream from a served organization without sockets, under the test's hands. */
export class InProcessDialer implements Dialer {
  readonly #of: ServedOrganization;
  readonly #peer: Peer;
  /** Every question a stream was opened with. */
  readonly questions: WatchQuestion[] = [];
  /** For the fetches beside the streams. */
  readonly carrier: InProcessCarrier;
  tamperHead: HeadTampering = () => null;
  /** Null: connections are taken; else why not. */
  refuse: (Fetched & { readonly ok: false }) | null = null;
  readonly #open = new Set<() => void>();

  constructor(of: ServedOrganization, as: Peer = peer) {
    this.#of = of;
    this.#peer = as;
    this.carrier = new InProcessCarrier(of, as);
  }

  /** Streams that are open. */
  get open(): number {
    return this.#open.size;
  }

  /** Told of each stream that is asked for, and whether it was opened. */
  onWatch: (isAdmitted: boolean) => void = () => {};

  /** Delivers `news` on every open stream, whatever the server says. */
  inject: (news: WatchNews) => void = () => {};

  async dial(): ReturnType<Dialer["dial"]> {
    if (this.refuse !== null) return this.refuse;
    return { ok: true, connection: this.#connection() };
  }

  #connection(): WatchConnection {
    const { promise: closed, resolve: close } = Promise.withResolvers<void>();
    const endedHere: WatchNews = { type: "ended", ...failed("network", "closed") };
    return {
      get: (path, maxBytes) => this.carrier.get(path, maxBytes),
      close: async () => close(),
      report: async (report) => this.#of.server.report(this.#peer, report).ok,
      watch: (question) => {
        this.questions.push(question);
        const opened = this.#of.server.watch({
          peer: this.#peer,
          org: question.org,
          instance: question.instance,
          heldManifest: question.have?.manifestDigest ?? "",
          stalled: close,
        });
        this.onWatch(opened.ok);
        if (!opened.ok) {
          const news = failed("network", opened.type, opened.retryAfterMs);
          return { next: async () => ({ type: "ended", ...news }) };
        }
        const { session } = opened;
        this.#open.add(close);
        void closed.then(() => {
          session.end();
          this.#open.delete(close);
        });
        const injected: WatchNews[] = [];
        let injecting = Promise.withResolvers<void>();
        this.inject = (news) => {
          injected.push(news);
          injecting.resolve();
        };
        let serving: Promise<WatchNews> | null = null;
        const next = async (): Promise<WatchNews> => {
          serving ??= session.next().then((event) => this.#deliver(event));
          const first = await Promise.race([
            serving.then((news) => ({ news })),
            closed.then(() => ({ news: endedHere })),
            injecting.promise.then(() => ({ news: null })),
          ]);
          if (first.news !== null) {
            serving = null;
            return first.news;
          }
          injecting = Promise.withResolvers<void>();
          return injected.shift() ?? next();
        };
        return { next };
      },
    };
  }

  /** Through the messages, as over the wire. */
  #deliver(event: ServedEvent | null): WatchNews {
    if (event === null) return { type: "ended", ...failed("network", "the stream ended") };
    if (event.type === "go-away") return event;
    const message = create(WatchEventSchema, encodeEvent(event)).event;
    const news = message.case === "head" ? decodeHeadEvent(message.value) : null;
    if (news === null) throw new Error("a head event has a head");
    return { type: "head", news: this.tamperHead(news) ?? news };
  }
}
