import {
  type CedarValueJson,
  preparsePolicySet,
  type StatefulAuthorizationCall,
  statefulIsAuthorized,
} from "@cedar-policy/cedar-wasm/nodejs";
import {
  account,
  actions,
  policiesPerUser,
  policyDocument,
  shopName,
  statementsPerPolicy,
  userName,
} from "../corpus/organization.ts";
import { allowedQuestions, deciderOfTenPolicies, type OrderQuestion } from "./evaluation.ts";
import { rotate, type Subject } from "./subject.ts";

/*
 * Cedar as its documentation would have it: the policies parsed once, shops as parents of orders, the
 * team an attribute of the user. It is asked what `evaluationWith(10)` asks, of policies that say the same
 * (performance 4.6). Native Cedar, without the way into wasm, would be faster.
 */

const policySet = "ten-policies";

/** Authorizations of one user with ten policies. Throws unless Cedar decides every question as we do. */
export function cedarEvaluation(): Subject {
  const parsed = preparsePolicySet(policySet, { staticPolicies: policies().join("\n") });
  if (parsed.type === "failure") throw new Error(JSON.stringify(parsed.errors));
  verifyAnswers();
  const next = rotate(allowedQuestions.map(callOf));
  return {
    type: "loop",
    call() {
      const answer = statefulIsAuthorized(next());
      if (answer.type === "failure" || answer.response.decision !== "allow") {
        throw new Error(JSON.stringify(answer));
      }
      return answer.response.diagnostics.reason.length;
    },
  };
}

/** Returns the ten policies' statements, then the guardrail's and the service's Denies. */
function policies(): string[] {
  const permits = Array.from({ length: policiesPerUser }, (_, policy) => {
    const { Statement } = policyDocument(policy) as {
      Statement: { Condition: { StringEquals: Record<string, string[]> } }[];
    };
    return Array.from({ length: statementsPerPolicy }, (_each, n) => {
      const teams = Statement[n]?.Condition.StringEquals["aws:PrincipalTag/team"];
      return `permit (principal, action == Action::"${actions[n % actions.length]}", resource in Shop::"${shopName(policy)}")
        when { (context.sourceIp.isInRange(ip("10.0.0.0/8")) || context.sourceIp.isInRange(ip("127.0.0.0/8")))
          && ${JSON.stringify(teams)}.contains(principal.team) };`;
    });
  });
  return [
    ...permits.flat(),
    'forbid (principal, action == Action::"PurgeOrders", resource);',
    `forbid (principal, action, resource) when { principal.account != "${account}" };`,
    'forbid (principal, action, resource) when { resource.number == "secret" };',
  ];
}

function callOf({ action, shop, order, sourceIp, team }: OrderQuestion): StatefulAuthorizationCall {
  const user = { type: "User", id: userName(0) };
  const resource = { type: "Order", id: `${shop}/${order}` };
  const parent = { type: "Shop", id: shop };
  const attrs = (more: Record<string, CedarValueJson>) => ({ account, ...more });
  return {
    principal: user,
    action: { type: "Action", id: action },
    resource,
    context: { sourceIp: { __extn: { fn: "ip", arg: sourceIp } } },
    preparsedPolicySetId: policySet,
    entities: [
      { uid: user, attrs: attrs({ team }), parents: [] },
      { uid: resource, attrs: attrs({ number: order }), parents: [parent] },
    ],
  };
}

/** A peer that answers another question, or all alike, is no peer (performance 4.4). */
function verifyAnswers(): void {
  const decide = deciderOfTenPolicies();
  const [usual] = allowedQuestions;
  if (usual === undefined) throw new Error("no questions");
  const others: OrderQuestion[] = [
    { ...usual, action: "PurgeOrders" },
    { ...usual, action: "CountOrders" },
    { ...usual, shop: shopName(policiesPerUser) },
    { ...usual, order: "secret" },
    { ...usual, sourceIp: "192.0.2.1" },
    { ...usual, sourceIp: "127.0.0.1" },
    { ...usual, team: "t0" },
    { ...usual, team: "t1" },
    ...actions.map((action) => ({ ...usual, action })),
  ];
  const seen = new Set<boolean>();
  for (const question of [...allowedQuestions, ...others]) {
    const answer = statefulIsAuthorized(callOf(question));
    const allows = answer.type === "success" && answer.response.decision === "allow";
    const hasErred = answer.type === "failure" || answer.response.diagnostics.errors.length > 0;
    if (hasErred || allows !== decide(question)) {
      throw new Error(`Cedar differs on ${JSON.stringify(question)}: ${JSON.stringify(answer)}`);
    }
    seen.add(allows);
  }
  if (seen.size !== 2) throw new Error("Cedar was asked for nothing but one answer");
}
