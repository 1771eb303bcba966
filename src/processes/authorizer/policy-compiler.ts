import type { AppliedPolicy, PrincipalPolicies } from "../../domain/directory/policies.ts";
import { type CompiledPolicy, compilePolicy, unusablePolicy } from "../../iam/compile/compile.ts";
import { createPolicySet, type PolicySet } from "../../iam/compile/policy-set.ts";
import { type CompileTables, createCompileTables } from "../../iam/compile/tables.ts";
import type { PolicyDocument } from "../../iam/policy/document.ts";
import { parsePolicyDocument } from "../../iam/policy/parse.ts";
import type { DocumentType } from "../../iam/policy/policy-type.ts";
import { ListMap } from "./list-map.ts";
import { type PrincipalSets, Rights } from "./rights.ts";

/** A policy in both forms: parsed, for the reference evaluator and explanations, and compiled. */
export interface PolicyInForce {
  readonly id: string;
  readonly text: string | null;
  /** Null where the text cannot be used: questions that it touches end in an error (BUN-5). */
  readonly document: PolicyDocument | null;
  readonly compiled: CompiledPolicy;
}

/**
 * Compiles the policies of one snapshot when they are first needed, each once, and interns what
 * principals share: all sessions of a role have one set with one memo (performance 2.5).
 * Belongs to its snapshot and dies with it.
 */
export class PolicyCompiler {
  readonly #policies = new Map<AppliedPolicy, PolicyInForce>();
  readonly #sets = new ListMap<DocumentType | AppliedPolicy, PolicySet>();
  readonly #rights = new ListMap<PolicySet | null, Rights>();
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
    return this.#sets.get([type, ...policies], () =>
      createPolicySet(policies.map((policy) => this.policy(policy, type).compiled)),
    );
  }

  /** Returns the sets of the levels, root first; null stays null: no such step. */
  levels(
    levels: readonly (readonly AppliedPolicy[])[] | null,
    type: DocumentType,
  ): readonly PolicySet[] | null {
    return levels === null ? null : levels.map((level) => this.set(level, type));
  }

  /** Returns what a principal with these policies may ask, the same object for the same policies. */
  rights(policies: PrincipalPolicies): Rights {
    const { permissionsBoundary: boundary, session } = policies;
    const sets: PrincipalSets = {
      identity: this.set(policies.identity, "identity"),
      permissionsBoundary: boundary === null ? null : this.set([boundary], "permissionsBoundary"),
      session: session === null ? null : this.set(session, "session"),
      serviceControl: this.levels(policies.serviceControl, "serviceControl"),
    };
    const { identity, permissionsBoundary, serviceControl } = sets;
    // No step and a step without levels are two things.
    const levels = serviceControl ?? [null];
    return this.#rights.get(
      [identity, permissionsBoundary, sets.session, ...levels],
      () => new Rights(sets),
    );
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
