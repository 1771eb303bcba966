const unitMs: ReadonlyMap<string, number> = new Map([
  ["H", 3_600_000],
  ["M", 60_000],
  ["S", 1000],
  ["m", 1],
  ["u", 0.001],
  ["n", 0.000_001],
]);

/**
 * Returns the milliseconds of a `grpc-timeout` header, Infinity when it is absent, null when it is
 * not one to eight digits and a unit. Source: gRPC over HTTP/2, "Timeout".
 */
export function parseGrpcTimeout(text: string | undefined): number | null {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  const unit = unitMs.get(text.slice(-1));
  const digits = text.slice(0, -1);
  return unit === undefined || !/^[0-9]{1,8}$/.test(digits) ? null : Number(digits) * unit;
}
