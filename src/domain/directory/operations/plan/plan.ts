import { Draft } from "../../state/draft.ts";
import { type Entity, type StateObject, storedKindOf } from "../../state/entity.ts";
import type { StateChange } from "../../state/organization-state.ts";
import { arnOf } from "../arn-of.ts";
import type { OperationContext, Question } from "../operation.ts";
import { isRefused, type Refusal, refuse } from "../refusal.ts";
import { operations } from "../registry.ts";
import { store } from "../store-entity.ts";
import { differencesOf, findDesired } from "./compare.ts";
import type { Desired, WrittenObjects } from "./desired.ts";
import {
  createCanDeny,
  type Difference,
  type Impossible,
  type Phase,
  phases,
} from "./difference.ts";
import { removalsOf, unwanted } from "./prune.ts";

/** How documents are planned; the field manager is the context's (FILE-6). */
export interface PlanOptions {
  /** Whether objects of another field manager become the context's. */
  readonly takeOver: boolean;
  /** Whether objects of this field manager that the documents no longer write are removed. */
  readonly prune: boolean;
  /** Most objects of one commit (STO-2). Default 500. */
  readonly maxObjects?: number;
  /** The revisions of an earlier plan; an object at another one is `ConcurrentModification` (FILE-7). */
  readonly expected?: ReadonlyMap<string, number | null> | null;
}

/** One step: an operation, what it is about, and what a reader is told of it. */
export interface PlanStep {
  readonly action: "create" | "change" | "take-over" | "remove";
  /** Kind in the store's word, account and name as the documents or the store write it. */
  readonly object: string;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly field: string;
  readonly before: unknown;
  readonly after: unknown;
  /** All must be allowed, on the state that the steps before have made. */
  readonly questions: readonly Question[];
}

/** A step as readers are told of it. */
export type ShownStep = Omit<PlanStep, "input" | "questions">;

export interface Plan {
  readonly refused?: never;
  /** In order; empty when all is as the documents want it. */
  readonly steps: readonly PlanStep[];
  /** The first `steps` of it fit into one commit; whoever has committed them plans again for the rest. */
  readonly commit: { readonly steps: number; readonly changes: readonly StateChange[] };
  /** The revision of each object that the documents write, by its name as in `steps`; null: not there. */
  readonly revisions: ReadonlyMap<string, number | null>;
  /** Of all steps, for the lockout guard. */
  readonly changes: readonly StateChange[];
}

/** Why documents cannot be planned: every conflict, or the first refusal of a step. */
export interface PlanRefusal {
  readonly refused: true;
  readonly refusals: readonly (Refusal & { readonly object: string })[];
  /** The steps up to the one that was refused, that one too; none where nothing was tried. */
  readonly tried: readonly PlanStep[];
}

/**
 * Returns the steps from the context's state to what `written` wants (FILE-5 to FILE-7): creations,
 * changes, and with `prune` removals, in an order that references allow and that lets nobody do more on
 * the way than before or after. Objects of other managers are conflicts, an object changed since an
 * earlier plan is `ConcurrentModification`; all of these are told together, and nothing is planned.
 *
 * More than `maxObjects` objects take several commits: the plan after the first is the rest, so that a
 * run can be broken off anywhere and taken up again (API-4). Pure; a dry run is a plan that is not
 * committed. Cost: of the documents; with `prune` one pass over the organization.
 */
export function plan(
  written: WrittenObjects,
  context: OperationContext,
  options: PlanOptions,
): Plan | PlanRefusal {
  const planned = inOrder(phases, written, context, options);
  if (!planned.refused || !planned.refusals.some(({ code }) => code === "LimitExceeded")) {
    return planned;
  }
  // Where there is room for nothing more, what goes has to go first: in one commit nobody sees between.
  const released = inOrder(releaseFirst, written, context, options);
  const isWhole = !released.refused && released.commit.steps === released.steps.length;
  return isWhole ? released : planned;
}

const releaseFirst: readonly Phase[] = [
  "place",
  "release",
  ...phases.filter((phase) => phase !== "place" && phase !== "release"),
];

function inOrder(
  order: readonly Phase[],
  written: WrittenObjects,
  context: OperationContext,
  options: PlanOptions,
): Plan | PlanRefusal {
  const planner = new Planner(context, options, order);
  const conflicts = planner.conflictsOf(written.objects);
  if (conflicts.length > 0) return { refused: true, refusals: conflicts, tried: [] };
  const refusal = planner.run(written.objects);
  if (refusal !== null) return { refused: true, refusals: [refusal], tried: planner.tried };
  return planner.result();
}

const maxRounds = 3;

type Located = Refusal & { readonly object: string };

class Planner {
  readonly #context: OperationContext;
  readonly #options: PlanOptions;
  readonly #order: readonly Phase[];
  readonly #draft: Draft;
  readonly #steps: PlanStep[] = [];
  #refusedStep: PlanStep | null = null;
  readonly #revisions = new Map<string, number | null>();
  /** The changes of the first commit, and how many steps are in it; closed once it is full. */
  readonly #first: Draft;
  #firstSteps = 0;
  #isFull = false;
  readonly #touched = new Set<string>();
  readonly #pending = new Map<Desired, ReadonlySet<Phase>>();
  readonly #canDeny = createCanDeny();

  constructor(context: OperationContext, options: PlanOptions, order: readonly Phase[]) {
    this.#order = order;
    this.#draft = new Draft(context.state);
    this.#first = new Draft(context.state);
    this.#context = { ...context, state: this.#draft };
    this.#options = options;
  }

  /** Reports what stands in the way of planning at all. */
  conflictsOf(objects: readonly Desired[]): readonly Located[] {
    const conflicts: Located[] = [];
    const { manager } = this.#context;
    for (const desired of objects) {
      const object = nameOf(desired);
      const current = findDesired(desired, this.#draft);
      this.#revisions.set(object, current?.modRevision ?? null);
      const refusal =
        this.#changedSince(object, current) ??
        (current === undefined || current.manager === manager || this.#options.takeOver
          ? unreadable(current)
          : refuse(
              "ConcurrentModification",
              `it belongs to the field manager \`${current.manager}\`: take it over, or leave it out`,
            ));
      if (refusal !== null) conflicts.push({ ...refusal, object });
    }
    return conflicts;
  }

  #changedSince(object: string, current: StateObject | undefined): Refusal | null {
    const expected = this.#options.expected?.get(object);
    const found = current?.modRevision ?? null;
    if (expected === undefined || expected === found) return null;
    const was = expected === null ? "absent" : `at revision ${expected}`;
    const is = found === null ? "absent" : `at ${found}`;
    return refuse("ConcurrentModification", `it was ${was} when this was planned, it is ${is}`);
  }

  run(objects: readonly Desired[]): Located | null {
    if (this.#options.takeOver) {
      for (const desired of objects) {
        const refusal = this.#takeOver(desired);
        if (refusal !== null) return refusal;
      }
    }
    // A second round makes up for what the first one moved: a trust policy names who was renamed.
    for (let round = 0; round < maxRounds && !this.#isDone(objects); round++) {
      for (const phase of this.#order) {
        for (const desired of objects) {
          if (this.#pending.get(desired)?.has(phase) !== true) continue;
          const refusal = this.#bringAbout(desired, phase);
          if (refusal !== null) return refusal;
        }
      }
    }
    return this.#options.prune ? this.#prune(objects) : null;
  }

  #isDone(objects: readonly Desired[]): boolean {
    let left = 0;
    for (const desired of objects) left += this.#look(desired).length;
    return left === 0;
  }

  /** Compares an object with the draft, and remembers in which phases it has something to do. */
  #look(desired: Desired): readonly (Difference | Impossible)[] {
    const current = findDesired(desired, this.#draft) as Entity | undefined;
    const found = differencesOf(desired, current ?? null, this.#draft, this.#canDeny);
    // What is not possible yet may be once others have their place.
    const due = found.flatMap((one) => ("impossible" in one ? phases : [one.phase]));
    this.#pending.set(desired, new Set(due));
    return found;
  }

  #bringAbout(desired: Desired, phase: Phase): Located | null {
    const object = nameOf(desired);
    for (const difference of this.#look(desired)) {
      if ("impossible" in difference) {
        const { impossible, field } = difference;
        return { ...refuse("ValidationError", impossible, { field }), object };
      }
      if (difference.phase !== phase) continue;
      const { operation, input, field, before, after } = difference;
      const action = field === "" ? "create" : "change";
      const refusal = this.#take({ action, object, operation, input, field, before, after });
      if (refusal !== null) return { ...refusal, object };
    }
    this.#look(desired);
    return null;
  }

  #takeOver(desired: Desired): Located | null {
    const current = findDesired(desired, this.#draft) as Entity | undefined;
    const { manager } = this.#context;
    if (current === undefined || current.manager === manager) return null;
    const change = store(this.#context, { ...current, manager });
    const object = nameOf(desired);
    if (isRefused(change)) return { ...change, object };
    const resource = arnOf(this.#draft, current);
    const { account } = current;
    const operation = "mesh-iam:TakeOver";
    this.#record(
      {
        action: "take-over",
        object,
        operation,
        input: { resource, manager },
        field: "manager",
        before: current.manager,
        after: manager,
        questions: [{ action: operation, resource, account, keys: new Map() }],
      },
      [change],
    );
    return null;
  }

  #prune(objects: readonly Desired[]): Located | null {
    const wanted = new Set(objects.map((one) => findDesired(one, this.#draft)?.id ?? ""));
    for (const found of unwanted(this.#draft, this.#context.manager, wanted)) {
      const object = `${storedKindOf(found)} ${arnOf(this.#draft, found)}`;
      const removals = found.kind === "poisoned" ? [] : removalsOf(this.#draft, found);
      for (const { operation, input } of removals) {
        const told = { field: "", before: found.id, after: null };
        const refusal = this.#take({ action: "remove", object, operation, input, ...told });
        if (refusal !== null) return { ...refusal, object };
      }
    }
    return null;
  }

  #take(step: Omit<PlanStep, "questions">): Refusal | null {
    const operation = operations.get(step.operation);
    if (operation === undefined) throw new TypeError(`no operation ${step.operation}`);
    const questions = operation.questions(step.input, this.#context);
    const result = operation.run(step.input, this.#context);
    if (isRefused(result)) {
      this.#refusedStep = { ...step, questions };
      return result;
    }
    this.#record({ ...step, questions }, result.changes);
    return null;
  }

  #record(step: PlanStep, changes: readonly StateChange[]): void {
    this.#draft.apply(changes);
    this.#steps.push(step);
    if (this.#isFull) return;
    const ids = changes.map((change) => (change.type === "put" ? change.object.id : change.id));
    const fresh = ids.filter((id) => !this.#touched.has(id));
    const max = this.#options.maxObjects ?? 500;
    if (this.#touched.size + fresh.length > max && this.#firstSteps > 0) {
      this.#isFull = true;
      return;
    }
    for (const id of fresh) this.#touched.add(id);
    this.#first.apply(changes);
    this.#firstSteps++;
  }

  get tried(): readonly PlanStep[] {
    return this.#refusedStep === null ? this.#steps : [...this.#steps, this.#refusedStep];
  }

  result(): Plan {
    return {
      steps: this.#steps,
      commit: { steps: this.#firstSteps, changes: this.#first.changes() },
      revisions: this.#revisions,
      changes: this.#draft.changes(),
    };
  }
}

function unreadable(current: StateObject | undefined): Refusal | null {
  if (current?.kind !== "poisoned") return null;
  const message = "the stored object cannot be read: what it grants and denies is not known";
  return refuse("ServiceFailure", message, { resource: current.id });
}

/** Returns the name of a wanted object: kind, account and name, as a reader knows them. */
export function nameOf(desired: Desired): string {
  const { kind } = desired;
  if (kind === "organizationalUnit") return `${kind} ${desired.path}`;
  if (kind === "account") return `${kind} ${desired.record.id}`;
  if (kind === "workload") return `${kind} ${desired.record.spiffeId}`;
  const { record } = desired;
  const account = "account" in record ? `${record.account}/` : "";
  return `${kind} ${account}${record.name}`;
}
