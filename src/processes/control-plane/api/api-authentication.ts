import type { TLSSocket } from "node:tls";
import { authenticate, createTokenVerifier } from "../../../domain/credentials/authenticate.ts";
import type { Issuers } from "../../../domain/credentials/issuers.ts";
import type { CheckAttributes } from "../../../domain/request/attributes.ts";
import { isDenied } from "../../../domain/request/denied.ts";
import { type CallRefusal, refusal, refusalOfDenied } from "../call-result.ts";
import type { ProvenCaller } from "../caller.ts";
import type { ApiRequest } from "./api-handler.ts";

const rules = {
  principalFrom: ["jwt", "jwt-svid", "mtls"],
  requireCredential: [],
  // The issuers accept the API's audiences only, whatever their documents say of services.
  audiences: null,
} as const;

/** Returns who calls over the network: a bearer token, else the client's certificate (TEN-1). */
export function provenCaller(
  request: ApiRequest,
  issuers: Issuers,
  nowMs: number,
): ProvenCaller | CallRefusal {
  const verify = createTokenVerifier(issuers);
  const authentication = authenticate(attributesOf(request), rules, issuers, nowMs, verify);
  if (isDenied(authentication)) return refusalOfDenied(authentication);
  if (authentication.principalCredential !== null) {
    return { type: "authenticated", authentication, issuers };
  }
  return refusal("InvalidClientTokenId", "expected a bearer token or a client certificate");
}

/** A call seen as the authorizer sees a request, as far as credentials are looked for in it. */
function attributesOf(request: ApiRequest): CheckAttributes {
  const values = headerValues(request, "authorization");
  return {
    hasRequest: true,
    method: request.method ?? "",
    target: request.url ?? "",
    rawPath: null,
    rawPathCount: 0,
    rawHeaders: true,
    host: "",
    scheme: "",
    protocol: "",
    requestTimeMs: null,
    sourcePrincipal: spiffeIdOf(request),
    destinationPrincipal: "",
    sourceAddress: request.socket.remoteAddress ?? null,
    destinationPort: null,
    destinationLabels: new Map(),
    serverName: "",
    hasPeerCertificate: false,
    contextExtension: () => undefined,
    header: (name) =>
      name !== "authorization" || values.length === 0
        ? undefined
        : { value: values.join(","), count: values.length },
    headerSpan: () => null,
    identityHeaderNames: [],
  };
}

/** Node keeps the first of a repeated `authorization` alone; here a second one is to be seen. */
function headerValues({ rawHeaders }: ApiRequest, name: string): readonly string[] {
  return rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name,
  );
}

/** Returns the SPIFFE id of a verified client certificate; empty without one. */
function spiffeIdOf({ socket }: ApiRequest): string {
  if (!("getPeerX509Certificate" in socket)) return "";
  const tls = socket as TLSSocket;
  return tls.authorized ? spiffeIdIn(tls.getPeerX509Certificate()?.subjectAltName ?? "") : "";
}

/**
 * Returns the only URI of `names`, a `subjectAltName` as Node prints it, or an empty text. Names that
 * Node had to quote are refused as a whole: in `DNS:"a, URI:spiffe://x, b"` there is no URI (the class of
 * CVE-2021-44532), and no name of a mesh identity's certificate needs quotes.
 */
export function spiffeIdIn(names: string): string {
  if (names.includes('"')) return "";
  const ids = names.split(", ").filter((one) => one.startsWith("URI:"));
  return ids.length === 1 ? (ids[0] ?? "").slice("URI:".length) : "";
}
