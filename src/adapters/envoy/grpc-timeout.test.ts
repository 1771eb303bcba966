import { expect, test } from "vitest";
import { parseGrpcTimeout } from "./grpc-timeout.ts";

test.each([
  { text: undefined, want: Number.POSITIVE_INFINITY },
  { text: "250m", want: 250 },
  { text: "2S", want: 2000 },
  { text: "1H", want: 3_600_000 },
  { text: "3M", want: 180_000 },
  { text: "500u", want: 0.5 },
  { text: "0m", want: 0 },
  { text: "99999999S", want: 99_999_999_000 },
  { text: "100000000m", want: null },
  { text: "", want: null },
  { text: "m", want: null },
  { text: "10", want: null },
  { text: "-1m", want: null },
  { text: "1.5S", want: null },
  { text: "1 m", want: null },
  { text: "1e3m", want: null },
  { text: "250m,250m", want: null },
])("grpc-timeout $text", ({ text, want }) => {
  const got = parseGrpcTimeout(text);
  if (want === null) expect(got).toBeNull();
  else expect(got).toBe(want);
});
