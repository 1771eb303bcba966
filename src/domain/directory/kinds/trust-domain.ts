import { listOf } from "../shape/collections.ts";
import { jsonWebKeys } from "../shape/json-web-keys.ts";
import { accountId, audience, fetchAddress, namespace, trustDomain } from "../shape/names.ts";
import { record } from "../shape/record.ts";
import { placed, whole } from "../shape/scalars.ts";
import { optional, required } from "../shape/shape.ts";
import { trustTableOf } from "../trust-table.ts";
import { uniqueId } from "../unique-id.ts";
import { namedKeys } from "./jwks.ts";
import { defineKind } from "./kind.ts";
import { unlessEmpty, writtenKeys } from "./written-value.ts";

const bundle = record(
  {
    uri: optional(fetchAddress, null, "Where the SPIFFE bundle is fetched."),
    keys: optional(jsonWebKeys, null, "The keys of the bundle, pinned."),
    refreshHintSeconds: optional(whole(1, 31_536_000), null, "How often it is fetched."),
  },
  { exactlyOne: ["uri", "keys"] },
);

/** `TrustDomain`: which SPIFFE ids are known, and of which accounts they are. */
export const trustDomainKind = defineKind({
  kind: "TrustDomain",
  summary:
    "A SPIFFE trust domain: the accounts of its identities, and the keys and audiences of its JWT-SVIDs. Ids of other domains are anonymous.",
  scope: "organization",
  name: trustDomain,
  hasPath: false,
  spec: record({
    accounts: optional(
      listOf(
        record({
          namespace: optional(namespace, null, "Absent: the row of the whole domain."),
          account: required(placed(accountId), "The account."),
        }),
        { max: 10_000, uniqueBy: (row) => row.namespace ?? "the whole domain" },
      ),
      [],
      "Which account an identity is of; the longest match wins. No match: anonymous.",
    ),
    audiences: optional(
      listOf(audience, { max: 100, uniqueBy: (one) => one }),
      [],
      "Accepted `aud` values of JWT-SVIDs.",
    ),
    bundle: optional(bundle, null, "Keys of JWT-SVIDs. Absent: JWT-SVIDs of it are not accepted."),
  }),
  declare: (header, spec, world) => {
    const accounts = spec.accounts.map((row) => ({ ...row, account: row.account.value }));
    world.trustTables.set(header.name, trustTableOf({ accounts }));
  },
  resolve: (header, spec, world) => {
    for (const { account } of spec.accounts) world.useAccount(account.value, account.place);
    world.draft.trustDomains.push({
      id: uniqueId("TrustDomain", "", header.name),
      name: header.name,
      audiences: spec.audiences,
      keys: spec.bundle === null ? null : namedKeys(spec.bundle),
      refreshHintSeconds: spec.bundle?.refreshHintSeconds ?? null,
      accounts: spec.accounts.map((row) => ({
        namespace: row.namespace,
        account: row.account.value,
      })),
    });
  },
  write: (directory) =>
    directory.trustDomains.map(({ name, accounts, audiences, keys, refreshHintSeconds }) => ({
      metadata: { name },
      spec: {
        bundle:
          keys === null
            ? undefined
            : { ...writtenKeys(keys), refreshHintSeconds: refreshHintSeconds ?? undefined },
        audiences: unlessEmpty(audiences),
        accounts: unlessEmpty(
          accounts.map((row) => ({ namespace: row.namespace ?? undefined, account: row.account })),
        ),
      },
    })),
});
