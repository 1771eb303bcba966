import type { Issuers } from "../../domain/credentials/issuers.ts";
import { quote } from "../../iam/problem.ts";
import { provenCaller } from "./api/api-authentication.ts";
import type { Admit, ApiRequest } from "./api/api-handler.ts";
import { refusal } from "./call-result.ts";
import type { CallOrigin } from "./caller.ts";
import type { Organizations } from "./organizations.ts";

/** Which organization a call is for; needed only where the store holds several. */
const organizationHeader = "x-mesh-iam-organization";

/** Returns who may come in over the network: whom a credential proves (TEN-1). */
export function admitNetwork(
  organizations: Organizations,
  issuersOf: (org: string) => Issuers,
  nowMs: () => number,
): Admit {
  return async (request, requestId) => {
    const organization = organizations.find(organizationNamed(request));
    // To a stranger an organization that is not there is one that does not know him (TEN-3).
    if (organization === null) {
      return refusal("InvalidClientTokenId", "the credential is not accepted: token-issuer");
    }
    const caller = provenCaller(request, issuersOf(organization.org), nowMs());
    if ("ok" in caller) return caller;
    const { remoteAddress } = request.socket;
    const secure = "encrypted" in request.socket;
    const origin = originOf(request, requestId, ipOf(remoteAddress ?? ""), secure);
    return { organization, caller, origin };
  };
}

/** Returns who may come in over the local socket: whoever can open it, as root (TEN-5). */
export function admitLocal(organizations: Organizations): Admit {
  return async (request, requestId) => {
    const named = organizationNamed(request);
    const organization = organizations.find(named);
    if (organization === null) {
      return refusal("NoSuchEntity", noOrganization(named, organizations.count));
    }
    const origin = originOf(request, requestId, null, true);
    return { organization, caller: { type: "break-glass", home: null }, origin };
  };
}

function noOrganization(named: string | null, count: number): string {
  if (count === 0)
    return "the store holds no organization: `mesh-iam control-plane init` makes one";
  if (named !== null) return `no organization ${quote(named)}`;
  return `expected the header \`${organizationHeader}\`: there are ${count} organizations`;
}

function organizationNamed(request: ApiRequest): string | null {
  const value = request.headers[organizationHeader];
  return typeof value === "string" && value !== "" ? value : null;
}

function originOf(
  { headers }: ApiRequest,
  requestId: string,
  sourceIp: string | null,
  secure: boolean,
): CallOrigin {
  return { requestId, sourceIp, userAgent: (headers["user-agent"] ?? "").slice(0, 256), secure };
}

/** An IPv4 peer of a listener for both families is shown in IPv6's form. */
function ipOf(address: string): string {
  return address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
}
