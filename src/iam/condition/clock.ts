import type { BaseOperator } from "../policy/document.ts";
import type { ContextKeys } from "../request-context.ts";
import { type Instant, parseInstant } from "./date.ts";
import { type Decimal, parseDecimal } from "./numeric.ts";

/**
 * How the answer of a condition moves with the clock, request and credential being the same (KEY-5).
 * `instants`: it can change at these milliseconds and at no others. `ages`: when the age that the
 * request carries grows past one of these numbers. `unknown`: nobody can say.
 */
export type ClockDependence =
  | { readonly type: "instants"; readonly atMs: readonly number[] }
  | { readonly type: "ages"; readonly keyLower: string; readonly bounds: readonly number[] }
  | { readonly type: "unknown" };

export const unknownDependence: ClockDependence = { type: "unknown" };

const instantKeys: ReadonlySet<string> = new Set(["aws:currenttime", "aws:epochtime"]);
const ageKey = "aws:multifactorauthage";

/** Returns whether the key moves with the clock. */
export function isClockKey(keyLower: string): boolean {
  return keyLower === ageKey || instantKeys.has(keyLower);
}

/**
 * Returns how a condition on `keyLower` with these values moves with the clock, null where it does
 * not. Whether a key is there does not change with time, so `Null` never moves.
 */
export function clockDependence(
  keyLower: string,
  base: BaseOperator,
  values: readonly string[],
): ClockDependence | null {
  if (base === "Null" || !isClockKey(keyLower)) return null;
  if (keyLower === ageKey) {
    if (!base.startsWith("Numeric")) return unknownDependence;
    const bounds = values.map(parseDecimal).filter((each) => each !== null);
    return { type: "ages", keyLower, bounds: bounds.map(floorOf) };
  }
  const read = instantReader(base);
  if (read === null) return unknownDependence;
  const instants = values.map(read);
  if (instants.includes(null)) return unknownDependence;
  const atMs = instants.flatMap((instant) => (instant === null ? [] : flipsAround(instant)));
  return { type: "instants", atMs };
}

/**
 * Returns the first millisecond after `nowMs` at which the answer can change, Infinity for never and
 * `nowMs` where that cannot be said. Early is allowed, late is not.
 */
export function nextFlipMs(dependence: ClockDependence, keys: ContextKeys, nowMs: number): number {
  switch (dependence.type) {
    case "instants": {
      let next = Number.POSITIVE_INFINITY;
      for (const at of dependence.atMs) if (at > nowMs && at < next) next = at;
      return next;
    }
    case "ages":
      return nextAgeFlipMs(dependence.bounds, keys.get(dependence.keyLower)?.values ?? [], nowMs);
    case "unknown":
      return nowMs;
  }
}

function nextAgeFlipMs(
  bounds: readonly number[],
  values: readonly string[],
  nowMs: number,
): number {
  let next = Number.POSITIVE_INFINITY;
  for (const value of values) {
    const decimal = parseDecimal(value);
    if (decimal === null) continue;
    const age = floorOf(decimal);
    for (const bound of bounds) {
      // A second to spare: the age may be cut to whole seconds, and the bound is cut here.
      if (age <= bound) next = Math.min(next, nowMs + Math.max(0, bound - 1 - age) * 1000);
    }
  }
  return next;
}

// The key may be written with milliseconds or cut to seconds: the answer changes when the value
// reaches the instant and when it passes it, at either grain.
function flipsAround({ seconds, nanos }: Instant): readonly number[] {
  const atMs = seconds * 1000 + Math.floor(nanos / 1_000_000);
  return [atMs, atMs + 1, (seconds + 1) * 1000];
}

function instantReader(base: BaseOperator): ((text: string) => Instant | null) | null {
  if (base.startsWith("Date")) return parseInstant;
  return base.startsWith("Numeric") ? parseEpochNumber : null;
}

// Four digits are a year as a date, and seconds as a number.
function parseEpochNumber(text: string): Instant | null {
  if (parseDecimal(text) === null) return null;
  return parseInstant(text.includes(".") ? text : `${text}.0`);
}

// The whole part as a number; beyond 2^53 close enough, since nobody waits for that long.
function floorOf({ negative, whole, fraction }: Decimal): number {
  let value = 0;
  for (let i = 0; i < whole.length; i++) value = value * 10 + whole.charCodeAt(i) - 0x30;
  if (!negative) return value;
  return fraction === "" ? -value : -value - 1;
}
