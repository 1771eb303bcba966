import { quote } from "../../../iam/problem.ts";
import { serviceArn } from "../arns.ts";
import { serviceKind } from "../kinds/service.ts";
import type { Service } from "../model.ts";
import { countCharacters } from "../policy-size.ts";
import { policy } from "../shape/policy.ts";
import { required } from "../shape/shape.ts";
import { tags as tagsShape } from "../shape/tags.ts";
import { entitiesOf, type OrganizationState } from "../state/organization-state.ts";
import { nameKeyOf } from "../state/stored-form.ts";
import { arnFacts } from "./arn-of.ts";
import { checkRoom, removed, stored } from "./creating.ts";
import { checkRevision, mutation } from "./define.ts";
import type { Operation, OperationContext, TypedOperation } from "./operation.ts";
import { mergedTags, tagKeyList, withoutTags } from "./principal-facts.ts";
import { question, requestTags, tagKeys } from "./questions.ts";
import { isRefused, type Refusal, refuse } from "./refusal.ts";
import { newEntity, withRecord } from "./store-entity.ts";
import { accountMember, accountOf, named, type Subject } from "./subject.ts";
import { type WrittenSpec, writtenSpec } from "./written-spec.ts";

/** Returns the account and ARN of a service definition. */
function placeOf(input: WrittenSpec<Service>, context: OperationContext) {
  const account = input.account ?? context.caller.account;
  const { partition } = arnFacts(context.state);
  return { account, arn: serviceArn(partition, account, input.record.name) };
}

/** True when nobody is authenticated by it or one of its routes (FILE-23). */
function disablesAuthentication({ authType, routes }: Service): boolean {
  return authType === "NONE" || routes.some((route) => route.authType === "NONE");
}

const putServiceDefinition: TypedOperation<WrittenSpec<Service>> = {
  name: "PutServiceDefinition",
  service: "mesh-iam",
  access: "Permissions management",
  input: writtenSpec(serviceKind, "services", "serviceName"),
  secretMembers: [],
  questions: (input, context) => {
    const { account, arn } = placeOf(input, context);
    const keys = requestTags(input.record.tags);
    const asked = question("mesh-iam:PutServiceDefinition", arn, account, keys);
    if (!disablesAuthentication(input.record)) return [asked];
    return [asked, question("mesh-iam:DisableAuthentication", arn, account, keys)];
  },
  run: (input, context) => {
    const { account, arn } = placeOf(input, context);
    const { name } = input.record;
    const found = context.state.named("service", account, nameKeyOf(name));
    if (found === undefined) {
      const max = context.quotas.servicesPerAccount;
      const full = checkRoom(context, { kind: "service", account, name, max, title: "service" });
      if (full !== null) return full;
    }
    const known = found?.kind === "service" ? found : null;
    const id = known?.id ?? context.newId("service");
    const record = ownedBy(input.record, id, account, arn);
    const stale =
      known === null ? null : checkRevision(known, input.expectedRevision, context.state);
    const refused = stale ?? checkPolicy(record, context) ?? checkHosts(context.state, record);
    if (refused !== null) return refused;
    const entity =
      known === null ? newEntity(context, "service", record, {}) : { ...known, record };
    return stored(context, entity, { serviceArn: arn });
  },
};

function ownedBy(record: Service, id: string, account: string, arn: string): Service {
  const { resourcePolicy: source } = record;
  const resourcePolicy =
    source === null ? null : { id: `${arn}/resourcePolicy`, text: source.text, source: null };
  return { ...record, id, account, arn, resourcePolicy };
}

function checkPolicy({ resourcePolicy }: Service, { quotas }: OperationContext): Refusal | null {
  const max = quotas.resourcePolicyCharacters;
  const characters = countCharacters(resourcePolicy?.text ?? "");
  if (characters <= max) return null;
  const message = `expected at most ${max} characters, got ${characters}`;
  return refuse("LimitExceeded", message, { field: "resourcePolicy" });
}

/** Reports a host that another service has too, which somebody fronts together with it (FILE-24). */
function checkHosts(state: OrganizationState, service: Service): Refusal | null {
  if (service.hosts.length === 0) return null;
  const fronts = new Set([...service.workloads, ...service.gateways]);
  for (const { record: other } of entitiesOf(state.all("service"), "service")) {
    if (other.id === service.id) continue;
    const host = other.hosts.find((one) => service.hosts.includes(one));
    const by = [...other.workloads, ...other.gateways].find((one) => fronts.has(one));
    if (host === undefined || by === undefined) continue;
    const message = `the host ${quote(host)} is that of ${quote(other.arn)} too, and ${quote(by)} serves both`;
    return refuse("ValidationError", message, { resource: other.arn, field: "hosts" });
  }
  return null;
}

/** The subject of operations on a service. */
export const serviceSubject: Subject<"service"> = {
  kind: "service",
  members: { account: accountMember, serviceName: required(serviceKind.name, "The service.") },
  find: (input, context) =>
    named(
      context.state,
      "service",
      accountOf(input, context),
      String(input.serviceName),
      "service",
    ),
  arn: (input, context) =>
    serviceArn(
      arnFacts(context.state).partition,
      accountOf(input, context),
      String(input.serviceName),
    ),
  account: accountOf,
};

const common = { service: "mesh-iam", subject: serviceSubject } as const;

const putResourcePolicy = mutation({
  ...common,
  name: "PutResourcePolicy",
  access: "Permissions management",
  members: { policy: required(policy("resource"), "What the service itself allows and denies.") },
  change: (service, input, context) => {
    const { arn } = service.record;
    const text = input.policy.text;
    const resourcePolicy = { id: `${arn}/resourcePolicy`, text, source: null };
    const next = withRecord(service, { resourcePolicy });
    return checkPolicy(next.record, context) ?? next;
  },
});

const deleteResourcePolicy = mutation({
  ...common,
  name: "DeleteResourcePolicy",
  access: "Permissions management",
  members: {},
  change: (service) =>
    service.record.resourcePolicy === null
      ? refuse("NoSuchEntity", "no resource policy", { resource: service.record.arn })
      : withRecord(service, { resourcePolicy: null }),
});

const tagService = mutation({
  ...common,
  name: "TagService",
  access: "Tagging",
  members: { tags: required(tagsShape, "Tags that are added or replaced.") },
  keys: (input) => requestTags(input.tags),
  change: (service, input) => {
    const merged = mergedTags(service.record.tags, input.tags, service.record.arn);
    return isRefused(merged) ? merged : withRecord(service, { tags: merged });
  },
});

const untagService = mutation({
  ...common,
  name: "UntagService",
  access: "Tagging",
  members: { tagKeys: required(tagKeyList, "Keys of the tags to remove.") },
  keys: (input) => [tagKeys(input.tagKeys)],
  change: (service, input) =>
    withRecord(service, { tags: withoutTags(service.record.tags, input.tagKeys) }),
});

const deleteServiceDefinition = mutation({
  ...common,
  name: "DeleteServiceDefinition",
  access: "Permissions management",
  members: {},
  change: (service, _input, context) => removed(context, service),
});

export const serviceOperations: readonly Operation[] = [
  putServiceDefinition,
  putResourcePolicy,
  deleteResourcePolicy,
  tagService,
  untagService,
  deleteServiceDefinition,
];
