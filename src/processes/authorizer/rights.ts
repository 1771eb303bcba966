import type { PolicySet } from "../../iam/compile/policy-set.ts";
import type { FrontedService } from "./fronted-service.ts";
import { Question } from "./question.ts";

/** The sets of a principal's policies. */
export interface PrincipalSets {
  readonly identity: PolicySet;
  readonly permissionsBoundary: PolicySet | null;
  readonly session: PolicySet | null;
  /** One set a level, root first; null: no SCP step. */
  readonly serviceControl: readonly PolicySet[] | null;
}

/**
 * What a list of policies lets its holders ask, whoever they are: one object for all principals that
 * have the same policies, so that a renewed token costs nothing of it.
 */
export class Rights {
  readonly #sets: PrincipalSets;
  readonly #questions = new Map<FrontedService, Question>();
  readonly #impliedQuestions = new Map<FrontedService, Question>();

  constructor(sets: PrincipalSets) {
    this.#sets = sets;
  }

  /** Returns the question put to `service`; `implied`: behind the Allow of EXC-10. */
  question(service: FrontedService, implied: boolean): Question {
    const questions = implied ? this.#impliedQuestions : this.#questions;
    const known = questions.get(service);
    if (known !== undefined) return known;
    const resource = implied ? service.impliedResource : service.resource;
    const { resourceControl } = service;
    const made = new Question({ ...this.#sets, resource, resourceControl }, service);
    questions.set(service, made);
    return made;
  }
}
