import type { Decision } from "../../iam/decision.ts";
import { evaluateReference } from "../../iam/evaluation/reference.ts";
import type { KeptQuestion } from "./kept-question.ts";

export interface Mismatch {
  readonly question: KeptQuestion;
  readonly engine: Decision;
  readonly reference: Decision;
}

export interface SelfCheckOptions {
  /** Share of decisions that is decided again, 0 to 1. */
  readonly sampleRate: number;
  readonly random: () => number;
  /** Runs work after the Check was answered. */
  readonly later: (work: () => void) => void;
  readonly checked: (agrees: boolean) => void;
  readonly mismatch: (mismatch: Mismatch) => void;
  /** The second evaluator threw: a bug of it, which says nothing about the decision. */
  readonly failed: (failure: unknown) => void;
}

/** Questions that wait to be decided again; beyond it samples are skipped, never Checks delayed. */
const maxWaiting = 64;

/**
 * Decides a sampled share of live decisions again by the reference evaluator, off the request path
 * (DESIGN 5, rule 2).
 */
export class SelfCheck {
  /** Decisions that were decided again, and those of them that were decided otherwise. */
  samples = 0;
  mismatches = 0;
  readonly #options: SelfCheckOptions;
  #waiting = 0;

  constructor(options: SelfCheckOptions) {
    this.#options = options;
  }

  /** Returns whether the decision at hand is one of the share. */
  wants(): boolean {
    const { sampleRate, random } = this.#options;
    return sampleRate > 0 && this.#waiting < maxWaiting && random() < sampleRate;
  }

  /** Has the question that `keep` returns decided again, later, and compared with `decision`. */
  add(decision: Decision, keep: () => KeptQuestion): void {
    let question: KeptQuestion;
    try {
      question = keep();
    } catch (failure) {
      this.#options.failed(failure);
      return;
    }
    this.#waiting++;
    this.#options.later(() => {
      this.#waiting--;
      try {
        this.#compare(decision, question);
      } catch (failure) {
        this.#options.failed(failure);
      }
    });
  }

  #compare(engine: Decision, question: KeptQuestion): void {
    const reference = evaluateReference(question.context, question.layers);
    const agrees = areAlike(engine, reference);
    this.samples++;
    if (!agrees) this.mismatches++;
    this.#options.checked(agrees);
    if (!agrees) this.#options.mismatch({ question, engine, reference });
  }
}

/** What two evaluators agree on (DEC-8). */
function areAlike(a: Decision, b: Decision): boolean {
  return (
    a.decision === b.decision &&
    a.deniedBy === b.deniedBy &&
    a.deniedLevel === b.deniedLevel &&
    a.errors.length === b.errors.length &&
    a.errors.every((error, i) => error === b.errors[i])
  );
}
