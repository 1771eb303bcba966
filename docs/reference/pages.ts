import { documentReference } from "../../src/domain/directory/document-reference.ts";
import { documentSchema } from "../../src/domain/directory/document-schema.ts";
import { suiteSchema } from "../../src/domain/directory/suite/suite-schema.ts";
import { benchmarksPage, benchmarksPicture } from "./benchmarks-page.ts";
import { clausesPage } from "./clauses-page.ts";
import { conditionKeysPage } from "./condition-keys-page.ts";
import { configSchema } from "./config-schema.ts";
import { configurationPage, controlPlanePage } from "./configuration-page.ts";
import { errorsPage } from "./errors-page.ts";
import { page } from "./markdown.ts";
import { metricsPage } from "./metrics-page.ts";
import { policyTestsPage } from "./policy-tests-page.ts";
import { proofPage } from "./proof-page.ts";

/** Returns every generated file of this folder by its name: a pure function of the source. */
export function referencePages(): ReadonlyMap<string, string> {
  return new Map([
    ["benchmarks.md", benchmarksPage()],
    ["benchmarks.svg", benchmarksPicture()],
    ["clauses.md", clausesPage()],
    ["condition-keys.md", conditionKeysPage()],
    ["config.schema.json", json(configSchema())],
    ["configuration.md", configurationPage()],
    ["control-plane.md", controlPlanePage()],
    ["documents.md", documentsPage()],
    ["documents.schema.json", json(documentSchema())],
    ["errors.md", errorsPage()],
    ["metrics.md", metricsPage()],
    ["policy-tests.md", policyTestsPage()],
    ["policy-tests.schema.json", json(suiteSchema())],
    ["proof.md", proofPage()],
  ]);
}

function documentsPage(): string {
  return page(
    "Documents",
    "src/domain/directory/kinds/",
    "How an organization is written down, as YAML or JSON: for the `documents` source, for `mesh-iam bundle build`, for `mesh-iam validate`. Members of `spec` are CloudFormation's property names in lowerCamelCase where it has one. Editors complete documents with [documents.schema.json](documents.schema.json).",
    documentReference().trim(),
  );
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
