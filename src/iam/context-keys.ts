import { foldAscii } from "./ascii.ts";

/** The type that a key's values have by declaration (KEY-1); at run time all values are texts. */
export type KeyType = "string" | "arn" | "numeric" | "date" | "bool" | "ip";

/** `configured`: declared per provider or service, so known only with the value (SET-5). */
export type KeyArity = "single" | "multi" | "configured";

/**
 * Who controls the value (KEY-2): `proven` by credential, peer, bundle or operator, `client` sent by
 * the caller, `none` where the key is never filled.
 */
export type KeyTrust = "proven" | "client" | "none";

export interface KeyDefinition {
  /** In AWS's spelling; a name that ends in a slash stands for all keys that begin with it. */
  readonly name: string;
  readonly type: KeyType;
  readonly arity: KeyArity;
  readonly trust: KeyTrust;
  /** Whether the value moves with the clock, credential and request being the same (KEY-5). */
  readonly time: boolean;
  /** Whether mesh-iam ever fills it. The others parse without error and are absent (KEY-4). */
  readonly filled: boolean;
}

/**
 * The catalogue of keys (iam-semantics 8.2, 8.3; of `sts:` and `iam:` keys STS-3). Services and
 * identity providers bring keys of their own, which are not in it.
 */
export const keyCatalogue: readonly KeyDefinition[] = [
  proven("aws:PrincipalArn", "arn"),
  proven("aws:PrincipalAccount"),
  proven("aws:PrincipalOrgID"),
  proven("aws:PrincipalOrgPaths", "string", "multi"),
  proven("aws:PrincipalTag/"),
  proven("aws:PrincipalType"),
  proven("aws:userid"),
  proven("aws:username"),
  proven("aws:PrincipalIsAWSService", "bool"),
  proven("aws:PrincipalServiceName"),
  proven("aws:PrincipalServiceNamesList", "string", "multi"),
  proven("aws:FederatedProvider"),
  proven("aws:TokenIssueTime", "date"),
  proven("aws:MultiFactorAuthPresent", "bool"),
  clock("aws:MultiFactorAuthAge", "numeric"),
  proven("aws:SourceIdentity"),
  proven("aws:AssumedRoot", "bool"),
  proven("aws:SourceIp", "ip"),
  unfilled("aws:VpcSourceIp", "ip"),
  unfilled("aws:SourceVpc"),
  unfilled("aws:SourceVpcArn", "arn"),
  proven("aws:SourceVpce"),
  proven("aws:VpceAccount"),
  proven("aws:VpceOrgID"),
  proven("aws:VpceOrgPaths", "string", "multi"),
  proven("aws:RequestedRegion"),
  proven("aws:SecureTransport", "bool"),
  clock("aws:CurrentTime", "date"),
  clock("aws:EpochTime", "date"),
  sent("aws:UserAgent"),
  sent("aws:referer"),
  proven("aws:ResourceAccount"),
  proven("aws:ResourceOrgID"),
  proven("aws:ResourceOrgPaths", "string", "multi"),
  proven("aws:ResourceTag/"),
  sent("aws:RequestTag/"),
  sent("aws:TagKeys", "string", "multi"),
  proven("aws:SourceArn", "arn"),
  proven("aws:SourceAccount"),
  proven("aws:SourceOwner"),
  proven("aws:SourceOrgID"),
  proven("aws:SourceOrgPaths", "string", "multi"),
  proven("aws:CalledVia", "string", "multi"),
  proven("aws:CalledViaFirst"),
  proven("aws:CalledViaLast"),
  proven("aws:ViaAWSService", "bool"),
  unfilled("aws:ChatbotSourceArn", "arn"),
  unfilled("aws:Ec2InstanceSourceVpc"),
  unfilled("aws:Ec2InstanceSourcePrivateIPv4", "ip"),
  unfilled("aws:CalledViaAWSMCP"),
  unfilled("aws:ViaAWSMCPService", "bool"),
  unfilled("aws:IsMcpServiceAction", "bool"),
  unfilled("lambda:SourceFunctionArn", "arn"),
  proven("identitystore:UserId"),
  sent("mesh:RequestMethod"),
  sent("mesh:RequestPath"),
  sent("mesh:RequestHost"),
  sent("mesh:RequestScheme"),
  proven("mesh:RequestProtocol"),
  sent("mesh:RequestHeader/"),
  sent("mesh:RequestQueryString/", "string", "multi"),
  sent("mesh:RequestSize", "numeric"),
  sent("mesh:GrpcService"),
  sent("mesh:GrpcMethod"),
  proven("mesh:SourceSpiffeId"),
  proven("mesh:SourceTrustDomain"),
  proven("mesh:SourceNamespace"),
  proven("mesh:SourceServiceAccount"),
  proven("mesh:SourceServiceArn", "arn"),
  proven("mesh:DestinationSpiffeId"),
  proven("mesh:DestinationServiceArn", "arn"),
  proven("mesh:DestinationPort", "numeric"),
  sent("mesh:ServerName"),
  proven("mesh:TokenType"),
  proven("mesh:JwtClaim/", "string", "configured"),
  sent("sts:ExternalId"),
  sent("sts:RoleSessionName"),
  sent("sts:DurationSeconds", "numeric"),
  sent("sts:SourceIdentity"),
  sent("sts:TransitiveTagKeys", "string", "multi"),
  unfilled("sts:AWSServiceName"),
  unfilled("sts:TaskPolicyArn", "arn"),
  proven("iam:ResourceTag/"),
  unfilled("iam:AssociatedResourceArn", "arn"),
  unfilled("iam:AWSServiceName"),
  unfilled("iam:OrganizationsPolicyId"),
  unfilled("iam:PassedToService"),
  unfilled("iam:PermissionsBoundary", "arn"),
  unfilled("iam:PolicyARN", "arn"),
];

/** Headers that no policy reads, since they carry secrets (8.3); pseudo-headers neither. */
export const unreadableHeaders: ReadonlySet<string> = new Set([
  "authorization",
  "cookie",
  "proxy-authorization",
  "x-amz-security-token",
]);

const headerPrefix = "mesh:requestheader/";

const exact = new Map<string, KeyDefinition>();
const prefixes = new Map<string, KeyDefinition>();
for (const definition of keyCatalogue) {
  const isPrefix = definition.name.endsWith("/");
  (isPrefix ? prefixes : exact).set(foldAscii(definition.name), definition);
}

/**
 * Returns what the catalogue says of the key, or null where it does not know it. `keyLower` is
 * ASCII-lower-cased (KEY-6). A key with a free suffix, such as `aws:principaltag/team`, has the
 * definition of its prefix; without suffix it is unknown. Two map look-ups.
 */
export function lookUpKey(keyLower: string): KeyDefinition | null {
  const found = exact.get(keyLower);
  if (found !== undefined) return found;
  const slash = keyLower.indexOf("/");
  if (slash < 0 || slash === keyLower.length - 1) return null;
  const definition = prefixes.get(keyLower.slice(0, slash + 1));
  if (definition === undefined) return null;
  return isUnreadable(keyLower) ? null : definition;
}

function isUnreadable(keyLower: string): boolean {
  if (!keyLower.startsWith(headerPrefix)) return false;
  const header = keyLower.slice(headerPrefix.length);
  return header.startsWith(":") || unreadableHeaders.has(header);
}

function proven(name: string, type: KeyType = "string", arity: KeyArity = "single"): KeyDefinition {
  return { name, type, arity, trust: "proven", time: false, filled: true };
}

function sent(name: string, type: KeyType = "string", arity: KeyArity = "single"): KeyDefinition {
  return { name, type, arity, trust: "client", time: false, filled: true };
}

function clock(name: string, type: KeyType): KeyDefinition {
  return { name, type, arity: "single", trust: "proven", time: true, filled: true };
}

function unfilled(
  name: string,
  type: KeyType = "string",
  arity: KeyArity = "single",
): KeyDefinition {
  return { name, type, arity, trust: "none", time: false, filled: false };
}
