import type { AuthorizerConfig } from "../../adapters/config/schema.ts";
import { createDecoder } from "../../adapters/envoy/decode.ts";
import type { KeyCache } from "../../adapters/keys/key-cache.ts";
import type { DecisionLog } from "../../adapters/telemetry/decision-log.ts";
import type { Log } from "../../adapters/telemetry/log.ts";
import type { Metrics } from "../../adapters/telemetry/metrics.ts";
import type { CheckOutcome } from "../../domain/request/outcome.ts";
import { IssuerTable } from "../issuers/issuer-table.ts";
import { type Check, createCheck } from "./check.ts";
import { createDecisionIds } from "./decision-id.ts";
import { Identification } from "./identify.ts";
import { Memory } from "./memory.ts";
import { createRecorder, type Recorder } from "./recorder.ts";
import { RequestKeys } from "./request-keys.ts";
import { StageClock } from "./stage-clock.ts";
import { Sync } from "./sync.ts";
import { TokenCache } from "./token-cache.ts";
import { createVerificationBudget, defaultBudget } from "./verification-budget.ts";
import { warmUp } from "./warm-up.ts";

/** What a pipeline is given: everything that differs between a process, a test and a simulation. */
export interface PipelineParts {
  readonly config: AuthorizerConfig;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly decisionLog: DecisionLog;
  readonly keyCache: KeyCache;
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
  /** A number from 0 up to 1. */
  readonly random: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Runs work after the Check at hand was answered. */
  readonly later: (work: () => void) => void;
  /** Told of each activation, when it is in force. */
  readonly activated?: () => void;
  /** Told of every outcome, after metrics and log. */
  readonly onOutcome?: (outcome: CheckOutcome) => void;
}

/** All of an authorizer but its sockets, timers and files: bundles go in at `sync`, Checks at `answer`. */
export interface Pipeline extends Check {
  /** Returns the outcome of a Check that nobody waits for the bytes of. */
  readonly check: (message: Uint8Array) => CheckOutcome;
  readonly sync: Sync;
  readonly tokens: TokenCache;
  readonly recorder: Recorder;
}

/** Of how many Checks one has its stages timed. */
const timedEvery = 64;

/** Returns the pipeline that `config` describes, waiting for its first bundle. */
export function createPipeline(parts: PipelineParts): Pipeline {
  const { config, metrics, log, nowMs, monotonicMs } = parts;
  const issuers = new IssuerTable(
    parts.keyCache,
    { embeddedKey: (member) => metrics.embeddedKey(member) },
    config.limits.maxTokenBytes,
  );
  const tokens = new TokenCache(
    {
      options: {
        capacity: config.tokenCache.capacity,
        maxBytes: config.tokenCache.maxBytes,
        maxTtlMs: config.tokenCache.maxTtlSeconds * 1000,
      },
      budget: createVerificationBudget({
        ...defaultBudget,
        share: config.limits.verificationShare,
      }),
      monotonicMs,
      count: (result) => metrics.tokenCache(result),
      seed: Buffer.from(parts.randomBytes(4)).readInt32LE(),
    },
    issuers.issuers,
  );
  const { activated } = parts;
  const sync = new Sync({
    settings: {
      services: config.services,
      partition: config.partition,
      region: config.region,
      dryRun: config.dryRun,
      maxCallers: config.tokenCache.capacity,
      maxCallerBytes: config.tokenCache.maxBytes,
      decisionCache: config.decisionCache.enabled ? config.decisionCache : null,
      evicted: (reason, entries) => metrics.decisionCacheEviction(reason, entries),
    },
    acceptsStale: config.bootstrap.acceptStale,
    issuers,
    tokens,
    metrics,
    log: log.component("bundle"),
    nowMs,
    monotonicMs,
    warmUp: (snapshot, directory) =>
      warmUp(snapshot, directory, { config, issuers: issuers.issuers, nowMs, monotonicMs }),
    ...(activated === undefined ? {} : { activated }),
  });

  const { trustedHops, region, tlsTerminating } = config;
  const keys = new RequestKeys({ trustedHops, region, tlsTerminating });
  const identification = new Identification(keys, () => tokens.issuers);
  const recorder = createRecorder({ ...parts, sync });
  const monotonicNs = (): number => monotonicMs() * 1e6;
  const { answer, refuse } = createCheck({
    decoder: createDecoder({
      maxMessageBytes: config.limits.maxCheckBytes,
      maxHeaders: config.limits.maxHeaders,
    }),
    tokens,
    identification,
    memory: new Memory(tokens, identification, keys),
    keys,
    snapshot: () => sync.snapshot,
    bundleAgeMs: () => sync.ageMs,
    staleness: config.staleness,
    nowMs,
    monotonicNs,
    nextDecisionId: createDecisionIds(parts.randomBytes),
    conclude: { verbose: config.verbose, dryRun: config.dryRun },
    stages: new StageClock(timedEvery, monotonicNs, metrics.recordStage),
    failed: (failure, decisionId) =>
      log.error("check-failed", "a Check failed inside; it was denied", {
        err: failure,
        decisionId,
      }),
    concluded(outcome, progress) {
      recorder.concluded(outcome, progress);
      parts.onOutcome?.(outcome);
    },
    unrecorded: (failure, decisionId) =>
      log.error("check-unrecorded", "a Check was answered and could not be recorded", {
        err: failure,
        decisionId,
      }),
  });
  return { answer, refuse, check: (message) => answer(message, itself), sync, tokens, recorder };
}

function itself(outcome: CheckOutcome): CheckOutcome {
  return outcome;
}
