import { createHash, randomUUID } from "node:crypto";
import { auditRecord } from "../../domain/directory/audit/record.ts";
import { arnFacts } from "../../domain/directory/operations/arn-of.ts";
import type { Administrator } from "../../domain/directory/operations/lockout/lockout.ts";
import type { NewId } from "../../domain/directory/operations/new-id.ts";
import type { Operation, OperationContext } from "../../domain/directory/operations/operation.ts";
import { type Prepared, prepare, run } from "../../domain/directory/operations/prepare.ts";
import type { OperationQuotas } from "../../domain/directory/operations/quotas.ts";
import { isRefused } from "../../domain/directory/operations/refusal.ts";
import { Draft } from "../../domain/directory/state/draft.ts";
import { isDenied } from "../../domain/request/denied.ts";
import type { AuditEvents } from "./audit-events.ts";
import { Authorization, type AuthorizedState } from "./authorization.ts";
import { type CallResult, refusal, refusalOfDenied } from "./call-result.ts";
import { type CallOrigin, callerKey, type KnownCaller, type ProvenCaller } from "./caller.ts";
import type { CommitQueue, JobIdempotency, Moment, Proposal } from "./commit-queue.ts";
import type { FollowedReplica } from "./followed-replica.ts";
import { type LockoutGuard, refusedLockout } from "./lockout-guard.ts";

/** One call of one operation, as it came. */
export interface OperationCall {
  readonly caller: ProvenCaller;
  readonly origin: CallOrigin;
  readonly operation: Operation;
  /** Plain JSON data, without the members that are the API's own. */
  readonly input: unknown;
  /** Null: a repetition is another call (STO-12). */
  readonly clientToken: string | null;
  /** Says what would happen, and changes nothing. */
  readonly dryRun: boolean;
  /** Does it even if nobody but root could administer the organization afterwards (TEN-6). */
  readonly force: boolean;
  /** Reads only: answer from what this instance has, however old (3.5). */
  readonly eventual: boolean;
}

export interface DirectoryServiceParts {
  readonly replica: FollowedReplica;
  readonly queue: CommitQueue;
  readonly events: AuditEvents;
  readonly newId: NewId;
  readonly quotas: OperationQuotas;
  readonly partition: string;
  readonly nowMs: () => number;
  readonly guard: LockoutGuard;
}

/** The operations of one organization: authorized, run and written with their record (API-8). */
export class DirectoryService {
  readonly #parts: DirectoryServiceParts;
  readonly #authorization = new Authorization();

  constructor(parts: DirectoryServiceParts) {
    this.#parts = parts;
  }

  /**
   * Returns what the call comes to. Throws what the store throws: `store-unavailable`, `store-frozen`,
   * `store-history-diverged`.
   */
  async call(call: OperationCall): Promise<CallResult> {
    const prepared = prepare(call.operation, call.input);
    if (isRefused(prepared))
      return this.#refused(call, refusal(prepared.code, prepared.message, prepared));
    const isRead = call.operation.access === "Read" || call.operation.access === "List";
    const { replica, queue, nowMs } = this.#parts;
    if (isRead || call.dryRun) {
      if (!call.eventual || !isRead) await replica.current();
      const state = new Draft(replica.state);
      const { epoch, revision } = replica.position;
      const moment = { state, nowMs: nowMs(), position: { epoch, revision: revision + 1 } };
      const known = isRead ? [] : this.#administrators(call);
      const { value } = this.#decide(call, prepared, moment, known);
      return value.ok ? { ...value, position: { epoch, revision } } : value;
    }
    const known = this.#administrators(call);
    const { value, revision } = await queue.submit({
      name: `${call.operation.service}:${call.operation.name}`,
      idempotency: this.#idempotency(call),
      decide: (moment) => this.#decide(call, prepared, moment, known),
    });
    if (!value.ok) return value;
    const { epoch } = replica.position;
    return { ...value, position: { epoch, revision: revision ?? replica.position.revision } };
  }

  #administrators({ force }: OperationCall): readonly Administrator[] {
    const { guard, replica, nowMs } = this.#parts;
    return force ? [] : guard.known(replica.state, nowMs());
  }

  #decide(
    call: OperationCall,
    prepared: Prepared,
    moment: Moment,
    known: readonly Administrator[],
  ): Proposal<CallResult> {
    const authorized = this.#authorization.at(moment.state, moment.nowMs);
    const caller = authorized.callerOf(call.caller, call.origin);
    if (isDenied(caller)) return this.#nothing(call, null, refusalOfDenied(caller), moment);
    const context = this.#context(caller, moment);
    const denied = askAll(authorized, call, prepared, context);
    if (denied !== null) return this.#nothing(call, caller, denied, moment);
    const result = run(prepared, context);
    if (isRefused(result)) {
      const refused = refusal(result.code, result.message, result);
      return this.#nothing(call, caller, refused, moment);
    }
    const { answer, findings, changes } = result;
    const lockout = refusedLockout(known, moment.state, changes, moment.nowMs);
    if (lockout !== null) return this.#nothing(call, caller, lockout, moment);
    const value: CallResult = { ok: true, answer, findings, position: moment.position };
    if (changes.length === 0) return this.#nothing(call, caller, value, moment);
    const audit = this.#record(call, caller, value, moment.nowMs, moment.position);
    return { value, changes, actor: caller.arn, audit };
  }

  #context(caller: KnownCaller, { state, nowMs, position }: Moment): OperationContext {
    const { newId, quotas, partition } = this.#parts;
    const { arn, account } = caller;
    return {
      state,
      caller: { arn, account },
      nowMs,
      position,
      newId,
      manager: "api",
      quotas,
      partition,
    };
  }

  /** A call that changes nothing has its record among the events (AUD-3). */
  #nothing(
    call: OperationCall,
    caller: KnownCaller | null,
    value: CallResult,
    { nowMs }: Moment,
  ): Proposal<CallResult> {
    this.#parts.events.add(nowMs, this.#record(call, caller, value, nowMs, null));
    return { value, changes: [], actor: "", audit: new Uint8Array() };
  }

  #refused(call: OperationCall, value: CallResult): CallResult {
    const nowMs = this.#parts.nowMs();
    this.#parts.events.add(nowMs, this.#record(call, null, value, nowMs, null));
    return value;
  }

  #record(
    { operation, origin, input, force }: OperationCall,
    caller: KnownCaller | null,
    value: CallResult,
    atMs: number,
    position: Moment["position"] | null,
  ): Uint8Array {
    const { replica } = this.#parts;
    return auditRecord({
      eventId: randomUUID(),
      requestId: origin.requestId,
      atMs,
      caller: caller && { principal: caller.principal, breakGlass: caller.breakGlass },
      service: operation.service,
      name: operation.name,
      readOnly: operation.access === "Read" || operation.access === "List",
      request: force ? { ...Object(input), force } : input,
      secretMembers: operation.secretMembers,
      answer: value.ok ? value.answer : null,
      error: value.ok ? null : { code: value.code, message: value.message },
      sourceIp: origin.sourceIp,
      userAgent: origin.userAgent,
      account: accountNamed(input) ?? arnFacts(replica.state).managementAccount,
      organization: replica.org,
      position,
    });
  }

  #idempotency(call: OperationCall): JobIdempotency<CallResult> | null {
    const { clientToken, operation, input } = call;
    if (clientToken === null) return null;
    const name = `${operation.service}:${operation.name}`;
    return {
      key: digest(callerKey(call.caller), name, clientToken).toString("hex"),
      requestDigest: digest(name, JSON.stringify(input)),
      encode: (value) => Buffer.from(JSON.stringify(value), "utf8"),
      decode: (response) => JSON.parse(Buffer.from(response).toString("utf8")) as CallResult,
      mismatch: () =>
        refusal("IdempotentParameterMismatch", "the client token was used for another request", {
          field: "clientToken",
        }),
    };
  }
}

function askAll(
  authorized: AuthorizedState,
  call: OperationCall,
  { operation, input }: Prepared,
  context: OperationContext,
): CallResult | null {
  const questions = operation.questions(input, context);
  const refused = authorized.refused(call.caller, call.origin, questions);
  if (refused === null) return null;
  if (isDenied(refused)) return refusalOfDenied(refused);
  const { resource } = refused.question;
  return refusal("AccessDenied", refused.sentence, { resource });
}

function accountNamed(input: unknown): string | null {
  if (typeof input !== "object" || input === null || !("account" in input)) return null;
  return typeof input.account === "string" ? input.account : null;
}

/** Of texts with their lengths, so that no two lists have the same digest. */
function digest(...texts: readonly string[]): Buffer {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(`${Buffer.byteLength(text)}:`).update(text, "utf8");
  return hash.digest();
}
