import { parse } from "yaml";
import { formatDocumentProblem } from "../../src/domain/directory/document-problem.ts";
import { readDocuments } from "../../src/domain/directory/documents.ts";
import { formatDocuments } from "../../src/domain/directory/format.ts";
import type { Directory } from "../../src/domain/directory/model.ts";
import {
  createWrittenObjects,
  type WrittenObjects,
} from "../../src/domain/directory/operations/plan/desired.ts";
import { existingObjects } from "../../src/domain/directory/operations/plan/existing-objects.ts";
import {
  type Plan,
  type PlanOptions,
  type PlanRefusal,
  plan,
} from "../../src/domain/directory/operations/plan/plan.ts";
import type { OrganizationState } from "../../src/domain/directory/state/organization-state.ts";
import type { FakeOrganization } from "./organization.ts";

/** Reads documents against what `state` has. */
export function writtenObjects(text: string, state: OrganizationState): WrittenObjects {
  const { existing, from } = createWrittenObjects(existingObjects(state));
  const readFile = () => ({ ok: true, value: '{"keys":[]}' }) as const;
  const loaded = readDocuments([{ path: "a.yaml", text }], { existing, readFile });
  if (!loaded.ok) throw new Error(loaded.problems.map(formatDocumentProblem).join("\n"));
  return from(loaded);
}

const usual: PlanOptions = { takeOver: false, prune: false };

export function planOf(
  org: FakeOrganization,
  text: string,
  options: Partial<PlanOptions> = {},
): Plan | PlanRefusal {
  return plan(writtenObjects(text, org.replica), org.context(), { ...usual, ...options });
}

/** Applies documents, in as many commits as it takes; returns what each of them did. */
export function apply(
  org: FakeOrganization,
  text: string,
  options: Partial<PlanOptions> = {},
): readonly (readonly string[])[] {
  const commits: (readonly string[])[] = [];
  for (;;) {
    const planned = planOf(org, text, options);
    if (planned.refused) throw new Error(JSON.stringify(planned.refusals));
    if (planned.steps.length === 0) return commits;
    const { steps, changes } = planned.commit;
    commits.push(planned.steps.slice(0, steps).map(({ operation }) => operation));
    org.replica.apply(changes, org.replica.revision + 1);
  }
}

/** A directory as sorted documents without ids, the roles of permission sets left out. */
export function withoutIds(directory: Directory): readonly unknown[] {
  const roles = directory.roles.filter(({ path }) => !path.startsWith("/aws-reserved/"));
  const serviceControlPolicies = directory.serviceControlPolicies.filter(
    ({ policy, targetIds }) => policy !== null || targetIds.length < targetsOf(directory),
  );
  const named = { ...directory, roles, serviceControlPolicies };
  const documents = formatDocuments(named).split("---\n");
  return documents
    .sort()
    .map((text) => parse(text))
    .map(({ spec: { id, rootId, ...spec }, ...rest }) => ({ ...rest, spec: sorted(spec) }));
}

/** FullAWSAccess that is attached to all of them is what it is without a record (FILE-25). */
function targetsOf({ organizationalUnits, accounts }: Directory): number {
  return 1 + organizationalUnits.length + accounts.length;
}

/** Lists of names stand in the order of ids, which are others here and there. */
function sorted(spec: Readonly<Record<string, unknown>>): unknown {
  const lists = ["managedPolicyArns", "groups", "targetIds"];
  const members = Object.entries(spec).map(([name, value]) => [
    name,
    lists.includes(name) ? [...(value as string[])].sort() : value,
  ]);
  return Object.fromEntries(members);
}
