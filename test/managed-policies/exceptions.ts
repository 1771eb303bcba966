/** Versions of a managed policy that the loader refuses, with the finding and why that is right. */
export interface Exception {
  readonly name: string;
  readonly versions: readonly string[];
  readonly code: string;
  readonly why: string;
}

/** Only shrinks: a version that loads is struck off, and no other may be refused. */
export const exceptions: readonly Exception[] = [
  {
    name: "AmazonDevOpsGuruOrganizationsAccess",
    versions: ["v1"],
    code: "INVALID_ARN_RESOURCE",
    why: "`arn:aws:organizations::*:` names no resource: the statement can never match at AWS either",
  },
  {
    name: "AWSSupportServiceRolePolicy",
    versions: ["v43", "v44", "v50", "v56", "v57", "v58", "v59"],
    code: "TEXT_SIZE_LIMIT",
    why: "twenty times the quota of a managed policy; it loads where `maxBytes` is raised (DOC-18)",
  },
  {
    name: "AmazonEC2SpotFleetTaggingRole",
    versions: ["v1"],
    code: "INVALID_CONDITION_KEY_FORMAT",
    why: "`PassedToService` without its prefix, set right by AWS in v2",
  },
  {
    name: "AWSGlueConsoleSageMakerNotebookFullAccess",
    versions: ["v1", "v2"],
    code: "MISSING_QUALIFIER",
    why: "`aws:TagKeys` is always multivalued and has no set operator (SET-5), set right in v3",
  },
];
