import type { Http2SecureServer, Http2Server, ServerHttp2Session } from "node:http2";
import type { Clock, Timer } from "./clock.ts";

/** The other direction of BUN-14: a sidecar that is gone must not hold a stream. */
const intervalMs = 30_000;
const timeoutMs = 10_000;

/** Pings every session of `server` every 30 s, and ends those that do not answer within 10. */
export function pingSessions(server: Http2Server | Http2SecureServer, clock: Clock): void {
  server.on("session", (session: ServerHttp2Session) => {
    let timer: Timer;
    const later = () => {
      timer = clock.after(intervalMs, () => {
        timer = clock.after(timeoutMs, () => session.destroy());
        const isSent = session.ping((error) => {
          timer.cancel();
          if (error === null && !session.destroyed) later();
          else session.destroy();
        });
        if (!isSent) session.destroy();
      });
    };
    later();
    session.once("close", () => timer.cancel());
  });
}
