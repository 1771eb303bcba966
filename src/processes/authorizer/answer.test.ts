import { expect, test } from "vitest";
import { type Decision, denied } from "../../iam/decision.ts";
import { outcomeOf, reasons } from "../../iam/reason.ts";
import { answerTo, statusOf } from "./answer.ts";

const plain = { anonymous: false, implied: false, shadow: false };
const decided = (part: Partial<Decision>): Decision => ({ ...denied("implicit-deny"), ...part });
const allowed = decided({ decision: "allowed", reason: "identity-policy" });
const silent = decided({ deniedBy: "identity" });
const explicit = decided({
  decision: "explicitDeny",
  reason: "explicit-deny",
  deniedBy: "resource",
});

test.each([
  { why: "an allow", decision: allowed, facts: {}, want: ["allow", "identity-policy"] },
  {
    why: "an allow by an implied statement",
    decision: allowed,
    facts: { implied: true, anonymous: true },
    want: ["allow", "authentication-not-required"],
  },
  { why: "a silent policy", decision: silent, facts: {}, want: ["deny", "implicit-deny", 403] },
  {
    why: "an anonymous caller, silent policies: a credential is asked for",
    decision: silent,
    facts: { anonymous: true },
    want: ["deny", "unauthenticated", 401],
  },
  {
    why: "an anonymous caller and an explicit Deny: no credential would help",
    decision: explicit,
    facts: { anonymous: true },
    want: ["deny", "explicit-deny", 403],
  },
  {
    why: "an anonymous caller whose request could not be judged: the fault is named, not the caller",
    decision: denied("evaluation-error", ["policy-unusable"]),
    facts: { anonymous: true },
    want: ["deny", "evaluation-error", 503],
  },
  {
    why: "shadow mode",
    decision: explicit,
    facts: { shadow: true },
    want: ["allow", "shadow-mode"],
  },
  {
    why: "shadow mode of an allow keeps its reason",
    decision: allowed,
    facts: { shadow: true },
    want: ["allow", "identity-policy"],
  },
])("$why", ({ decision, facts, want }) => {
  const answer = answerTo(decision, { ...plain, ...facts });
  expect([answer.type, answer.reason, ...(answer.type === "deny" ? [answer.status] : [])]).toEqual(
    want,
  );
});

test("every reason that can deny has a status, and none becomes an allow", () => {
  for (const reason of reasons) {
    const answer = answerTo(denied(reason), plain);
    expect(answer.type).toBe("deny");
    if (outcomeOf(reason) !== "allow") expect(answer.reason).toBe(reason);
    expect([400, 401, 403, 429, 503]).toContain(statusOf(reason));
  }
});
