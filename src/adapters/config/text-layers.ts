import { nearestWord } from "../../iam/nearest-word.ts";
import { type Problem, quote } from "../../iam/problem.ts";
import { type Given, type Layer, refusal, unknownName, wrongValue } from "./layer.ts";
import type { NamedSetting } from "./setting.ts";

const prefix = "MESH_IAM_";
/** Read by the command line itself: where the file is, and which commit was built. */
const ownVariables = new Set(["MESH_IAM_CONFIG", "MESH_IAM_COMMIT"]);
/**
 * Kubernetes gives every container variables for each Service of its namespace: a Service `mesh-iam`
 * or `mesh-iam-control-plane` makes `MESH_IAM_SERVICE_HOST`, `MESH_IAM_CONTROL_PLANE_PORT`, ….
 */
const serviceLink = /_SERVICE_(HOST|PORT)(_|$)|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$/;

/**
 * Returns what the environment gives. A `MESH_IAM_…` variable that no setting goes by is a problem
 * when it is near to one that exists, else a warning among `findings`: the namespace is shared with
 * other processes. Service links of Kubernetes are passed over.
 */
export function readEnvironmentLayer(
  env: Readonly<Record<string, string | undefined>>,
  settings: readonly NamedSetting[],
  problems: Problem[],
  findings: Problem[],
): Layer {
  const given = new Map<string, Given>();
  const byName = new Map(settings.map((named) => [named.env, named]));
  const names = [...byName.keys()];
  for (const [name, text] of Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!name.startsWith(prefix) || text === undefined || ownVariables.has(name)) continue;
    const named = byName.get(name);
    if (named !== undefined) {
      readText(named, text, name, given, problems);
    } else if (!serviceLink.test(name)) {
      const problem = unknownName("variable", name, name, names);
      if (nearestWord(name, names) !== null) problems.push(problem);
      else findings.push({ ...problem, severity: "WARNING" });
    }
  }
  return given;
}

/** Returns what `--set key=value`, as often as it was given, gives. The last one of a key holds. */
export function readSetLayer(
  sets: readonly string[],
  settings: readonly NamedSetting[],
  problems: Problem[],
): Layer {
  const given = new Map<string, Given>();
  const byKey = new Map(settings.map((named) => [named.key, named]));
  for (const line of sets) {
    const equals = line.indexOf("=");
    const key = line.slice(0, Math.max(equals, 0)).trim();
    if (key === "") {
      const message = `expected \`key=value\`, got ${quote(line)}`;
      problems.push(refusal("SYNTAX", "--set", message));
      continue;
    }
    const named = byKey.get(key);
    if (named === undefined) {
      problems.push(unknownName("key", key, `--set ${key}`, [...byKey.keys()]));
    } else {
      readText(named, line.slice(equals + 1), `--set ${key}`, given, problems);
    }
  }
  return given;
}

/**
 * Returns what the flags give. `flags` is keyed by the flag in camelCase (`bundleRootFingerprints`),
 * as command line parsers hand it over: a text, a boolean, or texts where the flag was repeated.
 */
export function readFlagLayer(
  flags: Readonly<Record<string, unknown>>,
  settings: readonly NamedSetting[],
  problems: Problem[],
): Layer {
  const given = new Map<string, Given>();
  const byOption = new Map(settings.map((named) => [optionName(named), named]));
  for (const [option, value] of Object.entries(flags)) {
    if (value === undefined) continue;
    const named = byOption.get(option);
    if (named === undefined) {
      problems.push(unknownName("flag", option, option, [...byOption.keys()]));
      continue;
    }
    const text = Array.isArray(value) ? value.join(",") : String(value);
    readText(named, text, named.flag, given, problems);
  }
  return given;
}

/** Returns the flag of a setting in camelCase: `bundleRootFingerprints`. */
export function optionName({ flag }: NamedSetting): string {
  return flag.slice(2).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

function readText(
  named: NamedSetting,
  text: string,
  name: string,
  given: Map<string, Given>,
  problems: Problem[],
): void {
  const value = named.setting.kind.fromText(text);
  if (value === undefined) problems.push(wrongValue(named, text, name));
  else given.set(named.key, { value, name, position: null });
}
