import { fromBinary } from "@bufbuild/protobuf";
import type { Organization as OrganizationMessage } from "../../gen/meshiam/bundle/v1/organization_pb.ts";
import {
  type AccountIndex as AccountIndexMessage,
  type Part as PartMessage,
  PartSchema,
} from "../../gen/meshiam/bundle/v1/part_pb.ts";
import type { PolicyGroup as PolicyGroupMessage } from "../../gen/meshiam/bundle/v1/policy_pb.ts";
import type { PrincipalBucket as PrincipalBucketMessage } from "../../gen/meshiam/bundle/v1/principal_pb.ts";
import type { Providers as ProvidersMessage } from "../../gen/meshiam/bundle/v1/provider_pb.ts";
import type { Revocations as RevocationsMessage } from "../../gen/meshiam/bundle/v1/revocation_pb.ts";
import type { Service as ServiceMessage } from "../../gen/meshiam/bundle/v1/service_pb.ts";
import { quote } from "../../iam/problem.ts";
import type { Poison } from "../directory/model.ts";
import { ObjectCheck } from "./content/object-check.ts";
import {
  decodeAccountPlace,
  decodeOrganization,
  decodeOrganizationalUnit,
  decodeOrganizationPolicy,
} from "./content/organization.ts";
import { decodeManagedPolicy, decodeTags } from "./content/policies.ts";
import { decodeGroup, decodeRole, decodeUser, decodeWorkload } from "./content/principals.ts";
import { decodeOidcProvider, decodeTrustDomain } from "./content/providers.ts";
import { decodeService } from "./content/services.ts";
import type { BundleLimits } from "./limits.ts";
import { decodePartRefs, type PartRef } from "./manifest.ts";
import type { PartContent, VerifiedPart } from "./part-content.ts";
import type { PartId } from "./part-id.ts";
import { type Refusal, refuse } from "./refusal.ts";

type Read = { readonly ok: true; readonly content: PartContent } | Refusal;

/**
 * Returns the part that `ref` names, read from bytes whose digest and length have been verified, or
 * its refusal (`bundle-parse`, `bundle-too-large`).
 *
 * Unknown fields are passed over. An object that cannot be read, though its part can, becomes a
 * poison marker (BUN-5); one without an id that a marker could name refuses the part.
 */
export function decodePart(
  ref: PartRef,
  bytes: Uint8Array,
  limits: BundleLimits,
): { readonly ok: true; readonly part: VerifiedPart } | Refusal {
  let message: PartMessage;
  try {
    message = fromBinary(PartSchema, bytes);
  } catch {
    return refuse("bundle-parse", "not a part", ref.name);
  }
  const reading = new PartReading(ref, limits, message.poison);
  const read = reading.content(message.content);
  if (!read.ok) return read;
  if (reading.unnamed) return refuse("bundle-parse", "an object has no id", ref.name);
  return { ok: true, part: { ref, content: read.content, poison: reading.poison } };
}

/** One part being read: where it stands, and the markers found so far. */
class PartReading {
  readonly poison: Poison[];
  /** True after an object that could not be read and has no id. */
  unnamed = false;
  readonly #ref: PartRef;
  readonly #limits: BundleLimits;

  constructor(ref: PartRef, limits: BundleLimits, markers: PartMessage["poison"]) {
    this.#ref = ref;
    this.#limits = limits;
    this.poison = markers.map(({ objectId, kind, reason }) => ({ objectId, kind, reason }));
  }

  content(content: PartMessage["content"]): Read {
    const { id } = this.#ref;
    if (id.type === "organization" && content.case === "organization") {
      return this.#organization(content.value);
    }
    if (id.type === "providers" && content.case === "providers") {
      return this.#providers(content.value);
    }
    if (id.type === "service" && (content.case === "service" || content.case === undefined)) {
      return this.#service(id, content.value);
    }
    if (id.type === "account-index" && content.case === "index") {
      return this.#index(id.account, content.value);
    }
    if (id.type === "principal-bucket" && content.case === "bucket") {
      return this.#bucket(id.account, content.value);
    }
    if (id.type === "policy-group" && content.case === "policies") {
      return this.#policies(id.account, content.value);
    }
    // Nothing here verifies session tokens yet: without a use the keys need no reading.
    if (id.type === "sts-keys" && content.case === "stsKeys") {
      return { ok: true, content: { type: "sts-keys" } };
    }
    if (id.type === "revocations" && content.case === "revocations") {
      return this.#revocations(content.value);
    }
    return this.#refuse(`expected content of its kind, got ${quote(content.case ?? "none")}`);
  }

  #organization(message: OrganizationMessage): Read {
    const { facts } = message;
    const content: PartContent = {
      type: "organization",
      partition: message.partition,
      organization:
        facts === undefined
          ? null
          : this.#object("organization", facts.id, (check) => decodeOrganization(facts, check)),
      organizationalUnits: this.#objects(
        "organizationalUnit",
        message.organizationalUnits,
        decodeOrganizationalUnit,
      ),
      places: this.#objects("account", message.accounts, decodeAccountPlace),
      serviceControlPolicies: this.#objects(
        "serviceControlPolicy",
        message.serviceControlPolicies,
        decodeOrganizationPolicy,
      ),
      resourceControlPolicies: this.#objects(
        "resourceControlPolicy",
        message.resourceControlPolicies,
        decodeOrganizationPolicy,
      ),
    };
    // Without its facts the accounts would look like accounts in no organization, free of every SCP.
    if (this.poison.some(({ kind }) => kind === "organization")) {
      return this.#refuse("the organization itself cannot be read");
    }
    if (facts === undefined && hasTree(message)) {
      return this.#refuse("units, policies or places of an organization that is absent");
    }
    return message.partition === ""
      ? this.#refuse("the partition is empty")
      : { ok: true, content };
  }

  #providers(message: ProvidersMessage): Read {
    const content: Extract<PartContent, { type: "providers" }> = {
      type: "providers",
      oidcProviders: this.#objects("oidcProvider", message.oidcProviders, decodeOidcProvider),
      trustDomains: this.#objects("trustDomain", message.trustDomains, decodeTrustDomain),
      serviceIdentities: new Map(
        message.serviceIdentities.map(({ spiffeId, serviceArn }) => [spiffeId, serviceArn]),
      ),
    };
    return content.serviceIdentities.size === message.serviceIdentities.length
      ? { ok: true, content }
      : this.#refuse("an identity belongs to two services");
  }

  #service(id: Extract<PartId, { type: "service" }>, message: ServiceMessage | undefined): Read {
    if (message === undefined) {
      const marked = this.poison.some(({ kind }) => kind === "service");
      return marked
        ? { ok: true, content: { type: "service", service: null } }
        : this.#refuse("neither a service nor a marker for it");
    }
    if (message.account !== id.account || message.name !== id.name) {
      return this.#refuse(`is ${quote(`${message.account}/${message.name}`)}`);
    }
    const service = this.#object("service", message.id, (check) => decodeService(message, check));
    return { ok: true, content: { type: "service", service } };
  }

  #index(account: string, message: AccountIndexMessage): Read {
    if (message.account !== account) return this.#refuseAccount(message.account);
    const refs = decodePartRefs(message.parts, this.#limits, this.#ref.name);
    if (!refs.ok) return refs;
    for (const { id, name } of refs.parts) {
      const own =
        (id.type === "principal-bucket" || id.type === "policy-group") && id.account === account;
      if (!own) return this.#refuse(`lists ${quote(name)}, which is not a part of the account`);
    }
    const tags = this.#object("account", account, (check) => decodeTags(message.tags, check));
    const content: PartContent = {
      type: "account-index",
      account,
      name: message.name,
      email: message.email,
      tags: tags ?? new Map(),
      parts: refs.parts,
    };
    return { ok: true, content };
  }

  #bucket(account: string, message: PrincipalBucketMessage): Read {
    if (message.account !== account) return this.#refuseAccount(message.account);
    const content: PartContent = {
      type: "principal-bucket",
      users: this.#identities("user", account, message.users, decodeUser),
      groups: this.#identities("group", account, message.groups, decodeGroup),
      roles: this.#identities("role", account, message.roles, decodeRole),
      workloads: this.#identities("workload", account, message.workloads, decodeWorkload),
    };
    return { ok: true, content };
  }

  #policies(account: string, message: PolicyGroupMessage): Read {
    if (message.account !== account) return this.#refuseAccount(message.account);
    const managedPolicies = this.#objects("managedPolicy", message.policies, (policy, check) =>
      decodeManagedPolicy(policy, account, check),
    );
    return { ok: true, content: { type: "policy-group", managedPolicies } };
  }

  // Passing over an entry would let a revoked session in: better the last good bundle.
  #revocations({ parts, watermarks, deniedSessions }: RevocationsMessage): Read {
    const entries = parts.length + watermarks.length + deniedSessions.length;
    return entries === 0
      ? { ok: true, content: { type: "revocations" } }
      : this.#refuse("holds revocations, which this reader cannot apply");
  }

  /** Returns what `read` makes of an object, or null and leaves a marker. */
  #object<T>(kind: string, id: string, read: (check: ObjectCheck) => T): T | null {
    const check = new ObjectCheck();
    const object = read(check);
    if (check.reason === null) return object;
    if (id === "") this.unnamed = true;
    this.poison.push({ objectId: id, kind, reason: check.reason });
    return null;
  }

  #objects<M extends { readonly id: string }, T>(
    kind: string,
    messages: readonly M[],
    decode: (message: M, check: ObjectCheck) => T,
  ): T[] {
    const objects: T[] = [];
    for (const message of messages) {
      const object = this.#object(kind, message.id, (check) => decode(message, check));
      if (object !== null) objects.push(object);
    }
    return objects;
  }

  #identities<M extends { readonly identity?: { readonly id: string } | undefined }, T>(
    kind: string,
    account: string,
    messages: readonly M[],
    decode: (message: M, account: string, check: ObjectCheck) => T,
  ): T[] {
    const objects: T[] = [];
    for (const message of messages) {
      const id = message.identity?.id ?? "";
      const object = this.#object(kind, id, (check) => decode(message, account, check));
      if (object !== null) objects.push(object);
    }
    return objects;
  }

  #refuseAccount(account: string): Read {
    return this.#refuse(`is of account ${quote(account)}`);
  }

  #refuse(detail: string): Refusal {
    return refuse("bundle-parse", detail, this.#ref.name);
  }
}

/** Returns whether the message holds anything that only an organization has. */
function hasTree(message: OrganizationMessage): boolean {
  const { organizationalUnits, serviceControlPolicies, resourceControlPolicies } = message;
  const lists = [organizationalUnits, serviceControlPolicies, resourceControlPolicies];
  return (
    lists.some(({ length }) => length > 0) ||
    message.accounts.some(({ parentId }) => parentId !== undefined)
  );
}
