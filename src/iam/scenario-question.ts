import { parseArn } from "./arn.ts";
import { foldAscii } from "./ascii.ts";
import { principalKeys, resourceKeys, timeKeys } from "./derived-keys.ts";
import { instantOf } from "./evaluation/reference-value.ts";
import { accountOf, type Principal } from "./principal.ts";
import type { ContextValue, OrganizationFacts, RequestResource } from "./request-context.ts";
import { isAccount } from "./scenario-principal.ts";
import {
  booleanOf,
  fieldsOf,
  isNull,
  type Place,
  refuseValue,
  textOf,
  textsOf,
  wordOf,
} from "./scenario-reader.ts";

/** The resource of a question (iam-semantics 12), with what its keys are made from. */
export interface Target {
  readonly resource: RequestResource;
  readonly tags: ReadonlyMap<string, string>;
  readonly organization: OrganizationFacts | null;
}

/** The fields of a resource. */
export const resourceFields = ["arn", "account", "tags", "class", "organization"] as const;

/** Returns an action as written, null with a problem. */
export function readAction(place: Place): string | null {
  const text = textOf(place);
  return text === null || /^[^:]+:./.test(text) ? text : refuseValue(place, "`service:Name`");
}

/**
 * Returns the resource at `place`, null with problems. `action` decides whether a role is asked for its
 * trust; `common` is the organization of both sides.
 */
export function readResource(
  place: Place,
  principal: Principal | null,
  action: string,
  common: OrganizationFacts | null,
): Target | null {
  const target = readTarget(place, isAssumption(action), common);
  return target && askedBy(principal, target, place);
}

/** Returns whether `action` assumes a role: a role is then asked for its trust (iam-semantics 12). */
export function isAssumption(action: string): boolean {
  return foldAscii(action).startsWith("sts:assumerole");
}

/**
 * Returns the resource at `place` whoever asks, null with problems: the pseudo-resource `*` has no
 * account yet. Linear in its tags.
 */
export function readTarget(
  place: Place,
  isAssumed: boolean,
  common: OrganizationFacts | null,
): Target | null {
  const fields = fieldsOf(place, resourceFields);
  const arnPlace = fields?.require("arn") ?? null;
  const arnText = arnPlace && textOf(arnPlace);
  if (fields === null || arnPlace === null || arnText === null) return null;
  const tags = textsOf(fields.get("tags"));
  const classPlace = fields.get("class");
  const given = classPlace && wordOf(classPlace, ["ordinary", "role-trust", "owner-delegates"]);
  const accountPlace = fields.get("account");
  const organization = ownOrganization(place, common);

  if (arnText === "*") {
    const resource = { arn: null, account: null, class: given ?? "ordinary" } as const;
    return { resource, tags, organization };
  }
  const parsed = parseArn(arnText);
  if (!parsed.ok) {
    return refuseValue(arnPlace, "`arn:partition:service:region:account:resource` or `*`");
  }
  const arn = parsed.value;
  const account = accountPlace === null ? arn.account : textOf(accountPlace);
  if (account === null) return null;
  if (!isAccount(account)) {
    return refuseValue(accountPlace ?? place, "`account`, the owner's twelve digits");
  }
  // the default of iam-semantics 12
  const isRole = arn.service === "iam" && arn.resource.startsWith("role/");
  const ownClass = given ?? (isRole && isAssumed ? "role-trust" : "ordinary");
  return { resource: { arn, account, class: ownClass }, tags, organization };
}

/**
 * Returns `target`, which was read at `place`, as `principal` asks for it: the caller's account owns the
 * pseudo-resource (US-31). Another `account` is a problem there. Shares the tags.
 */
export function askedBy(principal: Principal | null, target: Target, place: Place): Target {
  if (target.resource.arn !== null || principal === null) return target;
  const account = accountOf(principal);
  const { value, path, problems } = place;
  const given =
    value.type === "object" ? value.entries.find(({ key }) => key === "account") : undefined;
  const accountPlace = given && { value: given.value, path: `${path}.account`, problems };
  if (accountPlace !== undefined && textOf(accountPlace) !== account) {
    refuseValue(accountPlace, "the caller's account, which owns the pseudo-resource");
  }
  return { ...target, resource: { ...target.resource, account } };
}

/** Returns the organization that stands at a principal or resource, else the common one. */
export function ownOrganization(
  place: Place | null,
  common: OrganizationFacts | null,
): OrganizationFacts | null {
  const { value, path, problems } = place ?? {};
  const entry =
    value?.type === "object" ? value.entries.find(({ key }) => key === "organization") : undefined;
  if (entry === undefined || path === undefined || problems === undefined) return common;
  return readOrganization({ value: entry.value, path: `${path}.organization`, problems });
}

/** Returns the organization at `place`; null for none. */
export function readOrganization(place: Place | null): OrganizationFacts | null {
  if (place === null || isNull(place)) return null;
  const fields = fieldsOf(place, ["id", "managementAccount", "path", "serviceControlEnabled"]);
  const idPlace = fields?.require("id") ?? null;
  const id = idPlace && textOf(idPlace);
  if (fields === null || id === null) return null;
  const managementPlace = fields.get("managementAccount");
  const pathPlace = fields.get("path");
  const enabledPlace = fields.get("serviceControlEnabled");
  return {
    id,
    managementAccount: managementPlace && textOf(managementPlace),
    path: pathPlace && textOf(pathPlace),
    serviceControlEnabled: enabledPlace === null || booleanOf(enabledPlace) === true,
  };
}

const nanosPerMs = 1_000_000n;

/** Returns the time at `place` in milliseconds since 1970, null with a problem. */
export function readNow(place: Place | null): number | null {
  const text = place && textOf(place);
  if (place === null || text === null) return null;
  const instant = instantOf(text);
  if (instant === null) return refuseValue(place, "a time such as `2026-11-24T00:00:00Z`");
  return Number(instant / nanosPerMs);
}

/** Returns the keys that follow from the question, as a new map. `nowMs` null: none of the time. */
export function derivedKeys(
  principal: Principal,
  principalOrganization: OrganizationFacts | null,
  { resource, tags, organization }: Target,
  nowMs: number | null,
): Map<string, ContextValue> {
  return new Map([
    ...principalKeys(principal, principalOrganization),
    ...resourceKeys(resource, tags, organization),
    ...(nowMs === null ? [] : timeKeys(nowMs)),
  ]);
}
