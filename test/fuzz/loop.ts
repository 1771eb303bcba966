import { createRandom } from "../property/random.ts";
import { mutate } from "./mutate.ts";
import { seedsOf } from "./seeds.ts";
import type { Target } from "./target.ts";

/** An input that a target throws on, made as short as it stays one. */
export interface Finding {
  readonly data: Uint8Array;
  readonly error: unknown;
}

export interface LoopOptions {
  readonly seed: number;
  /** Asked before each input: whether to go on. */
  readonly goOn: (inputs: number) => boolean;
  /** Sees which inputs reach new code; null: every input starts from the seeds. */
  readonly guide: Guide | null;
}

/** Tells which inputs reached code that none before them did. */
export interface Guide {
  /** Returns how much ran since the last call that is not known yet. */
  countNew(): number;
  /** Returns the same, and knows it from now on. */
  learn(): number;
}

export interface LoopResult {
  readonly inputs: number;
  /** Inputs that were kept because they reached new code. */
  readonly kept: number;
  readonly finding: Finding | null;
}

/** Inputs between two looks at the guide: a look costs as much as some hundred inputs. */
const batchSize = 256;

/**
 * Returns what came of feeding `target` mutations of its seeds until `goOn` says no or it throws. The
 * inputs follow from `seed` and the seeds, and under a guide from what it saw.
 */
export async function runLoop(target: Target, options: LoopOptions): Promise<LoopResult> {
  const pool = seedsOf(target);
  const given = pool.length;
  let batch: Uint8Array[] = [];
  for (const data of pool) {
    const error = await attempt(target, data);
    if (error !== null) return result(0, await shrunk(target, data, error.reason));
  }
  options.guide?.learn();
  let inputs = 0;
  while (options.goOn(inputs)) {
    const data = mutate(pool, target.words, createRandom(options.seed, inputs++));
    const error = await attempt(target, data);
    if (error !== null) return result(inputs, await shrunk(target, data, error.reason));
    batch.push(data);
    if (options.guide === null || batch.length < batchSize) continue;
    if (options.guide.countNew() > 0) pool.push(...(await newcomers(target, batch, options.guide)));
    batch = [];
  }
  return result(inputs, null);

  function result(count: number, finding: Finding | null): LoopResult {
    return { inputs: count, kept: pool.length - given, finding };
  }
}

/** Returns why the target throws on `data`, null if it does not. */
export async function attempt(
  target: Target,
  data: Uint8Array,
): Promise<{ reason: unknown } | null> {
  try {
    // a copy: what a target keeps or changes must not reach the next input
    await target.fuzz(data.slice());
    return null;
  } catch (reason) {
    return { reason };
  }
}

// The batch reached something; one by one again, its inputs tell which of them did.
async function newcomers(
  target: Target,
  batch: readonly Uint8Array[],
  guide: Guide,
): Promise<Uint8Array[]> {
  const kept: Uint8Array[] = [];
  for (const data of batch) {
    await attempt(target, data);
    if (guide.learn() > 0) kept.push(data);
  }
  return kept;
}

/** Attempts to make a finding shorter; one that is slow rather than wrong takes its time for each. */
const maxAttempts = 2_000;

async function shrunk(target: Target, data: Uint8Array, reason: unknown): Promise<Finding> {
  let smallest: Finding = { data, error: reason };
  let attempts = 0;
  for (let size = Math.ceil(data.length / 2); size > 0; size = Math.floor(size / 2)) {
    for (let at = 0; at < smallest.data.length && attempts++ < maxAttempts; ) {
      const { data: before } = smallest;
      const shorter = Buffer.concat([before.subarray(0, at), before.subarray(at + size)]);
      const error = await attempt(target, new Uint8Array(shorter));
      if (error === null) at += size;
      else smallest = { data: new Uint8Array(shorter), error: error.reason };
    }
  }
  return smallest;
}
