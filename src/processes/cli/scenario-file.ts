import { type CompiledPolicy, compilePolicy, unusablePolicy } from "../../iam/compile/compile.ts";
import { compileLayers, type EngineLayers } from "../../iam/compile/layers.ts";
import { MeshIamError } from "../../iam/error.ts";
import { explain } from "../../iam/evaluation/explain.ts";
import type { Explanation } from "../../iam/evaluation/explanation.ts";
import { parseScenario, type Scenario } from "../../iam/scenario.ts";
import type { ScenarioPolicy } from "../../iam/scenario-policies.ts";
import { readText } from "./files.ts";
import { formatProblem } from "./format-problem.ts";
import type { CommandIo } from "./io.ts";

/** Returns the scenario in `file`; throws `scenario-invalid` with every problem, a line each. */
export async function readScenario(file: string, io: CommandIo): Promise<Scenario> {
  const text = await readText(file, io, "scenario-invalid");
  const loaded = parseScenario(text, { nowMs: Date.now() });
  if (loaded.ok) return loaded.value;
  const lines = loaded.problems.map((problem) => formatProblem(problem, file));
  throw new MeshIamError(
    "scenario-invalid",
    `the scenario is not accepted\n  ${lines.join("\n  ")}`,
  );
}

/** Returns the answer to the scenario, and why. */
export function explainScenario(scenario: Scenario): Explanation {
  return explain(scenario.context, engineLayersOf(scenario));
}

/** Returns the scenario's policies, compiled. */
export function engineLayersOf({ layers }: Pick<Scenario, "layers">): EngineLayers {
  const levels = (all: typeof layers.serviceControl) =>
    all?.map((level) => level.map(compileScenarioPolicy)) ?? null;
  return compileLayers({
    identity: layers.identity.map(compileScenarioPolicy),
    resource: layers.resource && compileScenarioPolicy(layers.resource),
    permissionsBoundary:
      layers.permissionsBoundary && compileScenarioPolicy(layers.permissionsBoundary),
    session: layers.session?.map(compileScenarioPolicy) ?? null,
    serviceControl: levels(layers.serviceControl),
    resourceControl: levels(layers.resourceControl),
  });
}

/** Returns a scenario's policy, compiled; one that cannot be read counts as one that cannot be used. */
export function compileScenarioPolicy({ id, document }: ScenarioPolicy): CompiledPolicy {
  return document === null ? unusablePolicy(id) : compilePolicy(id, document);
}
