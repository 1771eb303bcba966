import { create, type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import {
  AccountPlaceSchema,
  OrganizationalUnitSchema,
  OrganizationFactsSchema,
  OrganizationPolicySchema,
  OrganizationSchema,
} from "../../gen/meshiam/bundle/v1/organization_pb.ts";
import { AccountIndexSchema, type Part, PartSchema } from "../../gen/meshiam/bundle/v1/part_pb.ts";
import { ManagedPolicySchema, PolicyGroupSchema } from "../../gen/meshiam/bundle/v1/policy_pb.ts";
import {
  GroupSchema,
  PrincipalBucketSchema,
  RoleSchema,
  UserSchema,
  WorkloadSchema,
} from "../../gen/meshiam/bundle/v1/principal_pb.ts";
import {
  OidcProviderSchema,
  ProvidersSchema,
  TrustDomainSchema,
} from "../../gen/meshiam/bundle/v1/provider_pb.ts";
import { RevocationsSchema } from "../../gen/meshiam/bundle/v1/revocation_pb.ts";
import { ServiceSchema } from "../../gen/meshiam/bundle/v1/service_pb.ts";
import type { Directory, Poison } from "../directory/model.ts";
import { compareBytes, sortById } from "./byte-order.ts";
import {
  encodeAccountPlace,
  encodeOrganization,
  encodeOrganizationalUnit,
  encodeOrganizationPolicy,
} from "./content/organization.ts";
import { encodeManagedPolicy, encodeTags } from "./content/policies.ts";
import { encodeGroup, encodeRole, encodeUser, encodeWorkload } from "./content/principals.ts";
import { encodeOidcProvider, encodeTrustDomain } from "./content/providers.ts";
import { encodeService } from "./content/services.ts";
import { bucketOf, hexDigest } from "./digest.ts";
import type { BundleLimits } from "./limits.ts";
import { createPartRef, encodeManifest, encodePartRefs, type PartRef } from "./manifest.ts";
import { bucketBits, type PartId } from "./part-id.ts";
import { comparePoison } from "./poison.ts";
import { type Refusal, refuse } from "./refusal.ts";

/** The uncompressed bytes of one part. */
export interface EncodedPart {
  readonly ref: PartRef;
  readonly bytes: Uint8Array;
}

/** A slice as bytes, not compressed or signed yet. */
export interface EncodedSlice {
  readonly manifest: Uint8Array;
  /** Lower-case hex. */
  readonly manifestDigest: string;
  /** Those of the manifest and those of the indexes. */
  readonly parts: readonly EncodedPart[];
  /** Objects that could not be encoded: a marker stands in their place. */
  readonly poison: readonly Poison[];
  /** Manifest and parts, uncompressed. */
  readonly sizeBytes: number;
}

/**
 * Returns `directory` as manifest and parts, or `bundle-too-large` naming what is above its limit.
 *
 * The bytes are a function of the content alone (BUN-6): the order of lists of entities does not
 * matter, and where a policy was read from stays behind. An object that cannot be encoded (above its
 * limit, a lone surrogate, a number out of range) is replaced by a poison marker, never left out.
 */
export function encodeSlice(
  directory: Directory,
  limits: BundleLimits,
): { readonly ok: true; readonly slice: EncodedSlice } | Refusal {
  const encoder = new SliceEncoder(directory, limits);
  const listed = encoder.parts();
  const manifest = encodeManifest(listed);
  const sizeBytes = encoder.encoded.reduce((sum, part) => sum + part.ref.bytes, manifest.length);
  const oversize = encoder.encoded.find((part) => part.ref.bytes > limits.maxPartBytes);
  if (oversize !== undefined) {
    const { name, bytes } = oversize.ref;
    return refuse(
      "bundle-too-large",
      `${name} has ${bytes} bytes, at most ${limits.maxPartBytes} are allowed`,
      name,
    );
  }
  if (manifest.length > limits.maxManifestBytes || sizeBytes > limits.maxSliceBytes) {
    return refuse(
      "bundle-too-large",
      `the slice has ${sizeBytes} bytes, ${manifest.length} of them its manifest; at most ` +
        `${limits.maxSliceBytes} and ${limits.maxManifestBytes} are allowed`,
    );
  }
  const slice: EncodedSlice = {
    manifest,
    manifestDigest: hexDigest(manifest),
    parts: encoder.encoded,
    poison: encoder.poison,
    sizeBytes,
  };
  return { ok: true, slice };
}

/** One run of the encoder: what it has written so far, and what it could not write. */
class SliceEncoder {
  readonly encoded: EncodedPart[] = [];
  readonly poison: Poison[] = [];
  readonly #directory: Directory;
  readonly #limits: BundleLimits;

  constructor(directory: Directory, limits: BundleLimits) {
    this.#directory = directory;
    this.#limits = limits;
  }

  /** Returns the references of the manifest, everything they need encoded. */
  parts(): readonly PartRef[] {
    const { services } = this.#directory;
    return [
      this.#organization(),
      this.#providers(),
      this.#part(
        { type: "revocations" },
        { case: "revocations", value: create(RevocationsSchema) },
        [],
      ),
      ...services.map((service) => this.#service(service)),
      ...accountsOf(this.#directory).map((account) => this.#account(account)),
    ];
  }

  #organization(): PartRef {
    const { organization, partition, poison: known } = this.#directory;
    const poison: Poison[] = [...known];
    const facts =
      organization &&
      this.#objects(
        "organization",
        [organization],
        encodeOrganization,
        OrganizationFactsSchema,
        poison,
      );
    const value = create(OrganizationSchema, {
      partition,
      ...(facts?.[0] === undefined ? {} : { facts: facts[0] }),
      organizationalUnits: this.#objects(
        "organizationalUnit",
        this.#directory.organizationalUnits,
        encodeOrganizationalUnit,
        OrganizationalUnitSchema,
        poison,
      ),
      accounts: this.#objects(
        "account",
        this.#directory.accounts,
        encodeAccountPlace,
        AccountPlaceSchema,
        poison,
      ),
      serviceControlPolicies: this.#objects(
        "serviceControlPolicy",
        this.#directory.serviceControlPolicies,
        encodeOrganizationPolicy,
        OrganizationPolicySchema,
        poison,
      ),
      resourceControlPolicies: this.#objects(
        "resourceControlPolicy",
        this.#directory.resourceControlPolicies,
        encodeOrganizationPolicy,
        OrganizationPolicySchema,
        poison,
      ),
    });
    return this.#part({ type: "organization" }, { case: "organization", value }, poison);
  }

  #providers(): PartRef {
    const poison: Poison[] = [];
    const value = create(ProvidersSchema, {
      oidcProviders: this.#objects(
        "oidcProvider",
        this.#directory.oidcProviders,
        encodeOidcProvider,
        OidcProviderSchema,
        poison,
      ),
      trustDomains: this.#objects(
        "trustDomain",
        this.#directory.trustDomains,
        encodeTrustDomain,
        TrustDomainSchema,
        poison,
      ),
      serviceIdentities: [...this.#directory.serviceIdentities]
        .sort(([a], [b]) => compareBytes(a, b))
        .map(([spiffeId, serviceArn]) => ({ spiffeId, serviceArn })),
    });
    return this.#part({ type: "providers" }, { case: "providers", value }, poison);
  }

  #service(service: Directory["services"][number]): PartRef {
    const poison: Poison[] = [];
    const [value] = this.#objects("service", [service], encodeService, ServiceSchema, poison);
    return this.#part(
      { type: "service", account: service.account, name: service.name },
      value === undefined ? { case: undefined } : { case: "service", value },
      poison,
    );
  }

  #account(account: string): PartRef {
    const own = <T extends { readonly account: string }>(all: readonly T[]) =>
      all.filter((one) => one.account === account);
    const { users, groups, roles, workloads, managedPolicies } = this.#directory;
    const refs = [
      ...this.#buckets(account, own(users), own(groups), own(roles), own(workloads)),
      ...this.#policyGroups(account, own(managedPolicies)),
    ];
    const facts = this.#directory.accounts.find(({ id }) => id === account);
    const value = create(AccountIndexSchema, {
      account,
      parts: encodePartRefs(refs),
      tags: encodeTags(facts?.tags ?? new Map()),
      name: facts?.name ?? "",
      email: facts?.email ?? "",
    });
    return this.#part({ type: "account-index", account }, { case: "index", value }, []);
  }

  #buckets(
    account: string,
    users: Directory["users"],
    groups: Directory["groups"],
    roles: Directory["roles"],
    workloads: Directory["workloads"],
  ): PartRef[] {
    const byBucket = [divide(users), divide(groups), divide(roles), divide(workloads)] as const;
    const numbers = new Set(byBucket.flatMap((kind) => [...kind.keys()]));
    return [...numbers].map((bucket) => {
      const poison: Poison[] = [];
      const [u, g, r, w] = byBucket;
      const value = create(PrincipalBucketSchema, {
        account,
        users: this.#objects("user", u.get(bucket) ?? [], encodeUser, UserSchema, poison),
        groups: this.#objects("group", g.get(bucket) ?? [], encodeGroup, GroupSchema, poison),
        roles: this.#objects("role", r.get(bucket) ?? [], encodeRole, RoleSchema, poison),
        workloads: this.#objects(
          "workload",
          w.get(bucket) ?? [],
          encodeWorkload,
          WorkloadSchema,
          poison,
        ),
      });
      const id: PartId = { type: "principal-bucket", account, bucket };
      return this.#part(id, { case: "bucket", value }, poison);
    });
  }

  #policyGroups(account: string, policies: Directory["managedPolicies"]): PartRef[] {
    return [...divide(policies)].map(([bucket, inGroup]) => {
      const poison: Poison[] = [];
      const value = create(PolicyGroupSchema, {
        account,
        policies: this.#objects(
          "managedPolicy",
          inGroup,
          encodeManagedPolicy,
          ManagedPolicySchema,
          poison,
        ),
      });
      const id: PartId = { type: "policy-group", account, bucket };
      return this.#part(id, { case: "policies", value }, poison);
    });
  }

  /** Returns the messages of `items` by id; an item that has none becomes a marker in `poison`. */
  #objects<T extends { readonly id: string }, D extends DescMessage>(
    kind: string,
    items: readonly T[],
    encode: (item: T) => MessageShape<D>,
    schema: D,
    poison: Poison[],
  ): MessageShape<D>[] {
    const messages: MessageShape<D>[] = [];
    for (const item of sortById(items)) {
      const encoded = encodeObject(item, encode, schema, this.#limits.maxObjectBytes);
      if (typeof encoded !== "string") {
        messages.push(encoded);
        continue;
      }
      const marker = { objectId: item.id.toWellFormed(), kind, reason: encoded };
      poison.push(marker);
      this.poison.push(marker);
    }
    return messages;
  }

  #part(id: PartId, content: Part["content"], poison: readonly Poison[]): PartRef {
    const sorted = [...poison].sort(comparePoison).map((marker) => ({ ...marker }));
    const bytes = toBinary(PartSchema, create(PartSchema, { content, poison: sorted }));
    const ref = createPartRef(id, hexDigest(bytes), bytes.length);
    this.encoded.push({ ref, bytes });
    return ref;
  }
}

/** Returns the message of `item`, or why it has none. */
function encodeObject<T, D extends DescMessage>(
  item: T,
  encode: (item: T) => MessageShape<D>,
  schema: D,
  maxBytes: number,
): MessageShape<D> | string {
  // A lone surrogate would silently become U+FFFD, and a policy another policy.
  if (!isWellFormed(item)) return "a text is not well-formed Unicode";
  try {
    const message = encode(item);
    const { length } = toBinary(schema, message);
    return length <= maxBytes ? message : `expected at most ${maxBytes} bytes, got ${length}`;
  } catch {
    // A number outside its field's range; the library's message may quote the object.
    return "a value is outside its range";
  }
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  const members = value instanceof Map ? [...value].flat() : Object.values(value);
  return members.every(isWellFormed);
}

function divide<T extends { readonly id: string }>(items: readonly T[]): Map<number, T[]> {
  return Map.groupBy(items, ({ id }) => bucketOf(id, bucketBits));
}

/** The accounts that get an index: those with facts of their own, and those that own something. */
function accountsOf(directory: Directory): readonly string[] {
  const { users, groups, roles, workloads, managedPolicies, services } = directory;
  const owned = [users, groups, roles, workloads, managedPolicies, services].flat();
  const accounts = new Set(owned.map(({ account }) => account));
  for (const { id, name, email, tags } of directory.accounts) {
    if (name !== "" || email !== "" || tags.size > 0) accounts.add(id);
  }
  return [...accounts].sort(compareBytes);
}
