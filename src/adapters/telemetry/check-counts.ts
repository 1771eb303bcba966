import type { AuthMethod } from "../../domain/request/outcome.ts";
import { credentialReasons, outcomeOf, type Reason, reasons } from "../../iam/reason.ts";
import { metricTable } from "./metric-table.ts";
import { authMethods } from "./metric-words.ts";
import type { Sample, Series } from "./series.ts";

/** What the counts need to know of a fronted service. */
export interface CountedService {
  readonly arn: string;
  readonly account: string;
  readonly name: string;
}

/** Above this many services the label `service` is dropped: series would multiply (5.2). */
export const maxCountedServices = 20;

const methodCount = authMethods.length;
const width = reasons.length * methodCount;
const reasonIndex = new Map<Reason, number>(reasons.map((reason, at) => [reason, at]));
const methodIndex = new Map<AuthMethod, number>(authMethods.map((method, at) => [method, at]));

/** Methods that give a principal today; `session` comes with STS, `sigv4` later still. */
const served: readonly AuthMethod[] = ["jwt", "jwt-svid", "mtls"];
/** A refused token is counted under `jwt`, whatever kind it would have been. */
const refusedToken: readonly AuthMethod[] = ["jwt"];
const anyone: readonly AuthMethod[] = ["none", ...served];
const nobody: readonly AuthMethod[] = ["none"];

/**
 * Returns the methods with which a Check can have `reason`: these are shown from the first scrape on.
 * A combination that occurs beyond them is counted and shown all the same.
 */
export function reachableMethods(reason: Reason): readonly AuthMethod[] {
  switch (reason) {
    case "identity-policy":
    case "implicit-deny":
    case "scp":
    case "permissions-boundary":
    case "principal-not-mapped":
    case "revoked":
      return served;
    case "resource-policy":
    case "shadow-mode":
    case "explicit-deny":
    case "rcp":
    case "unauthenticated":
    case "ambiguous-header":
    case "evaluation-error":
      return anyone;
    case "session-policy":
    case "replayed":
      return [];
    default:
      return credentialReasons.has(reason) && reason.startsWith("token-") ? refusedToken : nobody;
  }
}

/** The reasons that a Check can have before its service is known. */
const beforeService: ReadonlySet<Reason> = new Set<Reason>([
  "ambiguous-path",
  "ambiguous-host",
  "ambiguous-header",
  "request-too-large",
  "route-not-found",
  "throttled",
  "bundle-missing",
  "bundle-stale",
  "evaluation-error",
  "malformed",
  "overloaded",
  "deadline",
  "internal",
]);
/** The reasons that a Check can only have before its service is known. */
const onlyBeforeService: ReadonlySet<Reason> = new Set<Reason>([
  "ambiguous-host",
  "request-too-large",
  "bundle-missing",
  "malformed",
]);

/**
 * `checks_total`: one number for each service × reason × method in one array. Counting is a few
 * additions and three look-ups by text that is already hashed; it allocates nothing.
 */
export class CheckCounts implements Series {
  readonly spec = metricTable.checks;
  /** Row 0 is for Checks whose service is unknown, or for all of them where the label is dropped. */
  #names: readonly string[] = [""];
  #rowOfArn: ReadonlyMap<string, number> = new Map();
  #values = new Float64Array(width);

  count(serviceArn: string | null, reason: Reason, method: AuthMethod): void {
    const row = serviceArn === null ? 0 : (this.#rowOfArn.get(serviceArn) ?? 0);
    const column = (reasonIndex.get(reason) ?? 0) * methodCount + (methodIndex.get(method) ?? 0);
    const slot = row * width + column;
    this.#values[slot] = (this.#values[slot] as number) + 1;
  }

  /**
   * Takes the services of a new snapshot. The counts of a service that stays are kept; those of one
   * that goes leave with its series. A name that two accounts have is shown as `account/name`.
   */
  setServices(services: readonly CountedService[]): void {
    const shown = services.length > maxCountedServices ? [] : services;
    const labels = shown.map(({ account, name }) =>
      shown.filter((other) => other.name === name).length > 1 ? `${account}/${name}` : name,
    );
    const names = ["", ...labels];
    const values = new Float64Array(names.length * width);
    for (const [row, name] of names.entries()) {
      const before = this.#names.indexOf(name);
      if (before < 0) continue;
      values.set(this.#values.subarray(before * width, (before + 1) * width), row * width);
    }
    this.#names = names;
    this.#rowOfArn = new Map(shown.map(({ arn }, at) => [arn, at + 1]));
    this.#values = values;
  }

  samples(): Sample[] {
    const lines: Sample[] = [];
    const single = this.#names.length === 1;
    for (const [row, service] of this.#names.entries()) {
      for (const [at, reason] of reasons.entries()) {
        const fits =
          single || (row === 0 ? beforeService.has(reason) : !onlyBeforeService.has(reason));
        const reachable = fits ? reachableMethods(reason) : [];
        for (const [column, method] of authMethods.entries()) {
          const value = this.#values[row * width + at * methodCount + column] ?? 0;
          if (value === 0 && !reachable.includes(method)) continue;
          const labels = { outcome: outcomeOf(reason), reason, auth_method: method, service };
          lines.push({ suffix: "", labels, value });
        }
      }
    }
    return lines;
  }
}
