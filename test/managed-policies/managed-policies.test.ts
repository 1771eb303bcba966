import { expect, test } from "vitest";
import { compilePolicy } from "../../src/iam/compile/compile.ts";
import { compileLayers } from "../../src/iam/compile/layers.ts";
import { evaluate } from "../../src/iam/evaluation/evaluate.ts";
import { evaluateReference } from "../../src/iam/evaluation/reference.ts";
import type { PolicyDocument, Statement } from "../../src/iam/policy/document.ts";
import { parsePolicyDocument } from "../../src/iam/policy/parse.ts";
import type { ContextValue, RequestContext } from "../../src/iam/request-context.ts";
import { agreed } from "../property/agreement.ts";
import { createRandom, type Random } from "../property/random.ts";
import { exceptions } from "./exceptions.ts";
import { actionFor, type Finding, type Fit, resourceFor, valueFor } from "./instances.ts";
import { counted, type ManagedPolicy, readManagedPolicies } from "./policies.ts";

/** AWS's own policies: what people write, and by far the largest text of the language there is. */
const policies = readManagedPolicies();
const isLarge = ({ name }: ManagedPolicy): boolean => name === "AWSSupportServiceRolePolicy";

function load(policy: ManagedPolicy) {
  return parsePolicyDocument(policy.text, "identity");
}

test("every version of every managed policy loads, but for the exceptions", () => {
  expect({
    policies: new Set(policies.map(({ name }) => name)).size,
    versions: policies.length,
  }).toEqual(counted);
  const refused = policies.flatMap((policy) => {
    const loaded = load(policy);
    if (loaded.ok) return [];
    return [`${policy.name} ${policy.version} ${loaded.problems.map(({ code }) => code)}`];
  });
  const excepted = exceptions.flatMap(({ name, versions, code }) =>
    versions.map((version) => `${name} ${version} ${code}`),
  );
  expect(refused.toSorted()).toEqual(excepted.toSorted());
  expect(excepted.length).toBeLessThanOrEqual(11);
});

test("the one policy that is too large loads where the limit is raised", () => {
  const large = policies.filter((policy) => isLarge(policy) && !load(policy).ok);
  expect(large.length).toBeGreaterThan(0);
  for (const { text } of large) {
    expect(parsePolicyDocument(text, "identity", { maxBytes: 262_144 }).ok).toBe(true);
  }
});

const account = "111122223333";
const one = (value: string): ContextValue => ({ multivalued: false, values: [value] });

function question(statement: Statement, random: Random): RequestContext {
  const often = <T>(usual: T, rare: T): T => (random.chance(0.75) ? usual : rare);
  const anyFit = (): Fit => often<Fit>("matching", "near miss");
  const finding = (): Finding =>
    often<Finding>("satisfied", random.pick(["unsatisfied", "absent"] as const));
  const keys = new Map([["aws:username", one("x")]]);
  for (const condition of statement.conditions) {
    const value = valueFor(condition, finding(), random);
    if (value === null) keys.delete(condition.keyLower);
    else keys.set(condition.keyLower, value);
  }
  return {
    principal: {
      type: "user",
      account,
      arn: `arn:aws:iam::${account}:user/x`,
      name: "x",
      id: null,
      tags: new Map(),
    },
    action: actionFor(statement, anyFit(), random),
    resource: { arn: resourceFor(statement, anyFit(), random), account, class: "ordinary" },
    principalOrganization: null,
    resourceOrganization: null,
    keys,
    faults: null,
    nowMs: Date.UTC(2026, 10, 24),
  };
}

const none = {
  resource: null,
  permissionsBoundary: null,
  session: null,
  serviceControl: null,
  resourceControl: null,
};

/** Statements looked at in one policy, and questions to each. */
const statementsEach = 6;
const questionsEach = 3;

test("both evaluators decide alike what a policy's own statements speak of", {
  timeout: 120_000,
}, () => {
  const answers = new Map<string, number>();
  let questions = 0;
  for (const [index, policy] of policies.filter(({ isLatest }) => isLatest).entries()) {
    const loaded = parsePolicyDocument(policy.text, "identity", { maxBytes: 262_144 });
    if (!loaded.ok) continue;
    const document: PolicyDocument = loaded.value;
    const random = createRandom(1, index);
    const engine = compileLayers({ ...none, identity: [compilePolicy(policy.name, document)] });
    const layers = { ...none, identity: [{ id: policy.name, document }] };
    for (const statement of random.shuffle(document.statements).slice(0, statementsEach)) {
      for (let times = 0; times < questionsEach; times++) {
        const asked = question(statement, random);
        const answer = evaluate(asked, engine);
        const wanted = evaluateReference(asked, layers);
        expect(agreed(answer), `${policy.name} ${asked.action}`).toEqual(agreed(wanted));
        answers.set(answer.decision, (answers.get(answer.decision) ?? 0) + 1);
        questions++;
      }
    }
  }
  expect(questions).toBeGreaterThan(10_000);
  // worth asking: each answer comes often, an explicit one as often as AWS writes Deny
  expect((answers.get("allowed") ?? 0) / questions).toBeGreaterThan(0.3);
  expect((answers.get("implicitDeny") ?? 0) / questions).toBeGreaterThan(0.2);
  expect(answers.get("explicitDeny") ?? 0).toBeGreaterThan(50);
});
