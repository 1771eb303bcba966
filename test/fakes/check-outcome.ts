import fc from "fast-check";
import type { AuthMethod, CheckOutcome } from "../../src/domain/request/outcome.ts";
import type { ServiceDefinition } from "../../src/domain/request/service-definition.ts";
import { denied } from "../../src/iam/decision.ts";
import type { Principal } from "../../src/iam/principal.ts";
import { outcomeOf, type Reason, reasons } from "../../src/iam/reason.ts";
import { serviceOf } from "./service-of.ts";

/** Returns a service definition without routes: what telemetry looks at. */
export function fakeService(name: string, account = "111122223333"): ServiceDefinition {
  return serviceOf({ name, account });
}

export const fakeUser: Principal = Object.freeze({
  type: "user",
  account: "111122223333",
  arn: "arn:aws:iam::111122223333:user/alice",
  name: "alice",
  id: "AIDAALICEALICEALICE1",
  tags: new Map(),
});

export const fakeRole = Object.freeze({
  type: "assumed-role" as const,
  account: "111122223333",
  arn: "arn:aws:sts::111122223333:assumed-role/app/s1",
  roleArn: "arn:aws:iam::111122223333:role/app",
  roleName: "app",
  sessionName: "s1",
  id: null,
  serviceLinked: false,
  tags: new Map(),
}) satisfies Principal;

/** Returns an outcome that agrees with itself: `reason` decides outcome, decision and status. */
export function fakeOutcome(
  reason: Reason,
  parts: Partial<Omit<CheckOutcome, "answer" | "decision">> = {},
): CheckOutcome {
  const outcome = outcomeOf(reason);
  const decision =
    reason === "explicit-deny"
      ? ({ ...denied(reason), decision: "explicitDeny", deniedBy: "identity" } as const)
      : outcome === "allow" && reason !== "shadow-mode"
        ? ({ ...denied(reason), decision: "allowed" } as const)
        : denied(reason === "shadow-mode" ? "implicit-deny" : reason);
  return Object.freeze<CheckOutcome>({
    decisionId: "00000000-0000-4000-8000-000000000001",
    epoch: 1,
    revision: 42,
    mode: reason === "shadow-mode" ? "shadow" : "enforce",
    cache: "miss",
    authMethod: "jwt",
    principal: fakeUser,
    service: null,
    action: "orders:GetOrder",
    resource: "arn:aws:orders:eu-west-1:111122223333:order/42",
    grpc: false,
    detail: "",
    sentence: null,
    removeHeaders: [],
    identityHeaderNames: [],
    durationNs: 30_000,
    ...parts,
    decision: Object.freeze(decision),
    answer:
      outcome === "allow"
        ? { type: "allow", outcome, reason }
        : { type: "deny", outcome, reason, status: 403 },
  });
}

/** Random outcomes over `services` (null among them), every reason and every method. */
export function arbitraryOutcome(
  services: readonly ServiceDefinition[],
): fc.Arbitrary<CheckOutcome> {
  return fc
    .record({
      reason: fc.constantFrom(...reasons),
      service: fc.constantFrom(null, ...services),
      authMethod: fc.constantFrom<AuthMethod>("none", "jwt", "session", "jwt-svid", "mtls"),
      cache: fc.constantFrom("hit" as const, "miss" as const, "bypass" as const),
      durationNs: fc.oneof(
        fc.integer({ min: 0, max: 400_000_000 }),
        fc.constantFrom(25_000, 25_001, 1_000_000, 250_000_000, 250_000_001),
      ),
    })
    .map(({ reason, ...parts }) => fakeOutcome(reason, parts));
}
