import { claimsOf } from "../../src/domain/credentials/claims.ts";
import type {
  Credential,
  JwtCredential,
  JwtSvidCredential,
  MtlsCredential,
} from "../../src/domain/credentials/credential.ts";
import { parseJsonObject } from "../../src/domain/credentials/json-object.ts";
import { readDocuments } from "../../src/domain/directory/documents.ts";
import { createLookup, type DirectoryLookup } from "../../src/domain/directory/lookup.ts";
import { mapPrincipal, type PrincipalMapping } from "../../src/domain/principal/map.ts";
import { isDenied } from "../../src/domain/request/denied.ts";
import { parseSpiffeId } from "../../src/domain/request/spiffe-id.ts";
import type { ContextValue } from "../../src/iam/request-context.ts";
import { createReferenceTrust } from "./reference-trust.ts";

export const shop = "111122223333";
export const partner = "444455556666";
export const provider = `arn:aws:iam::${shop}:oidc-provider/login.example.com`;

/** A role whose trust policy allows the provider, with conditions and further actions as given. */
export function role(name: string, trust: object, rest: object = {}): object {
  return document("Role", name, {
    ...rest,
    assumeRolePolicyDocument: {
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { Federated: provider },
          Action: "sts:AssumeRoleWithWebIdentity",
          ...trust,
        },
      ],
    },
  });
}

export function document(
  kind: string,
  name: string,
  spec: object,
  account: string | null = shop,
): object {
  const metadata = account === null ? { name } : { name, account };
  return { apiVersion: "mesh-iam.io/v1", kind, metadata, spec };
}

export function oidcProvider(rules: readonly object[], rest: object = {}): object {
  return document("OidcProvider", "login", {
    url: "https://login.example.com",
    tokenKind: "generic",
    audiences: ["mesh"],
    rules,
    ...rest,
  });
}

export const toUser = { user: { account: shop, name: { claim: "name" } } };
export const toRole = (name: string, rest: object = {}) => ({
  role: { account: shop, name, ...rest },
});

export function lookupOf(...documents: readonly object[]): DirectoryLookup {
  const files = documents.map((one, i) => ({ path: `${i}.json`, text: JSON.stringify(one) }));
  const loaded = readDocuments(files);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems, null, 1));
  return createLookup(loaded.value);
}

export function tokenOf(lookup: DirectoryLookup, claims: object): JwtCredential {
  const all = { iss: "https://login.example.com", sub: "alice", aud: "mesh", ...claims };
  const parsed = parseJsonObject(JSON.stringify(all));
  const read = parsed.ok ? claimsOf(parsed.value) : null;
  if (read === null) throw new Error("claims");
  const subject = read.get("sub");
  return {
    type: "jwt",
    providerId: lookup.providerByIssuer("https://login.example.com")?.id ?? "",
    issuer: "https://login.example.com",
    subject: subject?.type === "string" ? subject.text : "",
    claims: read,
    keyId: "k",
    issuedAtMs: 1_800_000_000_000,
    notBeforeMs: 1_799_999_940_000,
    expiresAtMs: 1_800_000_660_000,
  };
}

function spiffeOf(text: string) {
  const parsed = parseSpiffeId(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

export const mtlsOf = (text: string): MtlsCredential => ({
  type: "mtls",
  spiffeId: spiffeOf(text),
});

export function svidOf(text: string): JwtSvidCredential {
  const { spiffeId } = mtlsOf(text);
  return {
    type: "jwt-svid",
    trustDomain: spiffeId.trustDomain,
    spiffeId,
    issuer: `spiffe://${spiffeId.trustDomain}`,
    subject: text,
    claims: new Map(),
    keyId: "k",
    issuedAtMs: 1_800_000_000_000,
    notBeforeMs: 0,
    expiresAtMs: 1_800_000_660_000,
  };
}

export function map(lookup: DirectoryLookup, principalCredential: Credential | null) {
  return mapPrincipal({ principalCredential }, lookup, createReferenceTrust());
}

/** Returns the mapping of a token, or the reason and detail of its denial. */
export function mapToken(lookup: DirectoryLookup, claims: object): PrincipalMapping | string {
  const result = map(lookup, tokenOf(lookup, claims));
  return isDenied(result) ? `${result.reason} ${result.detail}` : result;
}

export function keysOf(mapping: PrincipalMapping | string): ReadonlyMap<string, ContextValue> {
  if (typeof mapping === "string") throw new Error(mapping);
  return mapping.mapped.keys;
}

export const textsOf = (mapping: PrincipalMapping | string, key: string) =>
  keysOf(mapping).get(key)?.values;
