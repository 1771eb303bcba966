import type { Answer, DenialStatus } from "../../domain/request/outcome.ts";
import type { Decision } from "../../iam/decision.ts";
import { credentialReasons, outcomeOf, type Reason } from "../../iam/reason.ts";

/** What turns a decision into what Envoy is told. */
export interface AnswerFacts {
  /** The caller was evaluated as anonymous. */
  readonly anonymous: boolean;
  /** An implied Allow took part: `authType: NONE` or a valid CORS preflight (EXC-10). */
  readonly implied: boolean;
  /** The service is in `mode: shadow`, or the sidecar runs dry. */
  readonly shadow: boolean;
}

/**
 * Returns what Envoy is told about `decision` (envoy-ext-authz R2, kubernetes-and-observability 2.8).
 * An anonymous caller denied without an explicit Deny is asked for a credential; in shadow mode a
 * denial becomes an allow that says so.
 */
export function answerTo(decision: Decision, facts: AnswerFacts): Answer {
  if (decision.decision === "allowed") {
    return allow(facts.implied ? "authentication-not-required" : decision.reason);
  }
  if (facts.shadow) return allow("shadow-mode");
  const wantsCredential =
    facts.anonymous && decision.decision === "implicitDeny" && decision.deniedBy !== null;
  return denyWith(wantsCredential ? "unauthenticated" : decision.reason);
}

/** Returns the HTTP status that a denial for `reason` carries (R2). */
export function statusOf(reason: Reason): DenialStatus {
  if (credentialReasons.has(reason)) return 401;
  switch (reason) {
    case "ambiguous-path":
    case "ambiguous-host":
    case "ambiguous-header":
    case "request-too-large":
    case "malformed":
      return 400;
    case "throttled":
      return 429;
    case "bundle-missing":
    case "bundle-stale":
    case "overloaded":
    case "deadline":
    case "evaluation-error":
    case "internal":
      return 503;
    default:
      return 403;
  }
}

function allow(reason: Reason): Answer {
  return { type: "allow", outcome: "allow", reason };
}

function denyWith(reason: Reason): Answer {
  // INVARIANT: a denial never carries a reason of outcome `allow`; one that did would be our own bug.
  const outcome = outcomeOf(reason);
  if (outcome === "allow") return denyWith("internal");
  return { type: "deny", outcome, reason, status: statusOf(reason) };
}
