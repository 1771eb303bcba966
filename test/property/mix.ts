import { operators } from "../../src/iam/condition/operators.ts";
import type { Decision } from "../../src/iam/decision.ts";
import type { BaseOperator, ConditionEntry } from "../../src/iam/policy/document.ts";
import type { Scenario } from "../../src/iam/scenario.ts";
import { mapLayers } from "../corpus/map-layers.ts";
import { principals } from "./universe.ts";

/** What kind of questions were asked, counted: whether a run of random ones was worth anything. */
export interface Mix {
  cases: number;
  readonly decisions: Map<string, number>;
  /** By operator, sign, IfExists and set operator. */
  readonly operatorForms: Map<string, number>;
  /** By the six layers that a question has or lacks, as in `101001`, in the order of `PolicyLayers`. */
  readonly layerPatterns: Map<string, number>;
  readonly callers: Map<string, number>;
}

export function createMix(): Mix {
  return {
    cases: 0,
    decisions: new Map(),
    operatorForms: new Map(),
    layerPatterns: new Map(),
    callers: new Map(),
  };
}

/** Adds one question and its answer to the mix. */
export function measure(mix: Mix, { context, layers }: Scenario, { decision }: Decision): void {
  mix.cases++;
  count(mix.decisions, decision);
  count(mix.callers, context.principal.type);
  const present = Object.values(layers).map((layer) => layer !== null && layer.length !== 0);
  count(mix.layerPatterns, present.map(Number).join(""));
  mapLayers(layers, ({ document }) => {
    for (const { conditions } of document?.statements ?? []) {
      for (const condition of conditions) count(mix.operatorForms, formOf(condition));
    }
  });
}

/** Returns the share of allowed questions, from 0 to 1. */
export function allowedShare({ decisions, cases }: Mix): number {
  return (decisions.get("allowed") ?? 0) / cases;
}

/**
 * Returns what occurs too rarely: of every form of operator, combination of layers and type of caller
 * a thousand in a million (security reference, 11).
 */
export function gapsOf(mix: Mix): readonly string[] {
  const enough = mix.cases / 1_000;
  const rare = (counts: ReadonlyMap<string, number>, expected: readonly string[]): string[] =>
    expected.filter((each) => (counts.get(each) ?? 0) < enough);
  return [
    ...rare(mix.operatorForms, everyForm),
    ...rare(mix.layerPatterns, everyPattern),
    ...rare(mix.callers, everyCaller),
  ];
}

type Form = Pick<ConditionEntry, "base" | "negated" | "ifExists" | "quantifier">;

function formOf({ base, negated, ifExists, quantifier }: Form): string {
  const name = negated ? `not ${base}` : base;
  return [quantifier ?? "plain", name, ifExists ? "IfExists" : ""].join(" ");
}

/** Every operator in every form that the language has. */
export const everyForm: readonly string[] = (Object.keys(operators) as BaseOperator[]).flatMap(
  (base) => {
    const plain = { base, negated: false, ifExists: false, quantifier: null };
    if (base === "Null") return [formOf(plain)];
    const signs = operators[base].negatedNames.length > 0 ? [false, true] : [false];
    return signs.flatMap((negated) =>
      [false, true].flatMap((ifExists) =>
        [null, "ForAllValues" as const, "ForAnyValue" as const].map((quantifier) =>
          formOf({ base, negated, ifExists, quantifier }),
        ),
      ),
    );
  },
);

export const everyPattern: readonly string[] = Array.from({ length: 64 }, (_, bits) =>
  bits.toString(2).padStart(6, "0"),
);

export const everyCaller: readonly string[] = [...new Set(principals.map(({ type }) => type))];

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
