import { lookUpKey } from "../../../iam/context-keys.ts";
import { principalKeys, resourceKeys, timeKeys } from "../../../iam/derived-keys.ts";
import type { Principal } from "../../../iam/principal.ts";
import type { ContextValue, RequestContext } from "../../../iam/request-context.ts";

type Keys = Map<string, ContextValue>;

/** What the documents say, not the request of then. */
const ofDocuments: ReadonlySet<string> = new Set([
  "aws:principalorgid",
  "aws:principalorgpaths",
  "aws:resourceorgid",
  "aws:resourceorgpaths",
]);

/**
 * Returns the condition keys of a logged question: the logged ones, those that follow from caller,
 * resource and time, and the organizations as the documents have them.
 */
export function replayKeys(
  context: RequestContext,
  logged: ReadonlyMap<string, ContextValue>,
): Keys {
  const { principal, resource, principalOrganization, resourceOrganization, nowMs } = context;
  const keys: Keys = new Map([
    ...principalKeys(principal, principalOrganization),
    ...resourceKeys(resource, new Map(), resourceOrganization),
    ...timeKeys(nowMs),
  ]);
  for (const [key, value] of logged) if (!ofDocuments.has(key)) keys.set(key, value);
  return keys;
}

const followsFromCaller: ReadonlySet<string> = new Set([
  "aws:principalarn",
  "aws:principalaccount",
  "aws:principaltype",
  "aws:principalisawsservice",
  "aws:principalservicename",
  "aws:principalservicenameslist",
  "aws:userid",
  "aws:username",
  "aws:viaawsservice",
  "aws:resourceaccount",
  "aws:currenttime",
  "aws:epochtime",
]);

/**
 * Returns whether the absence of the key in a question is its value: it would be there if the caller,
 * the documents or the time gave it, or nothing ever fills it. Of any other key a log that does not
 * have it says nothing: only keys that could be read then were written.
 */
export function isKnownAbsent(
  keyLower: string,
  principal: Principal,
  serviceKeys: ReadonlySet<string>,
): boolean {
  if (ofDocuments.has(keyLower) || followsFromCaller.has(keyLower)) return true;
  if (keyLower.startsWith("aws:principaltag/")) return true;
  // MFA-2: no session of a role has it, and it is told of each
  const isRole = principal.type === "assumed-role";
  if (keyLower.startsWith("aws:multifactorauth")) return isRole || principal.type === "anonymous";
  const definition = lookUpKey(keyLower);
  return definition === null ? !serviceKeys.has(keyLower) : !definition.filled;
}

const callerPrefixes = [
  "aws:principal",
  "aws:userid",
  "aws:username",
  "aws:multifactorauth",
  "aws:tokenissuetime",
  "aws:sourceidentity",
  "aws:federatedprovider",
  "mesh:tokentype",
  "mesh:jwtclaim/",
];

/** Returns `logged` without what a credential said, which nobody looks at on an open route. */
export function withoutCredential(
  logged: ReadonlyMap<string, ContextValue>,
): ReadonlyMap<string, ContextValue> {
  return new Map(
    [...logged].filter(([key]) => !callerPrefixes.some((prefix) => key.startsWith(prefix))),
  );
}
