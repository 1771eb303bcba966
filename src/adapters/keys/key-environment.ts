import { createFetchText } from "./fetch-text.ts";
import { defaultKeySetLimits } from "./key-set.ts";
import { defaultRefreshOptions, type KeyEnvironment, type KeyListener } from "./refreshed-keys.ts";

/** The settings of a process that fetches key sets; what is left out has its default. */
export interface KeyEnvironmentOptions {
  readonly listener: KeyListener;
  /** Default 5,000. */
  readonly timeoutMs?: number;
  /** Default false: see `FetchTextOptions`. */
  readonly allowPrivateHosts?: boolean;
  /** Default null: Node's authorities. */
  readonly authorities?: string | null;
  readonly refreshSeconds?: number;
  readonly unknownKeySeconds?: number;
  readonly maxStaleSeconds?: number;
}

/** Returns the environment of a real process: its clock, its timers, its network. */
export function createKeyEnvironment(options: KeyEnvironmentOptions): KeyEnvironment {
  const limits = defaultKeySetLimits;
  const defaults = defaultRefreshOptions;
  return {
    fetchText: createFetchText({
      timeoutMs: options.timeoutMs ?? 5_000,
      maxBytes: limits.maxBytes,
      allowPrivateHosts: options.allowPrivateHosts ?? false,
      authorities: options.authorities ?? null,
    }),
    nowMs: Date.now,
    setTimer: (run, delayMs) => {
      const timer = setTimeout(run, delayMs).unref();
      return () => clearTimeout(timer);
    },
    random: Math.random,
    listener: options.listener,
    limits,
    refresh: {
      ...defaults,
      refreshSeconds: options.refreshSeconds ?? defaults.refreshSeconds,
      unknownKeySeconds: options.unknownKeySeconds ?? defaults.unknownKeySeconds,
      maxStaleSeconds: options.maxStaleSeconds ?? defaults.maxStaleSeconds,
    },
  };
}
