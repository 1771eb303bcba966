import { loadConfig } from "../../src/adapters/config/load.ts";
import type { ActiveBundle } from "../../src/adapters/distribution/source.ts";
import { KeyCache } from "../../src/adapters/keys/key-cache.ts";
import { defaultKeySetLimits } from "../../src/adapters/keys/key-set.ts";
import { defaultRefreshOptions } from "../../src/adapters/keys/refreshed-keys.ts";
import { createDecisionLog } from "../../src/adapters/telemetry/decision-log.ts";
import { createLog } from "../../src/adapters/telemetry/log.ts";
import { createMetrics } from "../../src/adapters/telemetry/metrics.ts";
import { readDocuments } from "../../src/domain/directory/documents.ts";
import type { Directory } from "../../src/domain/directory/model.ts";
import type { CheckOutcome } from "../../src/domain/request/outcome.ts";
import type { Parsed } from "../../src/iam/problem.ts";
import { keyListener } from "../../src/processes/authorizer/key-listener.ts";
import { createPipeline, type Pipeline } from "../../src/processes/authorizer/pipeline.ts";
import { checkRequest, type Written } from "./check-request.ts";
import { type Document, formatDocuments } from "./documents.ts";
import { LogLines } from "./log-lines.ts";
import { ManualClock } from "./manual-clock.ts";

/*
 * An authorizer of a test: everything between the bytes of a Check and its outcome as it runs in
 * production, documents and tokens real, the clock in the test's hand, no socket.
 */

/** When tests begin. */
export const startMs = Date.UTC(2026, 10, 24, 12);

export interface TestPipelineOptions {
  readonly documents?: readonly Document[];
  /** Settings, as `--set` takes them. */
  readonly sets?: readonly string[];
  /** Draws of the self-check. Default: nothing is sampled unless its rate is 1. */
  readonly random?: () => number;
  /** Key sets by address, now or later; what is not there cannot be fetched. */
  readonly keySets?: ReadonlyMap<string, string | Promise<string>>;
  readonly onOutcome?: (outcome: CheckOutcome) => void;
  /** Default: one of its own. */
  readonly clock?: ManualClock;
}

export interface TestPipeline extends Pipeline {
  readonly clock: ManualClock;
  readonly keyCache: KeyCache;
  /** Lines of the log, and of the decision log once `settled` was awaited. */
  readonly log: LogLines;
  readonly decisions: LogLines;
  /** Puts documents in force as the next revision. */
  load(documents: readonly Document[]): Promise<void>;
  /** The same of a directory as a bundle carries it; `bundle` overrides what its head says. */
  activate(directory: Directory, bundle?: Partial<ActiveBundle>): Promise<void>;
  /** Asks about one request: its own bytes, and the outcome. */
  ask(written?: Written): CheckOutcome;
  /** Ends what was put off until after the Checks: the second evaluator, the decision log. */
  settled(): Promise<void>;
  /** The body of `/metrics`. */
  metrics(): Promise<string>;
}

/** Returns the directory that the documents are. */
export function directoryOf(documents: readonly Document[]): Directory {
  const text = formatDocuments(documents);
  const loaded = readDocuments([{ path: "documents.yaml", text }]);
  if (loaded.ok) return loaded.value;
  throw new Error(loaded.problems.map(({ message }) => message).join("; "));
}

/** Returns a pipeline; with documents, one that is ready. */
export async function startPipeline(options: TestPipelineOptions = {}): Promise<TestPipeline> {
  const { documents, sets = [], random = () => 0.5, keySets = new Map(), onOutcome } = options;
  const { clock = new ManualClock(startMs) } = options;
  const nowMs = () => clock.nowMs();
  const lines = new LogLines();
  const decisions = new LogLines();
  const version = "0.0.0-test";
  const config = configOf(sets);
  const log = createLog({ writer: lines, nowMs, component: "authorizer", version });
  const decisionLog = createDecisionLog({
    ...config.decisionLogs,
    sinks: [{ name: "stdout", writer: decisions }],
    labels: { instance: "test", version },
    salt: new Uint8Array(16),
  });
  const metrics = createMetrics({
    level: "full",
    build: { component: "authorizer", version, commit: "test" },
  });
  const keyCache = createKeyCache(keySets, clock, metrics, log);
  let waiting: (() => void)[] = [];
  const pipeline = createPipeline({
    config,
    metrics,
    log,
    decisionLog,
    keyCache,
    nowMs,
    monotonicMs: () => clock.monotonicMs(),
    random,
    randomBytes: (count) => new Uint8Array(count),
    later: (work) => void waiting.push(work),
    ...(onOutcome === undefined ? {} : { onOutcome }),
  });

  let revision = 0;
  const activate: TestPipeline["activate"] = async (directory, bundle = {}) => {
    revision++;
    await pipeline.sync.activated({
      org: directory.org,
      slice: "default",
      epoch: 1,
      revision,
      coveredRevision: revision,
      chain: "",
      manifestDigest: String(revision).padStart(64, "0"),
      issuedAtMs: clock.nowMs(),
      expiresAtMs: clock.nowMs() + 3_600_000,
      ageAtReceiptMs: 0,
      receivedAtMonotonicMs: clock.monotonicMs(),
      fresh: true,
      directory,
      source: "documents",
      sizeBytes: 1,
      ...bundle,
    });
  };
  const load = (given: readonly Document[]) => activate(directoryOf(given));
  if (documents !== undefined) await load(documents);
  return {
    ...pipeline,
    clock,
    keyCache,
    log: lines,
    decisions,
    load,
    activate,
    ask: (written) => pipeline.check(checkRequest(written)),
    async settled() {
      const work = waiting;
      waiting = [];
      for (const run of work) run();
      await decisionLog.flush();
    },
    metrics: async () => (await metrics.scrape(undefined)).body,
  };
}

function configOf(sets: readonly string[]) {
  const loaded = loadConfig({
    sets: [
      "documents=documents",
      "region=eu-west-1",
      "selfCheck.sampleRate=1",
      "decisionLogs.allowSampleRate=1",
      ...sets,
    ],
  });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join("; "));
  return loaded.value;
}

function createKeyCache(
  keySets: ReadonlyMap<string, string | Promise<string>>,
  clock: ManualClock,
  metrics: Parameters<typeof keyListener>[0],
  log: Parameters<typeof keyListener>[1],
): KeyCache {
  return new KeyCache({
    fetchText: async (url): Promise<Parsed<string>> => {
      const value = await keySets.get(url);
      if (value !== undefined) return { ok: true, value };
      return { ok: false, code: "connect", message: "nobody answers" };
    },
    nowMs: () => clock.nowMs(),
    setTimer: (run, delayMs) => {
      const timer = clock.after(delayMs, run);
      return () => timer.cancel();
    },
    random: () => 0,
    listener: keyListener(metrics, log),
    limits: defaultKeySetLimits,
    refresh: defaultRefreshOptions,
  });
}
