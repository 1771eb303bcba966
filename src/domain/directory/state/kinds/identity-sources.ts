import type { KeySource, ProviderRule, TextOrClaim } from "../../model.ts";
import {
  type Codec,
  flag,
  listOf,
  may,
  need,
  orNull,
  record,
  shared,
  text,
  whole,
  word,
} from "../codec.ts";
import { frameMembers, frameOf, kindCodec } from "./kind-codec.ts";

const keySourceDoc = record({
  type: need(word("discovery", "uri", "keys")),
  uri: may(text, ""),
  json: may(text, ""),
});

/** Where keys come from; the members of the other sources are absent. */
const keySource: Codec<KeySource> = {
  read: (json, at, reader) => {
    const { type, uri, json: keys } = keySourceDoc.read(json, at, reader);
    switch (type) {
      case "discovery":
        return { type };
      case "uri":
        return { type, uri };
      case "keys":
        return { type, json: keys };
    }
  },
  write: (source) => keySourceDoc.write({ uri: "", json: "", ...source }),
  inside: keySourceDoc.inside,
};

const textOrClaimDoc = record({
  type: need(word("text", "claim")),
  text: may(text, ""),
  claim: may(text, ""),
});

const textOrClaim: Codec<TextOrClaim> = {
  read: (json, at, reader) => {
    const read = textOrClaimDoc.read(json, at, reader);
    return read.type === "text"
      ? { type: "text", text: read.text }
      : { type: "claim", claim: read.claim };
  },
  write: (value) => textOrClaimDoc.write({ text: "", claim: "", ...value }),
  inside: textOrClaimDoc.inside,
};

/** Session tags of a rule in the order they were written. */
const ruleTags = listOf(record({ key: need(text), value: need(textOrClaim) }), "key");

const ruleDoc = record({
  when: may(
    orNull(
      record({
        claim: need(text),
        test: need(word("equals", "contains", "matches", "exists")),
        value: need(text),
      }),
    ),
    null,
  ),
  user: may(orNull(record({ account: need(shared), name: need(textOrClaim) })), null),
  role: may(
    orNull(
      record({
        account: need(shared),
        name: need(textOrClaim),
        sessionName: may(orNull(textOrClaim), null),
        tags: may(ruleTags, []),
      }),
    ),
    null,
  ),
});

const rule: Codec<ProviderRule> = {
  read: (json, at, reader) => {
    const { when, user, role } = ruleDoc.read(json, at, reader);
    const tags = new Map(role?.tags.map(({ key, value }) => [key, value]));
    return { when, user, role: role && { ...role, tags } };
  },
  write: ({ when, user, role }) => {
    const tags = role === null ? [] : [...role.tags].map(([key, value]) => ({ key, value }));
    return ruleDoc.write({ when, user, role: role && { ...role, tags } });
  },
  inside: ruleDoc.inside,
};

export const oidcProvider = kindCodec({
  kind: "oidcProvider",
  doc: record({
    name: need(text),
    arn: need(text),
    issuer: need(text),
    tokenKind: need(word("kubernetes", "oidc-id", "rfc9068", "generic")),
    audiences: need(listOf(text)),
    audienceRule: may(word("aud", "google"), "aud"),
    algorithms: need(listOf(shared)),
    typ: may(orNull(text), null),
    maxTokenLifetimeSeconds: need(whole),
    clockSkewSeconds: need(whole),
    mfaFromAmr: may(flag, false),
    multivaluedClaims: need(listOf(shared)),
    keys: need(keySource),
    rules: may(listOf(rule), []),
    ...frameMembers,
  }),
  toEntity: (frame, { manager, createdAtMs, labels, description, ...doc }) => ({
    ...frame,
    kind: "oidcProvider",
    record: { id: frame.id, account: frame.account, ...doc },
  }),
  toDoc: (entity) => ({ ...entity.record, ...frameOf(entity) }),
  nameKey: ({ record: { issuer } }) => issuer.slice("https://".length),
  references: () => [],
});

export const trustDomain = kindCodec({
  kind: "trustDomain",
  doc: record({
    name: need(text),
    audiences: may(listOf(text), []),
    keys: may(orNull(keySource), null),
    refreshHintSeconds: may(orNull(whole), null),
    accounts: may(
      listOf(record({ namespace: may(orNull(text), null), account: need(shared) }), "namespace"),
      [],
    ),
    ...frameMembers,
  }),
  toEntity: (frame, { manager, createdAtMs, labels, description, ...doc }) => ({
    ...frame,
    kind: "trustDomain",
    record: { id: frame.id, ...doc },
  }),
  toDoc: (entity) => ({ ...entity.record, ...frameOf(entity) }),
  nameKey: ({ record: { name } }) => name,
  references: () => [],
});
