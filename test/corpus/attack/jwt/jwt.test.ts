import { expect, test } from "vitest";
import { isDenied } from "../../../../src/domain/request/denied.ts";
import { algorithmRows } from "./algorithms.ts";
import { claimRows } from "./claims.ts";
import { keyChoiceRows } from "./key-choice.ts";
import { kindRows } from "./kinds.ts";
import type { Row } from "./row.ts";
import { shapeRows } from "./shape.ts";
import { svidRows } from "./svid.ts";
import { transportRows } from "./transport.ts";
import { createWorld, judge } from "./world.ts";

const rows: readonly Row[] = await Promise.all([
  ...shapeRows,
  ...algorithmRows,
  ...keyChoiceRows,
  ...kindRows,
  ...claimRows,
  ...transportRows,
  ...svidRows,
]);

/** Never lowered: an emptied table cannot pass. */
const floor = 760;

test.each(rows.map((row) => [`${row.id} ${row.title}`, row] as const))("%s", (_name, row) => {
  const world = row.world ?? createWorld();
  const request = row.request?.() ?? { authorization: [`Bearer ${row.token?.()}`] };
  const result = judge(request, world, row.rules, row.atMs);
  const got = isDenied(result) ? result.reason : "accept";
  expect(got).toBe(row.expect);
  // What is logged are words of ours, never anything the sender wrote.
  if (isDenied(result)) expect(result.detail).toMatch(/^[a-z0-9_.-]*$/);
  row.check?.(result, world);
});

test(`the corpus has at least ${floor} cases`, () => {
  expect(rows.length).toBeGreaterThanOrEqual(floor);
});
