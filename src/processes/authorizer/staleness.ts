import type { ResolvedRequest } from "../../domain/request/resolve.ts";

/** How old a bundle may grow before Checks are denied; null: for ever (BUN-11). */
export interface StalenessOptions {
  readonly denyAfterSeconds: number | null;
  readonly denyHighRiskAfterSeconds: number | null;
}

/**
 * Returns whether a bundle of this age is too old for `request`: for every request by the first bound,
 * for routes tagged `risk: high` by the second as well. A request with an override method is as risky
 * as the riskier of its two.
 */
export function isTooOld(
  ageMs: number,
  request: ResolvedRequest,
  options: StalenessOptions,
): boolean {
  const { denyAfterSeconds, denyHighRiskAfterSeconds } = options;
  if (denyAfterSeconds !== null && ageMs > denyAfterSeconds * 1000) return true;
  if (denyHighRiskAfterSeconds === null || ageMs <= denyHighRiskAfterSeconds * 1000) return false;
  return isHighRisk(request) || (request.second !== null && isHighRisk(request.second));
}

function isHighRisk({ resourceTags }: ResolvedRequest): boolean {
  return resourceTags.get("risk") === "high";
}
