import type { ResultRow, Results } from "./results.ts";
import type { Unit } from "./rows/row.ts";
import { goalOf, verdictOf } from "./thresholds.ts";

/** Returns the table of a run as text. */
export function formatTable(results: Results): string {
  const lines = [
    ["row", "median", "min – max", "must", "aim", "verdict"],
    ...results.rows.map((row) => cells(row)),
  ];
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => (line[column] ?? "").length)),
  );
  const table = lines.map((line) =>
    line
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 || column === 5 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd(),
  );
  const notes = results.rows.map(detailsLine).filter((line) => line !== "");
  return [...table, "", ...notes, "", machineLine(results)].join("\n");
}

/** Returns the line that goes with every figure. */
export function machineLine(results: Results): string {
  const { date, node, platform, cpu, cores, loadBefore, loadAfter } = results;
  const quick = results.quick ? "; a quick run, not to be quoted" : "";
  return `${date}, Node ${node}, ${platform}, ${cores} × ${cpu}, load average ${loadBefore} before and ${loadAfter} after; a CheckRequest of ${results.messageBytes} B with a token of ${results.tokenBytes} B${quick}`;
}

/** Returns a figure with its unit, three digits. */
export function formatValue(value: number | null, unit: Unit): string {
  if (value === null) return "–";
  if (unit === "bytes") return `${Math.round(value)} B`;
  const text = value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
  return unit === "ms" ? `${text} ms` : text;
}

function cells(row: ResultRow): string[] {
  const goal = goalOf(row);
  const must = formatValue(goal.must, row.unit);
  const aim = formatValue(goal.aim, row.unit);
  if (row.figure === null) {
    const why = row.failed === null ? `skipped: ${row.skipped}` : `FAILED: ${row.failed}`;
    return [row.name, "–", "–", must, aim, why];
  }
  const { median, min, max } = row.figure;
  return [
    row.name,
    formatValue(median, row.unit),
    `${formatValue(min, row.unit)} – ${formatValue(max, row.unit)}`,
    must,
    aim,
    verdictText(verdictOf(median, goal)),
  ];
}

/** Returns a verdict in words. */
export function verdictText(verdict: ReturnType<typeof verdictOf>): string {
  switch (verdict) {
    case "aim":
      return "aim reached";
    case "must":
      return "must reached";
    case "missed":
      return "MISSED";
    case "none":
      return "";
  }
}

function detailsLine({ name, title, details }: ResultRow): string {
  const parts = Object.entries(details).map(
    ([what, value]) => `${what} ${formatValue(value, "ratio")}`,
  );
  return `${name}: ${title}${parts.length === 0 ? "" : ` (${parts.join(", ")})`}`;
}
