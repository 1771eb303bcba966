import results from "../../bench/results/latest.json" with { type: "json" };
import type { ResultRow, Results } from "../../bench/results.ts";
import { formatValue, machineLine, verdictText } from "../../bench/table.ts";
import { goalOf, verdictOf } from "../../bench/thresholds.ts";
import { code, page, table } from "./markdown.ts";

const recorded = results as Results;

/** Returns the page about the figures of the last recorded run. */
export function benchmarksPage(): string {
  return page(
    "Benchmarks",
    "bench/results/latest.json",
    "Speed is told in ratios: both sides run on one machine in one interleaved run, and the ratio is taken round by round. A ratio is ours ÷ the other side, the median of its rounds with the smallest and the largest; below 1 we take less, but where the row says the contrary. `npm run bench` measures, `npm run bench -- --record` writes this page.",
    `This run: ${machineLine(recorded)}.`,
    "![each median beside its goal](benchmarks.svg)",
    table(["Row", "Median", "Min – max", "Must", "Aim", "Verdict"], recorded.rows.map(cells)),
    "## What the rows are",
    recorded.rows.map(describe).join("\n"),
    "## How it is measured",
    [
      "- A full Check is what `mesh-iam authorizer` does with it: tokens known, policies evaluated or remembered, metrics counted, allowed requests sampled out of the decision log. 1,000 users with a token each, ten policies of five statements with two conditions a user, an SCP, a resource policy. 2 connections × 8 streams.",
      "- Its other side is a grpc-js + protobuf-es server that reads one header and answers OK with three: the authorizer that decides nothing.",
      "- CPU is user and system time of all threads of a server, read from the scheduler, divided by the answered Checks. Servers take turns by the second; the first round is dropped.",
      "- Every answer is looked at, the counts of authorizer and generator must agree, and before and after each run a request that is to be denied is denied.",
      "- Parts of a Check run in a process of their own each, with rotating inputs, and are measured in CPU time.",
      "- Aims that are marked for a listener of our own (0.2 of the no-op, 3.5 of bare Envoy) are not within reach of the listeners that there are.",
    ].join("\n"),
  );
}

/** Returns the picture of the page: each median as a bar, as long as its share of the goal. */
export function benchmarksPicture(): string {
  const rows = recorded.rows.filter((row) => row.figure !== null && goalOf(row).must !== null);
  const barHeight = 18;
  const left = 170;
  const goalWidth = 360;
  const height = rows.length * (barHeight + 8) + 40;
  const bars = rows.map((row, n) => {
    const { must, atLeast = false } = goalOf(row);
    const median = row.figure?.median ?? Number.NaN;
    const share = atLeast ? (must ?? 1) / median : median / (must ?? 1);
    const width = Math.round(Math.min(share, 1.5) * goalWidth);
    const y = n * (barHeight + 8) + 28;
    const fill = share <= 1 ? "#2f855a" : "#c05621";
    return [
      `<text x="${left - 8}" y="${y + 13}" text-anchor="end">${row.name}</text>`,
      `<rect x="${left}" y="${y}" width="${width}" height="${barHeight}" fill="${fill}"/>`,
      `<text x="${left + width + 6}" y="${y + 13}">${formatValue(median, row.unit)}</text>`,
    ].join("\n");
  });
  const goalX = left + goalWidth;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${left + goalWidth * 1.5 + 90}" height="${height}" font-family="sans-serif" font-size="12" fill="#1a202c">`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    `<text x="${goalX}" y="16" text-anchor="middle">must</text>`,
    ...bars,
    `<line x1="${goalX}" y1="22" x2="${goalX}" y2="${height - 8}" stroke="#1a202c" stroke-dasharray="4 3"/>`,
    "</svg>",
  ].join("\n")}\n`;
}

function cells(row: ResultRow): string[] {
  const goal = goalOf(row);
  const goals = [formatValue(goal.must, row.unit), formatValue(goal.aim, row.unit)];
  if (row.figure === null) return [code(row.name), "–", "–", ...goals, `skipped: ${row.skipped}`];
  const { median, min, max } = row.figure;
  return [
    code(row.name),
    formatValue(median, row.unit),
    `${formatValue(min, row.unit)} – ${formatValue(max, row.unit)}`,
    ...goals,
    verdictText(verdictOf(median, goal)),
  ];
}

function describe({ name, title, details, rounds }: ResultRow): string {
  const parts = Object.entries(details).map(
    ([what, value]) => `${what} ${formatValue(value, "ratio")}`,
  );
  const all = [...parts, `${rounds} rounds`].join(", ");
  return `- ${code(name)}: ${title} (${all}).`;
}
