import { Counter, Histogram, Registry } from "prom-client";
import { createMetrics } from "../../src/adapters/telemetry/metrics.ts";
import type { CheckOutcome } from "../../src/domain/request/outcome.ts";
import { fakeOutcome, fakeService } from "../../test/fakes/check-outcome.ts";
import { rotate, type Subject } from "./subject.ts";

const services = Array.from({ length: 4 }, (_, n) => fakeService(`service-${n}`));

function outcomes(): CheckOutcome[] {
  return Array.from({ length: 64 }, (_, n) =>
    fakeOutcome(n % 8 === 0 ? "explicit-deny" : "identity-policy", {
      service: services[n % services.length] ?? null,
      cache: n % 2 === 0 ? "hit" : "miss",
      durationNs: 10_000 + 1_000 * n,
    }),
  );
}

/** What our metrics do for one Check: counted by reason, authentication, both caches; its duration. */
export function metricsOurs(): Subject {
  const build = { component: "authorizer", version: "0.0.0", commit: "bench" };
  const metrics = createMetrics({ build });
  metrics.setServices(services);
  const next = rotate(outcomes());
  return {
    type: "loop",
    call() {
      const outcome = next();
      metrics.recordCheck(outcome);
      metrics.decisionCache(outcome.cache);
      metrics.tokenCache("hit");
      return outcome.durationNs;
    },
  };
}

/** The same through prom-client, children looked up as its documentation shows. */
export function metricsTheirs(): Subject {
  const registers = [new Registry()];
  const checks = new Counter({
    name: "checks_total",
    help: "h",
    labelNames: ["service", "reason", "auth_method"],
    registers,
  });
  const authentications = new Counter({
    name: "authentications_total",
    help: "h",
    labelNames: ["auth_method", "result"],
    registers,
  });
  const decisionCache = new Counter({
    name: "decision_cache_total",
    help: "h",
    labelNames: ["result"],
    registers,
  });
  const tokenCache = new Counter({
    name: "token_cache_total",
    help: "h",
    labelNames: ["result"],
    registers,
  });
  const duration = new Histogram({
    name: "check_duration_seconds",
    help: "h",
    labelNames: ["outcome", "cache"],
    registers,
  });
  const next = rotate(outcomes());
  return {
    type: "loop",
    call() {
      const { answer, service, authMethod, cache, durationNs } = next();
      checks.inc({
        service: service?.arn ?? "",
        reason: answer.reason,
        auth_method: authMethod,
      });
      authentications.inc({ auth_method: authMethod, result: "ok" });
      decisionCache.inc({ result: cache });
      tokenCache.inc({ result: "hit" });
      duration.observe({ outcome: answer.outcome, cache }, durationNs / 1e9);
      return durationNs;
    },
  };
}
