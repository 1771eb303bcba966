import { formatConfigProblem, loadConfig } from "../../../src/adapters/config/load.ts";
import { must, type Target, textOf } from "../target.ts";

/** FUZ-11: a configuration file with one variable and one `--set` of the same text. */
export const config: Target = {
  name: "config",
  id: "FUZ-11",
  about: "a configuration file, its first line also as environment and `--set`",
  words: [
    "bundle:",
    "documents: ",
    "controlPlane: ",
    "\n  ",
    "[]",
    "{}",
    "&a ",
    "*a",
    "<<: ",
    "!!js ",
    "---\n",
    "? ",
  ],
  fuzz(data) {
    const text = textOf(data);
    const [line = ""] = text.split("\n", 1);
    const loaded = loadConfig({
      file: { path: "/etc/mesh-iam/a.yaml", text },
      env: { MESH_IAM_BUNDLE_PERSIST: line },
      sets: [line],
    });
    if (loaded.ok) return;
    must(loaded.problems.length > 0, "a refusal has a problem");
    for (const problem of loaded.problems) formatConfigProblem(problem, "a.yaml");
  },
};
