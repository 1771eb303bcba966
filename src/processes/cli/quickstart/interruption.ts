import { MeshIamError } from "../../../iam/error.ts";

/** Whether somebody wants this process to end. */
export interface Interruption {
  /** Aborted from then on; its reason is a `quickstart-failed` that says "interrupted". */
  readonly signal: AbortSignal;
  /** Resolves when it happens. */
  readonly happened: Promise<void>;
  /** Gives the signals back to Node, which ends the process at the next one. */
  release(): void;
}

/** Ctrl-C, a supervisor, a closed terminal (which Envoy itself would ignore). */
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Returns what listens for the end. Only the first signal is taken: a second one, while everything
 * closes, ends the process at once.
 */
export function listenForInterruption(source: NodeJS.EventEmitter): Interruption {
  const controller = new AbortController();
  const { promise: happened, resolve } = Promise.withResolvers<void>();
  const release = (): void => {
    for (const name of signals) source.off(name, onSignal);
  };
  const onSignal = (): void => {
    release();
    controller.abort(new MeshIamError("quickstart-failed", "interrupted"));
    resolve();
  };
  for (const name of signals) source.on(name, onSignal);
  return { signal: controller.signal, happened, release };
}
