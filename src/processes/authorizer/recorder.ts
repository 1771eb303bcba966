import type { AuthorizerConfig } from "../../adapters/config/schema.ts";
import type { DecisionLog } from "../../adapters/telemetry/decision-log.ts";
import type { Log } from "../../adapters/telemetry/log.ts";
import type { Metrics } from "../../adapters/telemetry/metrics.ts";
import type { CheckOutcome } from "../../domain/request/outcome.ts";
import { formatAnswer } from "../../iam/scenario.ts";
import { formatScenario } from "../../iam/scenario-format.ts";
import type { Progress } from "./conclude.ts";
import type { DecisionObserver, Evaluation } from "./decide.ts";
import { createSelfCheck, type KeptQuestion, keepQuestion, type Mismatch } from "./self-check.ts";
import type { Sync } from "./sync.ts";

export interface RecorderParts {
  readonly config: AuthorizerConfig;
  readonly metrics: Metrics;
  readonly decisionLog: DecisionLog;
  readonly log: Log;
  readonly sync: Sync;
}

/** What is written down of Checks: metrics, the decision log, and the second evaluator's word. */
export interface Recorder {
  readonly evaluated: DecisionObserver;
  readonly concluded: (outcome: CheckOutcome, progress: Progress) => void;
  /** Decisions that the reference evaluator decided again, and those it decided otherwise. */
  readonly selfCheck: { readonly samples: number; readonly mismatches: number };
}

/** Returns the recorder of a process. Nothing it does delays or changes an answer. */
export function createRecorder(parts: RecorderParts): Recorder {
  const { config, metrics, decisionLog, log, sync } = parts;
  const counts = { samples: 0, mismatches: 0 };
  const keepsInput = config.decisionLogs.input;
  let kept: KeptQuestion | null = null;

  const selfCheck = createSelfCheck({
    sampleRate: config.selfCheck.sampleRate,
    random: Math.random,
    later: (work) => void setImmediate(work),
    checked(agrees) {
      counts.samples++;
      if (!agrees) counts.mismatches++;
      metrics.selfCheck(agrees);
    },
    mismatch: (mismatch) => tellMismatch(mismatch, sync, decisionLog, log),
  });
  const keep = (evaluation: Evaluation): KeptQuestion => {
    const { context, reads, request, input } = evaluation;
    const compiler = sync.snapshot?.compiler;
    // INVARIANT: an evaluation runs on the snapshot in force; a Check is synchronous.
    if (compiler === undefined) throw new TypeError("an evaluation without a snapshot");
    const implied = request.implied !== null;
    return keepQuestion(context, reads.keys, input.caller, input.service, implied, compiler);
  };

  return {
    selfCheck: counts,
    evaluated(evaluation) {
      kept = keepsInput ? keep(evaluation) : null;
      selfCheck(evaluation.decision, () => kept ?? keep(evaluation));
    },
    concluded(outcome, progress) {
      metrics.recordCheck(outcome);
      metrics.decisionCache(outcome.cache);
      const question = kept;
      kept = null;
      decisionLog.record(outcome, progress.attributes, Date.now(), {
        droppedTokens: progress.authentication?.dropped ?? [],
        ...(question === null
          ? {}
          : { input: () => JSON.parse(scenarioOf(outcome.decisionId, question)) }),
      });
    },
  };
}

function scenarioOf(id: string, { context, keys, layers }: KeptQuestion): string {
  return formatScenario(id, context, keys, layers);
}

function tellMismatch(mismatch: Mismatch, sync: Sync, decisionLog: DecisionLog, log: Log): void {
  const { question, engine, reference } = mismatch;
  const scenario = scenarioOf("self-check", question);
  log.error("self-check-mismatch", "the two evaluators disagree; this is a bug of mesh-iam", {
    engine: engine.decision,
    reference: reference.decision,
    scenario,
  });
  const position = sync.snapshot?.position;
  decisionLog.recordSelfCheck({
    decisionId: "self-check",
    timeMs: Date.now(),
    epoch: position?.epoch ?? 0,
    revision: position?.revision ?? 0,
    compiled: formatAnswer("compiled", engine, []),
    reference: formatAnswer("reference", reference, []),
    scenario: JSON.parse(scenario),
  });
}
