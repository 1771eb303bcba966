import type { MatchScope } from "../pattern.ts";
import { isOrdered, type Ordering } from "./ordering.ts";
import { type PolicyValue, rememberLast, type ValueMatcher } from "./value-matcher.ts";

/** An instant to the nanosecond: `seconds` since 1970 (UTC), rounded down, and the rest. */
export interface Instant {
  readonly seconds: number;
  readonly nanos: number;
}

const minEpochSeconds = -62_135_596_800; // 0001-01-01T00:00:00Z
const maxEpochSeconds = 253_402_300_799; // 9999-12-31T23:59:59Z
const maxLength = 64;

/**
 * Returns the instant that `text` names, or null where it names none by VAL-2: ISO 8601 in the W3C
 * profile (`YYYY`, `YYYY-MM`, `YYYY-MM-DD`, date and time with a zone) or epoch seconds. Exactly four
 * digits are a year; missing parts are the earliest instant. At most nine digits of a fraction; no
 * second 60, no 24:00, no 30 February, nothing outside the years 0001 to 9999.
 */
export function parseInstant(text: string): Instant | null {
  if (text.length > maxLength) return null;
  const digits = digitsEnd(text, 0);
  if (digits === 4 && (text.length === 4 || text.charCodeAt(4) === 0x2d)) return parseIso(text);
  return parseEpoch(text);
}

/** Returns a negative number, zero or a positive number as `a` is before, equal to or after `b`. */
export function compareInstants(a: Instant, b: Instant): number {
  return a.seconds === b.seconds ? a.nanos - b.nanos : a.seconds - b.seconds;
}

function parseIso(text: string): Instant | null {
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = text.length > 4 ? numberAfter(text, 4, 0x2d) : 1;
  const day = text.length > 7 ? numberAfter(text, 7, 0x2d) : 1;
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return null;
  const seconds = daysSinceEpoch(year, month, day) * 86_400;
  if (text.length <= 10) {
    return text.length === 4 || text.length === 7 || text.length === 10
      ? { seconds, nanos: 0 }
      : null;
  }
  return parseTime(text, seconds);
}

// THH:MM[:SS[.f]] and the zone, from offset 10 on.
function parseTime(text: string, dayStart: number): Instant | null {
  const hour = numberAfter(text, 10, 0x54);
  const minute = numberAfter(text, 13, 0x3a);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return null;
  let at = 16;
  let second = 0;
  let nanos = 0;
  if (text.charCodeAt(at) === 0x3a) {
    second = numberAfter(text, at, 0x3a);
    if (second < 0 || second > 59) return null;
    at += 3;
    if (text.charCodeAt(at) === 0x2e) {
      const end = digitsEnd(text, at + 1);
      nanos = parseNanos(text, at + 1, end);
      if (nanos < 0) return null;
      at = end;
    }
  }
  const offset = parseZone(text, at);
  if (offset === null) return null;
  return { seconds: dayStart + hour * 3600 + minute * 60 + second - offset, nanos };
}

// Seconds east of Greenwich; null: no zone, or something behind it.
function parseZone(text: string, at: number): number | null {
  const sign = text.charCodeAt(at);
  if (sign === 0x5a) return at + 1 === text.length ? 0 : null;
  if ((sign !== 0x2b && sign !== 0x2d) || at + 6 !== text.length) return null;
  const hours = twoDigits(text, at + 1);
  const minutes = numberAfter(text, at + 3, 0x3a);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return null;
  const seconds = hours * 3600 + minutes * 60;
  return sign === 0x2d ? -seconds : seconds;
}

function parseEpoch(text: string): Instant | null {
  const start = text.charCodeAt(0) === 0x2d ? 1 : 0;
  const end = digitsEnd(text, start);
  if (end === start) return null;
  let seconds = 0;
  for (let i = start; i < end; i++) {
    seconds = seconds * 10 + text.charCodeAt(i) - 0x30;
    if (seconds > maxEpochSeconds) return null;
  }
  let nanos = 0;
  if (end < text.length) {
    if (text.charCodeAt(end) !== 0x2e || digitsEnd(text, end + 1) !== text.length) return null;
    nanos = parseNanos(text, end + 1, text.length);
    if (nanos < 0) return null;
  }
  if (start === 0) return { seconds, nanos };
  // -1.25 is the second -2 and 0.75 of it
  const floored = nanos === 0 ? 0 - seconds : -seconds - 1;
  if (floored < minEpochSeconds) return null;
  return { seconds: floored, nanos: nanos === 0 ? 0 : 1_000_000_000 - nanos };
}

// A fraction of one to nine digits as nanoseconds, else -1.
function parseNanos(text: string, from: number, to: number): number {
  if (to === from || to - from > 9) return -1;
  let nanos = 0;
  for (let i = from; i < from + 9; i++) {
    nanos = nanos * 10 + (i < to ? text.charCodeAt(i) - 0x30 : 0);
  }
  return nanos;
}

// The two digits behind the separator at `at`, else -1.
function numberAfter(text: string, at: number, separator: number): number {
  return text.charCodeAt(at) === separator ? twoDigits(text, at + 1) : -1;
}

function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 0x30;
  const ones = text.charCodeAt(at + 1) - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

function digitsEnd(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code >= 0x30 && code <= 0x39; code = text.charCodeAt(at)) {
    at++;
  }
  return at;
}

const monthLengths: readonly number[] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysIn(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && isLeap ? 29 : (monthLengths[month - 1] ?? 0);
}

// Proleptic Gregorian calendar; years are counted from March so that the leap day comes last.
function daysSinceEpoch(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const leapDays = Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  return y * 365 + leapDays + dayOfYear - 719_468;
}

const parseLast = rememberLast(parseInstant);

/** Returns the matcher of the `Date*` operator that compares by `ordering`. */
export function createDate(ordering: Ordering, values: readonly PolicyValue[]): ValueMatcher {
  const instants = values.map((value) => parseInstant(value.text)).filter((each) => each !== null);
  return {
    matches(text: string, scope: MatchScope): boolean {
      const found = parseLast(text);
      scope.work.steps += instants.length;
      if (found === null) return false;
      for (const instant of instants) {
        if (isOrdered(ordering, compareInstants(found, instant))) return true;
      }
      return false;
    },
  };
}
