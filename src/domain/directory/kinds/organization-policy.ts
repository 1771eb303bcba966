import type { DocumentType } from "../../../iam/policy/policy-type.ts";
import { quote } from "../../../iam/problem.ts";
import { organizationPolicyArn } from "../arns.ts";
import { compareText } from "../compare-text.ts";
import { fullAccessId, fullAccessName, resourceFullAccessName } from "../full-access.ts";
import type { Directory, OrganizationPolicy } from "../model.ts";
import { countCharacters } from "../policy-size.ts";
import { listOf } from "../shape/collections.ts";
import { displayName } from "../shape/names.ts";
import { policy } from "../shape/policy.ts";
import { record } from "../shape/record.ts";
import { placed, text } from "../shape/scalars.ts";
import { optional } from "../shape/shape.ts";
import { uniqueId } from "../unique-id.ts";
import { description } from "./description.ts";
import type { Header } from "./header.ts";
import { defineKind, type WrittenDocument } from "./kind.ts";
import { unitPaths } from "./organizational-unit.ts";
import { checkSize, policyText } from "./stored-policy.ts";
import type { World } from "./world.ts";
import { writtenJson } from "./written-value.ts";

function specOf(type: DocumentType, fullAccess: string) {
  return record({
    targetIds: optional(
      listOf(placed(text("`/`, the path of an OU, or an account id", /^(\/|[0-9]{12}$)/, 1024)), {
        max: 10_000,
        uniqueBy: ({ value }) => value,
      }),
      [],
      "Where it is attached: `/`, paths of organizational units, account ids.",
    ),
    content: optional(policy(type), null, `The policy.${fullAccess}`),
    description,
  });
}

const controlSpec = specOf("serviceControl", " Absent in the document named `FullAWSAccess` only.");

/** `ServiceControlPolicy`: as soon as one exists, SCPs are enabled (FILE-25). */
export const serviceControlPolicyKind = defineKind({
  kind: "ServiceControlPolicy",
  summary:
    "What the principals of accounts may do at most. As soon as one exists, SCPs are enabled, and the built-in `FullAWSAccess` is attached to the root, every unit and every account; a document of that name without `content` says where instead.",
  scope: "organization",
  name: displayName,
  hasPath: false,
  spec: controlSpec,
  resolve: (header, spec, world) => {
    if (header.name.toLowerCase() === fullAccessName.toLowerCase()) {
      resolveFullAccess(header, spec, world);
      return;
    }
    const max = world.quotas.serviceControlPolicyCharacters;
    const made = resolvePolicy("ServiceControlPolicy", header, spec, world, max);
    if (made !== null) world.draft.serviceControlPolicies.push(made);
  },
  write: (directory) => written(directory.serviceControlPolicies, directory),
});

/** `ResourceControlPolicy`: `RCPFullAWSAccess` is attached everywhere and has no document. */
export const resourceControlPolicyKind = defineKind({
  kind: "ResourceControlPolicy",
  summary:
    "What may be done to the resources of accounts, whoever asks: Deny statements only. The built-in `RCPFullAWSAccess` is everywhere and has no document.",
  scope: "organization",
  name: displayName,
  hasPath: false,
  spec: specOf("resourceControl", ""),
  resolve: (header, spec, world) => {
    if (header.name.toLowerCase() === resourceFullAccessName.toLowerCase()) {
      const message = `${quote(header.name)} is built in and has no document`;
      world.refuse(header.namePlace, "RESERVED_NAME", message);
      return;
    }
    const max = world.quotas.resourceControlPolicyCharacters;
    const made = resolvePolicy("ResourceControlPolicy", header, spec, world, max);
    if (made !== null) world.draft.resourceControlPolicies.push(made);
  },
  write: (directory) => written(directory.resourceControlPolicies, directory),
});

type Spec = NonNullable<ReturnType<typeof controlSpec.read>>;

function resolvePolicy(
  kind: "ServiceControlPolicy" | "ResourceControlPolicy",
  header: Header,
  spec: Spec,
  world: World,
  maxCharacters: number,
): OrganizationPolicy | null {
  const { content } = spec;
  const targetIds = resolveTargets(spec, world);
  if (content === null) {
    world.refuse(header.place, "MISSING_MEMBER", `expected the member ${quote("content")}`);
    return null;
  }
  checkSize(world, content, maxCharacters, countCharacters);
  if (world.organization === null) {
    if (!world.has("Organization")) {
      const message = `a ${kind} needs an Organization document`;
      world.refuse(header.place, "UNKNOWN_REFERENCE", message);
    }
    return null;
  }
  const id = uniqueId(kind, "", header.name);
  const arn = organizationPolicyArn(
    world.partition,
    world.organization.managementAccountId,
    world.organization.id,
    kind === "ServiceControlPolicy" ? "service_control_policy" : "resource_control_policy",
    id,
  );
  return { id, name: header.name, targetIds, policy: policyText(arn, content) };
}

function resolveFullAccess(header: Header, spec: Spec, world: World): void {
  const { content } = spec;
  if (content !== null) {
    const message = `${quote(fullAccessName)} is built in: its document says only where it is attached`;
    world.refuse(content.place, "RESERVED_NAME", message);
  }
  if (header.name !== fullAccessName) {
    const message = `expected ${quote(fullAccessName)}, got ${quote(header.name)}`;
    world.refuse(header.namePlace, "RESERVED_NAME", message);
  }
  const targetIds = resolveTargets(spec, world);
  if (!world.has("Organization")) {
    const message = "a ServiceControlPolicy needs an Organization document";
    world.refuse(header.place, "UNKNOWN_REFERENCE", message);
  }
  world.draft.serviceControlPolicies.push({
    id: fullAccessId,
    name: fullAccessName,
    targetIds,
    policy: null,
  });
}

function resolveTargets(spec: Spec, world: World): readonly string[] {
  const ids = spec.targetIds.map((target) => world.referTarget(target));
  return [...new Set(ids.filter((id) => id !== null))].sort(compareText);
}

function written(
  policies: readonly OrganizationPolicy[],
  directory: Directory,
): readonly WrittenDocument[] {
  const paths = unitPaths(directory);
  return policies.map(({ name, targetIds, policy: content }) => ({
    metadata: { name },
    spec: {
      targetIds: targetIds.map((id) => paths.get(id) ?? id),
      content: content === null ? undefined : writtenJson(content.text),
    },
  }));
}
