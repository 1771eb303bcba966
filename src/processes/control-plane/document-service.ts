import { createHash, randomUUID } from "node:crypto";
import { auditRecord } from "../../domain/directory/audit/record.ts";
import { formatDocumentProblem } from "../../domain/directory/document-problem.ts";
import { type DocumentFile, readDocuments } from "../../domain/directory/documents.ts";
import type { Directory } from "../../domain/directory/model.ts";
import { arnFacts } from "../../domain/directory/operations/arn-of.ts";
import type { OperationContext } from "../../domain/directory/operations/operation.ts";
import { prepare, run } from "../../domain/directory/operations/prepare.ts";
import { isRefused } from "../../domain/directory/operations/refusal.ts";
import { operations } from "../../domain/directory/operations/registry.ts";
import { planDocuments } from "../../domain/directory/plan/plan-documents.ts";
import type { PlanStep } from "../../domain/directory/plan/step.ts";
import { Draft } from "../../domain/directory/state/draft.ts";
import { isDenied } from "../../domain/request/denied.ts";
import { Authorization, type AuthorizedState } from "./authorization.ts";
import { type CallRefusal, type CallResult, refusal, refusalOfDenied } from "./call-result.ts";
import type { CallOrigin, KnownCaller, ProvenCaller } from "./caller.ts";
import type { Moment, Proposal } from "./commit-queue.ts";
import type { DirectoryServiceParts } from "./directory-service.ts";

/** One run of documents. */
export interface DocumentsCall {
  readonly caller: ProvenCaller;
  readonly origin: CallOrigin;
  readonly files: readonly DocumentFile[];
  readonly dryRun: boolean;
  /** Removes what this manager owns and the documents do not have. */
  readonly prune: boolean;
  readonly manager: string;
  /** Of the plan that somebody agreed to; null: whatever the plan is now. */
  readonly planDigest: string | null;
}

/** What a run comes to, or has come to so far. */
interface Ran {
  readonly result: CallResult;
  readonly steps: readonly PlanStep[];
  /** Of the steps: equal for equal plans, whatever unique ids they draw. */
  readonly digest: string;
  /** There was no room for the rest in one commit. */
  readonly isPartial: boolean;
}

const nothing = { steps: [], digest: "", isPartial: false } as const;

/** A commit has at most 500 objects, and one more step changes a few. */
const fullAt = 400;
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
   * operation is, by what its caller may before the run. Up to 400 objects are one commit, all or
   * nothing; more are a sequence of them, which running it again resumes.
   */
  async apply(call: DocumentsCall): Promise<CallResult> {
    const { replica, queue, partition, quotas } = this.#parts;
    const loaded = readDocuments(call.files, { partition, quotas });
    if (!loaded.ok) {
      const lines = loaded.problems.slice(0, maxShownProblems).map(formatDocumentProblem);
      const result = refusal("ValidationError", lines.join("\n"), { field: "files" });
      return this.#note(call, { ...nothing, result });
    }
    const planned = await this.#plan(call, loaded.value);
    if (!planned.result.ok || call.dryRun || planned.steps.length === 0) {
      return this.#note(call, planned);
    }
    if (call.planDigest !== null && call.planDigest !== planned.digest) {
      const message = "the plan is another one by now: plan again";
      return refusal("ConcurrentModification", message, { field: "planDigest" });
    }
    for (;;) {
      const { value, revision } = await queue.submit({
        name: "mesh-iam:ApplyDocuments",
        idempotency: null,
        decide: (moment) => this.#decide(call, loaded.value, moment),
      });
      if (!value.result.ok) return this.#note(call, value);
      if (value.isPartial) continue;
      const position = {
        epoch: replica.position.epoch,
        revision: revision ?? replica.position.revision,
      };
      return { ok: true, answer: answerOf(planned), findings: loaded.findings, position };
    }
  }

  /** Returns what a run would come to, whole, at this moment. */
  async #plan(call: DocumentsCall, desired: Directory): Promise<Ran> {
    const { replica, nowMs } = this.#parts;
    await replica.current();
    const { epoch, revision } = replica.position;
    const moment = {
      state: new Draft(replica.state),
      nowMs: nowMs(),
      position: { epoch, revision: revision + 1 },
    };
    const { ran } = this.#run(call, desired, moment, Number.POSITIVE_INFINITY);
    const { result } = ran;
    if (!result.ok) return ran;
    return { ...ran, result: { ...result, answer: answerOf(ran), position: { epoch, revision } } };
  }

  #decide(call: DocumentsCall, desired: Directory, moment: Moment): Proposal<Ran> {
    const { ran, draft, caller } = this.#run(call, desired, moment, fullAt);
    const changes = ran.result.ok ? draft.changes() : [];
    if (changes.length === 0 || caller === null) {
      return { value: ran, changes: [], actor: "", audit: new Uint8Array() };
    }
    const audit = this.#record(call, caller, ran, moment.nowMs, moment.position);
    return { value: ran, changes, actor: caller.arn, audit };
  }

  #run(call: DocumentsCall, desired: Directory, moment: Moment, most: number) {
    // Asked about the state before the run: no step may be allowed by an earlier one.
    const authorized = this.#authorization.at(moment.state, moment.nowMs);
    const draft = new Draft(moment.state);
    const caller = authorized.callerOf(call.caller, call.origin);
    const steps: PlanStep[] = [];
    const hash = createHash("sha256");
    const ended = (result: CallResult, isPartial = false) => ({
      ran: { result, steps, digest: hash.digest("hex"), isPartial },
      draft,
      caller: isDenied(caller) ? null : caller,
    });
    if (isDenied(caller)) return ended(refusalOfDenied(caller));
    const { manager, prune } = call;
    let changed = 0;
    for (const step of planDocuments({ desired, state: draft, manager }, prune)) {
      if ("obstacle" in step) {
        return ended(refusal("ConcurrentModification", `${step.object}: ${step.obstacle}`));
      }
      if (changed >= most) return ended(success(moment), true);
      const done = this.#step(call, step, authorized, draft, caller, moment);
      if ("ok" in done) return ended(done);
      draft.apply(done.changes, moment.position.revision);
      changed += done.changes.length;
      steps.push(step);
      hash.update(stableText(step, moment.state, draft), "utf8");
    }
    return ended(success(moment));
  }

  #step(
    call: DocumentsCall,
    step: PlanStep,
    authorized: AuthorizedState,
    state: Draft,
    { arn, account }: KnownCaller,
    { nowMs, position }: Moment,
  ) {
    const { newId, quotas, partition } = this.#parts;
    const operation = operations.get(step.operation);
    if (operation === undefined) {
      return refusal("ServiceFailure", `${step.object}: no operation ${step.operation}`);
    }
    const of = ({ code, message, resource, field }: Omit<CallRefusal, "ok">) =>
      refusal(code, `${step.object}: ${step.operation}: ${message}`, { resource, field });
    const prepared = prepare(operation, step.input);
    if (isRefused(prepared)) return of(prepared);
    const context: OperationContext = {
      state,
      caller: { arn, account },
      nowMs,
      position,
      newId,
      manager: call.manager,
      quotas,
      partition,
    };
    const questions = operation.questions(prepared.input, context);
    const denied = authorized.refused(call.caller, call.origin, questions);
    if (denied !== null) {
      if (isDenied(denied)) return refusalOfDenied(denied);
      const { resource } = denied.question;
      return refusal("AccessDenied", `${step.object}: ${denied.sentence}`, { resource });
    }
    const result = run(prepared, context);
    return isRefused(result) ? of(result) : { changes: result.changes };
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
    { origin, manager, prune, files }: DocumentsCall,
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
      request: { manager, prune, files: files.length, steps: done },
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

function success({ position }: Pick<Moment, "position">): CallResult {
  return { ok: true, answer: {}, findings: [], position };
}

function answerOf({ steps, digest }: Ran): Readonly<Record<string, unknown>> {
  return { steps, planDigest: digest };
}

/** Returns a step as text; an object that the run makes stands in it by its name, not by its new id. */
function stableText({ object, operation, input }: PlanStep, before: Draft, after: Draft): string {
  return JSON.stringify([object, operation, input], (_, value: unknown) => {
    if (typeof value !== "string" || before.get(value) !== undefined) return value;
    const made = after.get(value);
    return made === undefined ? value : `made ${made.kind} ${made.account} ${made.nameKey}`;
  });
}
