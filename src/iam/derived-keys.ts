import { foldAscii } from "./ascii.ts";
import { accountOf, type Principal, type PrincipalType } from "./principal.ts";
import type { ContextValue, OrganizationFacts, RequestResource } from "./request-context.ts";

/**
 * The condition keys that follow from who asks, for what, and when (iam-semantics 8.2). Names are
 * lower-cased for lookup. A key whose source is absent is absent, never guessed (KEY-3).
 */
type Keys = Map<string, ContextValue>;

/**
 * Returns the keys that follow from principal, resource, organizations and time together: a new map
 * that the caller owns. `nowMs` is milliseconds since 1970, within the years 1 to 9999.
 */
export function deriveKeys(
  principal: Principal,
  resource: RequestResource,
  resourceTags: ReadonlyMap<string, string>,
  principalOrganization: OrganizationFacts | null,
  resourceOrganization: OrganizationFacts | null,
  nowMs: number,
): Map<string, ContextValue> {
  return new Map([
    ...principalKeys(principal, principalOrganization),
    ...resourceKeys(resource, resourceTags, resourceOrganization),
    ...timeKeys(nowMs),
  ]);
}

const principalTypes: Readonly<Record<PrincipalType, string | null>> = {
  anonymous: "Anonymous",
  root: "Account",
  user: "User",
  workload: "Workload",
  "assumed-role": "AssumedRole",
  "federated-user": "FederatedUser",
  // AWS gives these callers no word of the key
  service: null,
  "web-identity": null,
  saml: null,
};

/**
 * Returns the keys fixed by the caller, as a new map. Of sessions `aws:PrincipalArn` is the role's
 * ARN (PRIN-5) and MFA is absent from the credentials (MFA-2). `organization` is that of the
 * caller's account, null for none. Allocates; linear in the tags.
 */
export function principalKeys(
  principal: Principal,
  organization: OrganizationFacts | null,
): Map<string, ContextValue> {
  const keys: Keys = new Map();
  setSingle(keys, "aws:principaltype", principalTypes[principal.type]);
  setSingle(keys, "aws:viaawsservice", "false");
  if (principal.type !== "anonymous") {
    setSingle(keys, "aws:principalisawsservice", String(principal.type === "service"));
  }
  switch (principal.type) {
    case "anonymous":
      setSingle(keys, "aws:userid", "anonymous");
      setSingle(keys, "aws:principalaccount", "anonymous");
      return keys;
    case "root":
      setSingle(keys, "aws:principalarn", principal.arn);
      setSingle(keys, "aws:userid", principal.account);
      break;
    case "user":
      setSingle(keys, "aws:principalarn", principal.arn);
      setSingle(keys, "aws:userid", principal.id);
      setSingle(keys, "aws:username", principal.name);
      setTags(keys, "aws:principaltag/", principal.tags);
      break;
    case "workload":
      setSingle(keys, "aws:principalarn", principal.arn);
      setSingle(keys, "aws:userid", spiffeIdOf(principal.arn));
      setTags(keys, "aws:principaltag/", principal.tags);
      break;
    case "assumed-role":
      setSingle(keys, "aws:principalarn", principal.roleArn);
      if (principal.id !== null) {
        setSingle(keys, "aws:userid", `${principal.id}:${principal.sessionName}`);
      }
      setSingle(keys, "aws:multifactorauthpresent", "false");
      setTags(keys, "aws:principaltag/", principal.tags);
      break;
    case "federated-user":
      setSingle(keys, "aws:principalarn", principal.arn);
      setSingle(keys, "aws:userid", `${principal.account}:${principal.name}`);
      setSingle(keys, "aws:multifactorauthpresent", "false");
      setTags(keys, "aws:principaltag/", principal.tags);
      break;
    case "service":
      setSingle(keys, "aws:principalservicename", principal.name);
      keys.set("aws:principalservicenameslist", { multivalued: true, values: [principal.name] });
      return keys;
    case "web-identity":
    case "saml":
      return keys;
  }
  setSingle(keys, "aws:principalaccount", accountOf(principal));
  setOrganization(keys, "aws:principalorg", organization);
  return keys;
}

/**
 * Returns the keys fixed by the resource, as a new map. `tags` are the resource's, keyed as written;
 * `organization` is that of the owner's account, null for none.
 */
export function resourceKeys(
  resource: RequestResource,
  tags: ReadonlyMap<string, string>,
  organization: OrganizationFacts | null,
): Map<string, ContextValue> {
  const keys: Keys = new Map();
  setSingle(keys, "aws:resourceaccount", resource.account);
  setOrganization(keys, "aws:resourceorg", organization);
  setTags(keys, "aws:resourcetag/", tags);
  return keys;
}

/**
 * Returns `aws:CurrentTime` and `aws:EpochTime` of `nowMs`, as a new map. Both name the same
 * millisecond, the fraction written only where there is one.
 */
export function timeKeys(nowMs: number): Map<string, ContextValue> {
  const keys: Keys = new Map();
  setSingle(keys, "aws:currenttime", formatIsoTime(nowMs));
  setSingle(keys, "aws:epochtime", formatEpochSeconds(nowMs));
  return keys;
}

function setSingle(keys: Keys, keyLower: string, text: string | null): void {
  if (text !== null) keys.set(keyLower, { multivalued: false, values: [text] });
}

/** Tag keys compare ignoring case, as all keys do (CON-2). */
function setTags(keys: Keys, prefix: string, tags: ReadonlyMap<string, string>): void {
  for (const [key, value] of tags) setSingle(keys, prefix + foldAscii(key), value);
}

function setOrganization(keys: Keys, prefix: string, facts: OrganizationFacts | null): void {
  if (facts === null) return;
  setSingle(keys, `${prefix}id`, facts.id);
  if (facts.path !== null) {
    keys.set(`${prefix}paths`, { multivalued: true, values: [facts.path] });
  }
}

/** The map from SPIFFE id to ARN is injective (PRIN-9), so it can be read backwards. */
function spiffeIdOf(workloadArn: string): string | null {
  const marker = ":workload/";
  const at = workloadArn.indexOf(marker);
  return at < 0 ? null : `spiffe://${workloadArn.slice(at + marker.length)}`;
}

const dayMs = 86_400_000;

/**
 * Returns `YYYY-MM-DDTHH:MM:SS[.fff]Z` of `nowMs`. The calendar is the proleptic Gregorian one,
 * counted in eras of 400 years from 0000-03-01, so that the leap day is the last of its year.
 */
export function formatIsoTime(nowMs: number): string {
  const days = Math.floor(nowMs / dayMs);
  const ms = nowMs - days * dayMs;
  const sinceMarch = days + 719_468;
  const era = Math.floor(sinceMarch / 146_097);
  const dayOfEra = sinceMarch - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);

  const date = `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`;
  const hour = digits(Math.floor(ms / 3_600_000), 2);
  const minute = digits(Math.floor(ms / 60_000) % 60, 2);
  const second = digits(Math.floor(ms / 1000) % 60, 2);
  const fraction = ms % 1000 === 0 ? "" : `.${digits(ms % 1000, 3)}`;
  return `${date}T${hour}:${minute}:${second}${fraction}Z`;
}

function formatEpochSeconds(nowMs: number): string {
  const magnitude = Math.abs(nowMs);
  const seconds = Math.floor(magnitude / 1000);
  const ms = magnitude % 1000;
  return `${nowMs < 0 ? "-" : ""}${seconds}${ms === 0 ? "" : `.${digits(ms, 3)}`}`;
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, "0");
}
