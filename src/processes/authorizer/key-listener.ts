import type { KeyListener } from "../../adapters/keys/refreshed-keys.ts";
import type { Log } from "../../adapters/telemetry/log.ts";
import type { Metrics } from "../../adapters/telemetry/metrics.ts";
import type { ErrorCode } from "../../iam/reason.ts";

/** Returns what tells metrics and log how the key sets of issuers fare. */
export function keyListener(metrics: Metrics, log: Log): KeyListener {
  return {
    refreshed(alias, result, nowMs) {
      metrics.jwksRefresh(alias, result.type, nowMs);
      if (result.type === "ok") return;
      log.warn("jwks-refresh-failed", "a key set could not be had; known keys serve on", {
        issuer: alias,
        code: "jwks-unavailable" satisfies ErrorCode,
        result: result.code,
        reason: result.message,
      });
    },
    keyRefused(alias, refused) {
      log.warn("jwk-refused", "a key of an accepted key set is not used", {
        issuer: alias,
        ...refused,
      });
    },
    keyReturned(alias, keyId) {
      log.warn("jwk-returned", "a key that had been removed is served again", {
        issuer: alias,
        keyId,
      });
    },
  };
}
