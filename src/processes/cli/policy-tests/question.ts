import {
  callerByArn,
  type KnownCaller,
  noPolicies,
} from "../../../domain/directory/caller-by-arn.ts";
import type { TestCase } from "../../../domain/directory/suite/suite.ts";
import { targetByArn } from "../../../domain/directory/target-by-arn.ts";
import { mergeTags } from "../../../domain/sts/session-tags.ts";
import { formatArn } from "../../../iam/arn.ts";
import { foldAscii } from "../../../iam/ascii.ts";
import type { EngineLayers } from "../../../iam/compile/layers.ts";
import { deriveKeys } from "../../../iam/derived-keys.ts";
import type { Principal } from "../../../iam/principal.ts";
import type { Parsed } from "../../../iam/problem.ts";
import type {
  ContextValue,
  OrganizationFacts,
  RequestContext,
  RequestResource,
} from "../../../iam/request-context.ts";
import { type DocumentWorld, layersOf } from "../document-world.ts";

/** A question to the engine. */
export interface AskedQuestion {
  readonly context: RequestContext;
  readonly layers: EngineLayers;
}

type Tags = ReadonlyMap<string, string>;

/** Returns the question of a case whose policies are in the file. */
export function questionOf(asked: TestCase, layers: EngineLayers): AskedQuestion {
  const { target } = asked;
  const context = contextOf(asked, {
    principal: asked.principal,
    principalOrganization: asked.principalOrganization,
    resource: target.resource,
    resourceTags: target.tags,
    resourceOrganization: target.organization,
  });
  return { context, layers };
}

/**
 * Returns the question of a case as the documents have it: who the caller is, what applies to him and to
 * the resource, organizations and tags; session tags and tags of the resource that the case gives stand
 * over theirs. On an open route the caller is anonymous, whoever asks (EXC-10). Refused with the words of
 * `callerByArn` and `targetByArn`.
 */
export function questionInDocuments(asked: TestCase, world: DocumentWorld): Parsed<AskedQuestion> {
  const { lookup } = world;
  const named = withRole(asked.principal, world);
  const caller = callerByArn(lookup, named);
  if (!caller.ok) return caller;
  const target = targetByArn(lookup, asked.action, asked.target.resource);
  if (!target.ok) return target;
  const { policies, tags, open } = target.value;
  const principal = open ? anonymous : known(named, caller.value);
  const own = open ? noPolicies : caller.value.policies;
  const resource: RequestResource = { ...asked.target.resource, class: policies.class };
  const context = contextOf(asked, {
    principal,
    principalOrganization: own.organization,
    resource,
    resourceTags: mergeTags(tags, asked.target.tags),
    resourceOrganization: policies.organization,
  });
  return { ok: true, value: { context, layers: layersOf(own, target.value, world) } };
}

const anonymous: Principal = { type: "anonymous" };

/** A session names its role without the path, which the documents know: names are unique without it. */
function withRole(principal: Principal, { lookup }: DocumentWorld): Principal {
  if (principal.type !== "assumed-role") return principal;
  const role = lookup.roleByName(principal.account, principal.roleName);
  return role === null ? principal : { ...principal, roleArn: role.arn };
}

/** Returns the principal with what the documents say of it; its own tags are those of its session. */
function known(principal: Principal, { entity }: KnownCaller): Principal {
  if (entity === null) return principal;
  const { id } = entity;
  switch (principal.type) {
    case "user":
    case "workload":
      return { ...principal, id, tags: entity.tags };
    case "assumed-role": {
      const serviceLinked = "serviceLinked" in entity && entity.serviceLinked;
      return { ...principal, id, serviceLinked, tags: mergeTags(entity.tags, principal.tags) };
    }
    case "federated-user":
      return { ...principal, userId: id, tags: mergeTags(entity.tags, principal.tags) };
    default:
      return principal;
  }
}

interface Sides {
  readonly principal: Principal;
  readonly principalOrganization: OrganizationFacts | null;
  readonly resource: RequestResource;
  readonly resourceTags: Tags;
  readonly resourceOrganization: OrganizationFacts | null;
}

function contextOf({ action, nowMs, context }: TestCase, sides: Sides): RequestContext {
  const { principal, principalOrganization, resource, resourceTags, resourceOrganization } = sides;
  const keys = deriveKeys(
    principal,
    resource,
    resourceTags,
    principalOrganization,
    resourceOrganization,
    nowMs,
  );
  if (resource.class === "role-trust") {
    for (const [key, value] of resourceTags) {
      keys.set(`iam:resourcetag/${foldAscii(key)}`, { multivalued: false, values: [value] });
    }
  }
  for (const [key, value] of context) setKey(keys, key, value);
  return {
    principal,
    action,
    resource,
    principalOrganization,
    resourceOrganization,
    keys,
    faults: null,
    nowMs,
  };
}

function setKey(keys: Map<string, ContextValue>, key: string, value: ContextValue | null): void {
  if (value === null) keys.delete(key);
  else keys.set(key, value);
}

/** Returns the ARN of the question's resource, `*` for none. */
export function resourceText({ context }: AskedQuestion): string {
  const { arn } = context.resource;
  return arn === null ? "*" : formatArn(arn);
}
