import { expect, test } from "vitest";
import { prefersOpenMetrics } from "./accept.ts";

test.each([
  { why: "no header", accept: undefined, want: false },
  { why: "anything", accept: "*/*", want: false },
  { why: "a browser", accept: "text/html,application/xhtml+xml,*/*;q=0.8", want: false },
  { why: "OpenMetrics alone", accept: "application/openmetrics-text", want: true },
  {
    why: "Prometheus with OpenMetrics first",
    accept:
      "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    want: true,
  },
  {
    why: "Prometheus with text first",
    accept:
      "text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4,*/*;q=0.2",
    want: false,
  },
  { why: "equal weights", accept: "text/plain, application/openmetrics-text", want: true },
  { why: "another case", accept: "Application/OpenMetrics-Text; Q=0.5", want: true },
  { why: "weight zero", accept: "application/openmetrics-text;q=0", want: false },
  { why: "a weight that is none", accept: "application/openmetrics-text;q=high", want: false },
  {
    why: "an older version alone",
    accept: "application/openmetrics-text;version=0.0.1",
    want: false,
  },
  {
    why: "a header without end",
    accept: "application/openmetrics-text,".repeat(1_000),
    want: false,
  },
])("OpenMetrics is preferred ($want): $why", ({ accept, want }) => {
  expect(prefersOpenMetrics(accept)).toBe(want);
});
