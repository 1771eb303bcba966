import { stat } from "node:fs/promises";
import { readDocumentFolder } from "../../adapters/distribution/document-folder.ts";
import { nodeDisk } from "../../adapters/distribution/node-disk.ts";
import {
  type DocumentProblem,
  formatDocumentProblem,
} from "../../domain/directory/document-problem.ts";
import { type DocumentFile, readDocuments } from "../../domain/directory/documents.ts";
import { createPolicyLocator } from "../../domain/directory/locate-policy.ts";
import type { Directory } from "../../domain/directory/model.ts";
import { MeshIamError } from "../../iam/error.ts";
import type { ServiceCatalogue } from "../../iam/policy/checks/check.ts";
import { type UndecidedCheck, undecidedChecks } from "../../iam/policy/checks/undecided.ts";
import { parsePolicyDocument } from "../../iam/policy/parse.ts";
import type { DocumentType } from "../../iam/policy/policy-type.ts";
import { validatePolicy } from "../../iam/policy/validate.ts";
import { quote } from "../../iam/problem.ts";
import { noKeys } from "./document-world.ts";
import { readText, unreadable } from "./files.ts";
import type { CommandIo } from "./io.ts";
import { catalogueOf, policyFindings } from "./policy-findings.ts";

/** What is to be said about documents or a policy. */
export interface Validated {
  /** Whether a sidecar would refuse it. */
  readonly refused: boolean;
  /** In the order of files and places. */
  readonly findings: readonly DocumentProblem[];
  /** Checks that could not be made. */
  readonly notApplicable: readonly UndecidedCheck[];
}

/**
 * Returns what is to be said about a folder of documents, its policies at their places in the files.
 * Throws `document-unreadable`, `usage`.
 */
export async function validateDocuments(path: string, partition: string): Promise<Validated> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  if (!facts.isDirectory()) {
    throw new MeshIamError(
      "usage",
      `${quote(path)} is a file: expected a folder, or --policy-type`,
    );
  }
  const read = await readDocumentFolder(nodeDisk, path, { partition });
  if (!read.ok) {
    return { refused: true, findings: read.problems, notApplicable: undecidedChecks() };
  }
  const directory = read.value;
  const policies = locatedFindings(read.files, directory);
  const services = catalogueOf(directory.services);
  return {
    refused: false,
    findings: inOrder(distinct([...read.findings, ...policies])),
    notApplicable: undecidedChecks({ services }),
  };
}

/** What a single policy may be about. */
export interface PolicyWorld {
  readonly services: ReadonlyMap<string, ServiceCatalogue>;
  readonly partition: string;
}

/** Returns what is to be said about one policy; throws `document-unreadable`. */
export async function validateOnePolicy(
  path: string,
  type: DocumentType,
  { services, partition }: PolicyWorld,
  io: CommandIo,
): Promise<Validated> {
  const text = await readText(path, io, "document-unreadable");
  const problems = validatePolicy(text, type, { services, partition });
  return {
    refused: !parsePolicyDocument(text, type).ok,
    findings: problems.map((problem) => ({ ...problem, file: path, subject: "" })),
    notApplicable: undecidedChecks({ services }),
  };
}

/**
 * Returns the services that a file or folder of documents defines: what single policies are checked
 * against. Throws `document-unreadable`, and `document-invalid` with every problem, a line each.
 */
export async function readServices(
  path: string,
  partition: string,
  io: CommandIo,
): Promise<ReadonlyMap<string, ServiceCatalogue>> {
  const facts = path === "-" ? null : await stat(path).catch(() => null);
  const options = { readFile: noKeys, partition };
  const read = facts?.isDirectory()
    ? await readDocumentFolder(nodeDisk, path, options)
    : readDocuments([{ path, text: await readText(path, io, "document-unreadable") }], options);
  if (read.ok) return catalogueOf(read.value.services);
  const lines = read.problems.map(formatDocumentProblem);
  const message = `the services are not accepted\n  ${lines.join("\n  ")}`;
  throw new MeshIamError("document-invalid", message);
}

function locatedFindings(
  files: readonly DocumentFile[],
  directory: Directory,
): readonly DocumentProblem[] {
  const found = policyFindings(directory);
  if (found.length === 0) return [];
  const locate = createPolicyLocator(files);
  return found.map(({ policy, problem }) => locate(policy, problem));
}

/** What the reader has found in a policy the validator finds again. */
function distinct(findings: readonly DocumentProblem[]): readonly DocumentProblem[] {
  const seen = new Set<string>();
  return findings.filter(({ file, position, code, message }) => {
    const key = `${file}\0${position?.line}\0${position?.column}\0${code}\0${message}`;
    return seen.size < seen.add(key).size;
  });
}

function inOrder(findings: readonly DocumentProblem[]): readonly DocumentProblem[] {
  const place = ({ position }: DocumentProblem) => [position?.line ?? 0, position?.column ?? 0];
  return [...findings].sort((a, b) => {
    if (a.file !== b.file) return a.file < b.file ? -1 : 1;
    const [lineA = 0, columnA = 0] = place(a);
    const [lineB = 0, columnB = 0] = place(b);
    return lineA - lineB || columnA - columnB;
  });
}
