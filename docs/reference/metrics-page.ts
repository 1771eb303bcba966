import { type MetricSpec, metricTable } from "../../src/adapters/telemetry/metric-table.ts";
import { authenticationResults } from "../../src/adapters/telemetry/metric-words.ts";
import { reasons } from "../../src/iam/reason.ts";
import { code, page, table } from "./markdown.ts";

const atRunTime: Readonly<Record<string, string>> = {
  fronted:
    "the services fronted; empty before the service is known, or where there are more than 20",
  configured: "the configured alias",
  build: "a constant of the build",
};

/** Returns the page about every metric. */
export function metricsPage(): string {
  const specs: readonly MetricSpec[] = Object.values(metricTable);
  return page(
    "Metrics",
    "src/adapters/telemetry/metric-table.ts",
    "Served at `/metrics` of the diagnostics listener, as Prometheus text or, where it is asked for, OpenMetrics. Units are base units. Labels are closed lists: no ARN, path, user agent or token text is ever one. Every reachable combination of labels is there at 0 from the first scrape. Ages are given as timestamps: `time() - …_timestamp_seconds` keeps growing when a process hangs.",
    "`metrics.level` chooses: `minimal` shows the metrics of that level, `standard` adds its own and the `process_*` and `nodejs_*` metrics of prom-client, `full` adds the rest.",
    "For each sink of the decision log, `written + dropped + failed + sampled-out` is the number of Checks.",
    table(
      ["Name", "Type", "Level", "Meaning", "Labels"],
      specs.map((spec) => [code(spec.name), spec.type, spec.level, meaning(spec), labels(spec)]),
    ),
    "## Buckets",
    table(
      ["Histogram", "Upper bounds, seconds"],
      specs
        .filter(({ buckets }) => buckets !== undefined)
        .map(({ name, buckets }) => [code(name), (buckets ?? []).join(", ")]),
    ),
  );
}

function meaning({ help, component }: MetricSpec): string {
  return component === undefined ? help : `${help} The ${component} alone has it.`;
}

function labels({ labels }: MetricSpec): string {
  return Object.entries(labels)
    .map(([label, words]) => {
      if (words === reasons) return `${code(label)}: a [reason](errors.md)`;
      if (words === authenticationResults) {
        return `${code(label)}: ${code("ok")}, or a [reason](errors.md) that judges a credential`;
      }
      const values =
        typeof words === "string" ? (atRunTime[words] ?? "") : words.map(code).join(", ");
      return `${code(label)}: ${values}`;
    })
    .join("; ");
}
