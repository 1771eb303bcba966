import { type Denied, deny } from "../request/denied.ts";
import type { Claims } from "./credential.ts";

/** 2^53: beyond it neighbouring seconds share a number. */
const maxSeconds = 2 ** 53;

/** When a token is accepted: from `notBeforeMs` on and before `expiresAtMs`, clock skew included. */
export interface TokenTimes {
  readonly issuedAtMs: number | null;
  readonly notBeforeMs: number;
  readonly expiresAtMs: number;
}

/**
 * Returns the window of a token by its `exp`, `nbf` and `iat` (RFC 7519, 4.1), or why it has none.
 *
 * Each is a JSON number from 0 to 2^53 seconds; a fraction is legal and counts against the token: `exp`
 * is rounded down, the others up. The life may be at most `maxLifetimeMs`, counted from `iat`, and
 * without one from now: the window then begins where the rest of the life fits.
 * Denied as `token-claims` (no `exp`) or `token-time` (a malformed time, too long a life).
 */
export function readTimes(
  claims: Claims,
  maxLifetimeMs: number,
  skewMs: number,
): TokenTimes | Denied {
  const exp = secondsOf(claims, "exp");
  const nbf = secondsOf(claims, "nbf");
  const iat = secondsOf(claims, "iat");
  if (exp === null) return deny("token-claims", "exp");
  if (exp === undefined) return deny("token-time", "exp");
  if (nbf === undefined) return deny("token-time", "nbf");
  if (iat === undefined) return deny("token-time", "iat");

  const endMs = Math.floor(exp) * 1000;
  const issuedAtMs = iat === null ? null : Math.ceil(iat) * 1000;
  if (issuedAtMs !== null && endMs - issuedAtMs > maxLifetimeMs) {
    return deny("token-time", "lifetime");
  }
  const earliest = [
    nbf === null ? 0 : Math.ceil(nbf) * 1000 - skewMs,
    issuedAtMs === null ? endMs - maxLifetimeMs : issuedAtMs - skewMs,
  ];
  return { issuedAtMs, notBeforeMs: Math.max(...earliest), expiresAtMs: endMs + skewMs };
}

/**
 * Returns why a token with this window is refused at `nowMs`: `token-expired` after its end,
 * `token-time` before its beginning; null within. Two comparisons: to be made at every use of a
 * cached token, since clocks step (JWT-182, JWT-183).
 */
export function judgeTimes(
  times: { readonly notBeforeMs: number; readonly expiresAtMs: number },
  nowMs: number,
): Denied | null {
  // Written so that a clock that yields NaN refuses.
  if (!(nowMs < times.expiresAtMs)) return deny("token-expired");
  if (!(nowMs >= times.notBeforeMs)) return deny("token-time", "not-yet");
  return null;
}

/** Returns seconds, null for an absent claim, undefined for a malformed one. */
function secondsOf(claims: Claims, name: "exp" | "nbf" | "iat"): number | null | undefined {
  const claim = claims.get(name);
  if (claim === undefined) return null;
  if (claim.type !== "number") return undefined;
  const seconds = Number(claim.text);
  return seconds >= 0 && seconds <= maxSeconds ? seconds : undefined;
}
