import type { Head } from "../../domain/bundle/head.ts";
import {
  extendKeySets,
  type KeySetChain,
  type TrustAnchors,
} from "../../domain/bundle/key-set-chain.ts";
import type { BundleLimits } from "../../domain/bundle/limits.ts";
import type { VerifiedPart } from "../../domain/bundle/part-content.ts";
import { type Refusal, refuse } from "../../domain/bundle/refusal.ts";
import { openEnvelope } from "../../domain/bundle/signed.ts";
import {
  type ObjectRequest,
  type VerifiedContent,
  verifyContent,
} from "../../domain/bundle/verify-content.ts";
import { type AcceptedHead, type Floor, verifyHead } from "../../domain/bundle/verify-head.ts";
import { MeshIamError } from "../../iam/error.ts";
import type { BundleCache, Generation } from "./bundle-cache.ts";
import type { StoredFloor } from "./cache-floor.ts";
import type { Clock } from "./clock.ts";
import { ageOf, isFresh, maxFutureMs } from "./freshness.ts";
import { PullJournal } from "./pull-journal.ts";
import type {
  BundleListener,
  HeadFacts,
  PullResult,
  RefusedBundle,
  SourceStatus,
} from "./source.ts";

/** Whom and what a follower believes. */
export interface FollowerOptions {
  readonly anchors: TrustAnchors;
  /** Null: as it is (local folders only, BUN-32). */
  readonly slice: string | null;
  /** `bootstrap.acceptStale`; default false. */
  readonly acceptStale: boolean;
  readonly limits: BundleLimits;
  /** The word for the source in statuses and logs. */
  readonly source: string;
  readonly address: string;
}

/** What a carrier has at hand: all of it untrusted. */
export interface Offer {
  readonly head: Uint8Array;
  /** Those above the number that `keySetNumber()` returned, as far as the carrier has them. */
  readonly keySets: ReadonlyMap<number, Uint8Array>;
  /**
   * Returns the frame asked for, null when it cannot be had. Has to end, and does not reject; not
   * called after `offer` resolved.
   */
  object(request: ObjectRequest): Promise<Uint8Array | null>;
}

/** What a follower knows of a source's status; the source adds the rest. */
export type FollowerStatus = Omit<SourceStatus, "findings" | "connected">;

interface Active {
  readonly facts: HeadFacts;
  readonly source: string;
  readonly content: VerifiedContent;
  readonly acceptedStale: boolean;
}

// A renewed head is written at most this often (BUN-12).
const headSaveIntervalMs = 60_000;

/**
 * Takes what carriers offer through verification to activation and, last, to the cache. The one place
 * where a bundle becomes active, whatever brought it; sources only bring.
 *
 * Offers are worked off one at a time. The floor moves after full verification and activation, never
 * before (BND-003); after a refusal nothing is remembered but the refusal and key sets that verified.
 */
export class BundleFollower {
  readonly #options: FollowerOptions;
  readonly #clock: Clock;
  #cache: BundleCache | null = null;
  #listener: BundleListener = nobody;
  #chain: KeySetChain | null = null;
  #floor: StoredFloor | null = null;
  #active: Active | null = null;
  /** No "now" is earlier than the newest head that was accepted (BUN-11). */
  #latestIssuedAtMs = 0;
  #headSavedAtMonotonicMs = Number.NEGATIVE_INFINITY;
  #closed = false;
  #working: Promise<unknown> = Promise.resolve();
  readonly #journal: PullJournal;

  constructor(options: FollowerOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#journal = new PullJournal(clock, (refusal) => this.#listener.refused(refusal));
  }

  /** Returns the number of the newest key set held, 0 for none: carriers bring those above it. */
  keySetNumber(): number {
    return this.#chain?.current.number ?? 0;
  }

  /** Returns whether no key in force is named by `head`, so that a newer key set may be wanted. */
  lacksKeyOf(head: Uint8Array): boolean {
    const { limits } = this.#options;
    const opened = openEnvelope(head, limits.maxHeadBytes, limits, "head");
    const keys = this.#chain?.current.bundleKeyObjects;
    return opened.ok && !opened.envelope.signatures.some(({ keyId }) => keys?.has(keyId) === true);
  }

  status(): FollowerStatus {
    const active = this.#active;
    const current = this.#chain?.current;
    return {
      source: this.#options.source,
      address: this.#options.address,
      active: active?.facts ?? null,
      activeSource: active?.source ?? null,
      fresh: active !== null && isFresh(active.facts, this.#clock),
      ageMs: active && ageOf(active.facts, this.#clock),
      keySet: current ? { number: current.number, expiresAtMs: current.expiresAtMs } : null,
      acceptedStale: active?.acceptedStale ?? false,
      ...this.#journal.status(),
      sizeBytes: active?.content.sizeBytes ?? 0,
      cache: this.#cache?.status() ?? null,
    };
  }

  /** Waits for the offer under way and takes no more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#working;
    await this.#cache?.close();
  }

  /**
   * Begins to tell `listener`, and starts from `cache`, which the follower then owns: activates the
   * newest generation that verifies (BUN-12), else the older one, however old it is. Damage is told.
   * Once, before the first offer.
   */
  async start(listener: BundleListener, cache: BundleCache | null): Promise<void> {
    this.#listener = {
      activated: (bundle) => listener.activated(bundle),
      refreshed: (head) => unharmed(() => listener.refreshed(head)),
      refused: (refusal) => unharmed(() => listener.refused(refusal)),
    };
    this.#cache = cache;
    if (cache !== null) await this.#load(cache);
  }

  async #load(cache: BundleCache): Promise<void> {
    const cached = await cache.load();
    const { anchors, limits } = this.#options;
    const { chain, refusal } = extendKeySets(null, cached.keySets, anchors, limits);
    this.#chain = chain;
    this.#floor = cached.floor;
    if (refusal !== null && cached.keySets.size > 0) this.#journal.failed(refusal, "cache");
    if (cached.floorDamaged) {
      this.#journal.failed(refuse("bundle-digest", "the floor is damaged"), "cache");
    }
    const heads: Head[] = [];
    for (const [i, sealed] of cached.heads.entries()) {
      if (chain === null) break;
      const verified = verifyHead(sealed, chain, this.#expectations("own-cache"));
      if (!verified.ok) {
        this.#journal.failed(verified, "cache");
        continue;
      }
      // Without the newest key set nobody can say whether the head's key is still in force.
      const behind = this.keySetNumber() < (this.#floorInForce()?.keySet ?? 0);
      const head = { ...verified, fresh: verified.fresh && !behind };
      heads.push(head.head);
      if (this.#active !== null) continue;
      const object = (request: ObjectRequest) =>
        cache.readObject(request.digest, request.maxFrameBytes);
      const content = await this.#content(head.head, object);
      const failure = content.ok ? await this.#activate(head, content, "cache") : content;
      if (failure !== null) this.#journal.failed(failure, "cache");
      else if (content.ok) cache.loaded(this.#generation(sealed, content), i === 0);
    }
    this.#raiseFloor(heads);
  }

  /**
   * Drops key sets and floor, for a source that signs itself when its organization becomes another
   * one. Returns how to take that back when the first offer of the other one fails.
   */
  forget(): () => void {
    const chain = this.#chain;
    const floor = this.#floor;
    this.#chain = null;
    this.#floor = null;
    return () => {
      this.#chain = chain;
      this.#floor = floor;
    };
  }

  /** Works an offer off and returns how it ended; the listener has been told by then. */
  offer(offer: Offer): Promise<PullResult> {
    const attempt = this.#working.then(() => this.#attempt(offer));
    this.#working = attempt.catch(() => {});
    return attempt;
  }

  /** Tells and counts a refusal that the source itself met, before there was anything to offer. */
  refuse(code: RefusedBundle["code"], result: RefusedBundle["result"], detail: string): void {
    if (!this.#closed) this.#journal.refused({ code, result, detail, partId: null, cause: null });
  }

  async #attempt(offer: Offer): Promise<PullResult> {
    if (this.#closed) return "unchanged";
    const keySets = await this.#applyKeySets(offer.keySets);
    if (keySets !== null) return this.#refused(keySets);
    // INVARIANT: without a refusal there is a chain.
    const chain = this.#chain as KeySetChain;
    const head = verifyHead(offer.head, chain, this.#expectations("carrier"));
    if (!head.ok) return this.#refused(head);
    const active = this.#active;
    if (active !== null && active.facts.manifestDigest === head.head.manifestDigest) {
      return this.#renew(active, head, offer.head);
    }
    if (active !== null && isOlder(head.head, active.facts)) {
      return this.#refused(refuse("bundle-rollback", "head: issued before the active one"));
    }
    return this.#advance(head, offer);
  }

  /** Applies and keeps what verifies, and returns why that is not enough, else null. */
  async #applyKeySets(offered: ReadonlyMap<number, Uint8Array>): Promise<Refusal | null> {
    const { anchors, limits } = this.#options;
    const before = this.keySetNumber();
    const { chain, refusal } = extendKeySets(this.#chain, offered, anchors, limits);
    this.#chain = chain;
    if (chain !== null && chain.current.number > before) {
      const fresh = [...chain.sealed].filter(([number]) => number > before);
      await this.#cache?.saveKeySets(new Map(fresh));
    }
    if (refusal !== null) return refusal;
    const accepted = this.#floorInForce()?.keySet ?? 0;
    if (this.keySetNumber() >= accepted) return null;
    return refuse(
      "bundle-rollback",
      `key set ${this.keySetNumber()} is the newest offered, ${accepted} was accepted before`,
    );
  }

  async #advance(head: AcceptedHead, offer: Offer): Promise<PullResult> {
    const frames = new Map<string, Uint8Array>();
    const content = await this.#content(head.head, async (request) => {
      const frame = await offer.object(request);
      if (frame !== null) frames.set(request.digest, frame);
      return frame;
    });
    if (!content.ok) return this.#refused(content);
    if (this.#closed) return "unchanged";
    const failure = await this.#activate(head, content, this.#options.source);
    if (failure !== null) return this.#refused(failure);
    this.#raiseFloor([head.head]);
    await this.#cache?.save(this.#generation(offer.head, content), frames);
    this.#headSavedAtMonotonicMs = this.#clock.monotonicMs();
    return this.#journal.succeeded("applied");
  }

  async #renew(active: Active, head: AcceptedHead, sealed: Uint8Array): Promise<PullResult> {
    const { source } = this.#options;
    const newer =
      head.head.issuedAtMs > active.facts.issuedAtMs ||
      head.head.epoch > active.facts.epoch ||
      head.head.coveredRevision > active.facts.coveredRevision;
    if (!newer && active.source === source) return this.#journal.succeeded("unchanged");
    const facts = newer || !active.facts.fresh ? this.#facts(head) : active.facts;
    const acceptedStale = active.acceptedStale && !head.fresh;
    this.#active = { ...active, facts, source, acceptedStale };
    this.#latestIssuedAtMs = Math.max(this.#latestIssuedAtMs, head.head.issuedAtMs);
    this.#raiseFloor([head.head]);
    this.#listener.refreshed(facts);
    const elapsedMs = this.#clock.monotonicMs() - this.#headSavedAtMonotonicMs;
    if (this.#cache !== null && elapsedMs >= headSaveIntervalMs) {
      await this.#cache.saveHead(this.#generation(sealed, active.content));
      this.#headSavedAtMonotonicMs = this.#clock.monotonicMs();
    }
    return this.#journal.succeeded("unchanged");
  }

  async #content(
    head: Head,
    object: Offer["object"],
  ): Promise<({ readonly ok: true } & VerifiedContent) | Refusal> {
    const known: ReadonlyMap<string, VerifiedPart> = this.#active?.content.parts ?? new Map();
    const steps = verifyContent(head, known, this.#options.limits);
    let step = steps.next(null);
    // Reading lets the event loop run, so that a big bundle holds up no Check for long.
    while (step.done !== true) step = steps.next(await object(step.value));
    return step.value;
  }

  /** Hands a verified bundle to the listener, and returns why it did not take it, else null. */
  async #activate(
    head: AcceptedHead,
    content: VerifiedContent,
    source: string,
  ): Promise<Refusal | MeshIamError | null> {
    const facts = this.#facts(head);
    const { directory, sizeBytes } = content;
    try {
      await this.#listener.activated(Object.freeze({ ...facts, directory, source, sizeBytes }));
    } catch (error) {
      return MeshIamError.from(error);
    }
    const firstBoot = source !== "cache" && this.#floorInForce() === null;
    const acceptedStale = this.#options.acceptStale && firstBoot && !head.fresh;
    this.#active = { facts, source, content, acceptedStale };
    this.#latestIssuedAtMs = Math.max(this.#latestIssuedAtMs, head.head.issuedAtMs);
    return null;
  }

  #facts({ head, fresh }: AcceptedHead): HeadFacts {
    const { org, slice, epoch, revision, coveredRevision, chain, manifestDigest } = head;
    return Object.freeze({
      org,
      slice,
      epoch,
      revision,
      coveredRevision,
      chain,
      manifestDigest,
      issuedAtMs: head.issuedAtMs,
      expiresAtMs: head.expiresAtMs,
      ageAtReceiptMs: Math.max(0, this.#nowMs() - head.issuedAtMs),
      receivedAtMonotonicMs: this.#clock.monotonicMs(),
      fresh,
    });
  }

  #nowMs(): number {
    return Math.max(this.#clock.nowMs(), this.#latestIssuedAtMs);
  }

  #expectations(origin: "carrier" | "own-cache") {
    const { slice, acceptStale, limits } = this.#options;
    const floor: Floor | null = this.#floorInForce();
    return { slice, nowMs: this.#nowMs(), floor, origin, acceptStale, maxFutureMs, limits };
  }

  /** The floor of the organization that the key sets are of; that of another says nothing here. */
  #floorInForce(): StoredFloor | null {
    const org = this.#chain?.current.org;
    return org === undefined || this.#floor?.org === org ? this.#floor : null;
  }

  /** Moves the floor up to the highest of `heads`, all of them verified in full; never down. */
  #raiseFloor(heads: readonly Head[]): void {
    let highest = this.#floorInForce();
    for (const { org, epoch, coveredRevision } of heads) {
      const above =
        highest === null ||
        epoch > highest.epoch ||
        (epoch === highest.epoch && coveredRevision > highest.coveredRevision);
      if (above) highest = { org, epoch, coveredRevision, keySet: highest?.keySet ?? 0 };
    }
    if (highest === null) return;
    this.#floor = { ...highest, keySet: Math.max(highest.keySet, this.keySetNumber()) };
  }

  #generation(head: Uint8Array, { digests }: VerifiedContent): Generation {
    // INVARIANT: called after an activation, so that there is a floor but for the load.
    const floor = this.#floor ?? { org: "", epoch: 0, coveredRevision: 0, keySet: 0 };
    return { head, digests, floor };
  }

  #refused(failure: Refusal | MeshIamError): PullResult {
    return this.#journal.failed(failure, "");
  }
}

// A listener that fails at being told something must not end the following of the carrier; only an
// activation may be answered with no.
function unharmed(tell: () => void): void {
  try {
    tell();
  } catch {
    // The status has the same news.
  }
}

const nobody: BundleListener = {
  activated: () => {},
  refreshed: () => {},
  refused: () => {},
};

/** At one position the head issued first is the older one; a replay of it must not win. */
function isOlder(head: Head, active: HeadFacts): boolean {
  return (
    head.epoch === active.epoch &&
    head.coveredRevision === active.coveredRevision &&
    head.issuedAtMs < active.issuedAtMs
  );
}
