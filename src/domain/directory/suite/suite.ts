import type { DecisionWord } from "../../../iam/decision.ts";
import type { PolicyType } from "../../../iam/policy/policy-type.ts";
import type { Principal } from "../../../iam/principal.ts";
import type { Position } from "../../../iam/problem.ts";
import type { Reason } from "../../../iam/reason.ts";
import type {
  ContextValue,
  OrganizationFacts,
  PolicyLayers,
} from "../../../iam/request-context.ts";
import type { ScenarioPolicy } from "../../../iam/scenario-policies.ts";
import type { Target } from "../../../iam/scenario-question.ts";
import type { DocumentProblem } from "../document-problem.ts";

/** A file of policy tests: `*_test.yaml`. */
export interface TestSuite {
  /** As it was given to the reader. */
  readonly file: string;
  /** Its `name`, else the file's. */
  readonly name: string;
  /** The folder of documents that the tests ask, as written; null: the policies are in the file. */
  readonly documents: { readonly folder: string; readonly position: Position } | null;
  /** The policies in the file; null: those of the documents. */
  readonly policies: SuitePolicies | null;
  readonly cases: readonly TestCase[];
}

export type SuitePolicies = PolicyLayers<ScenarioPolicy>;

/** One question and the answer it should have: a test, or one choice of a test that lists several. */
export interface TestCase {
  /** The name of the test. */
  readonly test: string;
  /** What is chosen of the lists of the test, in order; empty where it has none. */
  readonly choice: readonly string[];
  readonly principalName: string;
  readonly resourceName: string;
  readonly position: Position;
  readonly principal: Principal;
  readonly principalOrganization: OrganizationFacts | null;
  readonly action: string;
  readonly target: Target;
  readonly nowMs: number;
  /** Condition keys that the test sets, by lower-cased name; null removes one that would follow. */
  readonly context: ReadonlyMap<string, ContextValue | null>;
  readonly expected: ExpectedDecision;
  /** Why the case is not asked; null: it is. */
  readonly skipReason: string | null;
}

/** What a test says of the answer; what it leaves out is not compared. */
export interface ExpectedDecision {
  readonly decision?: DecisionWord;
  readonly deniedBy?: PolicyType | null;
  readonly deniedLevel?: number | null;
  readonly reason?: Reason;
}

/** A suite, or every problem that refuses the file. */
export type LoadedSuite =
  | { readonly ok: true; readonly value: TestSuite }
  | { readonly ok: false; readonly problems: readonly DocumentProblem[] };

/** Returns the name of a case: the test's, and what is chosen of its lists. */
export function nameOfCase({ test, choice }: TestCase): string {
  return choice.length === 0 ? test : `${test} [${choice.join(", ")}]`;
}
