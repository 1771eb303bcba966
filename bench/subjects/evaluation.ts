import { parseArn } from "../../src/iam/arn.ts";
import { type CompiledPolicy, compilePolicy } from "../../src/iam/compile/compile.ts";
import type { EngineLayers } from "../../src/iam/compile/layers.ts";
import { createPolicySet } from "../../src/iam/compile/policy-set.ts";
import { type CompileTables, createCompileTables } from "../../src/iam/compile/tables.ts";
import { evaluate } from "../../src/iam/evaluation/evaluate.ts";
import { parsePolicyDocument } from "../../src/iam/policy/parse.ts";
import type { DocumentType } from "../../src/iam/policy/policy-type.ts";
import type { Principal } from "../../src/iam/principal.ts";
import type { ContextValue, RequestContext } from "../../src/iam/request-context.ts";
import {
  account,
  policiesPerUser,
  policyDocument,
  resourceDocument,
  serviceControlDocument,
  shopName,
  statementsPerPolicy,
  userName,
} from "../corpus/organization.ts";
import { heapBytes } from "./heap.ts";
import { rotate, type Subject } from "./subject.ts";

/** Principals that ask in turn, where there are so many. */
const maxAsking = 1000;
const requestsEach = 4;
const usualCaller = { action: "GetOrder", sourceIp: "10.1.2.3", team: "blue" };

/** A principal's question with the layers it is put to. */
interface Question {
  readonly context: RequestContext;
  readonly layers: EngineLayers;
}

/**
 * Evaluations of principals that have ten policies each, with `policies` policies stored: an SCP level, a
 * resource policy, 50 identity statements of two conditions (performance 1.8). All are allowed.
 */
export function evaluationWith(policies: number): Subject {
  return evaluations(rotate(questionsOf(policies)), "allowed");
}

/** Implicit denials of a principal that has `policies` policies, none of which is about what it asks. */
export function implicitDenyWith(policies: number): Subject {
  const tables = createCompileTables();
  const own = Array.from({ length: policies }, (_, n) => compileIdentity(n, tables));
  const layers = { ...sharedLayers(tables), identity: createPolicySet(own) };
  const questions = Array.from({ length: 256 }, (_, n) => ({
    context: contextOf(0, { ...usualCaller, shop: shopName(policies + 1), order: String(n) }),
    layers,
  }));
  return evaluations(rotate(questions), "implicitDeny");
}

/** Heap bytes of one compiled statement, `policies` policies of five being compiled. */
export function statementHeap(policies: number): Subject {
  return {
    type: "figure",
    read() {
      const before = heapBytes();
      const tables = createCompileTables();
      const kept = Array.from({ length: policies }, (_, n) => compileIdentity(n, tables));
      const after = heapBytes();
      return (after - before) / (kept.length * statementsPerPolicy);
    },
  };
}

/** A question of the first user's about an order, as the peers are asked it too. */
export interface OrderQuestion {
  readonly action: string;
  readonly shop: string;
  readonly order: string;
  readonly sourceIp: string;
  readonly team: string;
}

/** The questions that `evaluationWith(10)` asks in turn: each is allowed by another of the ten policies. */
export const allowedQuestions: readonly OrderQuestion[] = Array.from(
  { length: requestsEach },
  (_, n) => ({ ...usualCaller, shop: shopName(n), order: String(7_000_000_000 + n) }),
);

/** Returns what decides such questions by ten policies, for peers to be compared with. */
export function deciderOfTenPolicies(): (question: OrderQuestion) => boolean {
  const tables = createCompileTables();
  const own = Array.from({ length: policiesPerUser }, (_, n) => compileIdentity(n, tables));
  const layers = { ...sharedLayers(tables), identity: createPolicySet(own) };
  return (question) => evaluate(contextOf(0, question), layers).decision === "allowed";
}

function evaluations(next: () => Question, expected: string): Subject {
  return {
    type: "loop",
    call() {
      const { context, layers } = next();
      const { decision, matchedStatements } = evaluate(context, layers);
      if (decision !== expected) throw new Error(`${decision}, expected ${expected}`);
      return matchedStatements.length;
    },
  };
}

function questionsOf(policies: number): Question[] {
  const tables = createCompileTables();
  const compiled = Array.from({ length: policies }, (_, n) => compileIdentity(n, tables));
  const shared = sharedLayers(tables);
  const principals = policies / policiesPerUser;
  const asking = Math.min(principals, maxAsking);
  // Spread over all that is stored.
  const callers = Array.from({ length: asking }, (_, n) => {
    const principal = Math.floor((n * principals) / asking);
    const first = principal * policiesPerUser;
    const identity = createPolicySet(compiled.slice(first, first + policiesPerUser));
    return { principal, first, layers: { ...shared, identity } };
  });
  return Array.from({ length: asking * requestsEach }, (_, n) => {
    const { principal, first, layers } = callers[n % asking] as (typeof callers)[number];
    const policy = first + (n % policiesPerUser);
    const asked = { ...usualCaller, shop: shopName(policy), order: String(7_000_000_000 + n) };
    return { context: contextOf(principal, asked), layers };
  });
}

function sharedLayers(tables: CompileTables): EngineLayers {
  const everything = {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
  };
  const level = createPolicySet([
    compile("FullAWSAccess", everything, "serviceControl", tables),
    compile("guardrail", serviceControlDocument, "serviceControl", tables),
  ]);
  return {
    identity: createPolicySet([]),
    resource: createPolicySet([compile("orders", resourceDocument, "resource", tables)]),
    permissionsBoundary: null,
    session: null,
    serviceControl: [level],
    resourceControl: null,
  };
}

function compileIdentity(policy: number, tables: CompileTables): CompiledPolicy {
  return compile(`p${policy}`, policyDocument(policy), "identity", tables);
}

function compile(
  id: string,
  document: object,
  type: DocumentType,
  tables: CompileTables,
): CompiledPolicy {
  const parsed = parsePolicyDocument(JSON.stringify(document), type);
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join("; "));
  return compilePolicy(id, parsed.value, { tables });
}

function contextOf(user: number, asked: OrderQuestion): RequestContext {
  const name = userName(user);
  const arn = `arn:aws:iam::${account}:user/${name}`;
  const principal: Principal = {
    type: "user",
    account,
    arn,
    name,
    id: null,
    tags: new Map([["team", asked.team]]),
  };
  const organization = {
    id: "o-acme123456",
    managementAccount: "999988887777",
    path: "o-acme123456/r-acme/",
    serviceControlEnabled: true,
  };
  const keys = {
    "aws:principalarn": arn,
    "aws:principalaccount": account,
    "aws:principaltag/team": asked.team,
    "aws:sourceip": asked.sourceIp,
  };
  return {
    principal,
    action: `orders:${asked.action}`,
    resource: {
      arn: arnOf(`shop/${asked.shop}/order/${asked.order}`),
      account,
      class: "ordinary",
    },
    principalOrganization: organization,
    resourceOrganization: organization,
    keys: new Map(
      Object.entries(keys).map(([key, text]): [string, ContextValue] => [
        key,
        { multivalued: false, values: [text] },
      ]),
    ),
    faults: null,
    nowMs: Date.UTC(2026, 10, 24),
  };
}

function arnOf(resource: string) {
  const parsed = parseArn(`arn:aws:orders:eu-west-1:${account}:${resource}`);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}
