/**
 * mesh-iam as a library: the policy language without a process around it. No I/O, no clock, no
 * dependency; everything a decision needs is an argument.
 *
 * ```ts
 * const parsed = parsePolicyDocument(
 *   `{"Version": "2012-10-17", "Statement":
 *     {"Effect": "Allow", "Action": "orders:GetOrder", "Resource": "arn:aws:orders:*:*:order/*"}}`,
 *   "identity",
 * );
 * if (!parsed.ok) throw new Error(parsed.problems[0]?.message);
 *
 * const account = "111122223333";
 * const decision = evaluate(
 *   {
 *     principal: {
 *       type: "user",
 *       account,
 *       arn: `arn:aws:iam::${account}:user/bob`,
 *       name: "bob",
 *       id: null,
 *       tags: new Map(),
 *     },
 *     action: "orders:GetOrder",
 *     resource: {
 *       arn: createArn("aws", "orders", "eu-west-1", account, "order/42"),
 *       account,
 *       class: "ordinary",
 *     },
 *     principalOrganization: null,
 *     resourceOrganization: null,
 *     keys: new Map(),
 *     faults: null,
 *     nowMs: Date.UTC(2026, 10, 24),
 *   },
 *   compileLayers({
 *     identity: [compilePolicy("read-orders", parsed.value)],
 *     resource: null,
 *     permissionsBoundary: null,
 *     session: null,
 *     serviceControl: null,
 *     resourceControl: null,
 *   }),
 * );
 * // decision.decision is "allowed", decision.reason is "identity-policy"
 * ```
 */
export { type Arn, createArn, formatArn, parseArn } from "./iam/arn.ts";
export {
  type CompiledPolicy,
  type CompileOptions,
  compilePolicy,
  unusablePolicy,
} from "./iam/compile/compile.ts";
export { compileLayers, type EngineLayers } from "./iam/compile/layers.ts";
export { createPolicySet, type PolicySet } from "./iam/compile/policy-set.ts";
export { readSet } from "./iam/compile/reads.ts";
export { type CompileTables, createCompileTables } from "./iam/compile/tables.ts";
export { type KeyDefinition, keyCatalogue, lookUpKey } from "./iam/context-keys.ts";
export type {
  Decision,
  DecisionWord,
  EvaluationError,
  MatchedStatement,
} from "./iam/decision.ts";
export { MeshIamError } from "./iam/error.ts";
export { evaluate } from "./iam/evaluation/evaluate.ts";
export { explain } from "./iam/evaluation/explain.ts";
export type {
  Block,
  ConditionExplanation,
  Explanation,
  LayerExplanation,
  LevelWord,
  StatementExplanation,
} from "./iam/evaluation/explanation.ts";
export { accessDeniedSentence } from "./iam/evaluation/sentence.ts";
export type { ServiceCatalogue, ValidateOptions } from "./iam/policy/checks/check.ts";
export type { PolicyDocument, Statement } from "./iam/policy/document.ts";
export type { ParseOptions } from "./iam/policy/limits.ts";
export { parsePolicyDocument } from "./iam/policy/parse.ts";
export type { DocumentType, PolicyType } from "./iam/policy/policy-type.ts";
export { validatePolicy } from "./iam/policy/validate.ts";
export type { Principal, PrincipalType } from "./iam/principal.ts";
export type { Loaded, Parsed, Position, Problem, Severity } from "./iam/problem.ts";
export type { ErrorCode, Outcome, Reason } from "./iam/reason.ts";
export type {
  ContextKeys,
  ContextValue,
  KeyFault,
  OrganizationFacts,
  PolicyLayers,
  RequestContext,
  RequestResource,
  ResourceClass,
} from "./iam/request-context.ts";
