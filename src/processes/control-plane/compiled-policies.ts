import type { AppliedPolicy, PrincipalPolicies } from "../../domain/directory/policies.ts";
import type { TrustEvaluator } from "../../domain/sts/web-identity-trust.ts";
import { type CompiledPolicy, compilePolicy, unusablePolicy } from "../../iam/compile/compile.ts";
import type { EngineLayers } from "../../iam/compile/layers.ts";
import { createPolicySet, type PolicySet } from "../../iam/compile/policy-set.ts";
import { createCompileTables } from "../../iam/compile/tables.ts";
import { evaluate } from "../../iam/evaluation/evaluate.ts";
import { parsePolicyDocument } from "../../iam/policy/parse.ts";
import type { DocumentType } from "../../iam/policy/policy-type.ts";

type Levels = readonly (readonly AppliedPolicy[])[] | null;

/**
 * The policies of callers, compiled when they are first asked. A policy's record is the same object in
 * every revision until it changes, so nothing is compiled twice and nothing is cleared (O(caller)).
 */
export class CompiledPolicies {
  readonly #known = new Map<DocumentType, WeakMap<AppliedPolicy, CompiledPolicy>>();
  readonly #tables = createCompileTables();

  /** Returns the layers of a caller on a resource that has no policy but the RCPs of its account. */
  layers(policies: PrincipalPolicies, resourceControl: Levels): EngineLayers {
    const { identity, permissionsBoundary: boundary, session, serviceControl } = policies;
    return {
      identity: this.#set(identity, "identity"),
      resource: null,
      permissionsBoundary: boundary === null ? null : this.#set([boundary], "permissionsBoundary"),
      session: session === null ? null : this.#set(session, "session"),
      serviceControl: this.#levels(serviceControl, "serviceControl"),
      resourceControl: this.#levels(resourceControl, "resourceControl"),
    };
  }

  /** The engine as role trust asks it: trust policy and RCPs, and a caller that has no policies yet. */
  readonly trust: TrustEvaluator = {
    evaluate: (context, { resource, resourceControl }) =>
      evaluate(context, {
        identity: createPolicySet([]),
        resource: resource === null ? null : this.#set([resource], "trust"),
        permissionsBoundary: null,
        session: null,
        serviceControl: null,
        resourceControl: this.#levels(resourceControl, "resourceControl"),
      }),
    readsOf: (policy) => this.#compiled(policy, "trust").statements.flatMap(({ reads }) => reads),
  };

  #levels(levels: Levels, type: DocumentType): readonly PolicySet[] | null {
    return levels === null ? null : levels.map((level) => this.#set(level, type));
  }

  #set(policies: readonly AppliedPolicy[], type: DocumentType): PolicySet {
    return createPolicySet(policies.map((policy) => this.#compiled(policy, type)));
  }

  #compiled(policy: AppliedPolicy, type: DocumentType): CompiledPolicy {
    const ofType = this.#known.get(type) ?? new WeakMap<AppliedPolicy, CompiledPolicy>();
    this.#known.set(type, ofType);
    const known = ofType.get(policy);
    if (known !== undefined) return known;
    const made = this.#compile(policy, type);
    ofType.set(policy, made);
    return made;
  }

  #compile(policy: AppliedPolicy, type: DocumentType): CompiledPolicy {
    // Never left out: it may hold a Deny.
    if (!("text" in policy)) return unusablePolicy(policy.id);
    const loaded = parsePolicyDocument(policy.text, type);
    if (!loaded.ok) return unusablePolicy(policy.id);
    return compilePolicy(policy.id, loaded.value, { tables: this.#tables });
  }
}
