import { constants, type ServerHttp2Session } from "node:http2";
import type { ListenerLimits } from "./listener.ts";

/** The highest stream id: a GOAWAY with it only announces the end (RFC 9113, 6.8). */
const lastStreamId = 0x7fff_ffff;

/**
 * Keeps a session honest: pings that must be answered, and, where a limit is set, an age and an idle
 * time after which it ends (H2-010). Returns nothing to hold: all timers end with the session.
 */
export function superviseSession(
  session: ServerHttp2Session,
  limits: ListenerLimits,
  jitter: number,
): void {
  const timers: NodeJS.Timeout[] = [];
  timers.push(setInterval(() => ping(session, limits.keepaliveTimeoutMs), limits.keepaliveTimeMs));
  if (Number.isFinite(limits.connectionAgeMs)) {
    // Within ten per cent, so that connections opened together do not end together.
    const ageMs = limits.connectionAgeMs * (0.9 + 0.2 * jitter);
    timers.push(
      setTimeout(() => {
        void endSession(session, limits.goawayNoticeMs, limits.connectionAgeGraceMs);
      }, ageMs),
    );
  }
  if (Number.isFinite(limits.connectionIdleMs)) {
    session.setTimeout(limits.connectionIdleMs, () => session.close());
  }
  for (const timer of timers) timer.unref();
  session.once("close", () => {
    for (const timer of timers) clearTimeout(timer);
  });
}

function ping(session: ServerHttp2Session, timeoutMs: number): void {
  if (session.destroyed) return;
  const timer = setTimeout(() => session.destroy(), timeoutMs);
  timer.unref();
  const sent = session.ping(() => clearTimeout(timer));
  // Not sent: an earlier one is still open, and its own timer runs.
  if (!sent) clearTimeout(timer);
}

/**
 * Ends a session without losing a call; resolves when it is closed. First a GOAWAY that refuses
 * nothing, so that calls on their way are still answered; after `noticeMs` the one that is it; what
 * is in flight has `graceMs`. Source: RFC 9113, 6.8.
 */
export async function endSession(
  session: ServerHttp2Session,
  noticeMs: number,
  graceMs: number,
): Promise<void> {
  if (session.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  session.once("close", resolve);
  if (!session.closed) session.goaway(constants.NGHTTP2_NO_ERROR, lastStreamId);
  const notice = setTimeout(() => {
    if (!session.destroyed) session.close();
  }, noticeMs);
  const grace = setTimeout(() => {
    if (!session.destroyed) session.destroy(undefined, constants.NGHTTP2_CANCEL);
  }, noticeMs + graceMs);
  await promise;
  clearTimeout(notice);
  clearTimeout(grace);
}
