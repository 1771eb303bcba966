import { type CompiledPolicy, compilePolicy } from "../../../src/iam/compile/compile.ts";
import { compileLayers } from "../../../src/iam/compile/layers.ts";
import { createScope, evaluate } from "../../../src/iam/evaluation/evaluate.ts";
import { layersThatApply } from "../../../src/iam/evaluation/layer.ts";
import { findMatches } from "../../../src/iam/evaluation/match.ts";
import { evaluateReference } from "../../../src/iam/evaluation/reference.ts";
import { EveryMatch } from "../../../src/iam/evaluation/takers.ts";
import { parsePolicyDocument } from "../../../src/iam/policy/parse.ts";
import type { DocumentType } from "../../../src/iam/policy/policy-type.ts";
import { validatePolicy } from "../../../src/iam/policy/validate.ts";
import type { PolicyLayers, RequestContext } from "../../../src/iam/request-context.ts";
import { agreed } from "../../property/agreement.ts";
import { must, type Target, textOf } from "../target.ts";
import { questions } from "./questions.ts";

const types: readonly DocumentType[] = [
  "identity",
  "resource",
  "trust",
  "permissionsBoundary",
  "session",
  "serviceControl",
  "resourceControl",
];

/**
 * Steps of matching all that a document says against one short question, for each byte of the
 * document: what keeps the growth laws for 8 KB.
 */
const maxStepsPerByte = 16;

/** FUZ-01: read, validated, compiled, and decided by both evaluators. */
export const policy: Target = {
  name: "policy",
  id: "FUZ-01",
  about: "policy JSON behind a byte that chooses the policy type",
  words: [
    '"Version":"2012-10-17"',
    '"Statement":[',
    '"Effect":"Deny"',
    '"NotAction":"s3:*"',
    '"NotResource":',
    '"NotPrincipal":{"AWS":',
    '"Principal":"*"',
    '"Condition":{"ForAllValues:StringLike":{"aws:TagKeys":',
    '"ForAnyValue:StringNotEquals"',
    "IfExists",
    "${aws:username}",
    "${aws:PrincipalTag/Team, 'x'}",
    "${*}",
    "arn:aws:s3:::",
    "__proto__",
    "\\u0000",
    "[[[[[[[[[[[[[[[[[[",
  ],
  fuzz(data) {
    const type = types[(data[0] ?? 0) % types.length] ?? "identity";
    const text = textOf(data.subarray(1));
    const loaded = parsePolicyDocument(text, type);
    const findings = validatePolicy(text, type);
    if (!loaded.ok) {
      must(loaded.problems.length > 0, "a refusal has a problem");
      must(findings.length > 0, "a refused document has findings");
      return;
    }
    JSON.parse(text); // what ours reads, the platform reads
    const layers = layersOf(type, { id: "p", document: loaded.value });
    const compiled = layersOf(type, compilePolicy("p", loaded.value));
    const engine = compileLayers(compiled);
    for (const question of questions) {
      const answer = JSON.stringify(agreed(evaluate(question, engine)));
      const wanted = JSON.stringify(agreed(evaluateReference(question, layers)));
      must(answer === wanted, `evaluators agree: ${answer} ${wanted}`);
      const steps = stepsOf(question, compiled);
      must(steps <= maxStepsPerByte * data.length, `${steps} steps for ${data.length} bytes`);
    }
  },
};

function layersOf<P>(type: DocumentType, one: P): PolicyLayers<P> {
  const none: PolicyLayers<P> = {
    identity: [],
    resource: null,
    permissionsBoundary: null,
    session: null,
    serviceControl: null,
    resourceControl: null,
  };
  switch (type) {
    case "identity":
      return { ...none, identity: [one] };
    case "resource":
    case "trust":
      return { ...none, resource: one };
    case "permissionsBoundary":
      return { ...none, permissionsBoundary: one };
    case "session":
      return { ...none, session: [one] };
    case "serviceControl":
    case "resourceControl":
      return { ...none, [type]: [[one]] };
  }
}

/** Returns the steps of matching every statement, whatever decides. */
function stepsOf(question: RequestContext, layers: PolicyLayers<CompiledPolicy>): number {
  const applicable = layersThatApply(question, compileLayers(layers));
  const scope = createScope(question, applicable, Number.POSITIVE_INFINITY);
  for (const { candidates, namesCaller } of applicable) {
    findMatches(candidates.denies, namesCaller, scope, new EveryMatch());
    findMatches(candidates.allows, namesCaller, scope, new EveryMatch());
  }
  return scope.work.steps;
}
