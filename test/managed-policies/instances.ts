import { type Arn, parseArn } from "../../src/iam/arn.ts";
import type { ConditionEntry, Statement } from "../../src/iam/policy/document.ts";
import type { ContextValue } from "../../src/iam/request-context.ts";
import type { Random } from "../property/random.ts";

/** How a part of a request relates to the statement it is made from. */
export type Fit = "matching" | "near miss";

/** Returns a text that `pattern` matches, or one that is off by little. */
function instanceOf(pattern: string, fit: Fit, random: Random): string {
  const text = pattern
    .replaceAll(/\$\{[^}]*\}/g, "x")
    .replaceAll("*", () => random.pick(["", "a", "Ab1", "x/y", "*"]))
    .replaceAll("?", () => random.pick(["q", "?"]));
  if (fit === "matching") return text;
  const at = random.int(text.length + 1);
  switch (random.int(3)) {
    case 0:
      return `${text.slice(0, at)}~${text.slice(at)}`;
    case 1:
      return text.slice(0, -1);
    default:
      return text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase();
  }
}

/** Returns an action made from one entry of the statement, of the form `service:Name`. */
export function actionFor({ action }: Statement, fit: Fit, random: Random): string {
  const { text } = random.pick(action.entries);
  const made = instanceOf(text === "*" ? "s3:Get*" : text, fit, random);
  return /^[^:]+:./.test(made) ? made : `${made.replaceAll(":", "")}x:Any`;
}

/** Returns a resource made from one entry of the statement, null where that is the pseudo-resource. */
export function resourceFor({ resource }: Statement, fit: Fit, random: Random): Arn | null {
  const { text } = random.pick(resource?.entries ?? []);
  if (text === "*" && random.chance(0.5)) return null;
  const pattern = text === "*" ? "arn:aws:s3:::bkt/*" : text;
  const parsed = parseArn(pattern);
  // a short form, `arn:aws:s3:*`, stands for any remaining fields
  if (!parsed.ok) return resourceOf("arn:aws:s3:::bkt/x");
  const { partition, service, region, account, resource: name } = parsed.value;
  const field = (each: string, usual: string) =>
    each === "*" ? usual : instanceOf(each, "matching", random);
  return {
    partition: field(partition, "aws"),
    service,
    region: field(region, "eu-west-1"),
    account: field(account, "111122223333"),
    resource: instanceOf(name, fit, random),
  };
}

function resourceOf(text: string): Arn | null {
  const parsed = parseArn(text);
  return parsed.ok ? parsed.value : null;
}

/** What a condition finds in the request. */
export type Finding = "satisfied" | "unsatisfied" | "absent";

/** Returns values for one condition, null for none: made from what the policy compares with. */
export function valueFor(
  condition: ConditionEntry,
  finding: Finding,
  random: Random,
): ContextValue | null {
  if (finding === "absent") return null;
  const { base, negated, quantifier, values } = condition;
  if (base === "Null") {
    const isAbsent = (values[0]?.text === "true") === (finding === "satisfied");
    return isAbsent ? null : { multivalued: false, values: ["x"] };
  }
  const fit: Fit = (finding === "satisfied") !== negated ? "matching" : "near miss";
  const count = quantifier === null ? 1 : 1 + random.int(3);
  const made = Array.from({ length: count }, () =>
    requestValue(base, random.pick(values).text, fit, random),
  );
  return { multivalued: quantifier !== null, values: made };
}

function requestValue(
  base: Exclude<ConditionEntry["base"], "Null">,
  text: string,
  fit: Fit,
  random: Random,
): string {
  const isMatching = fit === "matching";
  switch (base) {
    case "Bool":
      return isMatching === (text === "true") ? "true" : "false";
    case "IpAddress":
      return isMatching ? text.replace(/\/.*/, "") : "203.0.113.9";
    case "NumericEquals":
    case "NumericLessThanEquals":
    case "NumericGreaterThanEquals":
      return isMatching ? text : `${text}7`;
    case "NumericLessThan":
      return isMatching ? `-${text}` : text;
    case "NumericGreaterThan":
      return isMatching ? `${text}7` : text;
    case "DateEquals":
    case "DateLessThanEquals":
    case "DateGreaterThanEquals":
      return isMatching ? text : "1999-01-01";
    case "DateLessThan":
      return isMatching ? "1999-01-01" : text;
    case "DateGreaterThan":
      return isMatching ? "2999-01-01" : text;
    case "StringEquals":
    case "StringEqualsIgnoreCase":
    case "BinaryEquals":
      return isMatching ? text.replaceAll(/\$\{[^}]*\}/g, "x") : `${text}x`;
    case "StringLike":
    case "ArnLike":
      return instanceOf(text, fit, random);
  }
}
