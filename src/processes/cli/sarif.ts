import { isAbsolute, sep } from "node:path";
import { pathToFileURL } from "node:url";
import type { DocumentProblem } from "../../domain/directory/document-problem.ts";
import type { UndecidedCheck } from "../../iam/policy/checks/undecided.ts";
import type { Severity } from "../../iam/problem.ts";

type Level = "error" | "warning" | "note" | "none";

const levels: Readonly<Record<Severity, Level>> = {
  ERROR: "error",
  SECURITY_WARNING: "warning",
  WARNING: "warning",
  SUGGESTION: "note",
};

/**
 * Returns findings as a SARIF 2.1.0 log (OASIS, sarif-v2.1.0) for code scanning: a rule a code, AWS's
 * level in `properties.severity`, places as line and column in UTF-16 units. Checks that could not be
 * made are results of the kind `notApplicable`, whose level is `none` (3.27.9).
 */
export function formatSarif(
  findings: readonly DocumentProblem[],
  notApplicable: readonly UndecidedCheck[],
  version: string,
): string {
  const rules = new Map<string, Severity>();
  for (const { code, severity } of [...findings, ...notApplicable]) {
    if (!rules.has(code)) rules.set(code, severity);
  }
  const ids = [...rules.keys()];
  const run = {
    tool: {
      driver: {
        name: "mesh-iam",
        semanticVersion: version,
        rules: [...rules].map(([code, severity]) => rule(code, severity)),
      },
    },
    columnKind: "utf16CodeUnits",
    results: [
      ...findings.map((finding) => resultOf(finding, ids.indexOf(finding.code))),
      ...notApplicable.map(({ code, why }) => ({
        ruleId: code,
        ruleIndex: ids.indexOf(code),
        kind: "notApplicable",
        level: "none",
        message: { text: `not checked: ${why}` },
      })),
    ],
  };
  const log = {
    $schema:
      "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
    version: "2.1.0",
    runs: [run],
  };
  return JSON.stringify(log, null, 2);
}

function rule(code: string, severity: Severity): object {
  const words = code.toLowerCase().split("_");
  return {
    id: code,
    name: words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(""),
    shortDescription: { text: words.join(" ") },
    defaultConfiguration: { level: levels[severity] },
    properties: {
      severity,
      ...(severity === "SECURITY_WARNING" && { tags: ["security"] }),
    },
  };
}

function resultOf(
  { code, severity, file, subject, path, position, message }: DocumentProblem,
  ruleIndex: number,
): object {
  const logical = [subject, path].filter((part) => part !== "").join(" ");
  return {
    ruleId: code,
    ruleIndex,
    level: levels[severity],
    message: { text: message },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(file) },
          ...(position !== null && {
            region: { startLine: position.line, startColumn: position.column },
          }),
        },
        ...(logical !== "" && { logicalLocations: [{ fullyQualifiedName: logical }] }),
      },
    ],
    properties: { severity },
  };
}

/** A relative path is a relative reference (RFC 3986, 4.2), which readers resolve in the repository. */
function uriOf(file: string): string {
  if (file === "-") return "stdin";
  if (isAbsolute(file)) return pathToFileURL(file).href;
  const segments = file.split(sep).map(encodeURIComponent);
  // a colon in the first segment would make a scheme of it
  return segments.join("/").replace(/^\.\//, "");
}
