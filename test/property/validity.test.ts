// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables are what is generated
import { expect, test } from "vitest";
import type { Decision } from "../../src/iam/decision.ts";
import { timeKeys } from "../../src/iam/derived-keys.ts";
import { evaluators } from "../corpus/evaluators.ts";
import { mapLayers } from "../corpus/map-layers.ts";
import { type ConditionDraft, type Draft, scenarioOf, textOf } from "./draft.ts";
import { generateDraft } from "./generate.ts";
import { createRandom, type Random } from "./random.ts";
import { caseCount, first, reproduce, seed } from "./settings.ts";

/**
 * T-KEY-18, POL-085: until `validUntilMs` of the engine's decision the clock changes nothing. The
 * question is asked again, of the reference, at later instants with the keys of those instants.
 */
const cases = caseCount(1_000);
const [reference, ...engines] = evaluators;

/** An instant that the policies below stand around. */
const noonMs = Date.UTC(2024, 5, 1);

const instants = [
  "2024-06-01",
  "2024-06-01T00:00:00.5Z",
  "2024-06-01T00:00:02.000000001Z",
  "2024-06-01T00:01:00Z",
  "1717200003",
  "1717200004.25",
];

function timeCondition(random: Random): ConditionDraft {
  const order = random.pick(["LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"]);
  const suffix = random.pick([order, "Equals", "NotEquals"]);
  switch (random.int(7)) {
    case 0:
      return { [`Date${suffix}`]: { "aws:CurrentTime": random.some(instants, 1, 2) } };
    case 1:
      return { [`Date${suffix}`]: { "aws:EpochTime": random.some(instants, 1, 2) } };
    case 2: {
      const numbers = ["1717200000", "1717200001.5", "1717200060", "2024"];
      return { [`Numeric${suffix}`]: { "aws:EpochTime": random.some(numbers, 1, 2) } };
    }
    case 3:
      // equal at the first asking alone, since the request holds that instant as a tag
      return { StringNotEquals: { "aws:RequestTag/T": ["x", "${aws:EpochTime}"] } };
    case 4:
      return {
        [random.pick(["StringLike", "StringNotLike"])]: {
          [random.pick(["aws:MultiFactorAuthAge", "aws:EpochTime"])]: random.pick([
            ["?"],
            ["17171*"],
          ]),
        },
      };
    default: {
      const ages = ["0", "3", "4.5", "5", "60", "-1"];
      return { [`Numeric${suffix}`]: { "aws:MultiFactorAuthAge": random.some(ages, 1, 2) } };
    }
  }
}

/** Returns the draft with conditions on the clock in about half of its statements. */
function withTimeConditions(draft: Draft, random: Random): Draft {
  const layers = mapLayers(draft.layers, ({ id, document }) => ({
    id,
    document: document && {
      ...document,
      Statement: document.Statement.map((statement) =>
        random.chance(0.5) ? { ...statement, Condition: timeCondition(random) } : statement,
      ),
    },
  }));
  return { ...draft, layers };
}

/** Returns the draft with the instant in a tag and, of objects, in the resource, where variables look. */
function withInstant(draft: Draft, nowMs: number, random: Random): Draft {
  const instant = timeKeys(nowMs).get("aws:epochtime");
  const { arn, ...rest } = draft.context.resource;
  if (instant === undefined) throw new Error("no instant");
  const keys = new Map(draft.keys).set("aws:requesttag/t", instant);
  if (arn?.service !== "s3" || random.chance(0.5)) return { ...draft, keys };
  const resource = { ...rest, arn: { ...arn, resource: `bkt/${instant.values[0]}` } };
  const layers = mapLayers(draft.layers, ({ id, document }) => ({
    id,
    document: document && {
      ...document,
      Statement: document.Statement.map((statement) =>
        statement.Resource === undefined || random.chance(0.5)
          ? statement
          : { ...statement, Resource: ["arn:aws:s3:::bkt/${aws:EpochTime}"] },
      ),
    },
  }));
  return { keys, context: { ...draft.context, resource }, layers };
}

/** Returns the draft as it is asked at `nowMs` by a caller whose MFA was at `authenticatedAtMs`. */
function at(draft: Draft, nowMs: number, authenticatedAtMs: number | null): Draft {
  const keys = new Map([...draft.keys, ...timeKeys(nowMs)]);
  keys.delete("aws:multifactorauthage");
  if (authenticatedAtMs !== null) {
    const age = String(Math.floor((nowMs - authenticatedAtMs) / 1000));
    keys.set("aws:multifactorauthage", { multivalued: false, values: [age] });
  }
  return { ...draft, keys, context: { ...draft.context, keys, nowMs } };
}

const title = `${cases} questions of seed ${seed}: nothing changes before \`validUntilMs\``;

test(title, { timeout: 600_000 }, () => {
  let bounded = 0;
  let unbounded = 0;
  for (let index = first; index < first + cases; index++) {
    const random = createRandom(seed + 2, index);
    const nowMs = noonMs + random.int(8_000) - 4_000;
    const draft = withInstant(withTimeConditions(generateDraft(random), random), nowMs, random);
    const authenticatedAtMs = random.chance(0.7) ? nowMs - random.int(7_000) : null;
    const asked = scenarioOf(at(draft, nowMs, authenticatedAtMs), "now");
    for (const { name, evaluate } of engines) {
      const answer = evaluate(asked);
      const { validUntilMs } = answer;
      expect(validUntilMs).toBeGreaterThanOrEqual(nowMs);
      if (validUntilMs === Number.POSITIVE_INFINITY) unbounded++;
      else bounded++;
      const last = Math.min(validUntilMs - 1, nowMs + 3_600_000);
      if (last <= nowMs) continue;
      for (const laterMs of [nowMs + 1, last, nowMs + 1 + random.int(last - nowMs)]) {
        const { context, keys } = at(draft, laterMs, authenticatedAtMs);
        const later = reference?.evaluate({ ...asked, context: { ...context, keys } });
        if (later !== undefined && agreed(later) === agreed(answer)) continue;
        expect.fail(
          [
            `the ${name} evaluator's answer of ${nowMs} is valid until ${validUntilMs}`,
            `and another one is right at ${laterMs}; to see it again:`,
            reproduce(index, "validity.test.ts"),
            textOf(at(draft, nowMs, authenticatedAtMs), "now"),
            textOf(at(draft, laterMs, authenticatedAtMs), "later"),
          ].join("\n"),
        );
      }
    }
  }
  if (cases >= 1_000) {
    expect(bounded).toBeGreaterThan(cases / 5);
    expect(unbounded).toBeGreaterThan(cases / 20);
  }
});

function agreed({ decision, deniedBy, deniedLevel, reason, errors }: Decision): string {
  return JSON.stringify({ decision, deniedBy, deniedLevel, reason, errors });
}
