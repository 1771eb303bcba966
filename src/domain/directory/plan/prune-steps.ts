import { type IdentityKind, identities } from "../operations/subject.ts";
import { isReservedPath } from "../shape/names.ts";
import { asKind } from "../state/entity.ts";
import { entitiesOf } from "../state/organization-state.ts";
import { nameKeyOf } from "../state/stored-form.ts";
import type { PlanContext, Steps } from "./step.ts";

/**
 * Yields what removes the objects of this manager that `desired` does not have (FILE-6), those that
 * stand on others first. Never an organization, a unit, an account or a key.
 */
export function* pruneSteps(context: PlanContext): Steps {
  yield* pruneSources(context);
  for (const kind of ["workload", "user", "role", "group"] as const) {
    yield* pruneIdentities(context, kind);
  }
  yield* prunePolicies(context);
  yield* pruneTrustDomains(context);
}

function* pruneSources({ desired, state, manager }: PlanContext): Steps {
  const services = new Set(desired.services.map(({ arn }) => arn));
  for (const { record, manager: of } of [...entitiesOf(state.all("service"), "service")]) {
    if (of !== manager || services.has(record.arn)) continue;
    const { account, name: serviceName } = record;
    const object = `Service ${account}/${serviceName}`;
    const input = { account, serviceName };
    yield { object, change: "remove", operation: "mesh-iam:DeleteServiceDefinition", input };
  }
  const providers = new Set(desired.oidcProviders.map(({ arn }) => arn));
  for (const { record, manager: of } of [
    ...entitiesOf(state.all("oidcProvider"), "oidcProvider"),
  ]) {
    if (of !== manager || providers.has(record.arn)) continue;
    const object = `OidcProvider ${record.account}/${record.name}`;
    const input = { openIDConnectProviderArn: record.arn };
    yield { object, change: "remove", operation: "iam:DeleteOpenIDConnectProvider", input };
  }
}

function* pruneIdentities({ desired, state, manager }: PlanContext, kind: IdentityKind): Steps {
  const { title, service, nameMember } = identities[kind];
  const wanted = new Set(desired[`${kind}s`].map(({ arn }) => arn.toLowerCase()));
  for (const entity of [...entitiesOf(state.all(kind), kind)]) {
    const { record } = entity;
    if (entity.manager !== manager || wanted.has(record.arn.toLowerCase())) continue;
    if (entity.kind === "role" && isReservedPath(entity.record.path)) continue;
    const { account } = record;
    const name = entity.kind === "workload" ? entity.record.spiffeId : record.name;
    const subject = { account, [nameMember]: name };
    const step = { object: `${title} ${account}/${record.name}`, change: "remove" } as const;
    if (entity.kind === "user") {
      for (const id of entity.record.groupIds) {
        const groupName = asKind(state.get(id), "group")?.record.name ?? id;
        const input = { account, groupName, userName: name };
        yield { ...step, operation: "iam:RemoveUserFromGroup", input };
      }
    }
    for (const id of record.attachedPolicyIds) {
      const policyArn = asKind(state.get(id), "managedPolicy")?.record.arn ?? id;
      yield {
        ...step,
        operation: `${service}:Detach${title}Policy`,
        input: { ...subject, policyArn },
      };
    }
    for (const { id } of record.inlinePolicies) {
      const policyName = id.slice(record.arn.length + 1);
      yield {
        ...step,
        operation: `${service}:Delete${title}Policy`,
        input: { ...subject, policyName },
      };
    }
    yield { ...step, operation: `${service}:Delete${title}`, input: subject };
  }
}

function* prunePolicies({ desired, state, manager }: PlanContext): Steps {
  const arns = new Set(desired.managedPolicies.map(({ arn }) => arn));
  for (const entity of [...entitiesOf(state.all("managedPolicy"), "managedPolicy")]) {
    const { arn: policyArn, account, name } = entity.record;
    if (entity.manager !== manager || arns.has(policyArn)) continue;
    const step = { object: `ManagedPolicy ${account}/${name}`, change: "remove" } as const;
    for (const { versionId } of entity.versions) {
      if (versionId === entity.defaultVersionId) continue;
      const input = { policyArn, versionId };
      yield { ...step, operation: "iam:DeletePolicyVersion", input };
    }
    yield { ...step, operation: "iam:DeletePolicy", input: { policyArn } };
  }
  for (const kind of ["serviceControlPolicy", "resourceControlPolicy"] as const) {
    const title =
      kind === "serviceControlPolicy" ? "ServiceControlPolicy" : "ResourceControlPolicy";
    const wanted =
      kind === "serviceControlPolicy"
        ? desired.serviceControlPolicies
        : desired.resourceControlPolicies;
    const names = new Set(wanted.map(({ name }) => nameKeyOf(name)));
    for (const entity of [...entitiesOf(state.all(kind), kind)]) {
      if (entity.manager !== manager || names.has(entity.nameKey)) continue;
      // The built-in one has no document to be absent.
      if (entity.record.policy === null) continue;
      const step = { object: `${title} ${entity.record.name}`, change: "remove" } as const;
      const policyId = entity.id;
      for (const targetId of entity.record.targetIds) {
        const input = { policyId, targetId };
        yield { ...step, operation: "organizations:DetachPolicy", input };
      }
      yield { ...step, operation: "organizations:DeletePolicy", input: { policyId } };
    }
  }
}

function* pruneTrustDomains({ desired, state, manager }: PlanContext): Steps {
  const names = new Set(desired.trustDomains.map(({ name }) => nameKeyOf(name)));
  for (const entity of [...entitiesOf(state.all("trustDomain"), "trustDomain")]) {
    if (entity.manager !== manager || names.has(entity.nameKey)) continue;
    const { name } = entity.record;
    const object = `TrustDomain ${name}`;
    yield { object, change: "remove", operation: "mesh-iam:DeleteTrustDomain", input: { name } };
  }
}
