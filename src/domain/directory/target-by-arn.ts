import { formatArn } from "../../iam/arn.ts";
import { foldAscii } from "../../iam/ascii.ts";
import { meant } from "../../iam/nearest-word.ts";
import { type Parsed, quote } from "../../iam/problem.ts";
import type { RequestResource } from "../../iam/request-context.ts";
import type { Tags } from "../request/service-definition.ts";
import { policiesOfResource, policiesOfService, trustPoliciesOfRole } from "./apply.ts";
import type { DirectoryLookup } from "./lookup.ts";
import type { Service } from "./model.ts";
import type { ResourcePolicies } from "./policies.ts";
import { nearest } from "./suggestion.ts";

/** A resource as the directory knows it. */
export interface KnownTarget {
  readonly policies: ResourcePolicies;
  /** The service's tags, or those of the role. */
  readonly tags: Tags;
  /**
   * Nobody is authenticated for the action: every route that maps to it says `authType: NONE`, so the
   * caller is anonymous and an Allow is implied (EXC-10), which is not in `policies`.
   */
  readonly open: boolean;
}

/** Services of AWS and the control plane's own: their resources have no policy of their own here. */
const builtIn: ReadonlySet<string> = new Set(["iam", "sts", "organizations", "mesh-iam"]);
const noTags: Tags = new Map();

/**
 * Returns what applies to `resource` when `action` is asked for, looked up by its ARN: of a role that is
 * to be assumed the trust policy, of a service's resource the service's policy, with the RCPs of the
 * owner.
 *
 * Refusals: `unknown-resource` for a role or service that the directory does not have, `unknown-action`
 * for one that no route of the service maps to; the nearest name is told.
 */
export function targetByArn(
  lookup: DirectoryLookup,
  action: string,
  resource: RequestResource,
): Parsed<KnownTarget> {
  const { arn, account } = resource;
  if (account === null) return refuse("unknown-resource", "a resource of no account");
  if (arn === null || (builtIn.has(arn.service) && resource.class !== "role-trust")) {
    const policies = policiesOfResource(lookup, account);
    return { ok: true, value: { policies, tags: noTags, open: false } };
  }
  if (resource.class === "role-trust") {
    const role = lookup.roleByArn(formatArn(arn));
    if (role === null) {
      const names = lookup.directory.roles.map((each) => each.arn);
      return missing("unknown-resource", "role", formatArn(arn), names);
    }
    const policies = trustPoliciesOfRole(lookup, role);
    return { ok: true, value: { policies, tags: role.tags, open: false } };
  }
  const service = lookup.serviceByName(account, arn.service);
  if (service === null) {
    const names = lookup.directory.services
      .filter((each) => each.account === account)
      .map(({ name }) => name);
    return missing(
      "unknown-resource",
      `service of the account ${quote(account)}`,
      arn.service,
      names,
    );
  }
  return ofService(lookup, service, action);
}

function ofService(lookup: DirectoryLookup, service: Service, action: string): Parsed<KnownTarget> {
  const wanted = foldAscii(action);
  const routes = service.routes.filter(
    (route) => foldAscii(`${service.name}:${route.action}`) === wanted,
  );
  if (routes.length === 0) {
    const names = service.routes.map((route) => `${service.name}:${route.action}`);
    return missing("unknown-action", "route for", action, [...new Set(names)]);
  }
  const open = routes.every((route) => (route.authType ?? service.authType) === "NONE");
  const policies = policiesOfService(lookup, service);
  return { ok: true, value: { policies, tags: service.tags, open } };
}

function missing(
  code: string,
  what: string,
  word: string,
  known: readonly string[],
): Parsed<KnownTarget> {
  const hint = meant(nearest(word, known));
  return refuse(code, `the documents have no ${what} ${quote(word)}${hint}`);
}

function refuse(code: string, message: string): Parsed<KnownTarget> {
  return { ok: false, code, message };
}
