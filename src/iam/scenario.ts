import type { Decision } from "./decision.ts";
import { parseJson } from "./policy/json.ts";
import { accountOf } from "./principal.ts";
import type { Loaded, Problem } from "./problem.ts";
import type { ContextValue, PolicyLayers, RequestContext } from "./request-context.ts";
import { applyContext, readFaults } from "./scenario-context.ts";
import { type ExpectedAnswer, readExpected } from "./scenario-expected.ts";
import { readPolicies, type ScenarioPolicy } from "./scenario-policies.ts";
import { readPrincipal } from "./scenario-principal.ts";
import {
  derivedKeys,
  ownOrganization,
  readAction,
  readNow,
  readOrganization,
  readResource,
} from "./scenario-question.ts";
import { booleanOf, type Fields, fieldsOf, itemsOf, textOf } from "./scenario-reader.ts";

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
