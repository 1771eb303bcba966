import { expect, test } from "vitest";
import { policy, statement } from "../../../test/fakes/question.ts";
import { levels } from "../compile/principal-matcher.ts";
import { EveryMatch, StrongestMatch } from "./takers.ts";

const [first, second, third] = policy("p", [statement(), statement(), statement()]).statements;
if (!first || !second || !third) throw new Error("three statements");

test("of two equally strong statements the first one decides", () => {
  const taker = new StrongestMatch();
  expect(taker.take(first, levels.account)).toBe(false);
  expect(taker.take(second, levels.account)).toBe(false);
  expect(taker.statement).toBe(first);
});

test("a stronger statement takes the place, and nothing is stronger than a direct one", () => {
  const taker = new StrongestMatch();
  taker.take(first, levels.account);
  expect(taker.take(second, levels.role)).toBe(false);
  expect(taker.statement).toBe(second);
  expect(taker.take(third, levels.direct)).toBe(true);
  expect(taker).toMatchObject({ statement: third, level: levels.direct });
});

test("every statement is taken, and none twice", () => {
  const taker = new EveryMatch();
  expect(taker.statements).toBeNull();
  expect([first, second, first].map((each) => taker.take(each))).toEqual([false, false, false]);
  expect([...(taker.statements ?? [])]).toEqual([first, second]);
});
