import type { AppliedPolicy } from "../../domain/directory/policies.ts";
import { type CompiledPolicy, compilePolicy, unusablePolicy } from "../../iam/compile/compile.ts";
import { createPolicySet, type PolicySet } from "../../iam/compile/policy-set.ts";
import { type CompileTables, createCompileTables } from "../../iam/compile/tables.ts";
import type { PolicyDocument } from "../../iam/policy/document.ts";
import { parsePolicyDocument } from "../../iam/policy/parse.ts";
import type { DocumentType } from "../../iam/policy/policy-type.ts";

/** A policy in both forms: parsed, for the reference evaluator and explanations, and compiled. */
export interface PolicyInForce {
  readonly id: string;
  readonly text: string | null;
  /** Null where the text cannot be used: questions that it touches end in an error (BUN-5). */
  readonly document: PolicyDocument | null;
  readonly compiled: CompiledPolicy;
}

/** The set of a list of policies, and the lists that go on from there: no joined key stands for a list. */
interface SetNode {
  set: PolicySet | null;
  readonly longer: Map<AppliedPolicy, SetNode>;
}

/**
 * Compiles the policies of one snapshot when they are first needed, each once, and interns the sets
 * that principals share: all sessions of a role have one set with one memo (performance 2.5).
 * Belongs to its snapshot and dies with it.
 */
export class PolicyCompiler {
  readonly #policies = new Map<AppliedPolicy, PolicyInForce>();
  readonly #sets = new Map<DocumentType, SetNode>();
  readonly #tables: CompileTables = createCompileTables();
  /** Ids of policies whose text this binary cannot use: reported, and an error wherever they apply. */
  readonly unusable = new Set<string>();

  /** Returns `policy` in both forms; the first call parses and compiles. */
  policy(policy: AppliedPolicy, type: DocumentType): PolicyInForce {
    const known = this.#policies.get(policy);
    if (known !== undefined) return known;
    const made = this.#compile(policy, type);
    this.#policies.set(policy, made);
    return made;
  }

  /** Returns the set of `policies`, the same object for the same list. */
  set(policies: readonly AppliedPolicy[], type: DocumentType): PolicySet {
    let node = nodeOf(this.#sets, type);
    for (const policy of policies) node = nodeOf(node.longer, policy);
    node.set ??= createPolicySet(policies.map((policy) => this.policy(policy, type).compiled));
    return node.set;
  }

  /** Returns the sets of the levels, root first; null stays null: no such step. */
  levels(
    levels: readonly (readonly AppliedPolicy[])[] | null,
    type: DocumentType,
  ): readonly PolicySet[] | null {
    return levels === null ? null : levels.map((level) => this.set(level, type));
  }

  #compile(policy: AppliedPolicy, type: DocumentType): PolicyInForce {
    if ("text" in policy) {
      const loaded = parsePolicyDocument(policy.text, type);
      if (loaded.ok) {
        const compiled = compilePolicy(policy.id, loaded.value, { tables: this.#tables });
        return { id: policy.id, text: policy.text, document: loaded.value, compiled };
      }
    }
    // Never left out: it may hold a Deny.
    this.unusable.add(policy.id);
    return { id: policy.id, text: null, document: null, compiled: unusablePolicy(policy.id) };
  }
}

function nodeOf<K>(nodes: Map<K, SetNode>, key: K): SetNode {
  const known = nodes.get(key);
  if (known !== undefined) return known;
  const made: SetNode = { set: null, longer: new Map() };
  nodes.set(key, made);
  return made;
}
