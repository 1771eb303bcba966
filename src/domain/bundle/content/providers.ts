import { create } from "@bufbuild/protobuf";
import {
  AudienceRule,
  type KeySource as KeySourceMessage,
  KeySourceSchema,
  type OidcProvider as OidcProviderMessage,
  OidcProviderSchema,
  TokenKind as TokenKindNumber,
  type TrustDomain as TrustDomainMessage,
  TrustDomainSchema,
} from "../../../gen/meshiam/bundle/v1/provider_pb.ts";
import type { KeySource, OidcProvider, TokenKind, TrustDomain } from "../../directory/model.ts";
import type { ObjectCheck } from "./object-check.ts";
import { decodeRule, encodeRule } from "./provider-rules.ts";
import { createWords } from "./words.ts";

const tokenKinds = createWords<TokenKind, TokenKindNumber>({
  kubernetes: TokenKindNumber.KUBERNETES,
  "oidc-id": TokenKindNumber.OIDC_ID,
  rfc9068: TokenKindNumber.RFC9068,
  generic: TokenKindNumber.GENERIC,
});

const audienceRules = createWords<OidcProvider["audienceRule"], AudienceRule>({
  aud: AudienceRule.AUD,
  google: AudienceRule.GOOGLE,
});

export function encodeOidcProvider(provider: OidcProvider): OidcProviderMessage {
  return create(OidcProviderSchema, {
    id: provider.id,
    account: provider.account,
    name: provider.name,
    arn: provider.arn,
    issuer: provider.issuer,
    tokenKind: tokenKinds.numberOf(provider.tokenKind),
    audiences: [...provider.audiences],
    audienceRule: audienceRules.numberOf(provider.audienceRule),
    algorithms: [...provider.algorithms],
    ...(provider.typ === null ? {} : { typ: provider.typ }),
    maxTokenLifetimeSeconds: provider.maxTokenLifetimeSeconds,
    clockSkewSeconds: provider.clockSkewSeconds,
    mfaFromAmr: provider.mfaFromAmr,
    multivaluedClaims: [...provider.multivaluedClaims],
    keys: encodeKeySource(provider.keys),
    rules: provider.rules.map(encodeRule),
  });
}

export function decodeOidcProvider(message: OidcProviderMessage, check: ObjectCheck): OidcProvider {
  return Object.freeze({
    id: check.filled(message.id, "id"),
    account: check.filled(message.account, "account"),
    name: check.filled(message.name, "name"),
    arn: check.filled(message.arn, "arn"),
    issuer: check.filled(message.issuer, "issuer"),
    tokenKind: check.word(tokenKinds, message.tokenKind, "tokenKind"),
    audiences: message.audiences,
    audienceRule: check.word(audienceRules, message.audienceRule, "audienceRule"),
    algorithms: message.algorithms,
    typ: message.typ ?? null,
    maxTokenLifetimeSeconds: message.maxTokenLifetimeSeconds,
    clockSkewSeconds: message.clockSkewSeconds,
    mfaFromAmr: message.mfaFromAmr,
    multivaluedClaims: message.multivaluedClaims,
    keys: decodeKeySource(message.keys, check),
    rules: message.rules.map((rule) => decodeRule(rule, check)),
  });
}

export function encodeTrustDomain(domain: TrustDomain): TrustDomainMessage {
  const { keys, refreshHintSeconds } = domain;
  return create(TrustDomainSchema, {
    id: domain.id,
    name: domain.name,
    audiences: [...domain.audiences],
    ...(keys === null ? {} : { keys: encodeKeySource(keys) }),
    ...(refreshHintSeconds === null ? {} : { refreshHintSeconds }),
    accounts: domain.accounts.map(({ namespace, account }) =>
      namespace === null ? { account } : { namespace, account },
    ),
  });
}

export function decodeTrustDomain(message: TrustDomainMessage, check: ObjectCheck): TrustDomain {
  return Object.freeze({
    id: check.filled(message.id, "id"),
    name: check.filled(message.name, "name"),
    audiences: message.audiences,
    keys: message.keys === undefined ? null : decodeKeySource(message.keys, check),
    refreshHintSeconds: message.refreshHintSeconds ?? null,
    accounts: message.accounts.map(({ namespace, account }) => ({
      namespace: namespace ?? null,
      account: check.filled(account, "account"),
    })),
  });
}

function encodeKeySource(keys: KeySource): KeySourceMessage {
  switch (keys.type) {
    case "discovery":
      return create(KeySourceSchema, { source: { case: "discovery", value: {} } });
    case "uri":
      return create(KeySourceSchema, { source: { case: "uri", value: keys.uri } });
    case "keys":
      return create(KeySourceSchema, { source: { case: "json", value: keys.json } });
  }
}

function decodeKeySource(message: KeySourceMessage | undefined, check: ObjectCheck): KeySource {
  const source = message?.source;
  switch (source?.case) {
    case "discovery":
      return { type: "discovery" };
    case "uri":
      return { type: "uri", uri: check.filled(source.value, "uri") };
    case "json":
      return { type: "keys", json: check.filled(source.value, "keys") };
    case undefined:
      check.fail("keys come from no source that is known");
      return { type: "keys", json: "" };
  }
}
