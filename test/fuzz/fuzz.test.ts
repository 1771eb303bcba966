import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { parseScenario } from "../../src/iam/scenario.ts";
import { type Evaluator, evaluators } from "../corpus/evaluators.ts";
import { agreed, commandOf } from "../property/agreement.ts";
import { createRandom } from "../property/random.ts";
import { runDifferential } from "./differential.ts";
import { runLoop } from "./loop.ts";
import { maxInputBytes, mutate } from "./mutate.ts";
import { corpusFolder, readSeeds, seedsOf } from "./seeds.ts";
import { type Target, textOf } from "./target.ts";
import { targets } from "./targets.ts";

/**
 * Every target on its seeds, on everything ever found, and on a second's worth of mutations, the same
 * in every run. Longer: `npm run fuzz -- --target NAME --seconds N`.
 */
const inputs = 400;

test.each(targets)("$id $name: $about", { timeout: 60_000 }, async (target) => {
  expect(seedsOf(target).length).toBeGreaterThan(2);
  const result = await runLoop(target, { seed: 1, goOn: (done) => done < inputs, guide: null });
  if (result.finding !== null) {
    const { data, error } = result.finding;
    const base64 = Buffer.from(data).toString("base64");
    throw new Error(`found an input for a file of test/fuzz/corpus: ${base64}`, { cause: error });
  }
  expect(result.inputs).toBe(inputs);
});

test("every folder of seeds belongs to a target", () => {
  const names = [...targets.map(({ name }) => name), "differential"];
  expect(readdirSync(corpusFolder).filter((folder) => !names.includes(folder))).toEqual([]);
});

test.each(readSeeds({ name: "differential" }))("$name: the evaluators agree since", ({ data }) => {
  const loaded = parseScenario(textOf(data));
  if (!loaded.ok) throw new Error(loaded.problems[0]?.message);
  const [wanted, ...others] = evaluators.map(({ evaluate }) => agreed(evaluate(loaded.value)));
  for (const answer of others) expect(answer).toEqual(wanted);
});

/** A target with a fault, for the loop itself. */
const faulty: Target = {
  name: "none",
  id: null,
  about: "",
  words: ["fault"],
  seeds: () => [new TextEncoder().encode("some text to begin with")],
  fuzz: (data) => {
    if (textOf(data).includes("fault")) throw new Error("the fault");
  },
};

test("the loop finds a fault and makes its input as short as it can be", async () => {
  const options = { seed: 1, goOn: (done: number) => done < 5_000, guide: null };
  const { finding, inputs: needed } = await runLoop(faulty, options);
  expect(textOf(finding?.data ?? new Uint8Array())).toBe("fault");
  expect(finding?.error).toEqual(new Error("the fault"));
  expect(needed).toBeLessThan(5_000);
});

test("T-PROP-04 a difference is cut down, and one command asks it again", () => {
  const [reference] = evaluators;
  if (reference === undefined) throw new Error("no evaluator");
  const blind: Evaluator = {
    name: "blind",
    evaluate: (scenario) => {
      const decision = reference.evaluate(scenario);
      return decision.deniedBy === "serviceControl" ? { ...decision, deniedBy: null } : decision;
    },
  };
  const { mix, found } = runDifferential(1, 0, 1_000, () => {}, [reference, blind]);
  if (found === null) throw new Error("nothing was found");
  expect(mix.cases).toBe(found.index + 1);
  expect(found.answers).toEqual([
    expect.stringContaining("reference: "),
    expect.stringContaining("blind: "),
  ]);
  const command = commandOf(1, found.index);
  expect(command).toBe(
    `npm run fuzz -- --target differential --seed 1 --first ${found.index} --cases 1`,
  );
  const again = runDifferential(1, found.index, 1, () => {}, [reference, blind]);
  expect(again.found).toEqual(found);
  const smallest = JSON.parse(found.text);
  expect(parseScenario(found.text).ok).toBe(true);
  expect(smallest.id).toBe(`DIF-1-${found.index}`);
  expect(Object.keys(smallest.policies)).toContain("serviceControl");
  expect(smallest.policies.identity ?? []).toEqual([]);
});

test("mutations are of every size up to the bound, and the same for the same seed", () => {
  const seeds = [new TextEncoder().encode('{"a":1}')];
  const make = (index: number) => mutate(seeds, ["*"], createRandom(1, index));
  const sizes = Array.from({ length: 2_000 }, (_, index) => make(index).length);
  expect(Math.max(...sizes)).toBe(maxInputBytes);
  expect(Math.min(...sizes)).toBeLessThan(4);
  expect(make(7)).toEqual(make(7));
});
