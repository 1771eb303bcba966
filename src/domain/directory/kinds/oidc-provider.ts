import { oidcProviderArn } from "../arns.ts";
import { compareText } from "../compare-text.ts";
import type { KeySource, OidcProvider } from "../model.ts";
import { listOf } from "../shape/collections.ts";
import { audience, entityName } from "../shape/names.ts";
import { record } from "../shape/record.ts";
import { flag, placed, text, whole, word } from "../shape/scalars.ts";
import { optional, required } from "../shape/shape.ts";
import { uniqueId } from "../unique-id.ts";
import type { Header } from "./header.ts";
import { jwks, keySourceOf, pathBeside } from "./jwks.ts";
import { defineKind } from "./kind.ts";
import { claimName, providerRules, resolveRules, writeRules } from "./provider-rules.ts";
import type { World } from "./world.ts";
import { unless, unlessEmpty, writtenKeys } from "./written-value.ts";

const issuer = text(
  "an issuer that begins with `https://`, without query or fragment",
  /^https:\/\/[A-Za-z0-9.-]+(:[0-9]{1,5})?(\/[A-Za-z0-9._~!&'()+,;=:@%/-]*)?$/,
  255,
);

const algorithm = word(
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "Ed25519",
  "EdDSA",
);

const defaultAlgorithms = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"];
/** Claims that are lists whatever the provider declares (iam-semantics 8.3). */
const defaultMultivalued = ["amr", "aud", "groups", "roles", "scope"];

/** `OidcProvider`: whose tokens are believed, and whom they are about. */
export const oidcProviderKind = defineKind({
  kind: "OidcProvider",
  summary:
    "An issuer of tokens. Trust policies name it; with `rules` its tokens are also accepted directly. One account has one provider of an issuer; of all of them at most one has `rules`.",
  scope: "account",
  name: entityName(64),
  hasPath: false,
  spec: record({
    url: required(placed(issuer), "The exact `iss` of its tokens."),
    tokenKind: required(
      word("kubernetes", "oidc-id", "rfc9068", "generic"),
      "Which rules a token must fit beyond the common ones; JWT-SVIDs are a `TrustDomain`'s.",
    ),
    audiences: required(
      listOf(audience, { min: 1, max: 100, uniqueBy: (one) => one }),
      "Accepted `aud` values; a service may narrow them.",
    ),
    jwks: optional(jwks, null, "Where its keys come from. Absent: by discovery."),
    algorithms: optional(
      listOf(algorithm, { min: 1, max: 11, uniqueBy: (one) => one }),
      defaultAlgorithms,
      "Accepted `alg` values. Symmetric ones are never accepted.",
    ),
    audienceRule: optional(
      word("aud", "google"),
      "aud",
      "`google`: `azp` takes the part of `aud`, as AWS documents for accounts.google.com.",
    ),
    typ: optional(
      placed(text("a `typ`", /^[A-Za-z0-9.+/-]+$/, 64)),
      null,
      "A further accepted `typ`; `tokenKind: generic` only.",
    ),
    maxTokenLifetimeSeconds: optional(
      whole(1, 31_536_000),
      86_400,
      "Longest time from `iat` to `exp`.",
    ),
    clockSkewSeconds: optional(whole(0, 300), 60, "By how much clocks may differ."),
    mfaFromAmr: optional(
      flag(),
      false,
      "Fills `aws:MultiFactorAuthPresent` of users from the claim `amr`.",
    ),
    multivaluedClaims: optional(
      listOf(claimName, { max: 100 }),
      [],
      "Claims that are lists, beside `aud`, `amr`, `groups`, `roles` and `scope`.",
    ),
    rules: optional(
      providerRules,
      [],
      "Whom a token that is presented directly is about: the first rule that holds. Absent: such tokens are not accepted.",
    ),
  }),
  files: (header, spec) => {
    const path = spec.jwks?.file ? pathBeside(header.place.file, spec.jwks.file.value) : null;
    return path === null ? [] : [path];
  },
  resolve: (header, spec, world) => {
    const { account, name } = header;
    const { url } = spec;
    const arn = oidcProviderArn(world.partition, account, url.value);
    world.claim("OIDC provider", arn, url.place);
    if (spec.rules.length > 0) world.claim("issuer with rules", url.value, url.place);
    if (spec.typ !== null && spec.tokenKind !== "generic") {
      const message = "`typ` is for `tokenKind: generic` only: the other kinds fix it";
      world.refuse(spec.typ.place, "CONFLICT", message);
    }
    const keys = readKeys(header, spec.jwks, world);
    if (keys === null) return;
    const multivalued = new Set([...defaultMultivalued, ...spec.multivaluedClaims]);
    world.draft.oidcProviders.push({
      id: uniqueId("OidcProvider", account, name),
      account,
      name,
      arn,
      issuer: url.value,
      tokenKind: spec.tokenKind,
      audiences: spec.audiences,
      audienceRule: spec.audienceRule,
      algorithms: spec.algorithms,
      typ: spec.typ?.value ?? null,
      maxTokenLifetimeSeconds: spec.maxTokenLifetimeSeconds,
      clockSkewSeconds: spec.clockSkewSeconds,
      mfaFromAmr: spec.mfaFromAmr,
      multivaluedClaims: [...multivalued].sort(compareText),
      keys,
      rules: resolveRules(world, spec.rules),
    });
  },
  write: (directory) => directory.oidcProviders.map(write),
});

function readKeys(
  header: Header,
  source: Parameters<typeof keySourceOf>[1] | null,
  world: World,
): KeySource | null {
  return source === null ? { type: "discovery" } : keySourceOf(header, source, world);
}

function write(provider: OidcProvider) {
  const { name, account, keys } = provider;
  const declared = provider.multivaluedClaims.filter((one) => !defaultMultivalued.includes(one));
  const sameAlgorithms = provider.algorithms.join() === defaultAlgorithms.join();
  return {
    metadata: { name, account },
    spec: {
      url: provider.issuer,
      tokenKind: provider.tokenKind,
      audiences: provider.audiences,
      jwks: keys.type === "discovery" ? undefined : writtenKeys(keys),
      algorithms: sameAlgorithms ? undefined : provider.algorithms,
      audienceRule: unless(provider.audienceRule, "aud"),
      typ: provider.typ ?? undefined,
      maxTokenLifetimeSeconds: unless(provider.maxTokenLifetimeSeconds, 86_400),
      clockSkewSeconds: unless(provider.clockSkewSeconds, 60),
      mfaFromAmr: unless(provider.mfaFromAmr, false),
      multivaluedClaims: unlessEmpty(declared),
      rules: unlessEmpty(writeRules(provider.rules)),
    },
  };
}
