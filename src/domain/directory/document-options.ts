import { MeshIamError } from "../../iam/error.ts";
import type { Parsed } from "../../iam/problem.ts";
import type { Organization } from "./model.ts";
import type { TrustTable } from "./trust-table.ts";
import { defaultYamlLimits, type YamlLimits } from "./yaml/bounds.ts";

/**
 * AWS's quotas, each of them an option (iam-semantics 2.5). Characters are Unicode code points; white
 * space is not counted, except in SCPs, RCPs and resource policies, which count as stored.
 */
export interface Quotas {
  readonly managedPolicyCharacters: number;
  /** Sum of the inline policies of one user, group, role or workload. */
  readonly userInlineCharacters: number;
  readonly groupInlineCharacters: number;
  readonly roleInlineCharacters: number;
  readonly workloadInlineCharacters: number;
  readonly permissionSetInlineCharacters: number;
  /** Sensible up to 8,192 (US-08). */
  readonly trustPolicyCharacters: number;
  readonly serviceControlPolicyCharacters: number;
  readonly resourceControlPolicyCharacters: number;
  readonly resourcePolicyCharacters: number;
  /** Sensible up to 20, likewise for roles and workloads. */
  readonly managedPoliciesPerUser: number;
  readonly managedPoliciesPerGroup: number;
  readonly managedPoliciesPerRole: number;
  readonly managedPoliciesPerWorkload: number;
  readonly managedPoliciesPerPermissionSet: number;
  readonly groupsPerUser: number;
  /** FullAWSAccess counts as one, and so does RCPFullAWSAccess. */
  readonly serviceControlPoliciesPerTarget: number;
  readonly resourceControlPoliciesPerTarget: number;
  readonly organizationalUnitDepth: number;
}

export const defaultQuotas: Quotas = Object.freeze({
  managedPolicyCharacters: 6_144,
  userInlineCharacters: 2_048,
  groupInlineCharacters: 5_120,
  roleInlineCharacters: 10_240,
  workloadInlineCharacters: 2_048,
  permissionSetInlineCharacters: 10_240,
  trustPolicyCharacters: 2_048,
  serviceControlPolicyCharacters: 10_240,
  resourceControlPolicyCharacters: 5_120,
  resourcePolicyCharacters: 20_480,
  managedPoliciesPerUser: 10,
  managedPoliciesPerGroup: 10,
  managedPoliciesPerRole: 10,
  managedPoliciesPerWorkload: 10,
  managedPoliciesPerPermissionSet: 10,
  groupsPerUser: 10,
  serviceControlPoliciesPerTarget: 10,
  resourceControlPoliciesPerTarget: 5,
  organizationalUnitDepth: 5,
});

/**
 * What exists beside the documents of a run and may be referred to: the objects of a control plane that
 * the run does not write. Names compare exactly.
 */
export interface ExistingObjects {
  readonly organization: Organization | null;
  /** Ids of organizational units by their paths. */
  readonly units: ReadonlyMap<string, string>;
  readonly hasAccount: (id: string) => boolean;
  /** The path of the object of that kind of document, `/` where it has none; undefined: there is none. */
  readonly pathOf: (kind: string, account: string, name: string) => string | undefined;
  readonly trustTables: ReadonlyMap<string, TrustTable>;
  /** The managed policies that permission sets name, by the set's name. */
  readonly permissionSets: ReadonlyMap<string, readonly PolicyName[]>;
}

/** A managed policy by name and path, of whichever account it is looked for in. */
export interface PolicyName {
  readonly name: string;
  readonly path: string;
}

const nothing: ExistingObjects = Object.freeze({
  organization: null,
  units: new Map(),
  hasAccount: () => false,
  pathOf: () => undefined,
  trustTables: new Map(),
  permissionSets: new Map(),
});

/** How documents are read. */
export interface DocumentOptions {
  /** Partition of the ARNs that are made. Default `aws`. */
  readonly partition: string;
  readonly limits: YamlLimits;
  readonly quotas: Quotas;
  /**
   * Returns the content of a file that a document names (`jwks.file`). `path` is relative to the folder
   * that the documents' own paths are relative to, with `/`, and never leads out of it; whether it is a
   * link that does is the caller's to check. Default: refuses.
   */
  readonly readFile: (path: string) => Parsed<string>;
  /** Default: nothing exists but what the documents write. */
  readonly existing: ExistingObjects;
}

/** `DocumentOptions` as given: what is left out has its default. */
export interface DocumentOptionsInput {
  readonly partition?: string;
  readonly limits?: Partial<YamlLimits>;
  readonly quotas?: Partial<Quotas>;
  readonly readFile?: (path: string) => Parsed<string>;
  readonly existing?: ExistingObjects;
}

/** Returns complete options. A partition that is none throws `usage`: the caller's mistake. */
export function completeOptions(input: DocumentOptionsInput): DocumentOptions {
  const partition = input.partition ?? "aws";
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(partition)) {
    throw new MeshIamError("usage", "expected a partition like `aws`");
  }
  return {
    partition,
    limits: { ...defaultYamlLimits, ...input.limits },
    quotas: { ...defaultQuotas, ...input.quotas },
    readFile: input.readFile ?? refuseFile,
    existing: input.existing ?? nothing,
  };
}

function refuseFile(): Parsed<string> {
  return { ok: false, code: "file-unreadable", message: "no files are read here" };
}
