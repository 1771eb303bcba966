import { conditionKeysPage } from "./condition-keys-page.ts";
import { configSchema } from "./config-schema.ts";
import { configurationPage } from "./configuration-page.ts";
import { errorsPage } from "./errors-page.ts";
import { metricsPage } from "./metrics-page.ts";

/** Returns every generated file of this folder by its name: a pure function of the source. */
export function referencePages(): ReadonlyMap<string, string> {
  return new Map([
    ["condition-keys.md", conditionKeysPage()],
    ["config.schema.json", json(configSchema())],
    ["configuration.md", configurationPage()],
    ["errors.md", errorsPage()],
    ["metrics.md", metricsPage()],
  ]);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
