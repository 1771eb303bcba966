import { MeshIamError } from "../../iam/error.ts";
import { quote } from "../../iam/problem.ts";

const unitMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Returns `90s`, `15m`, `12h` or `7d` in ms; throws `usage`. */
export function parseDurationMs(text: string): number {
  const match = /^([1-9]\d{0,5})([smhd])$/.exec(text);
  const unit = unitMs[match?.[2] ?? ""];
  if (match === null || unit === undefined) {
    throw new MeshIamError(
      "usage",
      `expected a duration like 90s, 15m, 12h or 7d, got ${quote(text)}`,
    );
  }
  return Number(match[1]) * unit;
}
