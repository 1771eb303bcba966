import { join } from "node:path";
import {
  type DocumentProblem,
  formatDocumentProblem,
  printable,
} from "../../domain/directory/document-problem.ts";
import type { Validated } from "./run-validate.ts";
import { formatSarif } from "./sarif.ts";

export type ValidateOutput = "text" | "json" | "sarif";

export interface ReportOptions {
  readonly output: ValidateOutput;
  /** Lists the checks that were not made as well. */
  readonly verbose: boolean;
  /** The folder that the files of findings are in; empty: they are named from here. */
  readonly folder: string;
  readonly version: string;
}

/** Returns what `validate` prints. */
export function formatValidated(validated: Validated, options: ReportOptions): string {
  const { refused, findings } = validated;
  const notApplicable = options.verbose ? validated.notApplicable : [];
  switch (options.output) {
    case "text": {
      const count = findings.length === 1 ? "1 finding" : `${findings.length} findings`;
      return [
        ...findings.map(findingLine),
        ...notApplicable.map(
          ({ severity, code, why }) => `not checked ${code} (${severity}): ${why}`,
        ),
        `${refused ? "refused" : "accepted"}, ${count}`,
      ].join("\n");
    }
    case "json": {
      const report = {
        accepted: !refused,
        findings,
        ...(options.verbose && { notApplicable }),
      };
      return JSON.stringify(report, null, 2);
    }
    case "sarif": {
      const placed = findings.map((each) => ({ ...each, file: fileOf(each, options.folder) }));
      return formatSarif(placed, notApplicable, options.version);
    }
  }
}

/** `ERROR people.yaml:14:9 User/ana spec.groups: expected … (UNKNOWN_MEMBER)` */
function findingLine(finding: DocumentProblem): string {
  return `${finding.severity} ${formatDocumentProblem(finding)} (${printable(finding.code)})`;
}

function fileOf({ file }: DocumentProblem, folder: string): string {
  return folder === "" ? file : join(folder, file);
}
