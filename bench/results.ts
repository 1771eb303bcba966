import { cpus, loadavg } from "node:os";
import { envoyVersion } from "../src/adapters/envoy/binary.ts";
import { messageBytes } from "./corpus/check-requests.ts";
import { tokenBytes } from "./corpus/tokens.ts";
import { type Figure, figureOf } from "./measure/figures.ts";
import type { RowResult, RowSpec, Unit } from "./rows/row.ts";

/** One row as it is kept. */
export interface ResultRow {
  readonly name: string;
  readonly title: string;
  readonly unit: Unit;
  /** Null: not measured, for the reason in `skipped` or `failed`. */
  readonly figure: Figure | null;
  readonly rounds: number;
  readonly details: Readonly<Record<string, number>>;
  readonly skipped: string | null;
  readonly failed: string | null;
}

/** A whole run. */
export interface Results {
  readonly date: string;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  /** Load average of one minute, before and after. */
  readonly loadBefore: number;
  readonly loadAfter: number;
  readonly envoy: string;
  readonly messageBytes: number;
  readonly tokenBytes: number;
  readonly quick: boolean;
  readonly rows: readonly ResultRow[];
}

/** Returns a row's line, figures rounded to four significant digits. */
export function resultRow(spec: RowSpec, result: RowResult): ResultRow {
  if ("skipped" in result) {
    return { ...spec, ...nothing, skipped: result.skipped };
  }
  if ("failed" in result) return { ...spec, ...nothing, failed: result.failed };
  const { median, min, max } = figureOf(result.rounds);
  return {
    ...spec,
    figure: { median: round(median), min: round(min), max: round(max) },
    rounds: result.rounds.length,
    details: Object.fromEntries(
      Object.entries(result.details).map(([name, value]) => [name, round(value)]),
    ),
    skipped: null,
    failed: null,
  };
}

const nothing = { figure: null, rounds: 0, details: {}, skipped: null, failed: null } as const;

/** Returns the results with all that has to be said about where and when. */
export function resultsOf(
  rows: readonly ResultRow[],
  quick: boolean,
  loadBefore: number,
  nowMs: number,
): Results {
  return {
    date: new Date(nowMs).toISOString().slice(0, 10),
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    loadBefore: round(loadBefore),
    loadAfter: round(loadavg()[0] ?? Number.NaN),
    envoy: envoyVersion,
    messageBytes,
    tokenBytes,
    quick,
    rows,
  };
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
