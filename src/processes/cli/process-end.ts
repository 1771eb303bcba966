import type { Log } from "../../adapters/telemetry/log.ts";

/** What ends a process that serves until it is told to stop. */
export interface ProcessEnd {
  /** Resolves when the process is to end in order: at the first signal, or a rejection that nobody handled. */
  readonly asked: Promise<void>;
  /** Resolves at an exception that nobody caught: whatever was under way may be half done. */
  readonly broken: Promise<void>;
  /** Whether it ends for a failure of ours. */
  readonly isFailure: boolean;
}

export interface ProcessEndOptions {
  /** `process`: what signals and failures are told by. */
  readonly source: NodeJS.EventEmitter;
  readonly log: Log;
  /** Ends the process now. */
  readonly exit: () => void;
  /** Calls `run` once after `delayMs`; must not keep the process alive. */
  readonly setTimer: (run: () => void, delayMs: number) => void;
}

/** What is left after an exception to write down what is known. */
const lastMs = 2_000;

/**
 * Returns what listens for the end, from now on. A signal that comes before the process serves is not
 * lost: as process 1 of a container it would be, since the kernel drops those that nobody listens for.
 * Only the first signal of a name is taken; the next one ends the process at once. (H2-014)
 */
export function listenForEnd({ source, log, exit, setTimer }: ProcessEndOptions): ProcessEnd {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const { promise: broken, resolve: fail } = Promise.withResolvers<void>();
  let isFailure = false;
  for (const signal of ["SIGTERM", "SIGINT"]) source.once(signal, () => ask());
  // Each of them, not the first alone: the next would end the process in the middle of its drain.
  source.on("unhandledRejection", (err) => {
    log.error("unhandled-rejection", "a failure that nobody handled; draining", { err });
    isFailure = true;
    ask();
  });
  source.on("uncaughtException", (err) => {
    log.error("uncaught-exception", "an exception that nobody caught; ending", { err });
    isFailure = true;
    setTimer(exit, lastMs);
    fail();
  });
  return {
    asked,
    broken,
    get isFailure() {
      return isFailure;
    },
  };
}
