import type { ContextValue, RequestContext } from "../../../src/iam/request-context.ts";
import { own, principals, targets } from "../../property/universe.ts";

const one = (value: string): ContextValue => ({ multivalued: false, values: [value] });

const keys: ReadonlyMap<string, ContextValue> = new Map([
  ["aws:username", one("bob")],
  ["aws:sourceip", one("10.1.2.3")],
  ["aws:principaltag/team", one("blue")],
  ["aws:currenttime", one("2026-11-24T00:00:00Z")],
  ["aws:securetransport", one("true")],
  ["aws:principalarn", one(`arn:aws:iam::${own}:user/bob`)],
  ["aws:tagkeys", { multivalued: true, values: ["a", "b", ""] }],
  ["mesh:jwtclaim/groups", { multivalued: true, values: ["eng", "ops"] }],
]);

/** A few short questions, of callers of every type, about targets of every class. */
export const questions: readonly RequestContext[] = principals.map((principal, index) => {
  const target = targets[(index * 5) % targets.length];
  if (target === undefined) throw new Error("no targets");
  return {
    principal,
    action: target.action,
    resource: { arn: target.arn, account: own, class: target.class },
    principalOrganization: null,
    resourceOrganization: null,
    keys,
    faults: null,
    nowMs: Date.UTC(2026, 10, 24),
  };
});
