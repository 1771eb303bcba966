import { foldAscii } from "../../iam/ascii.ts";
import { principalKeys, resourceKeys, timeKeys } from "../../iam/derived-keys.ts";
import type { ContextValue, KeyFault, RequestResource } from "../../iam/request-context.ts";
import type { Role } from "../directory/model.ts";
import type { ResourcePolicies } from "../directory/policies.ts";
import type { AssumeRoleCall } from "./assume-role-call.ts";
import { isCallKey, isFixedKey } from "./fixed-keys.ts";
import type { StsCaller } from "./session.ts";
import { roleTagsInChain } from "./tag-chain.ts";

/** The request that carries a call: facts of connection and request, and when it is judged. */
export interface Circumstances {
  /** `aws:SourceIp`, `aws:SecureTransport`, … by lower-cased name; keys of caller and call are passed over. */
  readonly keys: ReadonlyMap<string, ContextValue>;
  readonly faults: ReadonlyMap<string, KeyFault> | null;
  readonly nowMs: number;
}

/**
 * Returns the condition keys of the question whether a role may be assumed (STS-3), by lower-cased name:
 * the request's, the caller's, the role's, and those of the call. What the call fixes is never taken
 * from the request or from the credentials. The duration is that of the session to be, so it is there
 * when none was asked for; likewise an inherited source identity. Linear in tags and keys.
 */
export function assumeRoleKeys(
  call: AssumeRoleCall,
  sessionName: string,
  caller: StsCaller,
  circumstances: Circumstances,
  role: Role,
  resource: RequestResource,
  policies: ResourcePolicies,
): ReadonlyMap<string, ContextValue> {
  const { tags, externalId, sourceIdentity, durationSeconds, multiFactorAuthAgeSeconds } = call;
  const roleTags = roleTagsInChain(role.tags, caller.chain.transitiveTags);
  const keys = new Map<string, ContextValue>([
    ...[...circumstances.keys].filter(([key]) => !isFixedKey(key)),
    ...timeKeys(circumstances.nowMs),
    ...principalKeys(caller.principal, caller.policies.organization),
    ...[...caller.keys].filter(([key]) => !isCallKey(key)),
    ...resourceKeys(resource, roleTags, policies.organization),
  ]);
  const set = (key: string, text: string | null): void => {
    if (text !== null) keys.set(key, { multivalued: false, values: [text] });
  };
  const setMany = (key: string, values: readonly string[]): void => {
    if (values.length > 0) keys.set(key, { multivalued: true, values });
  };
  for (const [key, value] of role.tags) set(`iam:resourcetag/${foldAscii(key)}`, value);
  set("sts:rolesessionname", sessionName);
  set("sts:durationseconds", String(durationSeconds));
  set("sts:externalid", externalId);
  set("sts:sourceidentity", sourceIdentity);
  for (const [key, value] of tags.passed) set(`aws:requesttag/${foldAscii(key)}`, value);
  setMany("aws:tagkeys", [...tags.passed.keys()]);
  setMany("sts:transitivetagkeys", tags.transitiveTagKeys);
  // MFA-2: of this call, whatever the credentials say
  if (multiFactorAuthAgeSeconds !== null) {
    set("aws:multifactorauthpresent", "true");
    set("aws:multifactorauthage", String(multiFactorAuthAgeSeconds));
  }
  return keys;
}
