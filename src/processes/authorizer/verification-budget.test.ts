import { expect, test } from "vitest";
import { createVerificationBudget } from "./verification-budget.ts";

test("H2-023 a flood of unknown tokens from one peer is cut, others still verify", () => {
  const budget = createVerificationBudget({ share: 0.25, windowMs: 1000, maxPeers: 16 });
  let admitted = 0;
  for (let i = 0; i < 10_000; i++) {
    if (!budget.admits("attacker", 10)) break;
    budget.spend("attacker", 0.1);
    admitted++;
  }
  expect(admitted).toBeLessThanOrEqual(2_501);
  expect(budget.admits("attacker", 10)).toBe(false);
  expect(budget.admits("honest", 10)).toBe(true);
  budget.spend("honest", 0.1);
  expect(budget.admits("honest", 10)).toBe(true);
});

test("a new window forgets", () => {
  const budget = createVerificationBudget({ share: 0.1, windowMs: 100, maxPeers: 16 });
  budget.admits("a", 0);
  budget.spend("a", 60);
  expect(budget.admits("a", 50)).toBe(false);
  expect(budget.admits("a", 100)).toBe(true);
});

test("the table of peers is bounded: those beyond it share one entry", () => {
  const budget = createVerificationBudget({ share: 0.1, windowMs: 1000, maxPeers: 4 });
  for (let i = 0; i < 100; i++) budget.spend(`peer-${i}`, 2);
  expect(budget.admits("peer-77", 1)).toBe(false);
});
