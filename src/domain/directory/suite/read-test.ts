import { foldAscii } from "../../../iam/ascii.ts";
import { denialOrder } from "../../../iam/policy/policy-type.ts";
import type { Reason } from "../../../iam/reason.ts";
import type { ContextValue } from "../../../iam/request-context.ts";
import { applyContext } from "../../../iam/scenario-context.ts";
import { readExpected } from "../../../iam/scenario-expected.ts";
import { askedBy, isAssumption, readAction } from "../../../iam/scenario-question.ts";
import {
  booleanOf,
  entriesOf,
  type Fields,
  fieldsOf,
  isNull,
  type Place,
  refuse,
  refuseValue,
  textOf,
  wordOf,
} from "../../../iam/scenario-reader.ts";
import { type Chosen, isName, nameWords, readChosen, readTexts } from "./named.ts";
import type { NamedReader } from "./named-reader.ts";
import type { ExpectedDecision, TestCase } from "./suite.ts";
import { readSuiteOptions } from "./suite-options.ts";

/** The fields of a test. */
export const testFields = [
  "name",
  "principal",
  "action",
  "resource",
  "context",
  "expected",
  "options",
  "skip",
  "skipReason",
] as const;

/** The fields of `expected` where it is more than a decision. */
export const expectedTestFields = ["decision", "deniedBy", "deniedLevel", "reason"] as const;

/** What a test may name, and what holds for all tests of its file. */
export interface SuiteNames {
  readonly principals: ReadonlyMap<string, Place>;
  readonly resources: ReadonlyMap<string, Place>;
  readonly named: NamedReader;
  readonly nowMs: number;
  /** Questions that may still be made. */
  readonly cases: { left: number };
}

/** Returns the questions of the test at `place`, one for each choice of its lists, or problems there. */
export function readTest(place: Place, names: SuiteNames): readonly TestCase[] {
  const fields = fieldsOf(place, testFields);
  if (fields === null) return [];
  const test = readName(fields);
  const principals = chosen(fields, "principal", names.principals);
  const resources = chosen(fields, "resource", names.resources);
  const actionPlace = fields.require("action");
  const actions = (
    actionPlace === null ? [] : readTexts(actionPlace, "an action or a list of them")
  ).filter((action) => readAction(action.place) !== null);
  const expectedPlace = fields.require("expected");
  const expected = expectedPlace && readExpectation(expectedPlace);
  const common = {
    context: readChanges(fields.get("context")),
    skipReason: readSkip(fields),
    nowMs: readSuiteOptions(fields.get("options")) ?? names.nowMs,
    position: place.value.position,
  };
  names.cases.left -= principals.length * resources.length * actions.length;
  if (names.cases.left < 0) {
    refuse(place, "LIMIT_EXCEEDED", "the file asks more questions than one file may");
    return [];
  }
  if (test === null || expected === null) return [];
  const cases: TestCase[] = [];
  for (const principal of principals) {
    for (const action of actions) {
      for (const resource of resources) {
        const question = readQuestion(principal, action.text, resource, names);
        if (question === null) continue;
        const choice = [
          ...(principals.length > 1 ? [principal.name] : []),
          ...(actions.length > 1 ? [action.text] : []),
          ...(resources.length > 1 ? [resource.name] : []),
        ];
        cases.push({ test, choice, ...question, ...common, expected });
      }
    }
  }
  return cases;
}

function readName(fields: Fields): string | null {
  const place = fields.require("name");
  const name = place && textOf(place);
  if (place === null || name === null) return null;
  return isName(name) ? name : refuseValue(place, nameWords);
}

function chosen(
  fields: Fields,
  what: "principal" | "resource",
  known: ReadonlyMap<string, Place>,
): readonly Chosen[] {
  const place = fields.require(what);
  return place === null ? [] : readChosen(place, what, known);
}

type Question = Pick<
  TestCase,
  "principalName" | "resourceName" | "principal" | "principalOrganization" | "action" | "target"
>;

function readQuestion(
  { name: principalName, place: principalPlace }: Chosen,
  action: string,
  { name: resourceName, place: resourcePlace }: Chosen,
  { named }: SuiteNames,
): Question | null {
  const caller = named.principal(principalPlace);
  const target = named.resource(resourcePlace, isAssumption(action));
  if (caller === null || target === null) return null;
  const { principal, organization: principalOrganization } = caller;
  return {
    principalName,
    resourceName,
    principal,
    principalOrganization,
    action,
    target: askedBy(principal, target, resourcePlace),
  };
}

function readChanges(place: Place | null): ReadonlyMap<string, ContextValue | null> {
  const values = new Map<string, ContextValue>();
  applyContext(place, values);
  const removed = (place === null ? [] : (entriesOf({ ...place, problems: [] }) ?? []))
    .filter(([, entry]) => isNull(entry))
    .map(([key]) => [foldAscii(key), null] as const);
  return new Map<string, ContextValue | null>([...values, ...removed]);
}

const decisions = ["allowed", "explicitDeny", "implicitDeny"] as const;

/** The reasons that policies lead to: no other can be an answer to a question. */
const policyReasons: readonly Reason[] = [
  "identity-policy",
  "resource-policy",
  "explicit-deny",
  "implicit-deny",
  "scp",
  "rcp",
  "permissions-boundary",
  "session-policy",
];

function readExpectation(place: Place): ExpectedDecision | null {
  const { value } = place;
  if (value.type === "string") {
    const decision = decisions.find((word) => word === value.value);
    if (decision !== undefined) return { decision };
  }
  if (value.type !== "object") {
    return refuseValue(place, `${decisions.map((word) => `\`${word}\``).join(", ")} or an object`);
  }
  const before = place.problems.length;
  const fields = fieldsOf(place, expectedTestFields);
  if (value.entries.length === 0) return refuseValue(place, "what the answer should be");
  if (fields === null || place.problems.length > before) return null;
  const reasonPlace = fields.get("reason");
  if (reasonPlace !== null && wordOf(reasonPlace, policyReasons) === null) return null;
  const { decision, deniedBy, deniedLevel, reason } = readExpected(place) ?? {};
  return {
    ...(decision !== undefined && { decision }),
    ...(deniedBy !== undefined && { deniedBy }),
    ...(deniedLevel !== undefined && { deniedLevel }),
    ...(reason !== undefined && { reason }),
  };
}

/** The words that `expected` may hold, for editors. */
export const expectedWords = {
  decisions,
  deniedBy: denialOrder,
  reasons: policyReasons,
} as const;

function readSkip(fields: Fields): string | null {
  const skipPlace = fields.get("skip");
  const reasonPlace = fields.get("skipReason");
  const reason = reasonPlace && textOf(reasonPlace);
  const skip = skipPlace !== null && booleanOf(skipPlace) === true;
  if (!skip) return null;
  if (reason !== null && isName(reason)) return reason;
  return refuse(
    reasonPlace ?? fields.place,
    "MISSING_FIELD",
    "expected the field `skipReason` beside `skip`, on one line of at most 200 characters",
  );
}
