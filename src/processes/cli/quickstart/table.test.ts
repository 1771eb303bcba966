import { expect, test } from "vitest";
import { noPaint } from "../paint.ts";
import { type Row, rows } from "./rows.ts";
import type { RowResult } from "./run-rows.ts";
import { formatCount, formatTable } from "./table.ts";

function result(row: Row, more: Partial<RowResult> = {}): RowResult {
  return {
    row,
    got: row.grpc ? `grpc ${row.status}` : String(row.status),
    reason: row.reason,
    decisionId: "d",
    microseconds: 64.6,
    firstMicroseconds: 9000,
    differences: [],
    ...more,
  };
}

const [first, second] = rows as unknown as [Row, Row];

test("columns are aligned, figures to the right", () => {
  const table = formatTable([result(first), result(second, { microseconds: 1234.5 })], noPaint);
  expect(table.split("\n")).toEqual([
    "   caller                   request          expected  got  reason              µs",
    "─  ───────────────────────  ───────────────  ────────  ───  ───────────────  ─────",
    "✓  user                     GET /v1/orders   200       200  identity-policy     65",
    "✓  user, nothing allows it  POST /v1/orders  403       403  implicit-deny    1,235",
  ]);
});

test("a row that differs has a cross, and below the table what differs", () => {
  const differing = result(second, {
    ...{ got: "200", reason: null, microseconds: null },
    differences: ["expected 403, got 200", "it reached the application"],
  });
  const lines = formatTable([result(first), differing], noPaint).split("\n");
  expect(lines[3]).toBe(
    "✗  user, nothing allows it  POST /v1/orders  403       200  -                 -",
  );
  expect(lines.slice(4)).toEqual([
    "",
    "✗ user, nothing allows it: expected 403, got 200",
    "✗ user, nothing allows it: it reached the application",
  ]);
});

test("the whole table fits 120 columns", () => {
  const table = formatTable(
    rows.map((row) => result(row, { microseconds: 9999 })),
    noPaint,
  );
  const widths = table.split("\n").map((line) => line.length);
  expect(widths).toHaveLength(rows.length + 2);
  expect(Math.max(...widths)).toBeLessThanOrEqual(120);
});

test("colour changes no text", () => {
  const paint = { good: mark, bad: mark, dim: mark };
  const results = [result(first), result(second, { differences: ["x"] })];
  const painted = formatTable(results, paint);
  expect(painted).toContain("<");
  expect(painted.replaceAll(/[<>]/g, "")).toBe(formatTable(results, noPaint));
});

function mark(text: string): string {
  return `<${text}>`;
}

test.each([
  [0.4, "0"],
  [999.5, "1,000"],
  [1_234_567, "1,234,567"],
])("%d µs is %s", (value, text) => {
  expect(formatCount(value)).toBe(text);
});
