/**
 * The policy types in the words of the scenario format. A role's trust policy is the `resource`
 * policy of the role.
 */
export type PolicyType =
  | "identity"
  | "resource"
  | "permissionsBoundary"
  | "session"
  | "serviceControl"
  | "resourceControl";

/** The order in which denials are looked for (DEC-8). */
export const denialOrder: readonly PolicyType[] = [
  "serviceControl",
  "resourceControl",
  "resource",
  "identity",
  "permissionsBoundary",
  "session",
];

/**
 * What a document is read as: decides which elements are legal (iam-semantics 2.4). `trust` is a
 * role's trust policy, which plays the `resource` part of a decision.
 */
export type DocumentType =
  | "identity"
  | "permissionsBoundary"
  | "session"
  | "resource"
  | "trust"
  | "serviceControl"
  | "resourceControl";
