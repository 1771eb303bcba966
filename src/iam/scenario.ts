import { parseArn } from "./arn.ts";
import { foldAscii } from "./ascii.ts";
import type { Decision } from "./decision.ts";
import { principalKeys, resourceKeys, timeKeys } from "./derived-keys.ts";
import { instantOf } from "./evaluation/reference-value.ts";
import { parseJson } from "./policy/json.ts";
import { accountOf, type Principal } from "./principal.ts";
import type { Loaded, Problem } from "./problem.ts";
import type {
  ContextValue,
  OrganizationFacts,
  PolicyLayers,
  RequestContext,
  RequestResource,
} from "./request-context.ts";
import { applyContext, readFaults } from "./scenario-context.ts";
import { type ExpectedAnswer, readExpected } from "./scenario-expected.ts";
import { readPolicies, type ScenarioPolicy } from "./scenario-policies.ts";
import { isAccount, readPrincipal } from "./scenario-principal.ts";
import {
  booleanOf,
  type Fields,
  fieldsOf,
  isNull,
  itemsOf,
  type Place,
  refuseValue,
  textOf,
  textsOf,
  wordOf,
} from "./scenario-reader.ts";

/**
 * A question to the engine as it is written everywhere: `simulate`, the corpus, `mesh-iam test`,
 * replay of a logged decision (iam-semantics 12).
 */
export interface Scenario {
  readonly id: string;
  /** Its keys are a map that belongs to the scenario. */
  readonly context: RequestContext & { readonly keys: ReadonlyMap<string, ContextValue> };
  readonly layers: PolicyLayers<ScenarioPolicy>;
  /** What the scenario's author expects, null where nothing is said. */
  readonly expected: ExpectedAnswer | null;
  /** The clauses that a corpus case stands for. */
  readonly clauses: readonly string[];
}

export interface ScenarioOptions {
  /** The time of scenarios without `now`. Absent: such a scenario has no time keys. */
  readonly nowMs?: number;
  /** Size of the text in bytes of UTF-8, 4 MiB by default: a question with all its policies. */
  readonly maxBytes?: number;
}

/** A scenario or its problems; `id` is the scenario's own, null where it cannot be read. */
export type LoadedScenario = Loaded<Scenario> & { readonly id: string | null };

/** The fields of a scenario. */
export const scenarioFields = [
  "id",
  "title",
  "principal",
  "action",
  "resource",
  "organization",
  "now",
  "context",
  "derive",
  "faults",
  "policies",
  "expected",
  "clauses",
] as const;

const defaultMaxBytes = 4 * 1024 * 1024;
const maxDepth = 32;

/**
 * Returns the scenario of `text`, one JSON object, or every problem found in it: of JSON, of the
 * format (`UNKNOWN_FIELD`, `MISSING_FIELD`, `INVALID_VALUE`, `DUPLICATE_KEY`) and of the policy
 * documents, each at its place in `text`. Findings are those of the documents. Never throws.
 */
export function parseScenario(text: string, options: ScenarioOptions = {}): LoadedScenario {
  const maxBytes = options.maxBytes ?? defaultMaxBytes;
  const json = parseJson(text, { maxBytes, maxDepth, characters: "any" });
  if (!json.ok) return { ...json, id: null };
  const problems: Problem[] = [];
  const findings: Problem[] = [];
  const fields = fieldsOf({ value: json.value, path: "", problems }, scenarioFields);
  const idPlace = fields?.require("id") ?? null;
  const id = idPlace && textOf(idPlace);
  const scenario = fields && readScenario(fields, id ?? "", text, findings, options.nowMs ?? null);
  if (scenario === null || problems.length > 0) return { ok: false, problems, id };
  return { ok: true, value: scenario, findings, id };
}

function readScenario(
  fields: Fields,
  id: string,
  text: string,
  findings: Problem[],
  defaultNowMs: number | null,
): Scenario | null {
  const principalPlace = fields.require("principal");
  const actionPlace = fields.require("action");
  const resourcePlace = fields.require("resource");
  const principal = principalPlace && readPrincipal(principalPlace);
  const action = actionPlace && readAction(actionPlace);
  const common = readOrganization(fields.get("organization"));
  const target = resourcePlace && readResource(resourcePlace, principal, action ?? "", common);
  const nowMs = readNow(fields.get("now")) ?? defaultNowMs;
  const derivePlace = fields.get("derive");
  const derive = derivePlace === null || booleanOf(derivePlace) === true;
  const faults = readFaults(fields.get("faults"));
  const titlePlace = fields.get("title");
  if (titlePlace !== null) textOf(titlePlace);
  const clausesPlace = fields.get("clauses");
  const clauses = (clausesPlace && itemsOf(clausesPlace))?.map(textOf) ?? [];
  const expectedPlace = fields.get("expected");
  const resourceType = target?.resource.class === "role-trust" ? "trust" : "resource";
  const layers = readPolicies(fields.get("policies"), resourceType, { text, findings });
  const expected = expectedPlace && readExpected(expectedPlace);
  if (principal === null || action === null || target === null) return null;
  const principalOrganization =
    accountOf(principal) === null ? null : ownOrganization(principalPlace, common);
  const keys = derive
    ? derivedKeys(principal, principalOrganization, target, nowMs)
    : new Map<string, ContextValue>();
  applyContext(fields.get("context"), keys);
  return {
    id,
    context: {
      principal,
      action,
      resource: target.resource,
      principalOrganization,
      resourceOrganization: target.organization,
      keys,
      faults,
      nowMs: nowMs ?? 0,
    },
    layers,
    expected,
    clauses: clauses.filter((clause) => clause !== null),
  };
}

function derivedKeys(
  principal: Principal,
  principalOrganization: OrganizationFacts | null,
  { resource, tags, organization }: Target,
  nowMs: number | null,
): Map<string, ContextValue> {
  return new Map([
    ...principalKeys(principal, principalOrganization),
    ...resourceKeys(resource, tags, organization),
    ...(nowMs === null ? [] : timeKeys(nowMs)),
  ]);
}

function readAction(place: Place): string | null {
  const text = textOf(place);
  return text === null || /^[^:]+:./.test(text) ? text : refuseValue(place, "`service:Name`");
}

interface Target {
  readonly resource: RequestResource;
  readonly tags: ReadonlyMap<string, string>;
  readonly organization: OrganizationFacts | null;
}

function readResource(
  place: Place,
  principal: Principal | null,
  action: string,
  common: OrganizationFacts | null,
): Target | null {
  const fields = fieldsOf(place, ["arn", "account", "tags", "class", "organization"]);
  const arnPlace = fields?.require("arn") ?? null;
  const arnText = arnPlace && textOf(arnPlace);
  if (fields === null || arnPlace === null || arnText === null) return null;
  const tags = textsOf(fields.get("tags"));
  const classPlace = fields.get("class");
  const given = classPlace && wordOf(classPlace, ["ordinary", "role-trust", "owner-delegates"]);
  const accountPlace = fields.get("account");
  const organization = ownOrganization(place, common);

  if (arnText === "*") {
    // US-31: the pseudo-resource is owned by the caller's account
    const account = principal && accountOf(principal);
    if (accountPlace !== null && textOf(accountPlace) !== account) {
      refuseValue(accountPlace, "the caller's account, which owns the pseudo-resource");
    }
    return { resource: { arn: null, account, class: given ?? "ordinary" }, tags, organization };
  }
  const parsed = parseArn(arnText);
  if (!parsed.ok) {
    return refuseValue(arnPlace, "`arn:partition:service:region:account:resource` or `*`");
  }
  const arn = parsed.value;
  const account = accountPlace === null ? arn.account : textOf(accountPlace);
  if (account === null) return null;
  if (!isAccount(account)) {
    return refuseValue(accountPlace ?? place, "`account`, the owner's twelve digits");
  }
  // the default of iam-semantics 12
  const isRole = arn.service === "iam" && arn.resource.startsWith("role/");
  const isAssumed = foldAscii(action).startsWith("sts:assumerole");
  const ownClass = given ?? (isRole && isAssumed ? "role-trust" : "ordinary");
  return { resource: { arn, account, class: ownClass }, tags, organization };
}

/** Returns the organization that stands at a principal or resource, else the common one. */
function ownOrganization(
  place: Place | null,
  common: OrganizationFacts | null,
): OrganizationFacts | null {
  const { value, path, problems } = place ?? {};
  const entry =
    value?.type === "object" ? value.entries.find(({ key }) => key === "organization") : undefined;
  if (entry === undefined || path === undefined || problems === undefined) return common;
  return readOrganization({ value: entry.value, path: `${path}.organization`, problems });
}

function readOrganization(place: Place | null): OrganizationFacts | null {
  if (place === null || isNull(place)) return null;
  const fields = fieldsOf(place, ["id", "managementAccount", "path", "serviceControlEnabled"]);
  const idPlace = fields?.require("id") ?? null;
  const id = idPlace && textOf(idPlace);
  if (fields === null || id === null) return null;
  const managementPlace = fields.get("managementAccount");
  const pathPlace = fields.get("path");
  const enabledPlace = fields.get("serviceControlEnabled");
  return {
    id,
    managementAccount: managementPlace && textOf(managementPlace),
    path: pathPlace && textOf(pathPlace),
    serviceControlEnabled: enabledPlace === null || booleanOf(enabledPlace) === true,
  };
}

const nanosPerMs = 1_000_000n;

function readNow(place: Place | null): number | null {
  const text = place && textOf(place);
  if (place === null || text === null) return null;
  const instant = instantOf(text);
  if (instant === null) return refuseValue(place, "a time such as `2026-11-24T00:00:00Z`");
  return Number(instant / nanosPerMs);
}

/** The answer to a scenario (DESIGN 6). */
export interface Answer
  extends Pick<Decision, "decision" | "deniedBy" | "deniedLevel" | "matchedStatements" | "errors"> {
  readonly id: string;
  readonly missingContextKeys: readonly string[];
}

/** Returns the answer to scenario `id`, as an object whose fields are in the order of the format. */
export function formatAnswer(
  id: string,
  decision: Decision,
  missingContextKeys: readonly string[],
): Answer {
  return {
    id,
    decision: decision.decision,
    deniedBy: decision.deniedBy,
    deniedLevel: decision.deniedLevel,
    matchedStatements: decision.matchedStatements,
    missingContextKeys,
    errors: decision.errors,
  };
}
