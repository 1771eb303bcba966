import type { MetricKey, MetricSpec } from "./metric-table.ts";
import { metricTable } from "./metric-table.ts";

export type Labels = Readonly<Record<string, string>>;

/** One line of `/metrics`; `suffix` is `_bucket`, `_sum`, `_count` of histograms, else empty. */
export interface Sample {
  readonly suffix: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** What a metric holds, read at a scrape. */
export interface Series {
  readonly spec: MetricSpec;
  samples(): Sample[];
}

/**
 * A counter or gauge whose label combinations are all known: one number each, every reachable one
 * shown from the first scrape on, so that rates and burn-rate alerts work at once.
 */
export class ClosedSeries implements Series {
  readonly spec: MetricSpec;
  /** By the position of the combination in the list given at construction. */
  readonly values: Float64Array;
  readonly #combinations: readonly Labels[];
  readonly #isReachable: (labels: Labels) => boolean;

  /** A combination that `isReachable` denies is shown only if it occurs all the same. */
  constructor(
    key: MetricKey,
    combinations: readonly Labels[] = [{}],
    isReachable: (labels: Labels) => boolean = () => true,
  ) {
    this.spec = metricTable[key];
    this.#combinations = combinations;
    this.#isReachable = isReachable;
    this.values = new Float64Array(combinations.length);
  }

  samples(): Sample[] {
    return this.#combinations
      .map((labels, at) => ({ suffix: "", labels, value: this.values[at] ?? 0 }))
      .filter(({ labels, value }) => value !== 0 || this.#isReachable(labels));
  }
}

/**
 * A counter or gauge with a label whose values come from the configuration. At most `maxValues`
 * combinations are kept; later ones are counted under `other`, so that no input can grow it.
 */
export class ConfiguredSeries implements Series {
  readonly spec: MetricSpec;
  readonly #maxValues: number;
  readonly #values = new Map<string, { labels: Labels; value: number }>();

  constructor(key: MetricKey, maxValues = 256) {
    this.spec = metricTable[key];
    this.#maxValues = maxValues;
  }

  add(labels: Labels, amount: number): void {
    this.#entry(labels).value += amount;
  }

  set(labels: Labels, value: number): void {
    this.#entry(labels).value = value;
  }

  samples(): Sample[] {
    return Array.from(this.#values.values(), ({ labels, value }) => ({
      suffix: "",
      labels,
      value,
    }));
  }

  #entry(labels: Labels): { value: number } {
    const key = Object.values(labels).join("\0");
    const found = this.#values.get(key);
    if (found !== undefined) return found;
    if (this.#values.size >= this.#maxValues && !key.startsWith("other")) {
      const [first = ""] = Object.keys(labels);
      return this.#entry({ ...labels, [first]: "other" });
    }
    const made = { labels, value: 0 };
    this.#values.set(key, made);
    return made;
  }
}

/** A gauge that somebody else holds: read when it is scraped. */
export class ReadSeries implements Series {
  readonly spec: MetricSpec;
  readonly #read: () => readonly { readonly labels: Labels; readonly value: number }[];

  constructor(
    key: MetricKey,
    read: () => readonly { readonly labels: Labels; readonly value: number }[],
  ) {
    this.spec = metricTable[key];
    this.#read = read;
  }

  samples(): Sample[] {
    return this.#read().map(({ labels, value }) => ({ suffix: "", labels, value }));
  }
}

/**
 * A histogram of durations in nanoseconds. `observe` is one linear search from the low end, where
 * most observations fall, and two additions; it allocates nothing.
 */
export class HistogramSeries implements Series {
  readonly spec: MetricSpec;
  readonly #combinations: readonly Labels[];
  readonly #boundsNs: Float64Array;
  /** Per combination: one count a bucket, the last one +Inf, not yet cumulated. */
  readonly #counts: Float64Array;
  readonly #sumsNs: Float64Array;

  constructor(key: MetricKey, combinations: readonly Labels[] = [{}]) {
    this.spec = metricTable[key];
    const buckets = this.spec.buckets ?? [];
    this.#combinations = combinations;
    this.#boundsNs = Float64Array.from(buckets, (seconds) => Math.round(seconds * 1e9));
    this.#counts = new Float64Array(combinations.length * (buckets.length + 1));
    this.#sumsNs = new Float64Array(combinations.length);
  }

  /** Counts a duration under the combination at position `at`. */
  observe(at: number, durationNs: number): void {
    const bounds = this.#boundsNs;
    let bucket = 0;
    while (bucket < bounds.length && durationNs > (bounds[bucket] as number)) bucket++;
    const slot = at * (bounds.length + 1) + bucket;
    this.#counts[slot] = (this.#counts[slot] as number) + 1;
    this.#sumsNs[at] = (this.#sumsNs[at] as number) + durationNs;
  }

  samples(): Sample[] {
    const buckets = this.spec.buckets ?? [];
    return this.#combinations.flatMap((labels, at) => {
      const first = at * (buckets.length + 1);
      const counts = this.#counts.subarray(first, first + buckets.length + 1);
      let total = 0;
      const lines = [...counts].map((count, bucket): Sample => {
        total += count;
        const le = buckets[bucket] ?? "+Inf";
        return { suffix: "_bucket", labels: { ...labels, le }, value: total };
      });
      lines.push({ suffix: "_sum", labels, value: (this.#sumsNs[at] ?? 0) / 1e9 });
      lines.push({ suffix: "_count", labels, value: total });
      return lines;
    });
  }
}

/** Returns every combination of the words of closed labels, the first label turning slowest. */
export function combinations(labels: Readonly<Record<string, readonly string[]>>): Labels[] {
  let all: Labels[] = [{}];
  for (const [label, words] of Object.entries(labels)) {
    all = all.flatMap((left) => words.map((word) => ({ ...left, [label]: word })));
  }
  return all;
}
