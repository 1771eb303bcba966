import type { ContextValue } from "../../../iam/request-context.ts";
import type { Tags } from "../../request/service-definition.ts";
import type { Question } from "./operation.ts";

type Keys = Iterable<readonly [string, ContextValue]>;

/** Returns a single-valued key. */
export function one(key: string, value: string): readonly [string, ContextValue] {
  return [key, { multivalued: false, values: [value] }];
}

/** Returns `aws:RequestTag/*` and `aws:TagKeys` of the tags that a request brings; none without. */
export function requestTags(tags: Tags): Keys {
  if (tags.size === 0) return [];
  return [
    ...[...tags].map(([key, value]) => one(`aws:RequestTag/${key}`, value)),
    tagKeys([...tags.keys()]),
  ];
}

/** Returns `aws:TagKeys`. */
export function tagKeys(keys: readonly string[]): readonly [string, ContextValue] {
  return ["aws:TagKeys", { multivalued: true, values: keys }];
}

/** Returns `aws:ResourceTag/*` and, of IAM's resources, `iam:ResourceTag/*`. */
export function resourceTags(tags: Tags, service: string): Keys {
  return [...tags].flatMap(([key, value]) => {
    const global = one(`aws:ResourceTag/${key}`, value);
    return service === "iam" ? [global, one(`iam:ResourceTag/${key}`, value)] : [global];
  });
}

/** Returns the question. */
export function question(
  action: string,
  resource: string,
  account: string,
  ...keys: readonly Keys[]
): Question {
  return { action, resource, account, keys: new Map(keys.flatMap((some) => [...some])) };
}
