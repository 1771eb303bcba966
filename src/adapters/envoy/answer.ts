import { lastResortDenial } from "./denial.ts";
import type { ListenerDenial, ListenerOptions } from "./listener.ts";

/** Of the time that the caller's deadline leaves: the denial must be there before it (R3). */
const deadlineShare = 0.9;

/** A Check that waits for its answer. */
export interface PendingCheck {
  /** Nobody waits any more: no answer is sent. */
  cancel(): void;
}

/**
 * Makes an answer out of whatever `check` does (envoy-ext-authz, R3): its bytes, or a denial if it
 * throws, gives nothing, or has not answered in time. It never throws and never gives zero bytes,
 * which Envoy would read as an allow.
 */
export class Answerer {
  readonly #options: Pick<ListenerOptions, "check" | "deny" | "log">;
  readonly #pendingTimeoutMs: number;

  constructor(options: Pick<ListenerOptions, "check" | "deny" | "log">, pendingTimeoutMs: number) {
    this.#options = options;
    this.#pendingTimeoutMs = pendingTimeoutMs;
  }

  /**
   * Calls `reply` once with the answer to `message`: before it returns null, or later, when it
   * returns the pending Check. `timeoutMs` is what the caller's deadline leaves.
   */
  answer(
    message: Uint8Array,
    timeoutMs: number,
    reply: (response: Uint8Array) => void,
  ): PendingCheck | null {
    let response: Uint8Array | Promise<Uint8Array>;
    try {
      response = this.#options.check(message);
    } catch (cause) {
      reply(this.deny("internal", cause));
      return null;
    }
    if (response instanceof Promise) return this.#wait(response, timeoutMs, reply);
    reply(this.#checked(response));
    return null;
  }

  /** Returns a denial for what went wrong in the listener or in the Check. */
  deny(reason: ListenerDenial, cause?: unknown): Uint8Array {
    try {
      if (cause !== undefined) this.#options.log?.("error", "a check failed", cause);
      const denial = this.#options.deny?.(reason, cause);
      if (denial !== undefined && denial.length > 0) return denial;
    } catch {
      // The last resort below needs nothing of what has just failed twice.
    }
    return lastResortDenial(reason, "00000000-00000000");
  }

  #wait(
    response: Promise<Uint8Array>,
    timeoutMs: number,
    reply: (response: Uint8Array) => void,
  ): PendingCheck {
    let open = true;
    const finish = (answer: () => Uint8Array) => {
      if (!open) return;
      open = false;
      clearTimeout(timer);
      reply(answer());
    };
    const limitMs = Math.min(this.#pendingTimeoutMs, timeoutMs * deadlineShare);
    const timer = setTimeout(() => finish(() => this.deny("deadline")), limitMs);
    response.then(
      (bytes) => finish(() => this.#checked(bytes)),
      (cause: unknown) => finish(() => this.deny("internal", cause)),
    );
    return {
      cancel() {
        open = false;
        clearTimeout(timer);
      },
    };
  }

  #checked(response: Uint8Array): Uint8Array {
    if (response instanceof Uint8Array && response.length > 0) return response;
    return this.deny("internal", new TypeError("a check gave no bytes"));
  }
}
