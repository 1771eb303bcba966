import type { Paint } from "../paint.ts";
import { expectedStatus, type RowResult } from "./run-rows.ts";

const headings = ["", "caller", "request", "expected", "got", "reason", "µs"] as const;

/**
 * Returns the table as text, aligned, one line a row, with a tick or a cross before each; below it, a
 * line for each difference. Under 120 columns as long as callers have at most 27 characters.
 */
export function formatTable(results: readonly RowResult[], paint: Paint): string {
  const cells = results.map((result) => [
    result.differences.length === 0 ? "✓" : "✗",
    result.row.caller,
    `${result.row.method} ${result.row.path}`,
    expectedStatus(result.row),
    result.got,
    result.reason ?? "-",
    result.microseconds === null ? "-" : formatCount(result.microseconds),
  ]);
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...cells.map((row) => (row[column] ?? "").length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0, column === headings.length - 1))
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  const painted = cells.map((row) =>
    row[0] === "✓" ? line(row).replace("✓", paint.good("✓")) : paint.bad(line(row)),
  );
  const notes = results.flatMap(({ row, differences }) =>
    differences.map((difference) => paint.bad(`✗ ${row.caller}: ${difference}`)),
  );
  const below = notes.length === 0 ? [] : ["", ...notes];
  return [paint.dim(line(headings)), paint.dim(rule), ...painted, ...below].join("\n");
}

/** Returns a number of microseconds in whole ones: `1,234`. */
export function formatCount(value: number): string {
  return value.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ",");
}

function pad(text: string, width: number, right: boolean): string {
  return right ? text.padStart(width) : text.padEnd(width);
}
