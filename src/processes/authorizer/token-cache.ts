import type {
  KnownToken,
  TokenCredential,
  TokenVerifier,
} from "../../domain/credentials/authenticate.ts";
import type { Issuers } from "../../domain/credentials/issuers.ts";
import { recheckToken, type VerifiedToken, verifyToken } from "../../domain/credentials/jwt.ts";
import type { VerificationKeys } from "../../domain/credentials/verification-key.ts";
import { type Denied, deny, isDenied } from "../../domain/request/denied.ts";
import { ByteCache } from "./byte-cache.ts";
import type { VerificationBudget } from "./verification-budget.ts";

export interface TokenCacheOptions {
  readonly capacity: number;
  readonly maxBytes: number;
  /** A token is verified again after this time, however long it is valid. 0 stores nothing. */
  readonly maxTtlMs: number;
  /** Longer tokens are verified each time. Default 8192. */
  readonly maxTokenChars?: number;
}

export interface TokenCacheParts {
  readonly options: TokenCacheOptions;
  readonly budget: VerificationBudget;
  /** Monotonic milliseconds. */
  readonly monotonicMs: () => number;
  readonly count: (result: "hit" | "miss" | "refused") => void;
  /** Drawn once a process; see `ByteCache`. */
  readonly seed: number;
}

/**
 * What was verified and what must still hold for it to be believed (performance 2.4): the keys of its
 * issuer and the issuers' rules, both compared by identity. A change of policies moves neither.
 */
interface Entry {
  verified: VerifiedToken;
  keys: VerificationKeys | null;
  issuers: Issuers;
  /** The token counts as known from here until `untilMs`, by the clock that judges it. */
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Bytes an entry costs beside its text: record and map slots, and those of each claim; rounded up. */
const entryBytes = 512;
const claimBytes = 128;

/**
 * The cache of verified tokens. Only what passed verification is stored, so an entry is never a
 * refusal; keyed by the bytes of the header that carries it, compared in full. After a key rotation an entry whose
 * key is still there is only stamped anew; after a change of rules its claims are judged anew, for as
 * long as these refuse them at every use. Neither costs a signature check, so no rotation or revocation
 * causes a storm of them (POL-096).
 */
export class TokenCache {
  /** Who is charged for unknown tokens of the Check at hand. Set before `verify`; never read after. */
  peer = "";
  readonly #entries: ByteCache<Entry>;
  readonly #parts: TokenCacheParts;
  readonly #maxChars: number;
  #issuers: Issuers;

  constructor(parts: TokenCacheParts, issuers: Issuers) {
    this.#parts = parts;
    this.#issuers = issuers;
    this.#maxChars = parts.options.maxTokenChars ?? 8192;
    const { capacity, maxBytes } = parts.options;
    this.#entries = new ByteCache<Entry>({ capacity, maxBytes, seed: parts.seed });
  }

  get size(): number {
    return this.#entries.size;
  }

  get issuers(): Issuers {
    return this.#issuers;
  }

  /** Takes the issuers of a new snapshot; entries are judged by them from the next Check on. */
  set issuers(issuers: Issuers) {
    this.#issuers = issuers;
  }

  /** Bytes of what is kept, as they are reckoned against `maxBytes`. */
  get bytes(): number {
    return this.#entries.bytes;
  }

  /**
   * Returns a credential that is already known; `token-key` with detail `unknown` says: not known.
   * Counts nothing: who goes on with the credential calls `countHit`.
   */
  readonly recall: TokenVerifier = (token, nowMs) => {
    const header = headerBytes(token);
    return this.#recall(header, 0, header.length, nowMs) ?? notKnown;
  };

  /** The same by the bytes of the header; null says: not known by these. */
  readonly recallHeader: KnownToken = ({ bytes, start, end }, nowMs) =>
    this.#recall(bytes, start, end, nowMs);

  /** The same, and counted. */
  readonly knownHeader: KnownToken = (header, nowMs) =>
    this.#counted(this.recallHeader(header, nowMs));

  /** Returns the credential of `token`, known or verified now, or why it is refused. */
  readonly verify: TokenVerifier = (token, nowMs) => {
    const header = headerBytes(token);
    const known = this.#counted(this.#recall(header, 0, header.length, nowMs));
    if (known !== null) return known;
    const { budget, monotonicMs, count } = this.#parts;
    const startMs = monotonicMs();
    if (!budget.admits(this.peer, startMs)) return deny("throttled", "unknown-tokens");
    const verified = verifyToken(token, this.#issuers, nowMs);
    budget.spend(this.peer, monotonicMs() - startMs);
    count(isDenied(verified) ? "refused" : "miss");
    if (isDenied(verified)) return verified;
    this.#store(header, verified, nowMs);
    return verified.credential;
  };

  /** A credential that `recall` gave is used. */
  countHit(): void {
    this.#parts.count("hit");
  }

  #counted(known: TokenCredential | Denied | null): TokenCredential | Denied | null {
    if (known !== null) this.#parts.count(isDenied(known) ? "refused" : "hit");
    return known;
  }

  #recall(
    bytes: Uint8Array,
    start: number,
    end: number,
    nowMs: number,
  ): TokenCredential | Denied | null {
    const entry = this.#entries.get(bytes, start, end);
    if (entry === undefined) return null;
    const keys = this.#issuers.keys.keysOf(entry.verified.issuerId);
    const keyGone = keys !== entry.keys && keys?.all.includes(entry.verified.key) !== true;
    // A clock that was set back stands before the token was known.
    const isOld = !(nowMs >= entry.fromMs && nowMs < entry.untilMs);
    if (keyGone || isOld) {
      this.#entries.delete(bytes, start, end);
      return null;
    }
    entry.keys = keys;
    if (entry.issuers !== this.#issuers) {
      const rechecked = recheckToken(entry.verified, this.#issuers, nowMs);
      if (isDenied(rechecked)) return rechecked;
      entry.verified = rechecked;
      entry.issuers = this.#issuers;
    }
    return entry.verified.credential;
  }

  #store(header: Buffer, verified: VerifiedToken, nowMs: number): void {
    const { maxTtlMs } = this.#parts.options;
    if (maxTtlMs === 0 || header.length - scheme.length > this.#maxChars) return;
    const entry = {
      verified,
      keys: this.#issuers.keys.keysOf(verified.issuerId),
      issuers: this.#issuers,
      fromMs: nowMs,
      untilMs: nowMs + maxTtlMs,
    };
    // The texts of the claims are roughly the payload once more, as UTF-16 at worst.
    const claims = verified.credential.claims.size * claimBytes;
    this.#entries.set(header, entry, header.length * 3 + entryBytes + claims);
  }
}

const scheme = "Bearer ";

/**
 * Returns the bytes of the header that carries `token` in the usual spelling, in memory of their own: a
 * slice of a shared pool would keep all of it. A token in another spelling is found by its text alone.
 */
function headerBytes(token: string): Buffer {
  const text = scheme + token;
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

const notKnown = deny("token-key", "unknown");
