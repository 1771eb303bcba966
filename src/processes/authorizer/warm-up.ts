import { LRUCache } from "lru-cache";
import type { AuthorizerConfig } from "../../adapters/config/schema.ts";
import { createDecoder } from "../../adapters/envoy/decode.ts";
import { createEncoder } from "../../adapters/envoy/encode.ts";
import { type PlainRequest, plainCheckRequest } from "../../adapters/envoy/plain-request.ts";
import type { Issuers } from "../../domain/credentials/issuers.ts";
import type { Directory } from "../../domain/directory/model.ts";
import type { Route, ServiceDefinition } from "../../domain/request/service-definition.ts";
import type { Reason } from "../../iam/reason.ts";
import { type Check, createCheck } from "./check.ts";
import { DecisionCache } from "./decision-cache.ts";
import { Identification } from "./identify.ts";
import { Memory } from "./memory.ts";
import { RequestKeys } from "./request-keys.ts";
import type { Snapshot } from "./snapshot.ts";
import { StageClock } from "./stage-clock.ts";
import { TokenCache } from "./token-cache.ts";
import { createVerificationBudget } from "./verification-budget.ts";

export interface WarmUpParts {
  readonly config: AuthorizerConfig;
  readonly issuers: Issuers;
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
}

/** Routes that are asked for, and how often: enough for V8 to have compiled what a Check runs through. */
const maxRoutes = 8;
const rounds = 4;

/** A token that no issuer gave: it is read, and refused for its issuer. */
const strangersToken = `Bearer ${[
  { alg: "ES256", kid: "warm-up", typ: "JWT" },
  { iss: "https://warm-up.invalid", sub: "warm-up", aud: "warm-up", exp: 4_102_444_800 },
]
  .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
  .concat(Buffer.alloc(64).toString("base64url"))
  .join(".")}`;

/**
 * Answers a few Checks of the routes of `snapshot` before it serves: the first ones of a process take
 * milliseconds each, since nothing of their way is compiled yet. They are read, decided and encoded
 * like any other; counted, logged and remembered nowhere. Returns the reasons of the last round.
 */
export function warmUp(snapshot: Snapshot, directory: Directory, parts: WarmUpParts): Reason[] {
  const check = createQuietCheck(snapshot, parts);
  const encoder = createEncoder({ verbose: parts.config.verbose });
  const messages = requestsOf(snapshot, directory).map(plainCheckRequest);
  let reasons: Reason[] = [];
  for (let round = 0; round < rounds; round++) {
    reasons = messages.map((message) =>
      check.answer(message, (outcome) => {
        encoder.encode(outcome);
        return outcome.answer.reason;
      }),
    );
  }
  return reasons;
}

function createQuietCheck(snapshot: Snapshot, parts: WarmUpParts): Check {
  const { config, issuers, nowMs, monotonicMs } = parts;
  const { trustedHops, region, tlsTerminating, decisionCache } = config;
  // What a policy set is compiled to stays; whom it was asked for does not.
  const own: Snapshot = {
    ...snapshot,
    callers: new LRUCache({ max: 16 }),
    anonymous: null,
    attested: new WeakMap(),
    decisions: decisionCache.enabled ? new DecisionCache(decisionCache, ignore) : null,
  };
  const keys = new RequestKeys({ trustedHops, region, tlsTerminating });
  const tokens = new TokenCache(
    {
      options: { capacity: 1, maxBytes: 0, maxTtlMs: 0 },
      budget: createVerificationBudget(),
      monotonicMs,
      count: ignore,
      seed: 0,
    },
    issuers,
  );
  const identification = new Identification(keys, () => issuers);
  const monotonicNs = () => monotonicMs() * 1e6;
  return createCheck({
    decoder: createDecoder(),
    tokens,
    identification,
    memory: new Memory(tokens, identification, keys),
    keys,
    snapshot: () => own,
    bundleAgeMs: () => 0,
    staleness: config.staleness,
    nowMs,
    monotonicNs,
    nextDecisionId: () => "00000000-00000000",
    conclude: { verbose: config.verbose, dryRun: config.dryRun },
    stages: new StageClock(Number.POSITIVE_INFINITY, monotonicNs, ignore),
    failed: ignore,
    concluded: ignore,
    unrecorded: ignore,
  });
}

/** Each of some routes asked by nobody, by somebody whom the documents name, and with a token. */
function requestsOf(snapshot: Snapshot, directory: Directory): PlainRequest[] {
  const principal = directory.workloads[0]?.spiffeId ?? "";
  const routes = snapshot.services.entries.flatMap(({ definition }) =>
    definition.routes.map((route) => askedOf(definition, route)),
  );
  return routes
    .slice(0, maxRoutes)
    .flatMap((asked): PlainRequest[] => [
      asked,
      { ...asked, principal },
      { ...asked, headers: new Map([...asked.headers, ["authorization", strangersToken]]) },
    ]);
}

function askedOf({ hosts }: ServiceDefinition, { match }: Route): PlainRequest {
  const [host = "warm-up.invalid"] = hosts;
  const isHttp = match.type === "http";
  return {
    method: isHttp ? match.method : "POST",
    path: isHttp ? match.template.replace(/\{[^}]*\}/g, "x") : `/${match.service}/${match.method}`,
    host,
    principal: "",
    headers: new Map(isHttp ? [] : [["content-type", "application/grpc"]]),
  };
}

function ignore(): void {}
