import type { CompiledPolicy } from "../../../iam/compile/compile.ts";
import type { EngineLayers } from "../../../iam/compile/layers.ts";
import type { PolicySet } from "../../../iam/compile/policy-set.ts";
import type { Explanation } from "../../../iam/evaluation/explanation.ts";
import type { Effect } from "../../../iam/policy/document.ts";
import type { PolicyType } from "../../../iam/policy/policy-type.ts";
import type { DocumentWorld } from "../document-world.ts";
import { policiesOf } from "../policy-findings.ts";

/** A statement that a test can reach. */
export interface StatementRef {
  readonly policyId: string;
  readonly sid: string;
  readonly index: number;
  readonly effect: Effect;
  /** File and line of its policy; null for policies of the test file itself. */
  readonly source: string | null;
}

/** What tests reached of the policies that they are about. */
export interface Coverage {
  /** The folder of documents, or the test file that holds its policies. */
  readonly subject: string;
  readonly statements: number;
  /** Statements that no question applied, in the order of the policies. */
  readonly unreached: readonly StatementRef[];
}

/**
 * Marks the statements that apply to the questions of tests. A statement is reached when it applies as a
 * whole, conditions included: a Deny that is only looked at has not been tested.
 */
export class CoverageCount {
  readonly subject: string;
  readonly #statements: ReadonlyMap<string, StatementRef>;
  readonly #keyOf: (policyType: PolicyType, level: number | null, policyId: string) => string;
  readonly #reached = new Set<string>();

  private constructor(
    subject: string,
    statements: ReadonlyMap<string, StatementRef>,
    keyOf: (policyType: PolicyType, level: number | null, policyId: string) => string,
  ) {
    this.subject = subject;
    this.#statements = statements;
    this.#keyOf = keyOf;
  }

  /** Returns the count of a folder of documents: of every policy in it, attached or not. */
  static ofDocuments(subject: string, { lookup, compiler }: DocumentWorld): CoverageCount {
    const statements = new Map<string, StatementRef>();
    for (const [policy, type] of policiesOf(lookup.directory)) {
      const { compiled } = compiler.policy(policy, type);
      addPolicy(statements, policy.id, compiled, policy.source);
    }
    return new CoverageCount(subject, statements, (_type, _level, policyId) => policyId);
  }

  /** Returns the count of the policies in a test file: ids may repeat from layer to layer. */
  static ofLayers(subject: string, layers: EngineLayers): CoverageCount {
    const statements = new Map<string, StatementRef>();
    const add = (type: PolicyType, level: number | null, set: PolicySet | null): void => {
      for (const policy of set?.policies ?? []) {
        addPolicy(statements, layerKey(type, level, policy.id), policy, null);
      }
    };
    layers.serviceControl?.forEach((set, level) => {
      add("serviceControl", level, set);
    });
    layers.resourceControl?.forEach((set, level) => {
      add("resourceControl", level, set);
    });
    add("resource", null, layers.resource);
    add("identity", null, layers.identity);
    add("permissionsBoundary", null, layers.permissionsBoundary);
    add("session", null, layers.session);
    return new CoverageCount(subject, statements, layerKey);
  }

  /** Marks what applied to one question. */
  reach({ layers }: Explanation): void {
    for (const { policyType, level, statements } of layers) {
      for (const { applies, policyId, index } of statements) {
        if (applies)
          this.#reached.add(statementKey(this.#keyOf(policyType, level, policyId), index));
      }
    }
  }

  result(): Coverage {
    const unreached = [...this.#statements].filter(([key]) => !this.#reached.has(key));
    return {
      subject: this.subject,
      statements: this.#statements.size,
      unreached: unreached.map(([, statement]) => statement),
    };
  }
}

function addPolicy(
  statements: Map<string, StatementRef>,
  key: string,
  policy: CompiledPolicy,
  source: string | null,
): void {
  for (const { policyId, sid, index, effect } of policy.statements) {
    statements.set(statementKey(key, index), { policyId, sid, index, effect, source });
  }
}

function layerKey(type: PolicyType, level: number | null, policyId: string): string {
  return `${type}\0${level}\0${policyId}`;
}

function statementKey(policy: string, index: number): string {
  return `${policy}\0${index}`;
}
