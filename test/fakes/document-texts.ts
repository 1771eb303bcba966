import { formatDocumentProblem } from "../../src/domain/directory/document-problem.ts";
import { readDocuments } from "../../src/domain/directory/documents.ts";

/** Documents as text, for tests whose rows say a line and a column. */

export const A = "111122223333";
export const B = "444455556666";

/** Returns a document whose `spec` begins in line 5, at column 3; `metadata` follows the name. */
export function document(
  kind: string,
  name: string,
  spec: string,
  metadata = `, account: "${A}"`,
): string {
  const lines = spec.split("\n").map((line) => `  ${line}`);
  return [
    "apiVersion: mesh-iam.io/v1",
    `kind: ${kind}`,
    `metadata: { name: ${name}${metadata} }`,
    "spec:",
    ...lines,
    "",
  ].join("\n");
}

/** Returns a document of an organization-wide kind. */
export function wide(kind: string, name: string, spec: string): string {
  return document(kind, name, spec, "");
}

/** Returns one file of several documents. */
export function several(...documents: readonly string[]): string {
  return documents.join("---\n");
}

export const organization = wide("Organization", "acme", 'managementAccountId: "999988887777"');
export const management = wide("Account", "management", 'accountId: "999988887777"');
export const shop = wide("Account", "shop", `accountId: "${A}"`);

/** Returns `documents` with an organization of the accounts 999988887777 and A behind them. */
export function inOrganization(...documents: readonly string[]): string {
  return several(...documents, organization, management, shop);
}

/** An identity policy, and a trust policy, in one line. */
export const read =
  '{ Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "a:Get", Resource: "*" }] }';
export const trust = `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "sts:AssumeRole", Principal: { AWS: "${A}" } }] }`;

/** Returns the lines of FILE-8 that refuse `text` as the file `a.yaml`; none when it is accepted. */
export function refusals(text: string): readonly string[] {
  const loaded = readDocuments([{ path: "a.yaml", text }]);
  return loaded.ok ? [] : loaded.problems.map(formatDocumentProblem);
}
