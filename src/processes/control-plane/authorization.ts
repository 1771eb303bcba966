import { organizationFacts, policiesOfResource } from "../../domain/directory/apply.ts";
import { arnFacts } from "../../domain/directory/operations/arn-of.ts";
import type { Question } from "../../domain/directory/operations/operation.ts";
import { lookupOf } from "../../domain/directory/state/lookup-of.ts";
import type { OrganizationState } from "../../domain/directory/state/organization-state.ts";
import { type Denied, isDenied } from "../../domain/request/denied.ts";
import { parseArn } from "../../iam/arn.ts";
import { foldAscii } from "../../iam/ascii.ts";
import type { Decision } from "../../iam/decision.ts";
import { resourceKeys } from "../../iam/derived-keys.ts";
import { evaluate } from "../../iam/evaluation/evaluate.ts";
import { accessDeniedSentence } from "../../iam/evaluation/sentence.ts";
import type { RequestResource } from "../../iam/request-context.ts";
import {
  type CallerWorld,
  type CallOrigin,
  type KnownCaller,
  knownCaller,
  type ProvenCaller,
  rootOf,
} from "./caller.ts";
import { CompiledPolicies } from "./compiled-policies.ts";

/** A question that was not allowed. */
export interface Refused {
  readonly sentence: string;
  readonly question: Question;
}

/**
 * Asks the engine that the sidecars use whether a caller may (TEN-1). One an organization; what it
 * remembers is compiled policies.
 */
export class Authorization {
  readonly #policies = new CompiledPolicies();

  /** Returns the way to ask about `state` as it is now: it must not change meanwhile. */
  at(state: OrganizationState, nowMs: number): AuthorizedState {
    return new AuthorizedState(state, nowMs, this.#policies);
  }
}

/**
 * One state that callers are looked up in. Cost: of units, SCPs and RCPs once, then of the caller, not of
 * the organization.
 */
export class AuthorizedState {
  readonly #state: OrganizationState;
  readonly #policies: CompiledPolicies;
  readonly #nowMs: number;
  #world: CallerWorld | null = null;

  constructor(state: OrganizationState, nowMs: number, policies: CompiledPolicies) {
    this.#state = state;
    this.#nowMs = nowMs;
    this.#policies = policies;
  }

  /** Returns who calls, or why he is nobody. The local socket is the root of `account`. */
  callerOf(proven: ProvenCaller, origin: CallOrigin, account?: string): KnownCaller | Denied {
    const world = this.#current();
    if (proven.type === "authenticated") return knownCaller(proven, origin, world);
    const home = proven.home ?? arnFacts(this.#state).managementAccount;
    return rootOf(account ?? home, origin, world);
  }

  /** Returns the first of `questions` that is not allowed, or null: all of them are. */
  refused(
    proven: ProvenCaller,
    origin: CallOrigin,
    questions: readonly Question[],
  ): Refused | Denied | null {
    for (const question of questions) {
      const caller = this.callerOf(proven, origin, question.account);
      if (isDenied(caller)) return caller;
      const decision = this.#ask(caller, question);
      if (decision.decision === "allowed") continue;
      const resource = question.resource === "*" ? "" : question.resource;
      const { principal } = caller;
      const sentence = accessDeniedSentence(decision, principal, question.action, resource);
      return { sentence, question };
    }
    return null;
  }

  #ask(caller: KnownCaller, question: Question): Decision {
    const { lookup } = this.#current();
    const resourceOrganization = organizationFacts(lookup, question.account);
    const arn = question.resource === "*" ? null : parseArn(question.resource);
    const resource: RequestResource = {
      arn: arn?.ok ? arn.value : null,
      account: question.account,
      class: "ordinary",
    };
    const keys = new Map(resourceKeys(resource, new Map(), resourceOrganization));
    for (const [key, value] of caller.keys) keys.set(key, value);
    for (const [key, value] of question.keys) keys.set(foldAscii(key), value);
    const { resourceControl } = policiesOfResource(lookup, question.account);
    return evaluate(
      {
        principal: caller.principal,
        action: question.action,
        resource,
        principalOrganization: caller.policies.organization,
        resourceOrganization,
        keys,
        faults: caller.faults,
        nowMs: this.#nowMs,
      },
      this.#policies.layers(caller.policies, resourceControl),
    );
  }

  #current(): CallerWorld {
    this.#world ??= {
      lookup: lookupOf(this.#state),
      trust: this.#policies.trust,
      nowMs: this.#nowMs,
    };
    return this.#world;
  }
}
