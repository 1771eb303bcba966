import type { Metric, OpenMetricsContentType, Registry } from "prom-client";
import { prefersOpenMetrics } from "./accept.ts";
import type { MetricsLevel } from "./metric-table.ts";
import type { Series } from "./series.ts";

export interface Scrape {
  readonly contentType: string;
  readonly body: string;
}

/** A registry of either content type. */
type AnyRegistry = Registry | Registry<OpenMetricsContentType>;

/** All that a registry asks of a metric: a name to know it by, and at a scrape its content. */
interface Exposed {
  readonly name: string;
  get(): Promise<unknown>;
}

const rank: Readonly<Record<MetricsLevel, number>> = { minimal: 0, standard: 1, full: 2 };

/**
 * Returns the function behind `/metrics`.
 *
 * prom-client is loaded at the first call, which is also when its process and runtime metrics begin;
 * a process that nobody scrapes never pays for it. A registry has one content type and renames its
 * counters in place for OpenMetrics, so there are two, each with objects of its own over one state.
 */
export function createExposition(
  series: readonly Series[],
  level: MetricsLevel,
): (accept: string | undefined) => Promise<Scrape> {
  const shown = series.filter(({ spec }) => rank[spec.level] <= rank[level]);
  let registries: ReturnType<typeof createRegistries> | null = null;
  const plainScrape = shared();
  const openScrape = shared();

  return async (accept) => {
    registries ??= createRegistries(shown, level !== "minimal");
    const { plain, open } = await registries;
    return prefersOpenMetrics(accept) ? openScrape(open) : plainScrape(plain);
  };
}

/** Whoever asks while an answer is being made gets that one: a crowd costs one scrape. */
function shared(): (registry: AnyRegistry) => Promise<Scrape> {
  let running: Promise<Scrape> | null = null;
  return (registry) => {
    running ??= registry
      .metrics()
      .then((body) => ({ contentType: registry.contentType, body }))
      .finally(() => {
        running = null;
      });
    return running;
  };
}

async function createRegistries(series: readonly Series[], withRuntime: boolean) {
  const { Registry, collectDefaultMetrics } = await import("prom-client");
  const plain = new Registry();
  const open = new Registry<OpenMetricsContentType>();
  open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  for (const one of series) {
    register(plain, exposed(one, one.spec.name));
    register(open, exposed(one, openName(one.spec.name, one.spec.type)));
  }
  if (withRuntime) {
    const runtime = new Registry();
    collectDefaultMetrics({ register: runtime });
    for (const metric of runtime.getMetricsAsArray() as unknown as RuntimeMetric[]) {
      register(plain, metric);
      register(open, renamed(metric));
    }
  }
  return { plain, open };
}

function exposed(series: Series, name: string): Exposed {
  const { help, type } = series.spec;
  return {
    name,
    get: async () => ({
      name,
      help,
      type,
      aggregator: "sum",
      values: series.samples().map(({ suffix, labels, value }) => ({
        metricName: name + suffix,
        labels,
        value,
      })),
    }),
  };
}

/** One of prom-client's own: `get` answers with the name the object has at that time. */
interface RuntimeMetric extends Exposed {
  readonly type: string;
  get(): Promise<{ readonly name: string; readonly type: string }>;
}

function renamed(metric: RuntimeMetric): Exposed {
  const name = openName(metric.name, metric.type);
  return { name, get: async () => ({ ...(await metric.get()), name }) };
}

/** OpenMetrics names a counter without `_total`; the registry puts it back on each line. */
function openName(name: string, type: string): string {
  return type === "counter" ? name.replace(/_total$/, "") : name;
}

function register(registry: AnyRegistry, metric: Exposed): void {
  // The typings ask for one of prom-client's classes; the registry itself for a name and `get`.
  registry.registerMetric(metric as unknown as Metric);
}
