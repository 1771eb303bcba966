import { isDeepStrictEqual } from "node:util";
import { loadKeySet } from "../../../../src/adapters/keys/key-set.ts";
import {
  type Authentication,
  authenticate,
  type CredentialRules,
  createTokenVerifier,
  type TokenVerifier,
} from "../../../../src/domain/credentials/authenticate.ts";
import type { EmbeddedKey } from "../../../../src/domain/credentials/compact.ts";
import { createIssuers, type Issuers } from "../../../../src/domain/credentials/issuers.ts";
import type { VerificationKeys } from "../../../../src/domain/credentials/verification-key.ts";
import type { OidcProvider, TrustDomain } from "../../../../src/domain/directory/model.ts";
import type { CheckAttributes } from "../../../../src/domain/request/attributes.ts";
import type { Denied } from "../../../../src/domain/request/denied.ts";
import { TokenCache } from "../../../../src/processes/authorizer/token-cache.ts";
import { createTestKey, encode, signBytes, type TestKey } from "./keys.ts";

/** The clock of the corpus: a whole second. */
export const nowMs = 1_800_000_000_000;
export const now = nowMs / 1000;

/** The key pairs of this run: one honest one a family, another provider's, another domain's, Mallory's. */
export const rsa = createTestKey("rsa-1", "RS256");
export const ec = createTestKey("ec-1", "ES256");
export const edwards = createTestKey("ed-1", "Ed25519");
export const other = createTestKey("other-1", "ES256");
export const svidA = createTestKey("svid-a", "ES256");
export const svidB = createTestKey("svid-b", "ES256");
export const mallory = createTestKey("rsa-1", "RS256");

export const allAlgorithms = ["RS", "PS", "ES"]
  .flatMap((family) => [256, 384, 512].map((bits) => `${family}${bits}`))
  .concat("EdDSA", "Ed25519");

/** FILE-21's default. */
const defaultAlgorithms = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"];

export function provider(name: string, rest: Partial<OidcProvider> = {}): OidcProvider {
  const issuer = `https://${name}.example`;
  return {
    id: `AOIP-${name}`,
    account: "111122223333",
    name,
    arn: `arn:aws:iam::111122223333:oidc-provider/${name}.example`,
    issuer,
    tokenKind: "generic",
    audiences: ["mesh"],
    audienceRule: "aud",
    algorithms: defaultAlgorithms,
    typ: null,
    maxTokenLifetimeSeconds: 86_400,
    clockSkewSeconds: 60,
    mfaFromAmr: false,
    multivaluedClaims: ["aud", "amr", "groups", "roles", "scope"],
    keys: { type: "discovery" },
    rules: [{ when: null, user: null, role: null }],
    ...rest,
  };
}

export function trustDomain(name: string, rest: Partial<TrustDomain> = {}): TrustDomain {
  return {
    id: `ATD-${name}`,
    name,
    audiences: ["mesh"],
    keys: { type: "keys", json: "{}" },
    refreshHintSeconds: null,
    accounts: [{ namespace: null, account: "111122223333" }],
    ...rest,
  };
}

export const providers = {
  generic: provider("generic"),
  "oidc-id": provider("id", { tokenKind: "oidc-id", audiences: ["mesh", "mesh-2"] }),
  rfc9068: provider("at", { tokenKind: "rfc9068" }),
  kubernetes: provider("kubernetes", { tokenKind: "kubernetes" }),
  google: provider("google", { audienceRule: "google" }),
  other: provider("other"),
  typed: provider("typed", { typ: "application/Custom+JWT" }),
} as const;

export const domains = { a: trustDomain("td-a"), b: trustDomain("td-b") } as const;

/** Returns the keys of a JWK Set as the product loads them. */
export async function keysOf(
  form: "jwks" | "spiffe",
  ...jwks: readonly Readonly<Record<string, unknown>>[]
): Promise<VerificationKeys> {
  const text = JSON.stringify({ keys: jwks });
  const loaded = await loadKeySet(text, form, { maxBytes: 1 << 20, maxKeys: 256 }, null);
  if (!loaded.ok) throw new Error(loaded.message);
  return loaded.value.keys;
}

const honest = await keysOf("jwks", rsa.jwk, ec.jwk, edwards.jwk);

/** Key sets by the issuer's id, as the key cache would hand them out. */
export const keySets: ReadonlyMap<string, VerificationKeys> = new Map([
  ...Object.values(providers).map((one) => [one.id, honest] as const),
  [providers.other.id, await keysOf("jwks", other.jwk)],
  [domains.a.id, await keysOf("spiffe", { ...svidA.jwk, use: "jwt-svid" })],
  [domains.b.id, await keysOf("spiffe", { ...svidB.jwk, use: "jwt-svid" })],
]);

export interface World {
  readonly issuers: Issuers;
  readonly embedded: EmbeddedKey[];
  readonly unknownKeysOf: string[];
}

/** Returns issuers over the given parts, and what they tell the outside. */
export function createWorld(
  parts: {
    readonly providers?: readonly OidcProvider[];
    readonly trustDomains?: readonly TrustDomain[];
    readonly keys?: ReadonlyMap<string, VerificationKeys>;
  } = {},
): World {
  const embedded: EmbeddedKey[] = [];
  const unknownKeysOf: string[] = [];
  const sets = parts.keys ?? keySets;
  const trustDomains = parts.trustDomains ?? Object.values(domains);
  const issuers = createIssuers({
    providers: parts.providers ?? Object.values(providers),
    trustDomains,
    accountOfSpiffeId: (name, namespace) => accountOf(trustDomains, name, namespace),
    keys: {
      keysOf: (id) => sets.get(id) ?? null,
      noteUnknownKey: (id) => unknownKeysOf.push(id),
    },
    listener: { embeddedKey: (member) => embedded.push(member) },
  });
  return { issuers, embedded, unknownKeysOf };
}

function accountOf(
  trustDomains: readonly TrustDomain[],
  name: string,
  namespace: string | null,
): string | null {
  const rows = trustDomains.find((domain) => domain.name === name)?.accounts ?? [];
  const row =
    rows.find((one) => one.namespace !== null && one.namespace === namespace) ??
    rows.find((one) => one.namespace === null);
  return row?.account ?? null;
}

export interface Request {
  /** One entry a header; null: none. */
  readonly authorization?: readonly string[];
  /** False: the headers came as the joined map. */
  readonly raw?: boolean;
  readonly peer?: string;
  readonly target?: string;
}

/** Returns the attributes of a request as the decoder would show them. */
export function attributesOf(request: Request): CheckAttributes {
  const { authorization = [], raw = true } = request;
  const field = { value: authorization.join(","), count: raw ? authorization.length : 1 };
  const bytes = Buffer.from(field.value);
  return {
    hasRequest: true,
    method: "GET",
    target: request.target ?? "/",
    rawPath: null,
    rawPathCount: 0,
    rawHeaders: raw,
    host: "orders",
    scheme: "https",
    protocol: "HTTP/2",
    requestTimeMs: null,
    sourcePrincipal: request.peer ?? "",
    destinationPrincipal: "",
    sourceAddress: "10.0.0.1",
    destinationPort: 443,
    destinationLabels: new Map(),
    serverName: "",
    hasPeerCertificate: false,
    contextExtension: () => undefined,
    header: (name) => (name === "authorization" && authorization.length > 0 ? field : undefined),
    headerSpan: (name) =>
      name === "authorization" && authorization.length > 0 && field.count === 1
        ? { bytes, start: 0, end: bytes.length }
        : null,
    identityHeaderNames: [],
  };
}

export const defaultRules: CredentialRules = {
  principalFrom: ["session", "jwt", "jwt-svid", "mtls"],
  requireCredential: [],
  audiences: null,
};

/**
 * Returns what the whole way from headers to credentials says. Where the test has no verifier of its own,
 * the cache of tokens has to say the same: of a token it never saw, and of one it may know by its bytes.
 */
export function judge(
  request: Request,
  world: World,
  rules: Partial<CredentialRules> = {},
  atMs = nowMs,
  verify: TokenVerifier | null = null,
): Authentication | Denied {
  const service = { ...defaultRules, ...rules };
  const attributes = attributesOf(request);
  const { issuers } = world;
  if (verify !== null) return authenticate(attributes, service, issuers, atMs, verify);
  const judged = authenticate(attributes, service, issuers, atMs, createTokenVerifier(issuers));
  for (const remembered of judgeRemembered(attributes, service, issuers, atMs)) {
    if (!isDeepStrictEqual(remembered, judged)) {
      throw new Error(`the token cache says ${JSON.stringify(remembered)}`);
    }
  }
  return judged;
}

/** What is said through a cache at the first and at the second time. */
function judgeRemembered(
  attributes: CheckAttributes,
  service: CredentialRules,
  issuers: Issuers,
  atMs: number,
): (Authentication | Denied)[] {
  // Tests count what issuers are told: these two are not told.
  const silent: Issuers = {
    ...issuers,
    listener: { embeddedKey: () => {} },
    keys: { keysOf: (id) => issuers.keys.keysOf(id), noteUnknownKey: () => {} },
  };
  const cache = new TokenCache(
    {
      options: { capacity: 10, maxBytes: 1_000_000, maxTtlMs: 3_600_000 },
      budget: { admits: () => true, spend: () => {} },
      monotonicMs: () => 0,
      count: () => {},
      seed: 1,
    },
    silent,
  );
  const { verify, knownHeader } = cache;
  return [1, 2].map(() => authenticate(attributes, service, silent, atMs, verify, knownHeader));
}

/** Members to add; undefined removes, and a `Raw` is written as it is. */
export type Members = Readonly<Record<string, unknown>>;

/** JSON text that `JSON.stringify` cannot write: `1e999`, a member twice. */
export class Raw {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export function json(members: Members): string {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined);
  const texts = entries.map(
    ([name, value]) =>
      `${JSON.stringify(name)}:${value instanceof Raw ? value.text : JSON.stringify(value)}`,
  );
  return `{${texts.join(",")}}`;
}

export interface TokenParts {
  readonly key?: TestKey;
  readonly algorithm?: string;
  readonly header?: Members;
  readonly claims?: Members;
  /** Written instead of header or payload. */
  readonly headerText?: string;
  readonly payload?: string | Uint8Array;
  readonly signature?: Uint8Array;
}

export type Kind = "generic" | "oidc-id" | "rfc9068" | "kubernetes" | "jwt-svid";
export const kinds: readonly Kind[] = ["generic", "oidc-id", "rfc9068", "kubernetes", "jwt-svid"];

const common = { aud: "mesh", exp: now + 600, iat: now - 10 };

const claimsOfKind: Readonly<Record<Kind, Members>> = {
  generic: { iss: providers.generic.issuer, sub: "alice", ...common },
  "oidc-id": { iss: providers["oidc-id"].issuer, sub: "alice", ...common },
  rfc9068: {
    iss: providers.rfc9068.issuer,
    sub: "alice",
    client_id: "web",
    jti: "token-1",
    ...common,
  },
  kubernetes: {
    iss: providers.kubernetes.issuer,
    sub: "system:serviceaccount:shop:orders",
    ...common,
    aud: ["mesh"],
    "kubernetes.io": {
      namespace: "shop",
      pod: { name: "orders-0", uid: "u-1" },
      serviceaccount: { name: "orders", uid: "u-2" },
    },
  },
  "jwt-svid": { sub: "spiffe://td-a/ns/shop/sa/orders", ...common, aud: ["mesh"] },
};

const headerOfKind: Readonly<Record<Kind, Members>> = {
  generic: { typ: "JWT" },
  "oidc-id": { typ: "JWT" },
  rfc9068: { typ: "at+jwt" },
  kubernetes: {},
  "jwt-svid": { typ: "JWT" },
};

/** Returns a well-formed, signed token of a kind, changed as asked. */
export function mint(kind: Kind, parts: TokenParts = {}): string {
  const key = parts.key ?? (kind === "jwt-svid" ? svidA : rsa);
  const algorithm = parts.algorithm ?? key.algorithm;
  const header = { alg: algorithm, kid: key.id, ...headerOfKind[kind], ...parts.header };
  const head = encode(parts.headerText ?? json(header));
  const body = encode(parts.payload ?? json({ ...claimsOfKind[kind], ...parts.claims }));
  const signature = parts.signature ?? signBytes(algorithm, key.privateKey, `${head}.${body}`);
  return `${head}.${body}.${encode(signature)}`;
}
