import type { Decision } from "../../iam/decision.ts";
import type { Principal } from "../../iam/principal.ts";
import type { Outcome, Reason } from "../../iam/reason.ts";
import type { ServiceDefinition } from "./service-definition.ts";

/** Which credential gave the principal: `mesh:TokenType` and the metric label `auth_method`. */
export type AuthMethod = "none" | "jwt" | "session" | "jwt-svid" | "sigv4" | "mtls";

/** The HTTP statuses a denial may carry (envoy-ext-authz R2). */
export type DenialStatus = 400 | 401 | 403 | 404 | 429 | 503;

/** What Envoy is told: the answer after anonymity, preflight and shadow mode had their say. */
export type Answer =
  | { readonly type: "allow"; readonly outcome: "allow"; readonly reason: Reason }
  | {
      readonly type: "deny";
      readonly outcome: Exclude<Outcome, "allow">;
      readonly reason: Reason;
      readonly status: DenialStatus;
    };

/**
 * All there is to say about one Check. The encoder, the decision log and the metrics take this and
 * nothing else. Built once, at the end of the journey.
 */
export interface CheckOutcome {
  /** Fixed width (R9, R10). */
  readonly decisionId: string;
  /** Position of the snapshot that decided: epoch and revision; 0 and 0 without one. */
  readonly epoch: number;
  readonly revision: number;
  readonly mode: "enforce" | "shadow";
  readonly cache: "hit" | "miss" | "bypass";
  readonly authMethod: AuthMethod;
  /** Null where the journey ended before it was known. */
  readonly principal: Principal | null;
  readonly service: ServiceDefinition | null;
  /** `orders:GetOrder`, null where no route maps. */
  readonly action: string | null;
  /** ARN text, null where no route maps. */
  readonly resource: string | null;
  /** True when the request was classified as gRPC: decides the form of a denial. */
  readonly grpc: boolean;
  /** What was decided, which in shadow mode and for anonymous callers is not what was answered. */
  readonly decision: Decision;
  readonly answer: Answer;
  /** The finer cause for the log, never shown to the caller: `dot-segment`, a claim's name. */
  readonly detail: string;
  /** AWS's sentence, only in verbose mode and only on a denial by policy. */
  readonly sentence: string | null;
  /** Request headers to be removed on an allow beyond our own family, lower-case (R6). */
  readonly removeHeaders: readonly string[];
  /** Header names of the identity family that the request carried, as received (R6). */
  readonly identityHeaderNames: readonly string[];
  /** Monotonic nanoseconds from the message's arrival to the answer. */
  readonly durationNs: number;
}
