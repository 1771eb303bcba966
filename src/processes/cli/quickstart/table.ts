/** One line of the printed table. */
export interface TableRow {
  readonly caller: string;
  readonly request: string;
  readonly expected: string;
  readonly got: string;
  readonly reason: string;
  readonly microseconds: number | null;
  readonly fits: boolean;
}

const headings = ["", "caller", "request", "expected", "got", "reason", "µs"] as const;

/** Returns the table as text, aligned, one line a row, with a tick or a cross before each. */
export function formatTable(rows: readonly TableRow[]): string {
  const cells = rows.map((row) => [
    row.fits ? "✓" : "✗",
    row.caller,
    row.request,
    row.expected,
    row.got,
    row.reason,
    row.microseconds === null ? "-" : row.microseconds.toFixed(0),
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
  return [line(headings), rule, ...cells.map(line)].join("\n");
}

function pad(text: string, width: number, right: boolean): string {
  return right ? text.padStart(width) : text.padEnd(width);
}
