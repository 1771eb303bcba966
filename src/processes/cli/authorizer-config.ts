import { configFlags } from "../../adapters/config/flags.ts";
import { type ConfigInput, formatConfigProblem, loadConfig } from "../../adapters/config/load.ts";
import { type AuthorizerConfig, authorizerSettings } from "../../adapters/config/schema.ts";
import type { Members } from "../../adapters/config/setting.ts";
import { MeshIamError } from "../../iam/error.ts";
import type { Loaded } from "../../iam/problem.ts";
import { readText } from "./files.ts";
import type { CommandIo } from "./io.ts";

/** What the command line says about the configuration. */
export interface ConfigChoice {
  /** Undefined: the file that `MESH_IAM_CONFIG` names, if it does. */
  readonly file: string | undefined;
  readonly sets: readonly string[];
  /** Flags by camelCase name. */
  readonly flags: Readonly<Record<string, unknown>>;
}

/**
 * Returns the complete configuration; throws `config-unreadable`, and `config-invalid` with every
 * problem, a line each.
 */
export async function readConfig(choice: ConfigChoice, io: CommandIo): Promise<AuthorizerConfig> {
  return await readSettings(choice, io, { settings: authorizerSettings, load: loadConfig });
}

/** A process's settings: the table that names its flags, and what makes a configuration of it. */
export interface ProcessSettings<C> {
  readonly settings: Members;
  readonly load: (input: ConfigInput) => Loaded<C>;
}

/** As `readConfig`, of any process. */
export async function readSettings<C>(
  choice: ConfigChoice,
  io: CommandIo,
  { settings, load }: ProcessSettings<C>,
): Promise<C> {
  const { sets, flags } = choice;
  // an empty text means unset, here as in every variable and flag
  const file = (choice.file ?? io.env.MESH_IAM_CONFIG) || undefined;
  const known = new Set(configFlags(settings).map((flag) => flag.option));
  const given = Object.fromEntries(Object.entries(flags).filter(([name]) => known.has(name)));
  const loaded = load({
    ...(file === undefined
      ? {}
      : { file: { path: file, text: await readText(file, io, "config-unreadable") } }),
    env: io.env,
    flags: given,
    sets,
  });
  if (!loaded.ok) {
    const lines = loaded.problems.map((problem) => formatConfigProblem(problem, file));
    throw new MeshIamError(
      "config-invalid",
      `the configuration is not accepted\n  ${lines.join("\n  ")}`,
    );
  }
  for (const finding of loaded.findings) {
    io.err(`${finding.severity}: ${formatConfigProblem(finding, file)}\n`);
  }
  return loaded.value;
}
