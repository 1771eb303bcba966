import { pullResultOf, type Refusal } from "../../domain/bundle/refusal.ts";
import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";
import type { Clock } from "./clock.ts";
import type { PullResult, RefusedBundle, SourceStatus } from "./source.ts";

/** A refusal as whoever met it knows it. */
export type MetRefusal = Omit<RefusedBundle, "atMs" | "repeated">;

/** What became of each attempt to advance: counts, the last success, the last refusal. */
export class PullJournal {
  readonly #clock: Clock;
  readonly #refused: (refusal: RefusedBundle) => void;
  readonly #pulls: Record<PullResult, number> = {
    applied: 0,
    unchanged: 0,
    network: 0,
    auth: 0,
    signature: 0,
    digest: 0,
    expired: 0,
    parse: 0,
    rollback: 0,
  };
  #lastRefusal: RefusedBundle | null = null;
  #lastAttemptFailed = false;
  #lastSuccessAtMs: number | null = null;

  /** `refused` is told of every refusal; it does not throw. */
  constructor(clock: Clock, refused: (refusal: RefusedBundle) => void) {
    this.#clock = clock;
    this.#refused = refused;
  }

  status(): Pick<SourceStatus, "pulls" | "lastSuccessAtMs" | "lastRefusal"> {
    return {
      pulls: { ...this.#pulls },
      lastSuccessAtMs: this.#lastSuccessAtMs,
      lastRefusal: this.#lastRefusal,
    };
  }

  succeeded(result: "applied" | "unchanged"): PullResult {
    this.#pulls[result]++;
    this.#lastAttemptFailed = false;
    this.#lastSuccessAtMs = this.#clock.nowMs();
    return result;
  }

  /** Tells a failure; `where` says what was read when it was not the carrier. */
  failed(failure: Refusal | MeshIamError, where: "" | "cache"): PullResult {
    const prefix = where === "" ? "" : `${where}: `;
    if (failure instanceof MeshIamError) {
      const detail = `${prefix}not activated: ${failure.message}`;
      const { code } = failure;
      return this.refused({ code, result: "parse", detail, partId: null, cause: failure });
    }
    const { code, partId } = failure;
    const part = partId === null ? "" : `${quote(partId)}: `;
    const detail = `${prefix}${part}${failure.detail}`;
    return this.refused({ code, result: pullResultOf(code), detail, partId, cause: null });
  }

  /** Counts and tells a refusal; the same one twice in a row, nothing in between, is marked so. */
  refused(refusal: MetRefusal): PullResult {
    const { code, detail, result } = refusal;
    this.#pulls[result]++;
    const last = this.#lastAttemptFailed ? this.#lastRefusal : null;
    const repeated = last?.code === code && last.detail === detail;
    const atMs = this.#clock.nowMs();
    this.#lastRefusal = Object.freeze({ ...refusal, atMs, repeated });
    this.#lastAttemptFailed = true;
    this.#refused(this.#lastRefusal);
    return result;
  }
}
