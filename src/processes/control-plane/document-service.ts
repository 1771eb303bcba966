import { createHash, randomUUID } from "node:crypto";
import { auditRecord } from "../../domain/directory/audit/record.ts";
import { formatDocumentProblem } from "../../domain/directory/document-problem.ts";
import { type DocumentFile, readDocuments } from "../../domain/directory/documents.ts";
import { arnFacts } from "../../domain/directory/operations/arn-of.ts";
import type { Administrator } from "../../domain/directory/operations/lockout/lockout.ts";
import { createNewId, type NewId } from "../../domain/directory/operations/new-id.ts";
import {
  createWrittenObjects,
  type WrittenObjects,
} from "../../domain/directory/operations/plan/desired.ts";
import { existingObjects } from "../../domain/directory/operations/plan/existing-objects.ts";
import {
  type Plan,
  type PlanRefusal,
  type PlanStep,
  plan,
  type ShownStep,
} from "../../domain/directory/operations/plan/plan.ts";
import { Draft } from "../../domain/directory/state/draft.ts";
import type { StateChange } from "../../domain/directory/state/organization-state.ts";
import { isDenied } from "../../domain/request/denied.ts";
import { Authorization } from "./authorization.ts";
import { type CallResult, refusal, refusalOfDenied } from "./call-result.ts";
import type { CallOrigin, KnownCaller, ProvenCaller } from "./caller.ts";
import type { Moment, Proposal } from "./commit-queue.ts";
import type { DirectoryServiceParts } from "./directory-service.ts";
import { refusedLockout } from "./lockout-guard.ts";

/** One run of documents. */
export interface DocumentsCall {
  readonly caller: ProvenCaller;
  readonly origin: CallOrigin;
  readonly files: readonly DocumentFile[];
  readonly dryRun: boolean;
  /** Removes what this manager owns and the documents do not have. */
  readonly prune: boolean;
  readonly manager: string;
  /** Makes objects of other managers this manager's. */
  readonly takeOver: boolean;
  /** Does it even if nobody but root could administer the organization afterwards (TEN-6). */
  readonly force: boolean;
  /** Of the plan that somebody agreed to; null: whatever the plan is now. */
  readonly planDigest: string | null;
}

/** What a run comes to, or its next commit. */
interface Ran {
  readonly result: CallResult;
  /** Of a plan all of them, of a commit those in it. */
  readonly steps: readonly PlanStep[];
  /** There was no room for the rest in one commit. */
  readonly isPartial: boolean;
  readonly revisions: Plan["revisions"];
}

const nothing = { steps: [], isPartial: false, revisions: new Map() } as const;

const maxShownProblems = 100;

/** Plans and applies documents to one organization (API-4): the operations that lead to them. */
export class DocumentService {
  readonly #parts: DirectoryServiceParts;
  readonly #authorization = new Authorization();

  constructor(parts: DirectoryServiceParts) {
    this.#parts = parts;
  }

  /**
   * Returns the steps of the plan, done unless it is a dry run. Each step is authorized as the call of its
   * operation is, by what its caller may before the run. Up to 500 objects are one commit, all or
   * nothing; more are a sequence of them, each planned anew, which running it again resumes.
   */
  async apply(call: DocumentsCall): Promise<CallResult> {
    const { replica, queue, partition, quotas, guard, nowMs } = this.#parts;
    await replica.current();
    const { existing, from } = createWrittenObjects(existingObjects(replica.state));
    const loaded = readDocuments(call.files, { partition, quotas, existing });
    if (!loaded.ok) {
      const lines = loaded.problems.slice(0, maxShownProblems).map(formatDocumentProblem);
      const result = refusal("ValidationError", lines.join("\n"), { field: "files" });
      return this.#note(call, { ...nothing, result });
    }
    const written = from(loaded);
    const known = call.force ? [] : guard.known(replica.state, nowMs());
    const planned = this.#plan(call, written, known);
    if (!planned.result.ok || call.dryRun || planned.steps.length === 0) {
      return this.#note(call, planned);
    }
    const { answer } = planned.result;
    if (call.planDigest !== null && call.planDigest !== answer.planDigest) {
      const message = "the plan is another one by now: plan again";
      return refusal("ConcurrentModification", message, { field: "planDigest" });
    }
    // What was agreed to is of objects as they were; those of a later commit the run itself has changed.
    let expected = call.planDigest === null ? null : planned.revisions;
    for (;;) {
      const agreed = expected;
      const { value, revision } = await queue.submit({
        name: "mesh-iam:ApplyDocuments",
        idempotency: null,
        decide: (moment) => this.#decide(call, written, moment, known, agreed),
      });
      if (!value.result.ok) return this.#note(call, value);
      expected = null;
      if (value.isPartial) continue;
      const position = {
        epoch: replica.position.epoch,
        revision: revision ?? replica.position.revision,
      };
      return { ok: true, answer, findings: loaded.findings, position };
    }
  }

  /** Returns what a run would come to, whole, at this moment. */
  #plan(call: DocumentsCall, written: WrittenObjects, known: readonly Administrator[]): Ran {
    const { replica, nowMs } = this.#parts;
    const { epoch, revision } = replica.position;
    const moment = {
      state: new Draft(replica.state),
      nowMs: nowMs(),
      position: { epoch, revision: revision + 1 },
    };
    const { planned, caller, result } = this.#planned(call, written, moment, idsOfNobody(), null);
    if (planned === null || caller === null) return { ...nothing, result };
    const { steps, revisions } = planned;
    const answer = { steps: steps.map(shown), planDigest: digestOf(steps) };
    const position = { epoch, revision };
    const refused = this.#ask(call, steps, moment) ?? lockoutOf(planned, known, moment);
    return {
      ...nothing,
      steps,
      revisions,
      result: refused ?? { ok: true, answer, findings: [], position },
    };
  }

  #decide(
    call: DocumentsCall,
    written: WrittenObjects,
    moment: Moment,
    known: readonly Administrator[],
    expected: Plan["revisions"] | null,
  ): Proposal<Ran> {
    const { newId } = this.#parts;
    const { planned, caller, result } = this.#planned(call, written, moment, newId, expected);
    const of = (ran: Ran, changes: readonly StateChange[], actor: string, audit: Uint8Array) => ({
      value: ran,
      changes,
      actor,
      audit,
    });
    const none = (ran: Ran) => of(ran, [], "", new Uint8Array());
    if (planned === null || caller === null) return none({ ...nothing, result });
    const { commit, revisions } = planned;
    const steps = planned.steps.slice(0, commit.steps);
    const refused = this.#ask(call, steps, moment) ?? lockoutOf(planned, known, moment);
    if (refused !== null) return none({ ...nothing, steps, result: refused });
    const ran: Ran = { result, steps, revisions, isPartial: steps.length < planned.steps.length };
    if (commit.changes.length === 0) return none({ ...ran, isPartial: false });
    const audit = this.#record(call, caller, ran, moment.nowMs, moment.position);
    return of(ran, commit.changes, caller.arn, audit);
  }

  #planned(
    call: DocumentsCall,
    written: WrittenObjects,
    moment: Moment,
    newId: NewId,
    expected: Plan["revisions"] | null,
  ): {
    readonly planned: Plan | null;
    readonly caller: KnownCaller | null;
    readonly result: CallResult;
  } {
    const { state, nowMs, position } = moment;
    const caller = this.#authorization.at(state, nowMs).callerOf(call.caller, call.origin);
    if (isDenied(caller)) return { planned: null, caller: null, result: refusalOfDenied(caller) };
    const { quotas, partition } = this.#parts;
    const { arn, account } = caller;
    const { manager, prune, takeOver } = call;
    const planned = plan(
      written,
      { state, caller: { arn, account }, nowMs, position, newId, manager, quotas, partition },
      { takeOver, prune, expected },
    );
    if (planned.refused) {
      // Why a step cannot be done is told to who may do it.
      const asked = this.#ask(call, planned.tried, moment);
      return { planned: null, caller, result: asked ?? refusalOfPlan(planned) };
    }
    return { planned, caller, result: { ok: true, answer: {}, findings: [], position } };
  }

  /** Asks about the state before the run: no step may be allowed by an earlier one. */
  #ask(call: DocumentsCall, steps: readonly PlanStep[], { state, nowMs }: Moment) {
    const authorized = this.#authorization.at(state, nowMs);
    for (const { object, questions } of steps) {
      const denied = authorized.refused(call.caller, call.origin, questions);
      if (denied === null) continue;
      if (isDenied(denied)) return refusalOfDenied(denied);
      const { resource } = denied.question;
      return refusal("AccessDenied", `${object}: ${denied.sentence}`, { resource });
    }
    return null;
  }

  /** What changes nothing has its record among the events (AUD-3). */
  #note(call: DocumentsCall, ran: Ran): CallResult {
    const { events, replica, nowMs } = this.#parts;
    const atMs = nowMs();
    const state = new Draft(replica.state);
    const caller = this.#authorization.at(state, atMs).callerOf(call.caller, call.origin);
    events.add(atMs, this.#record(call, isDenied(caller) ? null : caller, ran, atMs, null));
    return ran.result;
  }

  #record(
    { origin, manager, prune, takeOver, force, files }: DocumentsCall,
    caller: KnownCaller | null,
    { steps }: Ran,
    atMs: number,
    position: Moment["position"] | null,
  ): Uint8Array {
    const { replica } = this.#parts;
    const done = steps.map(({ object, operation }) => `${operation} ${object}`);
    return auditRecord({
      eventId: randomUUID(),
      requestId: origin.requestId,
      atMs,
      caller: caller && { principal: caller.principal, breakGlass: caller.breakGlass },
      service: "mesh-iam",
      name: "ApplyDocuments",
      readOnly: false,
      request: { manager, prune, takeOver, force, files: files.length, steps: done },
      secretMembers: [],
      answer: null,
      error: null,
      sourceIp: origin.sourceIp,
      userAgent: origin.userAgent,
      account: arnFacts(replica.state).managementAccount,
      organization: replica.org,
      position,
    });
  }
}

/** Judged by the end of the run: what denies comes first, so a commit on the way may lock out for a while. */
function lockoutOf({ changes }: Plan, known: readonly Administrator[], { state, nowMs }: Moment) {
  return refusedLockout(known, state, changes, nowMs);
}

function shown({ action, object, operation, field, before, after }: PlanStep): ShownStep {
  return { action, object, operation, field, before, after };
}

function refusalOfPlan({ refusals }: PlanRefusal): CallResult {
  const lines = refusals.slice(0, maxShownProblems).map(({ object, field, message }) => {
    return `${object}: ${field === null ? "" : `${field}: `}${message}`;
  });
  const [first] = refusals;
  if (first === undefined) return refusal("ServiceFailure", "the plan was refused");
  const { code, resource, field } = first;
  return refusal(code, lines.join("\n"), { resource, field });
}

/** Returns ids for a plan that nobody commits: the same ones each time, so that equal plans are equal. */
function idsOfNobody(): NewId {
  let drawn = 0;
  return createNewId((outputLength) =>
    createHash("shake256", { outputLength }).update(String(drawn++)).digest(),
  );
}

/** Returns a digest that is equal for equal plans. */
function digestOf(steps: readonly PlanStep[]): string {
  const hash = createHash("sha256");
  for (const { object, operation, input, field, before, after } of steps) {
    const text = JSON.stringify([object, operation, input, field, before, after], (_, value) =>
      value instanceof Map || value instanceof Set ? [...value] : value,
    );
    hash.update(`${text.length}:`).update(text, "utf8");
  }
  return hash.digest("hex");
}
