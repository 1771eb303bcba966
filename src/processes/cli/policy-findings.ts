import type { Directory, PolicyText, Service } from "../../domain/directory/model.ts";
import type { ServiceCatalogue } from "../../iam/policy/checks/check.ts";
import type { DocumentType } from "../../iam/policy/policy-type.ts";
import { validatePolicy } from "../../iam/policy/validate.ts";
import type { Problem } from "../../iam/problem.ts";

/** A finding about one policy of a folder of documents; its places are those of the policy's text. */
export interface PolicyFinding {
  readonly policy: PolicyText;
  readonly problem: Problem;
}

/**
 * Returns AWS's findings and our own about every policy of `directory`, with its services as the
 * catalogue of actions and condition keys (LOAD-5). Linear in the texts; for people and CI.
 */
export function policyFindings(directory: Directory): readonly PolicyFinding[] {
  const options = { partition: directory.partition, services: catalogueOf(directory.services) };
  return policiesOf(directory).flatMap(([policy, type]) =>
    validatePolicy(policy.text, type, options).map((problem) => ({ policy, problem })),
  );
}

/** Returns every policy of `directory`, attached or not, with what it is read as. */
export function policiesOf(directory: Directory): [PolicyText, DocumentType][] {
  const found: [PolicyText, DocumentType][] = [];
  const add = (policy: PolicyText | null, type: DocumentType): void => {
    if (policy !== null) found.push([policy, type]);
  };
  for (const { policy } of directory.managedPolicies) add(policy, "identity");
  const { users, groups, roles, workloads } = directory;
  for (const { inlinePolicies } of [...users, ...groups, ...roles, ...workloads]) {
    for (const policy of inlinePolicies) add(policy, "identity");
  }
  for (const { trustPolicy } of roles) add(trustPolicy, "trust");
  for (const { policy } of directory.serviceControlPolicies) add(policy, "serviceControl");
  for (const { policy } of directory.resourceControlPolicies) add(policy, "resourceControl");
  for (const { resourcePolicy } of directory.services) add(resourcePolicy, "resource");
  return found;
}

/** Services of one name in several accounts share a prefix: what any of them has is known. */
export function catalogueOf(services: readonly Service[]): ReadonlyMap<string, ServiceCatalogue> {
  const catalogue = new Map<string, { actions: string[]; conditionKeys: string[] }>();
  for (const { name, routes, contextKeys } of services) {
    const known = catalogue.get(name) ?? { actions: [], conditionKeys: [] };
    known.actions.push(...routes.map((route) => route.action));
    known.conditionKeys.push(...contextKeys.map(({ key }) => key));
    catalogue.set(name, known);
  }
  return catalogue;
}
