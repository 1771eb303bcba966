import { record } from "../shape/record.ts";
import { text } from "../shape/scalars.ts";
import { type Members, optional, type ValueOf } from "../shape/shape.ts";
import type { EntityOf, Kind } from "../state/entity.ts";
import { entitiesOf } from "../state/organization-state.ts";
import { arnFacts } from "./arn-of.ts";
import { operation, tagsOf } from "./define.ts";
import {
  done,
  type Operation,
  type OperationContext,
  type Success,
  type TypedOperation,
} from "./operation.ts";
import { type Item, page, pageMembers } from "./pagination.ts";
import { question, resourceTags } from "./questions.ts";
import { isRefused, type Refusal } from "./refusal.ts";
import { accountMember, accountOf, type Input, type Subject } from "./subject.ts";

/** Returns an operation that reads one object, or a list that belongs to it. */
export function reading<const M extends Members, K extends Kind>(definition: {
  readonly name: string;
  readonly service: Operation["service"];
  readonly access?: "Read" | "List";
  readonly subject: Subject<K>;
  readonly members: M;
  readonly show: (
    entity: EntityOf<K>,
    input: ValueOf<M> & Input,
    context: OperationContext,
  ) => Success | Refusal;
}): TypedOperation<ValueOf<M> & Input> {
  const { name, service, access = "Read", subject, members, show } = definition;
  const all = { ...subject.members, ...members };
  return {
    name,
    service,
    access,
    input: record(all) as unknown as TypedOperation<ValueOf<M> & Input>["input"],
    secretMembers: [],
    questions: (input, context) => {
      const found = subject.find(input, context);
      const tags = isRefused(found) ? [] : resourceTags(tagsOf(found), service);
      const arn = subject.arn(input, context);
      return [question(`${service}:${name}`, arn, subject.account(input, context), tags)];
    },
    run: (input, context) => {
      const found = subject.find(input, context);
      return isRefused(found) ? found : show(found, input, context);
    },
  };
}

/** Returns an operation that shows one object under the member `member`. */
export function getting<K extends Kind>(
  name: string,
  service: Operation["service"],
  subject: Subject<K>,
  member: string,
  show: (entity: EntityOf<K>, context: OperationContext) => unknown,
): Operation {
  return reading({
    name,
    service,
    subject,
    members: {},
    show: (entity, _input, context) => done([], { [member]: show(entity, context) }),
  });
}

/** Returns an operation that lists what belongs to one object. */
export function listing<const M extends Members, K extends Kind>(definition: {
  readonly name: string;
  readonly service: Operation["service"];
  readonly subject: Subject<K>;
  readonly members: M;
  readonly member: string;
  readonly items: (
    entity: EntityOf<K>,
    input: ValueOf<M> & Input,
    context: OperationContext,
  ) => Iterable<Item>;
}): Operation {
  const { name, service, subject, members, member, items } = definition;
  return reading({
    name,
    service,
    access: "List",
    subject,
    members: { ...members, ...pageMembers },
    show: (entity, input, context) =>
      page(`${service}:${name}`, member, items(entity, input as never, context), input),
  });
}

const pathPrefix = optional(
  text("a path prefix", /^\/[!-~]*$/, 512),
  "/",
  "Only what is under it.",
);

/** Returns an operation that lists the objects of a kind in an account, or in the organization. */
export function listingAll<K extends Kind>(definition: {
  readonly name: string;
  readonly service: Operation["service"];
  readonly kind: K;
  readonly scope: "account" | "organization";
  readonly hasPath?: boolean;
  readonly member: string;
  readonly show: (entity: EntityOf<K>, context: OperationContext) => unknown;
}): Operation {
  const { name, service, kind, scope, member, show } = definition;
  return operation({
    name,
    service,
    access: "List",
    members: {
      ...(scope === "account" ? { account: accountMember } : {}),
      ...(definition.hasPath ? { pathPrefix } : {}),
      ...pageMembers,
    },
    questions: (input, context) => {
      const management = arnFacts(context.state).managementAccount;
      const account = scope === "account" ? accountOf(input as Input, context) : management;
      return [question(`${service}:${name}`, "*", account)];
    },
    run: (input, context) => {
      const filter: Input = input;
      const account = scope === "account" ? accountOf(filter, context) : "";
      const prefix = typeof filter.pathPrefix === "string" ? filter.pathPrefix : "";
      const items: Item[] = [];
      for (const entity of entitiesOf(context.state.list(kind, account), kind)) {
        if (prefix !== "" && !("path" in entity.record && entity.record.path.startsWith(prefix))) {
          continue;
        }
        items.push({ key: entity.nameKey, show: () => show(entity, context) });
      }
      return page(`${service}:${name}`, member, items, { ...filter, account });
    },
  });
}
