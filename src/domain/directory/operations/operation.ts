import type { Problem } from "../../../iam/problem.ts";
import type { ContextValue } from "../../../iam/request-context.ts";
import type { Members, Shape } from "../shape/shape.ts";
import type { StorePosition } from "../state/entity.ts";
import type { OrganizationState, StateChange } from "../state/organization-state.ts";
import type { NewId } from "./new-id.ts";
import type { OperationQuotas } from "./quotas.ts";
import type { Refusal } from "./refusal.ts";

/** What an operation knows of the world (API-7). Nothing else: no clock, no randomness, no store. */
export interface OperationContext {
  readonly state: OrganizationState;
  readonly caller: Caller;
  readonly nowMs: number;
  /** The revision that its changes get. */
  readonly position: StorePosition;
  readonly newId: NewId;
  /** The field manager of what it creates (FILE-6): `api` for single calls. */
  readonly manager: string;
  readonly quotas: OperationQuotas;
  /** Of the ARNs of an organization that is created; default `aws`. */
  readonly partition: string;
}

/** Who asks; whether he may is decided by whoever asks the engine the operation's questions. */
export interface Caller {
  readonly arn: string;
  /** Where an input names no account, this one. */
  readonly account: string;
}

/** What the engine is to be asked before an operation is run: all of them must be allowed. */
export interface Question {
  /** `iam:CreateRole` */
  readonly action: string;
  /** An ARN, or `*` for actions that have no resource. */
  readonly resource: string;
  /** The account that the resource is of. */
  readonly account: string;
  /** By the key as AWS writes it: `iam:PolicyARN`, `aws:TagKeys`. */
  readonly keys: ReadonlyMap<string, ContextValue>;
}

/** What a successful operation comes to. */
export interface Success {
  readonly changes: readonly StateChange[];
  /** Members in AWS's words, lowerCamelCase; times in milliseconds. */
  readonly answer: Readonly<Record<string, unknown>>;
  /** What the validator says of a policy that was stored nevertheless (API-9). */
  readonly findings: readonly Problem[];
}

export type AccessLevel = "List" | "Read" | "Write" | "Permissions management" | "Tagging";

/**
 * One operation, declared once: API, authorization, audit and reference page derive from it. `input` is
 * read by `prepare` before the queue; `questions` and `run` see the very state that the changes go to.
 */
export interface Operation {
  readonly name: string;
  readonly service: "iam" | "organizations" | "sso" | "mesh-iam";
  readonly access: AccessLevel;
  readonly input: Shape<unknown> & { readonly members: Members };
  /** Members that no audit record shows. No operation of the directory takes a secret so far. */
  readonly secretMembers: readonly string[];
  questions(input: unknown, context: OperationContext): readonly Question[];
  run(input: unknown, context: OperationContext): Success | Refusal;
}

/** `Operation` with the type of its input. */
export interface TypedOperation<I> extends Operation {
  readonly input: Shape<I> & { readonly members: Members };
  questions(input: I, context: OperationContext): readonly Question[];
  run(input: I, context: OperationContext): Success | Refusal;
}

/** Returns a success without answer or findings. */
export function done(
  changes: readonly StateChange[],
  answer: Readonly<Record<string, unknown>> = {},
  findings: readonly Problem[] = [],
): Success {
  return { changes, answer, findings };
}
