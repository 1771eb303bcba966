import type { Severity } from "../../problem.ts";
import type { ValidateOptions } from "./check.ts";

/** A check of AWS's ValidatePolicy, or one of our own, that is not made, and why. */
export interface UndecidedCheck {
  readonly code: string;
  readonly severity: Severity;
  readonly why: string;
}

const needsServices = "no services are given whose actions and condition keys are known";
const needsAws = "it needs AWS's catalogue of actions, resource types and condition keys";
const notInMesh = "it is about resources that only AWS has";
const privateIsNormal = "private addresses are the normal case in a mesh";
const needsAnalysis = "it needs the analysis of several policies together";

/** Checks of iam-semantics 10.1, by level, that this package does not make. Only shrinks. */
const never: readonly UndecidedCheck[] = [
  error("ARN_ACCOUNT_NOT_ALLOWED", needsAws),
  error("ARN_REGION_NOT_ALLOWED", needsAws),
  error("INVALID_ARN_ACCOUNT", needsAws),
  error("INVALID_ARN_REGION", needsAws),
  error("INVALID_REGION", needsAws),
  error("INVALID_VPC_FORMAT", notInMesh),
  error("INVALID_VPCE_FORMAT", notInMesh),
  error("MISSING_ACTION_FOR_ROLES_ANYWHERE", notInMesh),
  error("MISSING_ARN_REGION", needsAws),
  error("PRIVATE_IP_ADDRESS", privateIsNormal),
  error("PRIVATE_NOT_IP_ADDRESS", privateIsNormal),
  error("UNSUPPORTED_ACTION_FOR_CONDITION_KEY", needsAws),
  error("UNSUPPORTED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL", needsAws),
  error(
    "UNSUPPORTED_GLOBAL_CONDITION_KEY",
    "such a key is reported as INVALID_GLOBAL_CONDITION_KEY",
  ),
  error("UNSUPPORTED_RESOURCE_ARN_IN_POLICY", needsAws),

  securityWarning("DENY_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE", needsAws),
  securityWarning("MISSING_PAIRED_CONDITION_KEYS", needsAws),
  securityWarning("PASS_ROLE_WITH_STAR_IN_RESOURCE", notInMesh),
  securityWarning("PRIVILEGE_ESCALATION", needsAnalysis),

  warning("CREATE_SLR_WITH_STAR_IN_RESOURCE", notInMesh),
  warning("DEPRECATED_GLOBAL_CONDITION_KEY", needsAws),
  warning("STATEMENT_SHADOWED_BY_SCP", needsAnalysis),

  suggestion("ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE", needsAws),
  suggestion("IRRELEVANT_CONDITION_KEY_IN_POLICY", needsAws),
  suggestion("PRIVATE_IP_ADDRESS_SUBSET", privateIsNormal),
  suggestion("RECOMMENDED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL", needsAws),
];

/** Checks that are made for services that are given, and only for those. */
const withServices: readonly UndecidedCheck[] = [
  error("INVALID_ACTION", needsServices),
  warning("ACTION_AND_RESOURCE_DO_NOT_FIT", needsServices),
  warning("STATEMENT_NEVER_MATCHES", needsServices),
  error("INVALID_SERVICE_CONDITION_KEY", needsServices),
];

/**
 * Returns the checks that `validatePolicy` does not make with these options, each with the reason: what
 * it says nothing about has not been found good.
 */
export function undecidedChecks({ services }: ValidateOptions = {}): readonly UndecidedCheck[] {
  const known = services !== undefined && services.size > 0;
  return known ? never : [...withServices, ...never];
}

function error(code: string, why: string): UndecidedCheck {
  return { code, severity: "ERROR", why };
}

function securityWarning(code: string, why: string): UndecidedCheck {
  return { code, severity: "SECURITY_WARNING", why };
}

function warning(code: string, why: string): UndecidedCheck {
  return { code, severity: "WARNING", why };
}

function suggestion(code: string, why: string): UndecidedCheck {
  return { code, severity: "SUGGESTION", why };
}
