import { stat } from "node:fs/promises";
import { readDocumentFolder } from "../../adapters/distribution/document-folder.ts";
import { nodeDisk } from "../../adapters/distribution/node-disk.ts";
import { formatDocumentProblem } from "../../domain/directory/document-problem.ts";
import { MeshIamError } from "../../iam/error.ts";
import { parsePolicyDocument } from "../../iam/policy/parse.ts";
import type { DocumentType } from "../../iam/policy/policy-type.ts";
import { validatePolicy } from "../../iam/policy/validate.ts";
import { type Problem, quote } from "../../iam/problem.ts";
import { readText, whyUnreadable } from "./files.ts";
import { formatProblem } from "./format-problem.ts";
import type { CommandIo } from "./io.ts";
import { policyFindings } from "./policy-findings.ts";

/** A finding with the text that people read. */
export interface Finding {
  readonly problem: Problem;
  readonly line: string;
}

export interface Validated {
  /** Whether a sidecar would refuse it. */
  readonly refused: boolean;
  readonly findings: readonly Finding[];
}

/** Returns what is to be said about a folder of documents; throws `document-unreadable`, `usage`. */
export async function validateDocuments(path: string): Promise<Validated> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw new MeshIamError(
      "document-unreadable",
      `cannot read ${quote(path)}: ${whyUnreadable(cause)}`,
    );
  });
  if (!facts.isDirectory()) {
    throw new MeshIamError(
      "usage",
      `${quote(path)} is a file: expected a folder, or --policy-type`,
    );
  }
  const read = await readDocumentFolder(nodeDisk, path);
  if (!read.ok) {
    const findings = read.problems.map((problem) => ({
      problem,
      line: formatDocumentProblem(problem),
    }));
    return { refused: true, findings };
  }
  const own = read.findings.map((problem) => ({ problem, line: formatDocumentProblem(problem) }));
  const policies = policyFindings(read.value).map(({ policyId, source, problem }) => ({
    problem: { ...problem, position: null },
    line: `${source} ${policyId} ${problem.path}: ${problem.message} (${problem.code})`,
  }));
  return { refused: false, findings: [...own, ...policies] };
}

/** Returns what is to be said about one policy; throws `document-unreadable`. */
export async function validateOnePolicy(
  path: string,
  type: DocumentType,
  io: CommandIo,
): Promise<Validated> {
  const text = await readText(path, io, "document-unreadable");
  const problems = validatePolicy(text, type);
  return {
    refused: !parsePolicyDocument(text, type).ok,
    findings: problems.map((problem) => ({ problem, line: formatProblem(problem, path) })),
  };
}
