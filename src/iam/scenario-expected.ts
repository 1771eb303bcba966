import type { DecisionWord, EvaluationError, MatchedStatement } from "./decision.ts";
import { denialOrder, type PolicyType } from "./policy/policy-type.ts";
import { type Reason, reasons } from "./reason.ts";
import {
  fieldsOf,
  isNull,
  itemsOf,
  type Place,
  refuseValue,
  textOf,
  wordOf,
} from "./scenario-reader.ts";

/**
 * What the author of a scenario expects of the answer. Only what is written is compared; `null` is
 * written where no policy type or level decided.
 */
export interface ExpectedAnswer {
  readonly decision?: DecisionWord;
  readonly reason?: Reason;
  readonly deniedBy?: PolicyType | null;
  readonly deniedLevel?: number | null;
  readonly matchedStatements?: readonly MatchedStatement[];
  readonly errors?: readonly EvaluationError[];
  /** Codes of findings about the documents, each at least once. */
  readonly findings?: readonly string[];
  /** The scenario is refused, with these codes among its problems. */
  readonly problems?: readonly string[];
}

/** The fields of `expected`. */
export const expectedFields = [
  "decision",
  "reason",
  "deniedBy",
  "deniedLevel",
  "matchedStatements",
  "errors",
  "findings",
  "problems",
] as const;

const errorWords: readonly EvaluationError[] = [
  "policy-unusable",
  "key-unavailable",
  "step-bound",
  "snapshot-unusable",
];

/** Returns the expectation at `place`, null with problems there. */
export function readExpected(place: Place): ExpectedAnswer | null {
  const fields = fieldsOf(place, expectedFields);
  if (fields === null) return null;
  const read = <T>(name: string, reader: (place: Place) => T | null): T | null => {
    const field = fields.get(name);
    return field === null ? null : reader(field);
  };
  const decision = read("decision", (p) =>
    wordOf<DecisionWord>(p, ["allowed", "explicitDeny", "implicitDeny"]),
  );
  const reason = read("reason", (p) => wordOf(p, reasons));
  const matchedStatements = read("matchedStatements", (p) => listOf(p, readMatched));
  const errors = read("errors", (p) => listOf(p, (item) => wordOf(item, errorWords)));
  const findings = read("findings", (p) => listOf(p, textOf));
  const problems = read("problems", (p) => listOf(p, textOf));
  const deniedBy = fields.get("deniedBy");
  const deniedLevel = fields.get("deniedLevel");
  return {
    ...(decision && { decision }),
    ...(reason && { reason }),
    ...(deniedBy && { deniedBy: isNull(deniedBy) ? null : wordOf(deniedBy, denialOrder) }),
    ...(deniedLevel && { deniedLevel: isNull(deniedLevel) ? null : indexOf(deniedLevel) }),
    ...(matchedStatements && { matchedStatements }),
    ...(errors && { errors }),
    ...(findings && { findings }),
    ...(problems && { problems }),
  };
}

function listOf<T>(place: Place, reader: (item: Place) => T | null): T[] {
  return (itemsOf(place) ?? []).map(reader).filter((item) => item !== null);
}

function readMatched(place: Place): MatchedStatement | null {
  const fields = fieldsOf(place, ["policyType", "policyId", "sid", "index", "effect"]);
  const [typePlace, idPlace] = [fields?.require("policyType"), fields?.require("policyId")];
  const [indexPlace, effectPlace] = [fields?.require("index"), fields?.require("effect")];
  const sidPlace = fields?.get("sid");
  const policyType = typePlace ? wordOf(typePlace, denialOrder) : null;
  const policyId = idPlace ? textOf(idPlace) : null;
  const index = indexPlace ? indexOf(indexPlace) : null;
  const effect = effectPlace ? wordOf(effectPlace, ["Allow", "Deny"] as const) : null;
  const sid = sidPlace ? textOf(sidPlace) : "";
  if (policyType === null || policyId === null || index === null) return null;
  if (effect === null || sid === null) return null;
  return { policyType, policyId, sid, index, effect };
}

function indexOf(place: Place): number | null {
  const { value } = place;
  return value.type === "number" && /^[0-9]{1,4}$/.test(value.text)
    ? Number(value.text)
    : refuseValue(place, "a number from 0");
}
