import type { MatchScope } from "../pattern.ts";
import { isOrdered, type Ordering } from "./ordering.ts";
import { type PolicyValue, rememberLast, type ValueMatcher } from "./value-matcher.ts";

/**
 * A decimal number in normal form: no sign on zero, no leading zeros in `whole`, no trailing zeros
 * in `fraction`. Compared digit by digit, so nothing is rounded at 2^53 (VAL-1).
 */
export interface Decimal {
  readonly negative: boolean;
  readonly whole: string;
  readonly fraction: string;
}

const maxDigits = 64;

/**
 * Returns the number that `text` is, or null where it is none by VAL-1: an optional minus, digits, an
 * optional fraction, at most 64 digits together. `1e3`, `+1`, ` 1`, `0x10` and `` are none.
 */
export function parseDecimal(text: string): Decimal | null {
  const start = text.charCodeAt(0) === 0x2d ? 1 : 0;
  const wholeEnd = digitsEnd(text, start);
  if (wholeEnd === start) return null;
  let fraction = "";
  if (wholeEnd < text.length) {
    if (text.charCodeAt(wholeEnd) !== 0x2e) return null;
    if (wholeEnd + 1 === text.length) return null;
    if (digitsEnd(text, wholeEnd + 1) !== text.length) return null;
    fraction = text.slice(wholeEnd + 1, zerosStart(text, wholeEnd + 1));
  }
  const digits = text.length - start - (wholeEnd < text.length ? 1 : 0);
  if (digits > maxDigits) return null;
  const whole = text.slice(zerosEnd(text, start, wholeEnd), wholeEnd);
  const isZero = whole === "" && fraction === "";
  return { negative: start === 1 && !isZero, whole, fraction };
}

/** Returns a negative number, zero or a positive number as `a` is below, equal to or above `b`. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  if (a.negative !== b.negative) return a.negative ? -1 : 1;
  return a.negative ? compareMagnitudes(b, a) : compareMagnitudes(a, b);
}

function compareMagnitudes(a: Decimal, b: Decimal): number {
  // INVARIANT: without leading zeros the longer whole part is the greater one, and texts of one
  // length order like their numbers; fractions order like texts in any case.
  if (a.whole.length !== b.whole.length) return a.whole.length - b.whole.length;
  if (a.whole !== b.whole) return a.whole < b.whole ? -1 : 1;
  if (a.fraction !== b.fraction) return a.fraction < b.fraction ? -1 : 1;
  return 0;
}

function digitsEnd(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code >= 0x30 && code <= 0x39; code = text.charCodeAt(at)) {
    at++;
  }
  return at;
}

function zerosEnd(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && text.charCodeAt(at) === 0x30) at++;
  return at;
}

function zerosStart(text: string, from: number): number {
  let at = text.length;
  while (at > from && text.charCodeAt(at - 1) === 0x30) at--;
  return at;
}

const parseLast = rememberLast(parseDecimal);

/** Returns the matcher of the `Numeric*` operator that compares by `ordering`. */
export function createNumeric(ordering: Ordering, values: readonly PolicyValue[]): ValueMatcher {
  const numbers = values
    .map((value) => parseDecimal(value.text))
    .filter((number) => number !== null);
  return {
    matches(text: string, scope: MatchScope): boolean {
      const found = parseLast(text);
      scope.work.steps += numbers.length;
      if (found === null) return false;
      for (const number of numbers) {
        if (isOrdered(ordering, compareDecimals(found, number))) return true;
      }
      return false;
    },
  };
}
