import { join } from "node:path";
import { type Child, startChild } from "../measure/child.ts";
import { figureOf } from "../measure/figures.ts";
import type { MeasureRequest } from "../micro.ts";
import type { Group, Measured, RowResult, RowSpec, Run } from "./row.ts";

/*
 * Parts of a Check, each beside what it replaces or what it must not exceed (performance 4.5). Each side
 * is a process of its own; they take turns, and the ratio is taken round by round.
 */

interface MicroRow extends RowSpec {
  /** Subjects: what is divided, and by what; null where the figure stands for itself. */
  readonly subject: string;
  readonly by: string | null;
  /** A subject whose cost is taken off both: what both sides do besides. */
  readonly less?: string;
  /** Taken instead of `subject` in a quick run. */
  readonly quickSubject?: string;
}

const rows: readonly MicroRow[] = [
  {
    name: "decode",
    title: "reading a CheckRequest, and the fields a Check reads ÷ protobuf-es",
    unit: "ratio",
    subject: "decode-ours",
    by: "decode-protobuf-es",
  },
  {
    name: "encode",
    title: "writing a whole CheckResponse ÷ protobuf-es",
    unit: "ratio",
    subject: "encode-ours",
    by: "encode-protobuf-es",
  },
  {
    name: "evaluate-stored",
    title: "evaluation with 100,000 policies stored ÷ with 10",
    unit: "ratio",
    subject: "evaluate-100000",
    by: "evaluate-10",
    quickSubject: "evaluate-10000",
  },
  {
    name: "cedar",
    title:
      "Cedar 4.13.0 (wasm in Node, policies preparsed; entities and context cross as JSON) ÷ our evaluation, 10 policies of 5 statements",
    unit: "ratio",
    subject: "cedar",
    by: "evaluate-10",
  },
  {
    name: "implicit-deny",
    title: "an implicit deny of a principal with 100 policies ÷ with 1",
    unit: "ratio",
    subject: "implicit-deny-100",
    by: "implicit-deny-1",
  },
  {
    name: "token-cache",
    title: "a known token, from the header's bytes to the credential ÷ verified (ES256)",
    unit: "ratio",
    subject: "token-hit",
    by: "token-verified",
    less: "scan",
  },
  {
    name: "decision-cache",
    title: "a remembered decision found ÷ mapped and evaluated",
    unit: "ratio",
    subject: "decision-hit",
    by: "decision-made",
    less: "scan",
  },
  {
    name: "metrics",
    title: "metrics of a Check ÷ the same calls to prom-client",
    unit: "ratio",
    subject: "metrics-ours",
    by: "metrics-prom-client",
  },
  {
    name: "glob",
    title: "the slowest glob known, 2 KB against 2 KB",
    unit: "ms",
    subject: "glob",
    by: null,
  },
  {
    name: "statement-heap",
    title: "heap of a compiled statement with two conditions, 20,000 of them",
    unit: "bytes",
    subject: "statement-heap",
    by: null,
  },
];

export const microGroup: Group = {
  name: "micro",
  rows: rows.map(({ name, title, unit }) => ({ name, title, unit })),
  async measure(run, wanted) {
    const results = new Map<string, RowResult>();
    for (const row of rows) {
      if (!wanted.has(row.name)) continue;
      run.progress(`micro: ${row.name}`);
      try {
        results.set(row.name, await measureRow(row, run));
      } catch (failure) {
        results.set(row.name, { failed: String(failure) });
      }
    }
    return results;
  },
};

const script = join(import.meta.dirname, "../micro.ts");

async function measureRow(row: MicroRow, run: Run): Promise<Measured> {
  const subject = run.quick ? (row.quickSubject ?? row.subject) : row.subject;
  const names = [subject, row.by, row.less].filter((name) => typeof name === "string");
  const sides: Child[] = [];
  try {
    for (const name of names) {
      const child = startChild([script, name], { nodeFlags: ["--expose-gc"], core: null });
      sides.push(child);
      await child.next();
    }
    const rounds: number[][] = [];
    const count = run.quick ? 2 : 7;
    for (let round = 0; round < count; round++) {
      const costs: number[] = [];
      for (const side of sides) costs.push(await measureOnce(side, run.quick ? 20 : 150));
      rounds.push(costs);
    }
    return row.by === null ? figuresOf(rounds) : ratiosOf(row, rounds);
  } finally {
    for (const side of sides) await side.stop();
  }
}

async function measureOnce(side: Child, ms: number): Promise<number> {
  const answer = side.next<number>();
  side.send({ ms } satisfies MeasureRequest);
  return await answer;
}

function figuresOf(rounds: readonly (readonly number[])[]): Measured {
  return { rounds: rounds.map(([figure = Number.NaN]) => figure), details: {} };
}

function ratiosOf(row: MicroRow, rounds: readonly (readonly number[])[]): Measured {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (const [a = Number.NaN, b = Number.NaN, less = 0] of rounds) {
    // Less than nothing is noise of a machine that is busy with others.
    ours.push(Math.max(0, a - less));
    theirs.push(b - less);
  }
  return {
    rounds: ours.map((value, round) => value / (theirs[round] as number)),
    details: {
      [`µs of ${row.subject}`]: figureOf(ours).median,
      [`µs of ${row.by}`]: figureOf(theirs).median,
    },
  };
}
