import fc from "fast-check";
import { expect, test } from "vitest";
import { compareInstants, parseInstant } from "./date.ts";

test.each([
  ["a year", "2024", "2024-01-01T00:00:00Z"],
  ["a month", "2024-06", "2024-06-01T00:00:00Z"],
  ["a day", "2024-06-01", "2024-06-01T00:00:00Z"],
  ["29 February of a leap year", "2024-02-29", "2024-02-29T00:00:00Z"],
  ["29 February 2000", "2000-02-29", "2000-02-29T00:00:00Z"],
  ["minutes", "2024-06-01T10:20Z", "2024-06-01T10:20:00Z"],
  ["T-CON-37 a zone", "2024-06-01T02:00:00+02:00", "2024-06-01T00:00:00Z"],
  ["a zone to the west", "2024-05-31T18:30:00-05:30", "2024-06-01T00:00:00Z"],
  ["minus zero", "2024-06-01T00:00:00-00:00", "2024-06-01T00:00:00Z"],
  ["the first instant", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"],
  ["the last second", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"],
  ["T-CON-34 epoch seconds", "1735689600", "2025-01-01T00:00:00Z"],
  ["the epoch", "0", "1970-01-01T00:00:00Z"],
  ["minus zero seconds", "-0", "1970-01-01T00:00:00Z"],
  ["before the epoch", "-1", "1969-12-31T23:59:59Z"],
  ["US-05 three digits are seconds", "999", "1970-01-01T00:16:39Z"],
  ["US-05 five digits are seconds", "02024", "1970-01-01T00:33:44Z"],
  ["US-05 four digits with a fraction are seconds", "2024.0", "1970-01-01T00:33:44Z"],
  ["US-05 four digits with a minus are seconds", "-2024", "1969-12-31T23:26:16Z"],
  ["the last epoch second", "253402300799", "9999-12-31T23:59:59Z"],
  ["the first epoch second", "-62135596800", "0001-01-01T00:00:00Z"],
])("VAL-2 %s", (_why, text, iso) => {
  expect(parseInstant(text)).toEqual({ seconds: Date.parse(iso) / 1000, nanos: 0 });
});

test.each([
  ["2024-06-01T00:00:00.5Z", 500_000_000],
  ["2024-06-01T00:00:00.000000001Z", 1],
  ["2024-06-01T00:00:00.123456789+00:00", 123_456_789],
  ["1717200000.25", 250_000_000],
])("the fraction of %s", (text, nanos) => {
  expect(parseInstant(text)).toEqual({ seconds: 1_717_200_000, nanos });
});

test("a fraction before the epoch counts from the second below", () => {
  expect(parseInstant("-1.25")).toEqual({ seconds: -2, nanos: 750_000_000 });
  expect(parseInstant("-1.000")).toEqual({ seconds: -1, nanos: 0 });
});

test.each([
  ["empty", ""],
  ["POL-007 30 February", "2024-02-30"],
  ["29 February 1900", "1900-02-29"],
  ["31 April", "2024-04-31"],
  ["month 13", "2024-13"],
  ["month 0", "2024-00"],
  ["day 0", "2024-01-00"],
  ["year 0", "0000"],
  ["POL-007 24:00", "2024-01-01T24:00:00Z"],
  ["minute 60", "2024-01-01T00:60Z"],
  ["POL-045 second 60", "2024-01-01T00:00:60Z"],
  ["no zone", "2024-01-01T00:00:00"],
  ["no zone after minutes", "2024-01-01T00:00"],
  ["no minutes", "2024-01-01T00Z"],
  ["a zone without minutes", "2024-01-01T00:00:00+02"],
  ["a zone without colon", "2024-01-01T00:00:00+0200"],
  ["a zone of 24 hours", "2024-01-01T00:00:00+24:00"],
  ["a zone of 60 minutes", "2024-01-01T00:00:00+00:60"],
  ["letters in lower case", "2024-01-01t00:00:00z"],
  ["a blank for the T", "2024-01-01 00:00:00Z"],
  ["a zone on a day", "2024-01-01Z"],
  ["text behind", "2024-01-01T00:00:00Zx"],
  ["ten fraction digits", "2024-01-01T00:00:00.1234567890Z"],
  ["an empty fraction", "2024-01-01T00:00:00.Z"],
  ["a comma for the point", "2024-01-01T00:00:00,5Z"],
  ["POL-007 RFC 2822", "Jan 1 2020"],
  ["a year of five digits with a month", "12024-01"],
  ["POL-045 year 275761", "+275761-01-01"],
  ["one digit of a month", "2024-1"],
  ...["0:", ":0", "0/", "/0", "0x", "x1", "1\u0661"].map((month) => [
    `a month that is no number: ${month}`,
    `2024-${month}`,
  ]),
  ["an hour that is no number", "2024-01-01T0:00:00Z"],
  ["a slash", "2024/01/01"],
  ["basic format", "20240101T000000Z"],
  ["a week", "2024-W01"],
  ["POL-045 milliseconds", "1735689600000"],
  ["an epoch before year 1", "-62135596801"],
  ["an epoch just before year 1", "-62135596800.5"],
  ["a plus", "+1"],
  ["an exponent", "1e9"],
  ["an empty epoch fraction", "1."],
  ["ten epoch fraction digits", "1.1234567890"],
  ["two points", "1.2.3"],
  ["a minus alone", "-"],
  ["a blank", " 1"],
  ["a megabyte of nines", "9".repeat(1 << 20)],
  ["a megabyte of zeros", "0".repeat(1 << 20)],
] as [string, string][])("VAL-2 no date: %s", (_why, text) => {
  expect(parseInstant(text)).toBeNull();
});

test("any instant is read as Date writes it", () => {
  const min = new Date("0001-01-01T00:00:00Z");
  const max = new Date("9999-12-31T23:59:59.999Z");
  fc.assert(
    fc.property(fc.date({ min, max, noInvalidDate: true }), (date) => {
      const parsed = parseInstant(date.toISOString());
      expect((parsed?.seconds ?? 0) * 1000 + (parsed?.nanos ?? 0) / 1e6).toBe(date.getTime());
    }),
  );
});

test("instants order by seconds, then by nanoseconds", () => {
  const order = ["2024-01-01", "2024-01-01T00:00:00.000000001Z", "1704067201"].map((text) => {
    const instant = parseInstant(text);
    if (instant === null) throw new Error("expected a date");
    return instant;
  });
  for (const [i, a] of order.entries()) {
    for (const [j, b] of order.entries()) {
      expect(Math.sign(compareInstants(a, b))).toBe(Math.sign(i - j));
    }
  }
});
