import type { BuiltBundle } from "../../domain/bundle/build.ts";
import type { Head } from "../../domain/bundle/head.ts";
import type { CarrierPath } from "./carrier-path.ts";
import type { Clock, Timer } from "./clock.ts";
import type { Fleet, InstanceReport, Peer } from "./fleet.ts";
import { PublishedSlice } from "./published-slice.ts";
import type { Scope } from "./scope.ts";
import { defaultServingLimits, type ServingLimits } from "./serving-limits.ts";
import { SliceBuilds } from "./slice-builds.ts";
import { StreamCounts } from "./stream-counts.ts";
import { type SliceView, WatchSession } from "./watch-session.ts";

export interface BundleServerParts {
  readonly clock: Clock;
  readonly random: () => number;
  /** Returns the slice of an authenticated identity, null when it has none. Cheap: asked often. */
  readonly scopeOf: (identity: string) => Scope | null;
  /** Signs a head that is renewed. */
  readonly seal: (head: Head) => Uint8Array;
  readonly fleet: Fleet;
  /**
   * Told of a slice that somebody asks for and nobody has published. Resolves when it has been
   * published, or cannot be; it is then asked for again with the next request.
   */
  readonly wanted?: (scope: Scope) => Promise<void>;
  /** Told of a head that could not be signed, and of a report that could not be taken. */
  readonly onError: (failure: unknown) => void;
  readonly limits?: Partial<ServingLimits>;
}

/** Why something is not served. `absent` says as little as possible: not whether it exists. */
export interface ServingRefusal {
  readonly ok: false;
  readonly type: "forbidden" | "absent" | "overloaded" | "unready";
  readonly detail: string;
  /** When to come again; null: there is no use. */
  readonly retryAfterMs: number | null;
}

type Served<T> = ({ readonly ok: true } & T) | ServingRefusal;

/** Who asks for a stream, and what they say. */
export interface WatchAsk {
  readonly peer: Peer;
  readonly org: string;
  /** What the peer calls itself; the credential's word goes first. */
  readonly instance: string;
  /** Lower-case hex; empty: it holds none. */
  readonly heldManifest: string;
  /** Cuts the connection of a peer that drains nothing. */
  readonly stalled: () => void;
}

/**
 * The serving side of bundles, whatever the transport: slices published here go to the identities in
 * whose scope they are, heads are renewed, objects that a slice named lately stay to be had.
 *
 * Holds no policy and no key beyond what `seal` reaches. Every slice, object and report is checked
 * against the authenticated identity (BUN-37).
 */
export class BundleServer {
  readonly #parts: BundleServerParts;
  readonly #limits: ServingLimits;
  readonly #slices = new Map<string, PublishedSlice>();
  readonly #keySets = new Map<string, Map<number, Uint8Array>>();
  /** Organizations in which somebody waits for positions (BUN-16). */
  readonly #prompt = new Set<string>();
  readonly #sessions = new Map<WatchSession, string>();
  readonly #counts: StreamCounts;
  readonly #builds: SliceBuilds;
  #tick: Timer | null = null;

  constructor(parts: BundleServerParts) {
    this.#parts = parts;
    this.#limits = { ...defaultServingLimits, ...parts.limits };
    this.#counts = new StreamCounts(this.#limits, parts.clock, parts.random);
    this.#builds = new SliceBuilds(this.#limits.maxBuilds, parts.wanted ?? (async () => {}));
  }

  /**
   * Serves `bundle` from now on under the organization and slice of its head. False, and no effect,
   * for one behind what is served already: two builds may end out of order.
   */
  publish(bundle: BuiltBundle): boolean {
    const { clock, random } = this.#parts;
    const name = nameOf(bundle.head);
    const published = this.#slices.get(name);
    if (published !== undefined) {
      if (!published.replace(bundle, clock.monotonicMs())) return false;
    } else {
      // Slices published together are not renewed together.
      const renewAtMs = clock.monotonicMs() + random() * this.#limits.renewMs;
      this.#slices.set(name, new PublishedSlice(bundle, renewAtMs, this.#limits));
      this.#tick ??= clock.after(tickMs, () => this.#renewDue());
    }
    this.#wake(name);
    return true;
  }

  /** Stops serving a slice; its streams wait for another one, or end when their scope does. */
  withdraw({ org, slice }: Scope): void {
    this.#slices.delete(nameOf({ org, slice }));
  }

  /** Serves key set `number`, for ever (BUN-30). */
  publishKeySet(org: string, number: number, sealed: Uint8Array): void {
    const keySets = this.#keySets.get(org) ?? new Map<number, Uint8Array>();
    keySets.set(number, sealed);
    this.#keySets.set(org, keySets);
  }

  /** Asks every sidecar of `org` to report within a second, or no longer. */
  setPromptStatus(org: string, isAwaited: boolean): void {
    if (isAwaited) this.#prompt.add(org);
    else this.#prompt.delete(org);
    for (const session of this.#sessions.keys()) session.wake();
  }

  /** The scope of some identities has changed: each stream goes on with what is its own now. */
  rescope(): void {
    for (const session of this.#sessions.keys()) session.wake();
  }

  /** Opens a stream, or says why not. The caller ends it when the peer has gone. */
  watch(ask: WatchAsk): Served<{ readonly session: WatchSession }> {
    const { peer, org } = ask;
    const scope = this.#scopeIn(peer, org);
    if (scope === null) return forbidden;
    const instance = peer.instance ?? ask.instance;
    const overload = this.#counts.refusal(peer.identity, instance);
    if (overload !== null) return { ok: false, type: "overloaded", ...overload };
    const { clock, random } = this.#parts;
    const session: WatchSession = new WatchSession(
      {
        clock,
        random,
        limits: this.#limits,
        view: () => this.#view(session, peer, org),
        ended: () => {
          this.#sessions.delete(session);
          this.#counts.remove(peer.identity, instance, session);
        },
        stalled: ask.stalled,
      },
      ask.heldManifest,
    );
    this.#sessions.set(session, nameOf(scope));
    this.#counts.add(peer.identity, instance, session);
    return { ok: true, session };
  }

  /** Returns the bytes behind a path for `peer`, or why it gets none (BUN-37). */
  get(peer: Peer, path: CarrierPath): Served<{ readonly bytes: Uint8Array }> {
    const scope = this.#parts.scopeOf(peer.identity);
    if (scope === null) return forbidden;
    switch (path.type) {
      case "head": {
        if (path.org !== scope.org || path.slice !== scope.slice) return absent;
        const slice = this.#slice(scope);
        return slice === null ? unready : { ok: true, bytes: slice.sealedHead };
      }
      case "object": {
        const slice = this.#slices.get(nameOf(scope));
        return found(slice?.object(path.digest, this.#parts.clock.monotonicMs()));
      }
      case "key-set":
        if (path.org !== scope.org) return absent;
        return found(this.#keySets.get(path.org)?.get(path.number));
    }
  }

  /** Hands a report on, if its sender belongs to the organization it speaks of. */
  report(peer: Peer, report: Omit<InstanceReport, "identity">): Served<object> {
    if (this.#scopeIn(peer, report.org) === null) return forbidden;
    const instance = peer.instance ?? report.instance;
    const { fleet, onError } = this.#parts;
    try {
      fleet.reported({ ...report, identity: peer.identity, instance });
    } catch (failure) {
      // Books that cannot be kept stop nobody from being served.
      onError(failure);
    }
    return { ok: true };
  }

  /** What is served and to how many, for metrics. */
  counts(): { readonly slices: number; readonly streams: number; readonly objects: number } {
    const objects = [...this.#slices.values()].reduce((sum, s) => sum + s.objectCount, 0);
    return { slices: this.#slices.size, streams: this.#counts.streams, objects };
  }

  /** Sends every stream away, to come again spread over `spreadMs`: before a planned end. */
  drain(): void {
    for (const session of this.#counts.all()) {
      session.goAway(this.#parts.random() * this.#limits.spreadMs);
    }
  }

  /** Ends every stream and timer. */
  close(): void {
    this.#tick?.cancel();
    this.#tick = null;
    this.#slices.clear();
    for (const session of this.#counts.all()) session.end();
  }

  #scopeIn(peer: Peer, org: string): Scope | null {
    const scope = this.#parts.scopeOf(peer.identity);
    return scope?.org === org ? scope : null;
  }

  #slice(scope: Scope): PublishedSlice | null {
    const slice = this.#slices.get(nameOf(scope));
    if (slice === undefined) this.#builds.want(scope);
    return slice ?? null;
  }

  #view(session: WatchSession, peer: Peer, org: string): SliceView | null {
    // Looked up each time: an identity that lost its slice must not get one more head of it.
    const scope = this.#scopeIn(peer, org);
    if (scope === null) {
      session.end();
      return null;
    }
    this.#sessions.set(session, nameOf(scope));
    const slice = this.#slice(scope);
    if (slice === null) return null;
    return {
      sealedHead: slice.sealedHead,
      manifestDigest: slice.head.manifestDigest,
      promptStatus: this.#prompt.has(org),
      keySet: Math.max(0, ...(this.#keySets.get(org)?.keys() ?? [])),
      missingFor: (held) => slice.missingFor(held),
    };
  }

  #renewDue(): void {
    const { clock, seal, onError } = this.#parts;
    const nowMonotonicMs = clock.monotonicMs();
    const renewed = new Set<string>();
    for (const [name, slice] of this.#slices) {
      slice.forget(nowMonotonicMs);
      if (slice.renewAtMonotonicMs > nowMonotonicMs) continue;
      try {
        slice.renew(clock.nowMs(), nowMonotonicMs, seal);
        renewed.add(name);
      } catch (failure) {
        // The head in force stays, and ages; it is tried again with the next tick.
        onError(failure);
      }
    }
    this.#tick = clock.after(tickMs, () => this.#renewDue());
    for (const [session, name] of this.#sessions) if (renewed.has(name)) session.wake();
  }

  #wake(name: string): void {
    for (const [session, watched] of this.#sessions) if (watched === name) session.wake();
  }
}

const tickMs = 1_000;

function nameOf({ org, slice }: Scope): string {
  return `${org}/${slice}`;
}

function found(bytes: Uint8Array | null | undefined): Served<{ readonly bytes: Uint8Array }> {
  return bytes == null ? absent : { ok: true, bytes };
}

const absent: ServingRefusal = Object.freeze({
  ok: false,
  type: "absent",
  detail: "there is nothing here for this identity",
  retryAfterMs: null,
});
const forbidden: ServingRefusal = Object.freeze({
  ok: false,
  type: "forbidden",
  detail: "this identity serves no service of this organization",
  retryAfterMs: null,
});
const unready: ServingRefusal = Object.freeze({
  ok: false,
  type: "unready",
  detail: "the slice is being built",
  retryAfterMs: 1_000,
});
