import { controlPlaneSettings } from "../../src/adapters/config/control-plane-schema.ts";
import { authorizerSettings, sourceKeys } from "../../src/adapters/config/schema.ts";
import {
  type Members,
  type NamedSetting,
  namedSettings,
} from "../../src/adapters/config/setting.ts";
import { code, page, table } from "./markdown.ts";

/** Returns the page about every setting of the control plane. */
export function controlPlanePage(): string {
  return page(
    "Configuration of the control plane",
    "src/adapters/config/control-plane-schema.ts",
    "Settings are given and named as those of the authorizer are ([configuration.md](configuration.md)): in the YAML file of `--config`, in variables, by `--set`, by flags of their own.",
    ...sections(controlPlaneSettings),
  );
}

/** Returns the page about every setting of the authorizer. */
export function configurationPage(): string {
  return page(
    "Configuration of the authorizer",
    "src/adapters/config/schema.ts",
    [
      "A setting is given in the YAML file of `--config` (else of the variable `MESH_IAM_CONFIG`), in an environment variable, by `--set key=value`, or by a flag of its own.",
      "A later one of these takes the place of an earlier one, key by key; a list is replaced, never joined.",
      "The names follow from the key: `bundle.rootFingerprints` is `MESH_IAM_BUNDLE_ROOT_FINGERPRINTS` and `--bundle-root-fingerprints`.",
    ].join(" "),
    [
      "In a variable or flag a list stands between commas, and an empty text means unset.",
      "A relative path in the file is taken from the file's folder, elsewhere from the current one.",
      "An unknown key, variable or flag is an error that names the nearest known one; a configuration that is not accepted ends the process with exit code 3.",
      "Editors complete the file with [config.schema.json](config.schema.json).",
    ].join(" "),
    `Exactly one of ${sourceKeys.map(code).join(", ")} says where policy comes from.`,
    ...sections(authorizerSettings),
  );
}

function sections(members: Members): string[] {
  const byKey = new Map(namedSettings(members).map((named) => [named.key, named]));
  const loose = Object.entries(members).filter(([, entry]) => entry.type === "setting");
  const groups = Object.entries(members).flatMap(([name, entry]) =>
    entry.type === "group" ? [[name, entry] as const] : [],
  );
  return [
    "## General",
    settingsTable(loose.map(([name]) => byKey.get(name))),
    ...groups.flatMap(([name, entry]) => [
      `## ${name}`,
      entry.summary,
      settingsTable(Object.keys(entry.members).map((inner) => byKey.get(`${name}.${inner}`))),
    ]),
  ];
}

function settingsTable(named: readonly (NamedSetting | undefined)[]): string {
  return table(
    ["Key", "Expected", "Default", "Effect"],
    named
      .filter((one) => one !== undefined)
      .map(({ key, setting }) => [
        code(key),
        setting.kind.expected,
        shownDefault(setting.kind.show(setting.default)),
        setting.summary,
      ]),
  );
}

function shownDefault(value: unknown): string {
  if (value === null) return "unset";
  if (value === "") return "empty";
  return code(typeof value === "string" ? value : JSON.stringify(value));
}
