import type { MeshIamError } from "../../iam/error.ts";
import { delay, type StoreSurroundings } from "./time.ts";
import { type Outcome, StoreUnavailable } from "./unavailable.ts";

/** How a database's failure is to be taken. */
export type Failure =
  /** Passes by itself: a lock, a lost connection. */
  | { readonly type: "transient"; readonly message: string }
  | { readonly type: "lasting"; readonly error: MeshIamError }
  /** The store cannot be used for now, and trying at once again is no use: a full disk. */
  | { readonly type: "unavailable"; readonly message: string };

/** A failure of an attempt; `outcome` is `unknown` once COMMIT was sent. */
export class AttemptFailed extends Error {
  readonly failure: Failure;
  readonly outcome: Outcome;

  constructor(failure: Failure, outcome: Outcome, cause: unknown) {
    super("attempt failed", { cause });
    this.failure = failure;
    this.outcome = outcome;
  }
}

/** No transaction is tried for longer (STO-10). */
const deadlineMs = 10_000;
const firstDelayMs = 5;
const maxDelayMs = 500;

/**
 * Returns what `attempt` returns, tried again with full jitter while it throws a transient
 * `AttemptFailed`, for 10 s. Then, or when trying again is no use, throws `StoreUnavailable`; anything
 * else that `attempt` throws is thrown.
 */
export async function withRetries<T>(
  { clock, random }: Pick<StoreSurroundings, "clock" | "random">,
  attempt: () => T | Promise<T>,
): Promise<T> {
  const untilMs = clock.monotonicMs() + deadlineMs;
  let outcome: Outcome = "not-applied";
  for (let tried = 0; ; tried++) {
    try {
      return await attempt();
    } catch (reason) {
      if (!(reason instanceof AttemptFailed)) throw reason;
      const { failure, cause } = reason;
      if (failure.type === "lasting") throw failure.error;
      // A later attempt that was not applied says nothing about the one whose answer was lost.
      if (reason.outcome === "unknown") outcome = "unknown";
      const waitMs = random() * Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(tried, 20));
      if (failure.type === "unavailable" || clock.monotonicMs() + waitMs >= untilMs) {
        throw new StoreUnavailable(failure.message, outcome, { cause });
      }
      await delay(clock, waitMs);
    }
  }
}

/** Returns what a caller is told of a failure that is not to be tried again. */
export function finalError(reason: unknown): unknown {
  if (!(reason instanceof AttemptFailed)) return reason;
  const { failure, outcome, cause } = reason;
  return failure.type === "lasting"
    ? failure.error
    : new StoreUnavailable(failure.message, outcome, { cause });
}
