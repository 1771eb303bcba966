import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { validatePolicy } from "../validate.ts";
import { undecidedChecks } from "./undecided.ts";

const sources = globSync("src/{iam/policy,domain/directory}/**/*.ts")
  .filter((path) => !path.endsWith(".test.ts") && !path.endsWith("/undecided.ts"))
  .map((path) => readFileSync(path, "utf8"))
  .join("\n");

const services = new Map([["orders", { actions: ["GetOrder"], conditionKeys: [] }]]);

test("no check that is made is listed as not made", () => {
  const made = undecidedChecks({ services }).filter(({ code }) => sources.includes(`"${code}"`));
  expect(made).toEqual([]);
});

test("each is listed once, with a level and a reason", () => {
  const all = undecidedChecks();
  expect(new Set(all.map(({ code }) => code)).size).toBe(all.length);
  expect(new Set(all.map(({ severity }) => severity)).size).toBe(4);
  expect(all.every(({ why, code }) => why.length > 10 && /^[A-Z][A-Z_]+[A-Z]$/.test(code))).toBe(
    true,
  );
});

test("services that are given decide checks that nothing else does", () => {
  const codes = (options: Parameters<typeof undecidedChecks>[0]) =>
    undecidedChecks(options).map(({ code }) => code);
  expect(codes({})).toContain("INVALID_ACTION");
  expect(codes({ services: new Map() })).toContain("INVALID_ACTION");
  expect(codes({ services })).not.toContain("INVALID_ACTION");
  const policy =
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"orders:GetOrdr","Resource":"*"}}';
  const found = (options: object) =>
    validatePolicy(policy, "identity", options).map(({ code }) => code);
  expect(found({ services })).toContain("INVALID_ACTION");
  expect(found({})).not.toContain("INVALID_ACTION");
});
