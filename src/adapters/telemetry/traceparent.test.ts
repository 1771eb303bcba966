import { expect, test } from "vitest";
import { parseTraceparent } from "./traceparent.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";

test.each([
  { why: "version 00", text: `00-${traceId}-${spanId}-01` },
  { why: "a later version with more fields", text: `01-${traceId}-${spanId}-01-more` },
])("a trace context is read: $why", ({ text }) => {
  expect(parseTraceparent(text)).toEqual({ traceId, spanId });
});

test.each([
  { why: "absent", text: undefined },
  { why: "empty", text: "" },
  { why: "version ff", text: `ff-${traceId}-${spanId}-01` },
  { why: "capitals", text: `00-${traceId.toUpperCase()}-${spanId}-01` },
  { why: "a trace of zeros", text: `00-${"0".repeat(32)}-${spanId}-01` },
  { why: "a span of zeros", text: `00-${traceId}-${"0".repeat(16)}-01` },
  { why: "an id too short", text: `00-${traceId.slice(1)}-${spanId}-01` },
  { why: "no flags", text: `00-${traceId}-${spanId}` },
  {
    why: "a repeated header, joined",
    text: `00-${traceId}-${spanId}-01,00-${traceId}-${spanId}-01`,
  },
  { why: "without end", text: `00-${traceId}-${spanId}-01-${"x".repeat(200)}` },
])("no trace context: $why", ({ text }) => {
  expect(parseTraceparent(text)).toBeNull();
});
